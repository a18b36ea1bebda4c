//! SiLU, x times the logistic function of x.

use burn::{Tensor, activation};
use gradstudy_base::signature::Signature;

use super::LayerKind;
use super::elementwise::{Elementwise, Function, logistic};
use super::kind::alone;

/// `nn.SiLU`.
pub static KIND: LayerKind = LayerKind {
    signature: &Signature {
        name: "silu",
        summary: "x / (1 + exp(−x)), also called swish",
        params: &[],
        version: 1,
    },
    place: |_, here| {
        alone(Elementwise {
            shape: here.shape,
            function: Silu,
        })
    },
};

/// x σ(x) (Elfwing et al. 2018).
#[derive(Debug)]
pub struct Silu;

impl Function for Silu {
    const KIND: &'static str = "SiLU";

    fn value(&self, x: f32) -> f32 {
        x * logistic(x)
    }

    fn slope(&self, x: f32) -> f32 {
        let (s, t) = (logistic(x), logistic(-x));
        s * (1.0 + x * t)
    }

    fn curvature(&self, x: f32) -> f32 {
        let (s, t) = (logistic(x), logistic(-x));
        s * t * (2.0 + x * (t - s))
    }

    fn tensor(&self, x: Tensor<4>) -> Tensor<4> {
        activation::silu(x)
    }
}
