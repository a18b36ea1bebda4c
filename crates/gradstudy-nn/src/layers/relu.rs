//! max(0, x), with derivative 0 at 0 as PyTorch takes it.

use burn::{Tensor, activation};
use gradstudy_base::signature::Signature;
use pulp::{Arch, Simd, WithSimd};

use super::kind::alone;
use super::lanes::{Lanes, vectors, vectors_mut};
use super::second_order::{SecondOrder, Tangent};
use super::{Layer, LayerKind, Products, Shape, size};

/// `nn.ReLU`.
pub static KIND: LayerKind = LayerKind {
    signature: &Signature {
        name: "relu",
        summary: "max(0, x)",
        params: &[],
        version: 1,
    },
    place: |_, here| alone(Relu { shape: here.shape }),
};

/// The rectifier.
#[derive(Debug)]
pub struct Relu {
    pub shape: Shape,
}

struct Forward<'a>(&'a [Lanes], &'a mut [Lanes]);

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let zero = simd.splat_f32s(0.0);
        for (y, x) in vectors_mut::<S>(self.1).iter_mut().zip(vectors::<S>(self.0)) {
            *y = simd.max_f32s(zero, *x);
        }
    }
}

struct Backward<'a> {
    output: &'a [Lanes],
    grad_output: &'a [Lanes],
    grad_input: &'a mut [Lanes],
}

impl WithSimd for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let zero = simd.splat_f32s(0.0);
        let grads = vectors::<S>(self.grad_output)
            .iter()
            .zip(vectors::<S>(self.output));
        for (dx, (dy, y)) in vectors_mut::<S>(self.grad_input).iter_mut().zip(grads) {
            *dx = simd.select_f32s(simd.greater_than_f32s(*y, zero), *dy, zero);
        }
    }
}

impl Tangent for Relu {
    fn tangent(
        &self,
        _input: &[Lanes],
        output: &[Lanes],
        input_tangent: &[Lanes],
        output_tangent: &mut [Lanes],
    ) {
        // The derivative is diagonal: forwards and backwards it is the same mask.
        Arch::new().dispatch(Backward {
            output,
            grad_output: input_tangent,
            grad_input: output_tangent,
        });
    }
}

impl Layer for Relu {
    fn kind(&self) -> &'static str {
        "ReLU"
    }

    fn output(&self) -> Shape {
        self.shape
    }

    fn reads_output(&self) -> bool {
        true
    }

    fn flops(&self) -> u64 {
        size(self.shape) as u64
    }

    fn forward(&self, _theta: &[f32], input: &[Lanes], output: &mut [Lanes], _scratch: &mut [Lanes]) {
        Arch::new().dispatch(Forward(input, output));
    }

    fn backward(
        &self,
        _theta: &[f32],
        _input: &[Lanes],
        output: &[Lanes],
        grad_output: &[Lanes],
        grad_input: &mut [Lanes],
        _scratch: &mut [Lanes],
    ) {
        Arch::new().dispatch(Backward {
            output,
            grad_output,
            grad_input,
        });
    }

    fn second_order(&self) -> SecondOrder<'_> {
        SecondOrder::Piecewise(self)
    }

    #[cfg(feature = "kernels")]
    fn kernel(&self) -> Option<Box<dyn crate::kernels::Kernel>> {
        Some(Box::new(crate::kernels::Rectified))
    }

    fn tensor_forward(&self, _theta: Tensor<1>, input: Tensor<4>, _products: Products) -> Tensor<4> {
        activation::relu(input)
    }
}
