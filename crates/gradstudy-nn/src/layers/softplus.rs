//! Softplus, the integral of the logistic function.

use burn::{Tensor, activation};
use gradstudy_base::signature::Signature;

use super::LayerKind;
use super::elementwise::{Elementwise, Function, logistic};
use super::kind::alone;

/// `nn.Softplus`.
pub static KIND: LayerKind = LayerKind {
    signature: &Signature {
        name: "softplus",
        summary: "log(1 + exp x)",
        params: &[],
        version: 1,
    },
    place: |_, here| {
        alone(Elementwise {
            shape: here.shape,
            function: Softplus,
        })
    },
};

/// log(1 + exp x), with PyTorch's default β = 1.
#[derive(Debug)]
pub struct Softplus;

impl Function for Softplus {
    const KIND: &'static str = "Softplus";

    fn value(&self, x: f32) -> f32 {
        x.max(0.0) + (-x.abs()).exp().ln_1p()
    }

    fn slope(&self, x: f32) -> f32 {
        logistic(x)
    }

    fn curvature(&self, x: f32) -> f32 {
        logistic(x) * logistic(-x)
    }

    fn tensor(&self, x: Tensor<4>) -> Tensor<4> {
        activation::softplus(x, 1.0)
    }
}
