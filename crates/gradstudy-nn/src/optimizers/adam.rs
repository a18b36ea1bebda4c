//! Adam as `torch.optim.Adam` has it (Kingma and Ba 2015): bias-corrected moments, coupled weight decay, AMSGrad's
//! variant (Reddi, Kale and Kumar 2018).

use pulp::{Arch, NullaryFnOnce};
use rayon::prelude::*;

use super::{Optimizer, OptimizerKind, PART, couple, descend, fitting, weight_decay};
use gradstudy_base::signature::{Args, Default, Param, ParamType, Signature};

pub(super) const LR: Param = Param {
    name: "lr",
    ty: ParamType::Number { min: 0.0, max: 1e6 },
    default: Default::Text("1e-3"),
    doc: "learning rate η before any schedule",
};

/// A moment never forgets at 1, and the bias correction divides by 1 − βᵗ.
const BETA: ParamType = ParamType::Number {
    min: 0.0,
    max: 0.999_999_999,
};

pub(super) const BETA1: Param = Param {
    name: "beta1",
    ty: BETA,
    default: Default::Text("0.9"),
    doc: "β₁, the decay of the first moment",
};

pub(super) const BETA2: Param = Param {
    name: "beta2",
    ty: BETA,
    default: Default::Text("0.999"),
    doc: "β₂, the decay of the second moment",
};

pub(super) const EPS: Param = Param {
    name: "eps",
    // At 0 a parameter without a gradient would divide 0 by 0.
    ty: ParamType::Number { min: 1e-30, max: 1e6 },
    default: Default::Text("1e-8"),
    doc: "ε, added to the root of the second moment",
};

pub(super) const AMSGRAD: Param = Param {
    name: "amsgrad",
    ty: ParamType::Boolean,
    default: Default::Text("false"),
    doc: "divide by the root of the largest second moment so far",
};

static SIGNATURE: Signature = Signature {
    name: "adam",
    summary: "Adam with coupled weight decay (torch.optim.Adam)",
    params: &[
        LR,
        BETA1,
        BETA2,
        EPS,
        Param {
            name: "weight_decay",
            ty: ParamType::Number { min: 0.0, max: 1e6 },
            default: Default::Text("0"),
            doc: "λ; λθ is added to the gradient of every parameter",
        },
        AMSGRAD,
    ],
    version: 1,
};

/// Settings of Adam's direction alone.
pub(super) static DIRECTION: Signature = Signature {
    name: "adam",
    summary: "Adam's direction m̂/(√v̂ + ε)",
    params: &[BETA1, BETA2, EPS, AMSGRAD],
    version: 1,
};

/// See the module's documentation.
pub struct Adam;

impl OptimizerKind for Adam {
    fn signature(&self) -> &'static Signature {
        &SIGNATURE
    }

    fn build(&self, args: &Args, parameters: usize) -> Box<dyn Optimizer> {
        Box::new(State {
            moments: Moments::new(args, parameters),
            weight_decay: weight_decay(args) as f32,
        })
    }
}

struct State {
    moments: Moments,
    weight_decay: f32,
}

impl Optimizer for State {
    fn direction(&mut self, gradient: &mut [f32]) {
        self.moments.direction(gradient);
    }

    fn step(&mut self, theta: &mut [f32], gradient: &mut [f32], lr: f32) {
        couple(gradient, theta, self.weight_decay);
        self.direction(gradient);
        descend(theta, gradient, lr);
    }

