//! Laws that samples can be drawn from, to see what a test makes of them.

use std::f64::consts::{PI, TAU};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

use gradstudy_base::signature::{Call, Default, Param, ParamType, Signature};

/// A law with zero as its centre or its lower end, and one as its scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Law {
    Normal,
    Laplace,
    Uniform,
    Exponential,
    /// Student's t with `dof` degrees of freedom.
    Student {
        dof: f64,
    },
    /// exp of a normal variable with standard deviation `sigma`.
    Lognormal {
        sigma: f64,
    },
    /// P(X > x) = exp(−x^shape).
    Weibull {
        shape: f64,
    },
    /// Density ∝ x^(−beta) from 1 on.
    PowerLaw {
        beta: f64,
    },
    /// Symmetric α-stable.
    Stable {
        alpha: f64,
    },
}

const fn positive(name: &'static str, doc: &'static str) -> Param {
    Param {
        name,
        ty: ParamType::Number { min: 1e-3, max: 1e6 },
        default: Default::Required,
        doc,
    }
}

const fn law(name: &'static str, summary: &'static str, params: &'static [Param]) -> Signature {
    Signature {
        name,
        summary,
        params,
        version: 1,
    }
}

/// `normal`
pub static NORMAL: Signature = law("normal", "standard normal", &[]);
/// `laplace`
pub static LAPLACE: Signature = law("laplace", "Laplace, density exp(−|x|)/2", &[]);
/// `uniform`
pub static UNIFORM: Signature = law("uniform", "uniform between 0 and 1", &[]);
/// `exponential`
pub static EXPONENTIAL: Signature = law("exponential", "exponential with mean 1", &[]);
/// `student(3)`
pub static STUDENT: Signature = law("student", "Student's t", &[positive("dof", "degrees of freedom")]);
/// `lognormal(1)`
pub static LOGNORMAL: Signature = law(
    "lognormal",
    "exp of a normal variable with mean 0",
    &[positive("sigma", "its standard deviation")],
);
/// `weibull(0.5)`
pub static WEIBULL: Signature = law(
    "weibull",
    "Weibull, P(X > x) = exp(−x^shape); a stretched exponential below 1",
    &[positive("shape", "its shape")],
);
/// `power_law(2.5)`
pub static POWER_LAW: Signature = law(
    "power_law",
    "power law from 1 on, density ∝ x^−beta",
    &[Param {
        name: "beta",
        ty: ParamType::Number { min: 1.001, max: 1e6 },
        default: Default::Required,
        doc: "its exponent, above 1",
    }],
);
/// `stable(1.5)`
pub static STABLE: Signature = law(
    "stable",
    "symmetric α-stable with scale 1",
    &[Param {
        name: "alpha",
        ty: ParamType::Number { min: 0.05, max: 2.0 },
        default: Default::Required,
        doc: "its tail index, up to 2",
    }],
);

/// The laws by name.
pub static LAWS: &[&Signature] = &[
    &NORMAL,
    &LAPLACE,
    &UNIFORM,
    &EXPONENTIAL,
    &STUDENT,
    &LOGNORMAL,
    &WEIBULL,
    &POWER_LAW,
    &STABLE,
];

impl Law {
    /// Reads a checked call of one of [`LAWS`]. Panics at another name: a mistake in gradstudy.
    pub fn from_call(call: &Call) -> Self {
        let number = |name| call.args.number(name);
        match call.name.as_str() {
            "normal" => Law::Normal,
            "laplace" => Law::Laplace,
            "uniform" => Law::Uniform,
            "exponential" => Law::Exponential,
            "student" => Law::Student { dof: number("dof") },
            "lognormal" => Law::Lognormal {
                sigma: number("sigma"),
            },
            "weibull" => Law::Weibull {
                shape: number("shape"),
            },
            "power_law" => Law::PowerLaw { beta: number("beta") },
            "stable" => Law::Stable {
                alpha: number("alpha"),
            },
            other => panic!("`{other}` is no law, the signature promised one"),
        }
    }

    /// One number. Two uniform numbers are drawn for each, whatever the law.
    pub fn draw(self, rng: &mut ChaCha8Rng) -> f64 {
        let (u, v) = (open(rng), open(rng));
        // Box and Muller, Bailey (Mathematics of Computation 62 (1994)), Chambers, Mallows and Stuck (JASA 71 (1976)).
        match self {
            Law::Normal => Law::normal(u, v),
            Law::Laplace if v < 0.5 => u.ln(),
            Law::Laplace => -u.ln(),
            Law::Uniform => u,
            Law::Exponential => -u.ln(),
            Law::Student { dof } => (dof * (-2.0 / dof * u.ln()).exp_m1()).sqrt() * (TAU * v).cos(),
            Law::Lognormal { sigma } => (sigma * Law::normal(u, v)).exp(),
            Law::Weibull { shape } => (-u.ln()).powf(1.0 / shape),
            Law::PowerLaw { beta } => (-u.ln() / (beta - 1.0)).exp(),
            Law::Stable { alpha: 1.0 } => (PI * (v - 0.5)).tan(),
            Law::Stable { alpha } => {
                let angle = PI * (v - 0.5);
                (alpha * angle).sin() / angle.cos().powf(1.0 / alpha)
                    * ((angle - alpha * angle).cos() / -u.ln()).powf((1.0 - alpha) / alpha)
            }
        }
    }

    fn normal(u: f64, v: f64) -> f64 {
        (-2.0 * u.ln()).sqrt() * (TAU * v).cos()
    }
}

/// Uniform in (0, 1).
fn open(rng: &mut ChaCha8Rng) -> f64 {
    ((rng.next_u64() >> 11) as f64 + 0.5) / (1u64 << 53) as f64
}
