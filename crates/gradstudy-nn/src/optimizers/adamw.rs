//! AdamW as `torch.optim.AdamW` has it (Loshchilov and Hutter 2019): Adam with weight decay apart from the gradient.

use super::adam::{AMSGRAD, BETA1, BETA2, EPS, LR, Moments};
use super::{Optimizer, OptimizerKind, descend, weight_decay};
use gradstudy_base::signature::{Args, Default, Param, ParamType, Signature};

static SIGNATURE: Signature = Signature {
    name: "adamw",
    summary: "Adam with decoupled weight decay (torch.optim.AdamW)",
    params: &[
        LR,
        BETA1,
        BETA2,
        EPS,
        Param {
            name: "weight_decay",
            ty: ParamType::Number { min: 0.0, max: 1e6 },
            default: Default::Text("0.01"),
            doc: "λ; each step multiplies every parameter by 1 − ηλ",
        },
        AMSGRAD,
    ],
    version: 1,
};

/// See the module's documentation.
pub struct AdamW;

struct State {
    moments: Moments,
    weight_decay: f64,
}

impl OptimizerKind for AdamW {
    fn signature(&self) -> &'static Signature {
        &SIGNATURE
    }

    fn build(&self, args: &Args, parameters: usize) -> Box<dyn Optimizer> {
        Box::new(State {
            moments: Moments::new(args, parameters),
            weight_decay: weight_decay(args),
        })
    }
}

impl Optimizer for State {
    fn direction(&mut self, gradient: &mut [f32]) {
        self.moments.direction(gradient);
    }

    fn step(&mut self, theta: &mut [f32], gradient: &mut [f32], lr: f32) {
        // Rounding 1 − ηλ itself to float32 would change a small decay by some percent.
        let decay = (f64::from(lr) * self.weight_decay) as f32;
        theta.iter_mut().for_each(|x| *x -= decay * *x);
        self.direction(gradient);
        descend(theta, gradient, lr);
    }

    #[cfg(feature = "kernels")]
    fn update(&self, lr: f32) -> Option<crate::kernels::Update> {
        let decay = (f64::from(lr) * self.weight_decay) as f32;
        Some(self.moments.update(lr, 0.0, decay))
    }

    #[cfg(feature = "kernels")]
    fn updated(&mut self) {
        self.moments.count();
    }

    fn state(&self) -> Vec<(&'static str, &[f32])> {
        self.moments.state()
    }

    fn restore(&mut self, state: &dyn Fn(&str) -> Option<Vec<f32>>) -> bool {
        self.moments.restore(state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gradstudy_base::signature::Value;

    /// θ = 2, η = 0.1, λ = 0.5, g = 3: 2 (1 − 0.05) − 0.1 · 1, for Adam's first direction is the sign of g.
    #[test]
    fn the_first_step_by_hand() {
        let args = [
            ("beta1", Value::Number(0.9)),
            ("beta2", Value::Number(0.999)),
            ("eps", Value::Number(1e-8)),
            ("weight_decay", Value::Number(0.5)),
            ("amsgrad", Value::Boolean(false)),
        ];
        let args = Args(args.into_iter().map(|(k, v)| (k.to_string(), v)).collect());
        let (mut adamw, mut theta) = (AdamW.build(&args, 1), [2.0f32]);
        adamw.step(&mut theta, &mut [3.0], 0.1);
        assert!((theta[0] - 1.8).abs() < 1e-6, "{theta:?}");
    }
}