    #[cfg(feature = "kernels")]
    fn update(&self, lr: f32) -> Option<crate::kernels::Update> {
        Some(self.moments.update(lr, self.weight_decay, 0.0))
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

/// The moments of Adam and AdamW.
pub(super) struct Moments {
    beta1: f64,
    beta2: f64,
    eps: f32,
    amsgrad: bool,
    /// m, from 0.
    first: Vec<f32>,
    /// v, from 0.
    second: Vec<f32>,
    /// The largest v so far; empty unless `amsgrad`.
    largest: Vec<f32>,
    /// Gradients seen, as multiples of 2²⁰ and the rest: float32 counts no further than 2²⁴.
    seen: [f32; 2],
}

/// What [`Moments::seen`] counts in.
const HIGH: f32 = 1_048_576.0;

impl Moments {
    pub fn new(args: &Args, parameters: usize) -> Self {
        let amsgrad = args.boolean("amsgrad");
        Moments {
            beta1: args.number("beta1"),
            beta2: args.number("beta2"),
            eps: args.number("eps") as f32,
            amsgrad,
            first: vec![0.0; parameters],
            second: vec![0.0; parameters],
            largest: vec![0.0; if amsgrad { parameters } else { 0 }],
            seen: [0.0; 2],
        }
    }

    /// One gradient more.
    pub fn count(&mut self) {
        self.seen[1] += 1.0;
        if self.seen[1] == HIGH {
            self.seen = [self.seen[0] + 1.0, 0.0];
        }
    }

    /// t, how many there have been.
    fn seen(&self) -> f64 {
        f64::from(self.seen[0]) * f64::from(HIGH) + f64::from(self.seen[1])
    }

    /// What the t-th gradient does.
    fn rule(&self, t: f64) -> Rule {
        Rule {
            beta2: self.beta2 as f32,
            new1: (1.0 - self.beta1) as f32,
            new2: (1.0 - self.beta2) as f32,
            correct1: (1.0 / (1.0 - self.beta1.powf(t))) as f32,
            correct2: (1.0 / (1.0 - self.beta2.powf(t)).sqrt()) as f32,
            eps: self.eps,
        }
    }

    /// The next step as a kernel does it.
    #[cfg(feature = "kernels")]
    pub fn update(&self, lr: f32, coupled: f32, decoupled: f32) -> crate::kernels::Update {
        let rule = self.rule(self.seen() + 1.0);
        crate::kernels::Update::Moments {
            lr,
            beta2: rule.beta2,
            new: [rule.new1, rule.new2],
            correct: [rule.correct1, rule.correct2],
            eps: rule.eps,
            coupled,
            decoupled,
            amsgrad: self.amsgrad,
        }
    }

    /// m̂/(√v̂ + ε) in place of the gradient, with m̂ = m/(1 − β₁ᵗ) and v̂ = v/(1 − β₂ᵗ).
    pub fn direction(&mut self, gradient: &mut [f32]) {
        self.count();
        let rule = self.rule(self.seen());
        let arch = Arch::default();
        let parts = gradient
            .par_chunks_mut(PART)
            .zip(self.first.par_chunks_mut(PART))
            .zip(self.second.par_chunks_mut(PART));
        if self.amsgrad {
            parts.zip(self.largest.par_chunks_mut(PART)).for_each(
                |(((gradient, first), second), largest)| {
                    for (((g, m), v), largest) in gradient.iter_mut().zip(first).zip(second).zip(largest) {
                        rule.moments(*g, m, v);
                        *largest = largest.max(*v);
                        *g = rule.direction(*m, *largest);
                    }
                },
            );
        } else {
            parts.for_each(|((gradient, first), second)| {
                arch.dispatch(Part {
                    rule,
                    gradient,
                    first,
                    second,
                });
            });
        }
    }

    /// For a checkpoint; see [`Optimizer::state`].
    pub fn state(&self) -> Vec<(&'static str, &[f32])> {
        let mut state = vec![
            ("first moment", self.first.as_slice()),
            ("second moment", &self.second),
            ("gradients seen", &self.seen),
        ];
        if self.amsgrad {
            state.push(("largest second moment", &self.largest));
        }
        state
    }

    /// See [`Optimizer::restore`].
    pub fn restore(&mut self, state: &dyn Fn(&str) -> Option<Vec<f32>>) -> bool {
        let largest = match self.amsgrad {
            true => fitting(state, "largest second moment", &self.largest),
            false => Some(Vec::new()),
        };
        let (Some(first), Some(second), Some(seen), Some(largest)) = (
            fitting(state, "first moment", &self.first),
            fitting(state, "second moment", &self.second),
            fitting(state, "gradients seen", &self.seen),
            largest,
        ) else {
            return false;
        };
        self.first = first;
        self.second = second;
        self.seen = [seen[0], seen[1]];
        self.largest = largest;
        true
    }
}

/// One step's numbers, the same for every parameter.
#[derive(Clone, Copy)]
struct Rule {
    beta2: f32,
    new1: f32,
    new2: f32,
    correct1: f32,
    correct2: f32,
    eps: f32,
}

impl Rule {
    #[inline(always)]
    fn moments(&self, g: f32, m: &mut f32, v: &mut f32) {
        *m += self.new1 * (g - *m);
        *v = self.beta2 * *v + self.new2 * g * g;
    }

    #[inline(always)]
    fn direction(&self, m: f32, v: f32) -> f32 {
        self.correct1 * m / (self.correct2 * v.sqrt() + self.eps)
    }
}

/// Some parameters' share of a step, as wide as the CPU's vectors; every operation rounds alike on all of them.
struct Part<'a> {
    rule: Rule,
    gradient: &'a mut [f32],
    first: &'a mut [f32],
    second: &'a mut [f32],
}

impl NullaryFnOnce for Part<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for ((g, m), v) in self.gradient.iter_mut().zip(self.first).zip(self.second) {
            self.rule.moments(*g, m, v);
            *g = self.rule.direction(*m, *v);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gradstudy_base::signature::Value;

