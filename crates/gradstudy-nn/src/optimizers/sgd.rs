//! Stochastic gradient descent as `torch.optim.SGD` has it: coupled weight decay, momentum without dampening,
//! Nesterov's variant.

use rayon::prelude::*;

use super::{Optimizer, OptimizerKind, PART, couple, descend, fitting, weight_decay};
use gradstudy_base::signature::{Args, Default, Param, ParamType, Signature};

static SIGNATURE: Signature = Signature {
    name: "sgd",
    summary: "stochastic gradient descent, with momentum and coupled weight decay (torch.optim.SGD)",
    params: &[
        Param {
            name: "lr",
            ty: ParamType::Number { min: 0.0, max: 1e6 },
            default: Default::Required,
            doc: "learning rate η before any decay",
        },
        Param {
            name: "momentum",
            ty: ParamType::Number { min: 0.0, max: 1.0 },
            default: Default::Text("0"),
            doc: "momentum β₁; no dampening",
        },
        Param {
            name: "weight_decay",
            ty: ParamType::Number { min: 0.0, max: 1e6 },
            default: Default::Text("0"),
            doc: "λ; λθ is added to the gradient of every parameter",
        },
        NESTEROV,
    ],
    version: 1,
};

const NESTEROV: Param = Param {
    name: "nesterov",
    ty: ParamType::Boolean,
    default: Default::Text("false"),
    doc: "Nesterov momentum",
};

/// Settings of the direction alone. Without momentum it would be the gradient, so momentum is asked for.
pub(super) static DIRECTION: Signature = Signature {
    name: "sgd",
    summary: "the velocity v = β₁v + g of SGD with momentum; with `nesterov`, g + β₁v",
    params: &[
        Param {
            name: "momentum",
            ty: ParamType::Number { min: 0.0, max: 1.0 },
            default: Default::Required,
            doc: "momentum β₁; no dampening",
        },
        NESTEROV,
    ],
    version: 1,
};

/// See the module's documentation.
pub struct Sgd;

struct State {
    momentum: f32,
    weight_decay: f32,
    nesterov: bool,
    velocity: Vec<f32>,
}

impl OptimizerKind for Sgd {
    fn signature(&self) -> &'static Signature {
        &SIGNATURE
    }

    fn build(&self, args: &Args, parameters: usize) -> Box<dyn Optimizer> {
        Box::new(State {
            momentum: args.number("momentum") as f32,
            weight_decay: weight_decay(args) as f32,
            nesterov: args.boolean("nesterov"),
            velocity: vec![0.0; parameters],
        })
    }
}

impl Optimizer for State {
    fn direction(&mut self, gradient: &mut [f32]) {
        let (momentum, nesterov) = (self.momentum, self.nesterov);
        let parts = gradient
            .par_chunks_mut(PART)
            .zip(self.velocity.par_chunks_mut(PART));
        parts.for_each(|(gradient, velocity)| {
            // Starting from v = 0, β₁v + g is PyTorch's first velocity, g, too.
            for (g, v) in gradient.iter_mut().zip(velocity) {
                *v = momentum * *v + *g;
                *g = if nesterov { *g + momentum * *v } else { *v };
            }
        });
    }

    fn step(&mut self, theta: &mut [f32], gradient: &mut [f32], lr: f32) {
        couple(gradient, theta, self.weight_decay);
        self.direction(gradient);
        descend(theta, gradient, lr);
    }

    #[cfg(feature = "kernels")]
    fn update(&self, lr: f32) -> Option<crate::kernels::Update> {
        Some(crate::kernels::Update::Momentum {
            lr,
            momentum: self.momentum,
            nesterov: self.nesterov,
            coupled: self.weight_decay,
        })
    }

    fn state(&self) -> Vec<(&'static str, &[f32])> {
        vec![("velocity", &self.velocity)]
    }

    fn restore(&mut self, state: &dyn Fn(&str) -> Option<Vec<f32>>) -> bool {
        let velocity = fitting(state, "velocity", &self.velocity);
        let fits = velocity.is_some();
        self.velocity = velocity.unwrap_or_else(|| std::mem::take(&mut self.velocity));
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gradstudy_base::signature::Value;

    fn sgd(momentum: f64, weight_decay: f64, nesterov: bool) -> Box<dyn Optimizer> {
        let args = [
            ("lr", Value::Number(0.1)),
            ("momentum", Value::Number(momentum)),
            ("weight_decay", Value::Number(weight_decay)),
            ("nesterov", Value::Boolean(nesterov)),
        ];
        Sgd.build(
            &Args(args.into_iter().map(|(k, v)| (k.to_string(), v)).collect()),
            1,
        )
    }

    /// Two steps with gradient 1 from θ = 2, by hand.
    #[test]
    fn two_steps_by_hand() {
        for (momentum, decay, nesterov, expected) in [
            (0.0, 0.0, false, [1.9, 1.8]),
            (0.5, 0.0, false, [1.9, 1.75]),
            (0.5, 0.0, true, [1.85, 1.675]),
            (0.0, 0.5, false, [1.8, 1.61]),
        ] {
            let (mut optimizer, mut theta) = (sgd(momentum, decay, nesterov), [2.0f32]);
            for expected in expected {
                optimizer.step(&mut theta, &mut [1.0], 0.1);
                assert!(
                    (theta[0] - expected).abs() < 1e-6,
                    "{theta:?}, expected {expected}"
                );
            }
        }
    }
}
