//! The power-law test: maximum-likelihood fit of the tail of |x| (Eq. 8) and its Kolmogorov–Smirnov distance
//! (Eq. 7) against the critical distance.

use super::TestKind;
use super::degenerate::Cause;
use super::history_view::HistoryView;
use super::ks::{Ecdf, critical_distance, ks_distance};
use super::many;
use super::monitor::Monitor;
use super::outcome::{Direction, Outcome};
use super::tail::{RULES, TailRule};
use crate::signature::{Args, Default, Param, ParamType, Signature};

/// `power_law(g, tail: top(1000), ecdf: left, alpha: 0.05, along: [dimension, iteration])`
pub static SIGNATURE: Signature = Signature {
    name: "power_law",
    summary: "Kolmogorov–Smirnov test of a power law fitted to the tail of the absolute values",
    params: &[
        Param {
            name: "of",
            ty: ParamType::Reference(&["record"]),
            default: Default::Required,
            doc: "the gradient history",
        },
        Param {
            name: "tail",
            ty: ParamType::Call(RULES),
            default: Default::Text("top(1000)"),
            doc: "how x_min is chosen; the paper takes the 1000 largest values",
        },
        Param {
            name: "ecdf",
            ty: ParamType::Word(&["left", "two_sided"]),
            default: Default::Text("left"),
            doc: "side of the empirical distribution's steps: `left` as powerlaw and plfit, or `two_sided`",
        },
        ALPHA,
        ALONG,
    ],
    version: 1,
};

/// The significance level of every test over a history.
pub(super) const ALPHA: Param = Param {
    name: "alpha",
    ty: ParamType::Number { min: 1e-9, max: 1.0 },
    default: Default::Text("0.05"),
    doc: "significance level of the decision for one sample",
};

/// The directions of every test over a history.
pub(super) const ALONG: Param = Param {
    name: "along",
    ty: ParamType::List(&ParamType::Word(&["dimension", "iteration"])),
    default: Default::Text("[dimension, iteration]"),
    doc: "`dimension` tests each column of G, `iteration` each row",
};

/// The power-law test as a study names it.
#[derive(Debug)]
pub struct PowerLaw;

impl TestKind for PowerLaw {
    fn signature(&self) -> &'static Signature {
        &SIGNATURE
    }

    fn run(
        &self,
        view: HistoryView,
        direction: Direction,
        args: &Args,
        _seed: u64,
        monitor: &Monitor,
    ) -> Option<Outcome> {
        let settings = PowerLawSettings::from_args(args);
        many::power_law_test(view, direction, &settings, monitor).map(Outcome::PowerLaw)
    }

    fn run_sample(&self, values: &[f64], args: &Args, _seed: u64, monitor: &Monitor) -> Option<Outcome> {
        let settings = PowerLawSettings::from_args(args);
        let outcome = many::power_law_of_sample(values, &settings);
        (!monitor.cancelled()).then(|| {
            (monitor.progress)(1);
            Outcome::PowerLaw(outcome)
        })
    }

    fn seconds(&self, args: &Args, parameters: u64, iterations: u64, direction: Direction) -> f64 {
        // Measured on one core of an Intel Xeon with AVX-512: reading or turning G, and fitting each tail.
        let (per_value, samples) = match direction {
            Direction::Dimension | Direction::Spectrum => (0.45e-9, iterations),
            Direction::Iteration => (1.2e-9, parameters),
        };
        let values = parameters as f64 * iterations as f64;
        // A scan sorts the whole sample and fits many tails.
        let per_value = if args.call("tail").name == "scan" {
            1e-7
        } else {
            per_value
        };
        (values * per_value + samples as f64 * 7e-6) / rayon::current_num_threads() as f64
    }
}

/// Settings of the power-law test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PowerLawSettings {
    pub tail: TailRule,
    pub ecdf: Ecdf,
    /// Significance level α.
    pub alpha: f64,
}

