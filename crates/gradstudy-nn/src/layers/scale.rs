//! A learned factor for each channel: the layer scale of deep residual networks (Touvron et al. 2021).

use burn::Tensor;
use gradstudy_base::signature::{Default, Param, ParamType, Signature};

use super::kind::alone;
use super::lanes::{LANES, Lanes, Segment, scatter};
use super::second_order::SecondOrder;
use super::{Initial, Layer, LayerKind, Parameter, Place, Products, Shape, size};

/// timm's `LayerScale`.
pub static KIND: LayerKind = LayerKind {
    signature: &Signature {
        name: "scale",
        summary: "a learned factor `gamma` for each channel (layer scale)",
        params: &[Param {
            name: "initial",
            ty: ParamType::Number { min: -1e6, max: 1e6 },
            default: Default::Text("1e-5"),
            doc: "what all factors begin with; 1e-5 as in timm, 1e-6 in ConvNeXt",
        }],
        version: 1,
    },
    place: |args, here| {
        alone(Scale {
            shape: here.shape,
            initial: args.number("initial"),
        })
    },
};

/// y = γ x, with γ of the channel.
#[derive(Debug)]
pub struct Scale {
    pub shape: Shape,
    /// Of every γ.
    pub initial: f64,
}

impl Scale {
    fn positions(&self) -> usize {
        self.shape[1] * self.shape[2]
    }

    /// `to` ← γ `from`.
    fn scaled(&self, theta: &[f32], from: &[Lanes], to: &mut [Lanes]) {
        for (i, (to, from)) in to.iter_mut().zip(from).enumerate() {
            let factor = theta[i / self.positions()];
            *to = Lanes(from.0.map(|x| factor * x));
        }
    }
}

impl Layer for Scale {
    fn kind(&self) -> &'static str {
        "LayerScale"
    }

    fn output(&self) -> Shape {
        self.shape
    }

    fn parameters(&self) -> Vec<Parameter> {
        vec![Parameter {
            name: "gamma",
            dims: vec![self.shape[0]],
            initial: Initial::Constant(self.initial),
        }]
    }

    fn flops(&self) -> u64 {
        size(self.shape) as u64
    }

    fn scratch(&self) -> usize {
        self.shape[0]
    }

    fn forward(&self, theta: &[f32], input: &[Lanes], output: &mut [Lanes], _scratch: &mut [Lanes]) {
        self.scaled(theta, input, output);
    }

    fn backward(
        &self,
        theta: &[f32],
        _input: &[Lanes],
        _output: &[Lanes],
        grad_output: &[Lanes],
        grad_input: &mut [Lanes],
        _scratch: &mut [Lanes],
    ) {
        self.scaled(theta, grad_output, grad_input);
    }

    fn gradient(
        &self,
        _theta: &[f32],
        input: &[Lanes],
        grad_output: &[Lanes],
        scratch: &mut [Lanes],
        segments: &[Segment],
        columns: &mut [f32],
        place: Place,
    ) {
        let (positions, sums) = (self.positions(), &mut scratch[..self.shape[0]]);
        let channels = input
            .chunks_exact(positions)
            .zip(grad_output.chunks_exact(positions));
        for (sum, (x, delta)) in sums.iter_mut().zip(channels) {
            *sum = Lanes::default();
            for (x, delta) in x.iter().zip(delta) {
                for lane in 0..LANES {
                    sum.0[lane] = x.0[lane].mul_add(delta.0[lane], sum.0[lane]);
                }
            }
        }
        scatter(sums, segments, columns, place);
    }

    fn second_order(&self) -> SecondOrder<'_> {
        SecondOrder::Linear
    }

    fn tensor_forward(&self, theta: Tensor<1>, input: Tensor<4>, _products: Products) -> Tensor<4> {
        input * theta.reshape([1, self.shape[0], 1, 1])
    }

    fn tensor_gradient(
        &self,
        input: Tensor<4>,
        grad_output: Tensor<4>,
        minibatches: usize,
        _products: Products,
    ) -> Option<Tensor<2>> {
        let (channels, positions) = (self.shape[0], self.positions());
        let batch = input.dims()[0] / minibatches;
        let products = (input * grad_output).reshape([minibatches, batch, channels, positions]);
        Some(products.sum_dim(3).sum_dim(1).reshape([minibatches, channels]))
    }
}
