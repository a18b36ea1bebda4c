//! The logistic function.

use burn::{Tensor, activation};
use gradstudy_base::signature::Signature;

use super::LayerKind;
use super::elementwise::{Elementwise, Function, logistic};
use super::kind::alone;

/// `nn.Sigmoid`.
pub static KIND: LayerKind = LayerKind {
    signature: &Signature {
        name: "sigmoid",
        summary: "1 / (1 + exp(−x))",
        params: &[],
        version: 1,
    },
    place: |_, here| {
        alone(Elementwise {
            shape: here.shape,
            function: Sigmoid,
        })
    },
};

/// σ(x) = 1 / (1 + exp −x).
#[derive(Debug)]
pub struct Sigmoid;

impl Function for Sigmoid {
    const KIND: &'static str = "Sigmoid";

    fn value(&self, x: f32) -> f32 {
        logistic(x)
    }

    fn slope(&self, x: f32) -> f32 {
        // 1 − σ(x) is σ(−x), without cancellation.
        logistic(x) * logistic(-x)
    }

    fn curvature(&self, x: f32) -> f32 {
        let (s, t) = (logistic(x), logistic(-x));
        s * t * (t - s)
    }

    fn tensor(&self, x: Tensor<4>) -> Tensor<4> {
        activation::sigmoid(x)
    }
}
