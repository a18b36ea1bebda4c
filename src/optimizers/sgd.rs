//! Stochastic gradient descent as `torch.optim.SGD` has it: coupled weight decay, momentum without dampening,
//! Nesterov's variant.

use crate::signature::{Args, Default, Param, ParamType, Signature};

use super::{Optimizer, OptimizerKind};

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
        Param {
            name: "nesterov",
            ty: ParamType::Boolean,
            default: Default::Text("false"),
            doc: "Nesterov momentum",
        },
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
            weight_decay: args.number("weight_decay") as f32,
            nesterov: args.boolean("nesterov"),
            velocity: vec![0.0; parameters],
        })
    }
}

impl Optimizer for State {
    fn step(&mut self, theta: &mut [f32], gradient: &mut [f32], lr: f32) {
        // Starting from v = 0, μv + g is PyTorch's first velocity, g, too.
        for ((theta, g), v) in theta.iter_mut().zip(gradient).zip(&mut self.velocity) {
            let decayed = *g + self.weight_decay * *theta;
            *v = self.momentum * *v + decayed;
            *theta -= lr
                * if self.nesterov {
                    decayed + self.momentum * *v
                } else {
                    *v
                };
        }
    }

    fn state(&self) -> Vec<(&'static str, &[f32])> {
        vec![("velocity", &self.velocity)]
    }

    fn restore(&mut self, state: &dyn Fn(&str) -> Option<Vec<f32>>) -> bool {
        match state("velocity") {
            Some(velocity) if velocity.len() == self.velocity.len() => {
                self.velocity = velocity;
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signature::Value;

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
