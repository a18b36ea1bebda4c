//! The power law of whole numbers, p(x) = x^(−β)/ζ(β, x_min) (Clauset, Shalizi and Newman, SIAM Review 51 (2009),
//! sections 3.1 and 3.3).

mod bootstrap;
mod kind;
mod zeta;

use super::degenerate::Cause;
use super::ks::Ecdf;
use super::power_law::{PowerLawFit, PowerLawSettings, PowerLawTest};
use super::roots::bisect;
use super::tail::{TailRule, quantile};

pub(super) use kind::settings;
pub use kind::{DiscretePowerLaw, SIGNATURE};
use zeta::log_zeta;

/// Largest exponent that is looked for.
const STEEPEST: f64 = 500.0;

/// Distinct values of a sample, ascending, each with how many values of the sample are at least as large.
#[derive(Debug, Clone)]
struct Counted {
    values: Vec<f64>,
    from_here: Vec<usize>,
}

impl Counted {
    /// |x| above zero of a sample of whole numbers.
    fn of(sample: &[f64]) -> Result<Self, Cause> {
        let mut ascending: Vec<f64> = sample.iter().map(|x| x.abs()).collect();
        ascending.sort_unstable_by(f64::total_cmp);
        match (ascending.first(), ascending.last()) {
            (_, Some(last)) if !last.is_finite() => return Err(Cause::NotFinite),
            (Some(first), Some(last)) if first == last => return Err(Cause::Constant),
            _ => {}
        }
        if ascending.iter().any(|x| x.fract() != 0.0) {
            return Err(Cause::NotWhole);
        }
        let positive = &ascending[ascending.partition_point(|&x| x <= 0.0)..];
        let (mut values, mut from_here) = (Vec::new(), Vec::new());
        for (i, &x) in positive.iter().enumerate() {
            if values.last() != Some(&x) {
                values.push(x);
                from_here.push(positive.len() - i);
            }
        }
        Ok(Counted { values, from_here })
    }

    /// Values of the tail that begins at the distinct value `start` which equal its `i`-th.
    fn times(&self, i: usize) -> usize {
        self.from_here[i] - self.from_here.get(i + 1).copied().unwrap_or(0)
    }
}

/// Tests |x|, all whole numbers, for a discrete power law in its tail.
///
/// β̂ is the maximum of the likelihood, where the mean of ln x equals −∂/∂β ln ζ(β, x_min); its standard error is
/// 1/√(n ∂²/∂β² ln ζ) (Eq. 3.6). The KS distance runs over the whole numbers: `left` looks just below each value that
/// occurs, as plfit and powerlaw do, `two_sided` also at it. [`TailRule::Top`] keeps all values equal to the K-th largest.
pub fn discrete_power_law(sample: &[f64], settings: &PowerLawSettings) -> Result<PowerLawTest, Cause> {
    let counted = Counted::of(sample)?;
    let distinct = counted.values.len();
    let start_of = |x_min: f64| counted.values.partition_point(|&x| x < x_min);
    let start = match settings.tail {
        TailRule::Top(k) => counted.from_here.iter().rposition(|&count| count >= k),
        TailRule::Minimum => Some(0),
        TailRule::At(value) => Some(start_of(value)),
        TailRule::Quantile(q) => {
            let each = (0..distinct).flat_map(|i| std::iter::repeat_n(counted.values[i], counted.times(i)));
            quantile(&each.collect::<Vec<_>>(), q).map(start_of)
        }
        TailRule::Scan { at_least } => return scan(&counted, at_least.max(2), settings),
    };
    // Two different values at least.
    match start {
        Some(start) if start + 1 < distinct => {
            let x_min = match settings.tail {
                TailRule::At(value) => value.ceil(),
                _ => counted.values[start],
            };
            let log_sum = log_sums(&counted)[start] - counted.from_here[start] as f64 * x_min.ln();
            test(&counted, start, x_min, log_sum, settings, f64::INFINITY).ok_or(Cause::TooFew)
        }
        _ => Err(Cause::TooFew),
    }
}

/// The tail of least KS distance over every distinct value; of equal ones the longest.
fn scan(counted: &Counted, at_least: usize, settings: &PowerLawSettings) -> Result<PowerLawTest, Cause> {
    let sums = log_sums(counted);
    let mut best: Option<PowerLawTest> = None;
    for start in 0..counted.values.len().saturating_sub(1) {
        let (x_min, n) = (counted.values[start], counted.from_here[start]);
        if n < at_least {
            break;
        }
        let least = best.map_or(f64::INFINITY, |test| test.ks_distance);
        let log_sum = sums[start] - n as f64 * x_min.ln();
        if let Some(found) = test(counted, start, x_min, log_sum, settings, least) {
            best = Some(found);
        }
    }
    best.ok_or(Cause::TooFew)
}

/// Σ ln x from each distinct value on.
fn log_sums(counted: &Counted) -> Vec<f64> {
    let mut sums = vec![0.0; counted.values.len()];
    let mut sum = 0.0;
    for i in (0..sums.len()).rev() {
        sum += counted.times(i) as f64 * counted.values[i].ln();
        sums[i] = sum;
    }
    sums
}

/// Fit and distance of one tail; `None` where its distance reaches `least`, or nothing can be fitted.
fn test(
    counted: &Counted,
    start: usize,
    x_min: f64,
    log_sum: f64,
    settings: &PowerLawSettings,
    least: f64,
) -> Option<PowerLawTest> {
    let n = counted.from_here[start];
    let mean = log_sum / n as f64;
    let gap = |beta: f64| log_zeta(beta, x_min).1 - mean;
    let shallowest = 1.0 + 1e-6;
    if !(gap(shallowest) > 0.0 && gap(STEEPEST) < 0.0) {
        return None;
    }
    let beta = bisect(shallowest, STEEPEST, gap);
    let step = 1e-4 * (beta - 1.0);
    let curvature = (gap(beta - step) - gap(beta + step)) / (2.0 * step);
    let (log_total, _) = log_zeta(beta, x_min);
    // P(X ≥ x) of the law.
    let survival = |x: f64| (log_zeta(beta, x).0 - beta * (x / x_min).ln() - log_total).exp();
    let mut distance = 0.0f64;
    for i in start..counted.values.len() {
        let x = counted.values[i];
        let below = survival(x) - counted.from_here[i] as f64 / n as f64;
        distance = distance.max(below.abs());
        if settings.ecdf == Ecdf::TwoSided {
            let after = counted.from_here.get(i + 1).copied().unwrap_or(0);
            distance = distance.max((survival(x + 1.0) - after as f64 / n as f64).abs());
        }
        if distance >= least {
            return None;
        }
    }
    Some(PowerLawTest {
        fit: PowerLawFit {
            exponent: beta,
            zipf_exponent: 1.0 / (beta - 1.0),
            standard_error: 1.0 / (n as f64 * curvature).sqrt(),
            x_min,
            n_tail: n,
        },
        ks_distance: distance,
        critical_distance: settings.critical_distance(n),
    })
}