    fn moments(amsgrad: bool) -> Moments {
        let args = [
            ("beta1", Value::Number(0.5)),
            ("beta2", Value::Number(0.75)),
            ("eps", Value::Number(1e-8)),
            ("amsgrad", Value::Boolean(amsgrad)),
        ];
        Moments::new(
            &Args(args.into_iter().map(|(k, v)| (k.to_string(), v)).collect()),
            1,
        )
    }

    /// g = 2, then 0: m = 1, 1/2 and v = 1, 3/4, so m̂ = 2, 2/3 and v̂ = 4, 12/7. AMSGrad keeps v = 1: v̂ = 16/7.
    #[test]
    fn two_directions_by_hand() {
        for (amsgrad, second) in [
            (false, (2.0 / 3.0) / (12.0f64 / 7.0).sqrt()),
            (true, (2.0 / 3.0) / (16.0f64 / 7.0).sqrt()),
        ] {
            let mut moments = moments(amsgrad);
            for (gradient, expected) in [(2.0, 1.0), (0.0, second)] {
                let mut direction = [gradient];
                moments.direction(&mut direction);
                assert!((f64::from(direction[0]) - expected).abs() < 1e-6, "{direction:?}");
            }
        }
    }

    #[test]
    fn the_count_goes_on_where_float32_stops() {
        let mut moments = moments(false);
        moments.seen = [16.0, HIGH - 1.0];
        moments.direction(&mut [1.0]);
        assert_eq!(moments.seen, [17.0, 0.0]);
        moments.direction(&mut [1.0]);
        assert_eq!(moments.seen, [17.0, 1.0]);
    }

    #[test]
    fn a_state_of_another_size_or_kind_is_not_taken() {
        let saved = moments(false);
        let take = |name: &str| {
            let found = saved.state().into_iter().find(|(own, _)| *own == name);
            found.map(|(_, values)| values.to_vec())
        };
        assert!(moments(false).restore(&take));
        assert!(!moments(true).restore(&take), "AMSGrad needs its largest moment");
        assert!(!moments(false).restore(&|name| take(name).map(|values| [values, vec![0.0]].concat())));
    }
}
