//! Estimators of how heavy a tail is. They give a number and its error, not a verdict.

pub mod alpha_stable;
pub mod hill;
pub mod moments;
pub mod pickands;

use super::TestKind;
use super::degenerate::Cause;
use super::history_view::HistoryView;
use super::many::{self, mean, median};
use super::missing::MISSING;
use super::monitor::Monitor;
use super::outcome::{Degenerate, Direction, Outcome, TailIndexOutcome};
use super::power_law::{ALONG, OF};
use super::sample_values::SampleValues;
use gradstudy_base::signature::{Args, Default, Param, ParamType, Signature};

/// An estimate of one sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TailIndex {
    /// The extreme-value index ξ = 1/α: above zero for tails that fall like x^(−1/ξ).
    pub xi: f64,
    /// Its asymptotic standard error; NaN where the estimator has none.
    pub standard_error: f64,
}

impl TailIndex {
    /// The tail index α = 1/ξ; infinite where ξ ≤ 0, for tails lighter than any power.
    pub fn alpha(&self) -> f64 {
        if self.xi > 0.0 {
            1.0 / self.xi
        } else {
            f64::INFINITY
        }
    }
}

/// An estimator from the k largest absolute values, as a study names it.
#[derive(Debug)]
pub struct Estimator {
    pub signature: &'static Signature,
    /// Its name in the note under a table.
    pub title: &'static str,
    /// The estimate from |x| in descending order, cut to the `spare` values more than k.
    pub estimate: fn(&[f64], usize) -> Result<TailIndex, Cause>,
    /// Order statistics that it takes beyond the k largest.
    pub spare: usize,
}

impl Estimator {
    /// The estimate from the `k` largest |x|.
    pub fn of(&self, sample: &[f64], k: usize) -> Result<TailIndex, Cause> {
        let largest = largest(sample, k + self.spare)?;
        (self.estimate)(&largest, k)
    }
}

impl TestKind for Estimator {
    fn signature(&self) -> &'static Signature {
        self.signature
    }

    fn test_all(
        &self,
        view: HistoryView,
        direction: Direction,
        args: &Args,
        _seed: u64,
        monitor: &Monitor,
    ) -> Option<Outcome> {
        let k = args.integer("k") as usize;
        let look = |(): &mut (), _: usize, values: &[f64]| self.of(values, k);
        let samples = many::map_wide(view, direction, monitor, || (), look)?;
        Some(Outcome::TailIndex(outcome(&samples, k)))
    }

    fn test_one(&self, values: &[f64], args: &Args, _seed: u64, monitor: &Monitor) -> Option<Outcome> {
        let k = args.integer("k") as usize;
        let sample = self.of(values, k);
        (!monitor.cancelled()).then(|| {
            (monitor.progress)(1);
            Outcome::TailIndex(outcome(&[sample], k))
        })
    }

    fn convention(&self, args: &Args) -> String {
        format!(
            "Tail index: {} from the {} largest absolute values; α̂ = 1/ξ̂.",
            self.title,
            args.integer("k")
        )
    }

    fn seconds(&self, args: &Args, parameters: u64, iterations: u64, direction: Direction) -> f64 {
        let samples = match direction {
            Direction::Dimension | Direction::Spectrum => iterations,
            Direction::Iteration => parameters,
        };
        let values = parameters as f64 * iterations as f64;
        let k = args.integer("k") as f64;
        (values * 6e-9 + samples as f64 * k * 5e-8) / rayon::current_num_threads() as f64
    }
}

/// The `count` largest |x|, descending.
fn largest(sample: &[f64], count: usize) -> Result<Vec<f64>, Cause> {
    if sample.iter().any(|x| !x.is_finite()) {
        return Err(Cause::NotFinite);
    }
    let mut values: Vec<f64> = sample.iter().map(|x| x.abs()).collect();
    if values.iter().all(|x| *x == values[0]) && !values.is_empty() {
        return Err(Cause::Constant);
    }
    if values.len() < count || count == 0 {
        return Err(Cause::TooFew);
    }
    values.select_nth_unstable_by(count - 1, |a, b| b.total_cmp(a));
    values.truncate(count);
    values.sort_unstable_by(|a, b| b.total_cmp(a));
    match values[count - 1] > 0.0 {
        true => Ok(values),
        false => Err(Cause::TooFew),
    }
}

/// Sums up the estimates of all samples, in their order.
pub(super) fn outcome(samples: &[Result<TailIndex, Cause>], points: usize) -> TailIndexOutcome {
    let found: Vec<&TailIndex> = samples.iter().flatten().collect();
    let mean_xi = mean(found.iter().map(|index| index.xi));
    let squares: f64 = found.iter().map(|index| (index.xi - mean_xi).powi(2)).sum();
    let mut values = SampleValues::default();
    let mut add = |name: &str, value: fn(&TailIndex) -> f64| {
        let of = |sample: &Result<TailIndex, Cause>| sample.as_ref().map_or(f64::NAN, value);
        values.add(name, samples.iter().map(of));
    };
    add("xi", |index| index.xi);
    add("standard_error", |index| index.standard_error);
    TailIndexOutcome {
        tested: samples.len() as u64,
        degenerate: Degenerate::of(samples.iter().filter_map(|sample| sample.err())),
        points: points as u64,
        mean_xi,
        sd_xi: (squares / (found.len() as f64 - 1.0)).sqrt(),
        mean_standard_error: mean(found.iter().map(|index| index.standard_error)),
        median_tail_index: median(found.iter().map(|index| index.alpha()).collect()),
        left_out: None,
        samples: values,
    }
}

/// `k: 1000`
const fn k(min: i64) -> Param {
    Param {
        name: "k",
        ty: ParamType::Integer {
            min,
            max: 1_000_000_000,
        },
        default: Default::Text("1000"),
        doc: "largest absolute values that are looked at",
    }
}