impl PowerLawSettings {
    /// Reads arguments checked against [`SIGNATURE`].
    pub fn from_args(args: &Args) -> Self {
        PowerLawSettings {
            tail: TailRule::from_call(args.call("tail")),
            ecdf: Ecdf::from_word(args.text("ecdf")),
            alpha: args.number("alpha"),
        }
    }
}

/// A density ∝ x^(−β) fitted from x_min on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PowerLawFit {
    /// β̂ = 1 + K / Σ ln(xᵢ/x_min) (Eq. 8), the maximum of the likelihood.
    pub exponent: f64,
    /// ŝ = 1/(β̂ − 1): the slope of the rank plot.
    pub zipf_exponent: f64,
    /// Standard error of β̂, (β̂ − 1)/√K (Clauset, Shalizi and Newman, SIAM Review 51 (2009), Eq. 3.2).
    pub standard_error: f64,
    /// The paper's λ_min.
    pub x_min: f64,
    /// Points in the tail (K).
    pub n_tail: usize,
}

impl PowerLawFit {
    /// The fit to `n_tail` points with the given Σ ln(xᵢ/x_min) > 0.
    pub fn from_log_sum(log_sum: f64, x_min: f64, n_tail: usize) -> Self {
        let k = n_tail as f64;
        PowerLawFit {
            exponent: 1.0 + k / log_sum,
            zipf_exponent: log_sum / k,
            standard_error: k.sqrt() / log_sum,
            x_min,
            n_tail,
        }
    }

    /// The fit to a tail of finite values ≥ `x_min` > 0; `None` if there is none above `x_min`.
    pub fn new(tail: &[f64], x_min: f64) -> Option<Self> {
        let log_sum: f64 = tail.iter().map(|x| (x / x_min).ln()).sum();
        (log_sum > 0.0).then(|| Self::from_log_sum(log_sum, x_min, tail.len()))
    }

    /// F*(x) = 1 − (x/x_min)^(1−β̂), the fitted distribution function at x ≥ x_min.
    pub fn cdf(&self, x: f64) -> f64 {
        1.0 - ((1.0 - self.exponent) * (x / self.x_min).ln()).exp()
    }
}

/// The power-law test of one sample that is not degenerate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PowerLawTest {
    pub fit: PowerLawFit,
    /// d_ks.
    pub ks_distance: f64,
    /// d_c for the size of this tail.
    pub critical_distance: f64,
}

impl PowerLawTest {
    /// Tests |x| for a power law in its tail; by sorting, in the plainest way.
    pub fn of(sample: &[f64], settings: &PowerLawSettings) -> Result<Self, Cause> {
        let mut ascending: Vec<f64> = sample.iter().map(|x| x.abs()).collect();
        ascending.sort_unstable_by(f64::total_cmp);
        match (ascending.first(), ascending.last()) {
            // NaN sorts last.
            (_, Some(last)) if !last.is_finite() => return Err(Cause::NotFinite),
            (Some(first), Some(last)) if first == last => return Err(Cause::Constant),
            _ => {}
        }
        let (x_min, tail) = settings
            .tail
            .cut(&ascending, settings.ecdf)
            .ok_or(Cause::TooFew)?;
        // Equal values leave nothing to fit, wherever x_min lies.
        if tail.first() == tail.last() {
            return Err(Cause::TooFew);
        }
        let fit = PowerLawFit::new(tail, x_min).ok_or(Cause::TooFew)?;
        let cdf: Vec<f64> = tail.iter().map(|&x| fit.cdf(x)).collect();
        Ok(PowerLawTest {
            fit,
            ks_distance: ks_distance(&cdf, settings.ecdf),
            critical_distance: critical_distance(settings.alpha, fit.n_tail),
        })
    }

    /// Whether the power law is not rejected: d_ks < d_c.
    pub fn accepted(&self) -> bool {
        self.ks_distance < self.critical_distance
    }
}
