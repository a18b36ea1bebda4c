//! The power-law test: maximum-likelihood fit of the tail of |x| (Eq. 8) and its Kolmogorov–Smirnov distance
//! (Eq. 7) against the critical distance.

mod convention;
mod remote;

pub(super) use convention::tail_rule;

use super::TestKind;
use super::bootstrap::{BootstrapSettings, EXCEEDANCES};
use super::critical::Critical;
use super::degenerate::Cause;
use super::distances::Distances;
use super::history_view::HistoryView;
use super::ks::{Ecdf, ks_distance};
use super::many::{self, power_law::Samples};
use super::missing::MISSING;
use super::monitor::Monitor;
use super::outcome::{Direction, Outcome};
use super::remote::{RemoteTest, TAIL_POINTS};
use super::tail::{RULES, TailRule};
use gradstudy_base::signature::{Args, Default, Param, ParamType, Signature};

/// `power_law(g, tail: top(1000), ecdf: left, alpha: 0.05, along: [dimension, iteration], critical: fixed,
/// bootstrap: 0, distances: ks)`
pub static SIGNATURE: Signature = Signature {
    name: "power_law",
    summary: "Kolmogorov–Smirnov test of a power law fitted to the tail of the absolute values",
    params: &[
        OF,
        TAIL,
        ECDF,
        ALPHA,
        ALONG,
        Param {
            name: "critical",
            ty: ParamType::Word(&["fixed", "fitted"]),
            default: Default::Text("fixed"),
            doc: "d_c: `fixed` as the paper (1.36/√K at 5 %), or `fitted`, which knows that β is fitted (1.06/√K)",
        },
        BOOTSTRAP,
        Param {
            name: "distances",
            ty: ParamType::Word(&["ks", "all"]),
            default: Default::Text("ks"),
            doc: "`all` also measures Kuiper's and Anderson's and Darling's distances",
        },
        MISSING,
    ],
    version: 1,
};

/// What is tested.
pub(super) const OF: Param = Param {
    name: "of",
    ty: ParamType::Reference(&["record", "spectrum"]),
    default: Default::Required,
    doc: "the gradient history, or a spectrum",
};

/// Replicates of the bootstrap.
pub(super) const BOOTSTRAP: Param = Param {
    name: "bootstrap",
    ty: ParamType::Integer {
        min: 0,
        max: 1_000_000,
    },
    default: Default::Text("0"),
    doc: "replicates at most for Clauset's bootstrap p-value of each sample; 0 for none, 2500 is usual",
};

/// The side of the empirical distribution.
pub(super) const ECDF: Param = Param {
    name: "ecdf",
    ty: ParamType::Word(&["left", "two_sided"]),
    default: Default::Text("left"),
    doc: "side of the empirical distribution's steps: `left` as powerlaw and plfit, or `two_sided`",
};

/// The tail that a power law is fitted to.
pub(super) const TAIL: Param = Param {
    name: "tail",
    ty: ParamType::Call(RULES),
    default: Default::Text("top(1000)"),
    doc: "how x_min is chosen; the paper takes the 1000 largest values",
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

    fn test_all(
        &self,
        view: HistoryView,
        direction: Direction,
        args: &Args,
        seed: u64,
        monitor: &Monitor,
    ) -> Option<Outcome> {
        let settings = PowerLawSettings::from_args(args);
        // Samples are counted when they are done with, and a bootstrap looks at them once more.
        let first = match args.integer("bootstrap") {
            0 => *monitor,
            _ => monitor.without_progress(),
        };
        let tests = many::power_law_samples(view, direction, &settings, &first)?;
        complete(
            Samples::History(view, direction),
            &tests,
            &settings,
            args,
            seed,
            monitor,
        )
    }

    fn test_elsewhere(&self, args: &Args, size: usize) -> Option<&dyn RemoteTest> {
        let fits = match TailRule::from_call(args.call("tail")) {
            TailRule::Top(k) => k <= size.min(TAIL_POINTS),
            _ => false,
        };
        // The others look at the samples a second time.
        let once = args.integer("bootstrap") == 0 && args.text("distances") == "ks";
        (fits && once).then_some(self)
    }

    fn test_one(&self, values: &[f64], args: &Args, seed: u64, monitor: &Monitor) -> Option<Outcome> {
        let settings = PowerLawSettings::from_args(args);
        let tests = [PowerLawTest::of(values, &settings)];
        if monitor.cancelled() {
            return None;
        }
        if args.integer("bootstrap") == 0 {
            (monitor.progress)(1);
        }
        complete(Samples::One(values), &tests, &settings, args, seed, monitor)
    }

    fn convention(&self, args: &Args) -> String {
        convention::of(args)
    }

    fn seconds(&self, args: &Args, parameters: u64, iterations: u64, direction: Direction) -> f64 {
        // Measured on one core of an Intel Xeon with AVX-512: reading or turning G, and fitting each tail.
        let (per_value, samples) = match direction {
            Direction::Dimension | Direction::Spectrum => (0.45e-9, iterations),
            Direction::Iteration => (1.2e-9, parameters),
        };
        let values = parameters as f64 * iterations as f64;
        let tail = args.call("tail");
        // A scan sorts the whole sample and fits many tails.
        let fit = match tail.name == "scan" {
            true => 1e-7,
            false => per_value,
        };
        let again = if args.text("distances") == "all" {
            5e-8
        } else {
            0.0
        };
        // A replicate's point: drawn and fitted; of `top` and `minimum` they serve all samples.
        let replicates = args.integer("bootstrap") as f64;
        let drawn = match tail.name.as_str() {
            "top" => tail.args.integer("k") as f64,
            "minimum" => values / samples.max(1) as f64,
            "scan" => 5.0 * values,
            _ => values,
        };
        let bootstrap = replicates * drawn * 3e-8;
        (values * (fit + again) + samples as f64 * 7e-6 + bootstrap) / rayon::current_num_threads() as f64
    }
}

