//! The rectifier with a slope below 0.

use burn::{Tensor, activation};
use gradstudy_base::signature::{Default, Param, ParamType, Signature};

use super::LayerKind;
use super::elementwise::{Elementwise, Function};
use super::kind::alone;

/// `nn.LeakyReLU`.
pub static KIND: LayerKind = LayerKind {
    signature: &Signature {
        name: "leaky_relu",
        summary: "x above 0, `slope` times x below",
        params: &[Param {
            name: "slope",
            ty: ParamType::Number { min: 0.0, max: 1.0 },
            default: Default::Text("0.01"),
            doc: "slope below 0 (PyTorch's negative_slope)",
        }],
        version: 1,
    },
    place: |args, here| {
        alone(Elementwise {
            shape: here.shape,
            function: LeakyRelu(args.number("slope")),
        })
    },
};

/// max(x, slope · x) for a slope of at most 1; at 0 the derivative is the slope, as PyTorch has it.
#[derive(Debug)]
pub struct LeakyRelu(pub f64);

impl Function for LeakyRelu {
    const KIND: &'static str = "LeakyReLU";
    const IS_PIECEWISE_LINEAR: bool = true;

    fn value(&self, x: f32) -> f32 {
        x * self.slope(x)
    }

    fn slope(&self, x: f32) -> f32 {
        match x > 0.0 {
            true => 1.0,
            false => self.0 as f32,
        }
    }

    fn curvature(&self, _x: f32) -> f32 {
        0.0
    }

    fn tensor(&self, x: Tensor<4>) -> Tensor<4> {
        activation::leaky_relu(x, self.0)
    }
}
