//! What changes no number: the identity, and the flattening of an image to a vector.

use burn::Tensor;
use gradstudy_base::signature::Signature;

use super::kind::alone;
use super::lanes::{Lanes, floats, floats_mut};
use super::second_order::SecondOrder;
use super::{Layer, LayerKind, Products, Shape, size};

/// `nn.Identity`.
pub static KIND: LayerKind = LayerKind {
    signature: &Signature {
        name: "identity",
        summary: "nothing: the activation as it is",
        params: &[],
        version: 1,
    },
    place: |_, here| alone(Identity::new(here.shape)),
};

/// `nn.Flatten`.
pub static FLATTEN: LayerKind = LayerKind {
    signature: &Signature {
        name: "flatten",
        summary: "an image as the vector of its numbers, channel by channel and row by row",
        params: &[],
        version: 1,
    },
    place: |_, here| alone(Identity::flatten(here.shape)),
};

/// y = x, in another shape perhaps.
#[derive(Debug)]
pub struct Identity {
    kind: &'static str,
    output: Shape,
}

impl Identity {
    /// The activation as it is.
    pub fn new(shape: Shape) -> Self {
        Identity {
            kind: "Identity",
            output: shape,
        }
    }

    /// An activation of shape `input` as a vector.
    pub fn flatten(input: Shape) -> Self {
        Identity {
            kind: "Flatten",
            output: [size(input), 1, 1],
        }
    }
}

impl Layer for Identity {
    fn kind(&self) -> &'static str {
        self.kind
    }

    fn output(&self) -> Shape {
        self.output
    }

    fn flops(&self) -> u64 {
        0
    }

    fn forward(&self, _theta: &[f32], input: &[Lanes], output: &mut [Lanes], _scratch: &mut [Lanes]) {
        floats_mut(output).copy_from_slice(floats(input));
    }

    fn backward(
        &self,
        _theta: &[f32],
        _input: &[Lanes],
        _output: &[Lanes],
        grad_output: &[Lanes],
        grad_input: &mut [Lanes],
        _scratch: &mut [Lanes],
    ) {
        floats_mut(grad_input).copy_from_slice(floats(grad_output));
    }

    fn second_order(&self) -> SecondOrder<'_> {
        SecondOrder::Linear
    }

    /// The mean over one position, which copies.
    #[cfg(feature = "kernels")]
    fn kernel(&self) -> Option<Box<dyn crate::kernels::Kernel>> {
        Some(Box::new(crate::kernels::Average(1)))
    }

    fn tensor_forward(&self, _theta: Tensor<1>, input: Tensor<4>, _products: Products) -> Tensor<4> {
        let samples = input.dims()[0];
        let [channels, height, width] = self.output;
        input.reshape([samples, channels, height, width])
    }
}