/// The outcome of `tests`, with what else the arguments ask for; `None` if cancelled.
fn complete(
    samples: Samples,
    tests: &[Result<PowerLawTest, Cause>],
    settings: &PowerLawSettings,
    args: &Args,
    seed: u64,
    monitor: &Monitor,
) -> Option<Outcome> {
    let mut outcome = many::power_law::outcome(tests, settings);
    if args.text("distances") == "all" {
        let silent = monitor.without_progress();
        let (summed, each) = many::power_law::distances_outcome(samples, settings, &silent)?;
        outcome.distances = Some(summed);
        let mut add = |name: &str, value: fn(&Distances) -> f64| {
            let of = |found: &Option<Distances>| found.as_ref().map_or(f64::NAN, value);
            outcome.samples.add(name, each.iter().map(of));
        };
        add("kuiper", |found| found.kuiper);
        add("anderson_darling", |found| found.anderson_darling);
    }
    let replicates = args.integer("bootstrap") as u64;
    if replicates > 0 {
        let draws = BootstrapSettings {
            replicates,
            exceedances: EXCEEDANCES,
            seed,
        };
        let (summed, each) = many::power_law::bootstrap_outcome(samples, tests, settings, &draws, monitor)?;
        outcome.bootstrap = Some(summed);
        outcome.samples.add("bootstrap_p_value", each.into_iter());
    }
    Some(Outcome::PowerLaw(outcome))
}

/// Settings of the power-law test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PowerLawSettings {
    pub tail: TailRule,
    pub ecdf: Ecdf,
    /// Significance level α.
    pub alpha: f64,
    /// Which critical distance decides.
    pub critical: Critical,
}

impl std::default::Default for PowerLawSettings {
    /// The paper's: the 1000 largest values, the left side, α = 0.05 and d_c = 1.36/√K.
    fn default() -> Self {
        PowerLawSettings {
            tail: TailRule::Top(1000),
            ecdf: Ecdf::Left,
            alpha: 0.05,
            critical: Critical::Fixed,
        }
    }
}

impl PowerLawSettings {
    /// d_c for a tail of `points`.
    pub fn critical_distance(&self, points: usize) -> f64 {
        self.critical.distance(self.alpha, points, self.ecdf)
    }

    /// Reads arguments checked against [`SIGNATURE`].
    pub fn from_args(args: &Args) -> Self {
        PowerLawSettings {
            tail: TailRule::from_call(args.call("tail")),
            ecdf: Ecdf::from_word(args.text("ecdf")),
            alpha: args.number("alpha"),
            critical: Critical::from_word(args.text("critical")),
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

    /// 1 + (β̂ − 1)(K − 1)/K: without the bias of β̂ in a small tail with a given x_min, as plfit's finite-size
    /// correction.
    pub fn corrected_exponent(&self) -> f64 {
        1.0 + (self.exponent - 1.0) * (1.0 - 1.0 / self.n_tail as f64)
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
        let (fit, tail) = fit_tail(sample, settings)?;
        let cdf: Vec<f64> = tail.iter().map(|&x| fit.cdf(x)).collect();
        Ok(PowerLawTest {
            fit,
            ks_distance: ks_distance(&cdf, settings.ecdf),
            critical_distance: settings.critical_distance(fit.n_tail),
        })
    }

    /// Whether the power law is not rejected: d_ks < d_c.
    pub fn accepted(&self) -> bool {
        self.ks_distance < self.critical_distance
    }
}

/// The tail of |x| that `settings` names, ascending, and the power law fitted to it.
pub fn fit_tail(sample: &[f64], settings: &PowerLawSettings) -> Result<(PowerLawFit, Vec<f64>), Cause> {
    let mut ascending: Vec<f64> = sample.iter().map(|x| x.abs()).collect();
    if let TailRule::Top(k) = settings.tail
        && ascending.iter().all(|x| x.is_finite())
        && let Some(below) = ascending.len().checked_sub(k).filter(|below| *below > 0)
        && ascending.iter().any(|x| *x != ascending[0])
    {
        // Only the tail needs an order.
        ascending.select_nth_unstable_by(below, f64::total_cmp);
        ascending.drain(..below);
        ascending.sort_unstable_by(f64::total_cmp);
        let x_min = ascending[0];
        if x_min <= 0.0 || k < 2 || x_min == ascending[k - 1] {
            return Err(Cause::TooFew);
        }
        let fit = PowerLawFit::new(&ascending, x_min).ok_or(Cause::TooFew)?;
        return Ok((fit, ascending));
    }
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
    let start = ascending.len() - tail.len();
    ascending.drain(..start);
    Ok((fit, ascending))
}
