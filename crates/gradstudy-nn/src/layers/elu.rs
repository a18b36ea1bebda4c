//! ELU: the identity above 0, an exponential below.

use burn::{Tensor, activation};
use gradstudy_base::signature::{Default, Param, ParamType, Signature};

use super::LayerKind;
use super::elementwise::{Elementwise, Function};
use super::kind::alone;

/// `nn.ELU`.
pub static KIND: LayerKind = LayerKind {
    signature: &Signature {
        name: "elu",
        summary: "x above 0, `alpha` (exp(x) − 1) below",
        params: &[Param {
            name: "alpha",
            ty: ParamType::Number { min: 0.0, max: 1e3 },
            default: Default::Text("1"),
            doc: "what is approached far below 0, with its sign changed",
        }],
        version: 1,
    },
    place: |args, here| {
        alone(Elementwise {
            shape: here.shape,
            function: Elu(args.number("alpha")),
        })
    },
};

/// x for x > 0, α (exp x − 1) else (Clevert et al. 2016).
#[derive(Debug)]
pub struct Elu(pub f64);

impl Elu {
    fn exponential(&self, x: f32) -> f32 {
        self.0 as f32 * x.exp()
    }
}

impl Function for Elu {
    const KIND: &'static str = "ELU";

    fn value(&self, x: f32) -> f32 {
        match x > 0.0 {
            true => x,
            false => self.0 as f32 * x.exp_m1(),
        }
    }

    fn slope(&self, x: f32) -> f32 {
        match x > 0.0 {
            true => 1.0,
            false => self.exponential(x),
        }
    }

    fn curvature(&self, x: f32) -> f32 {
        match x > 0.0 {
            true => 0.0,
            false => self.exponential(x),
        }
    }

    fn tensor(&self, x: Tensor<4>) -> Tensor<4> {
        activation::elu(x, self.0)
    }
}
