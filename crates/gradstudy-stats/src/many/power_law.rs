//! The power-law test of every sample.

use std::collections::HashMap;

use super::{acceptance, map_columns, map_rows, map_wide, mean, median};
use crate::bootstrap::{Bootstrap, BootstrapSettings, NullDistances, resample};
use crate::degenerate::Cause;
use crate::distances::{Distances, distances};
use crate::history_view::HistoryView;
use crate::monitor::Monitor;
use crate::multiple::Rejections;
use crate::outcome::{BootstrapOutcome, Direction, DistancesOutcome, PowerLawOutcome};
use crate::power_law::{PowerLawSettings, PowerLawTest};
use crate::sample_values::SampleValues;
use crate::tail::TailRule;
use crate::tail_kernel::TailKernel;

/// The power-law test of each sample, in order; `None` if cancelled.
pub fn power_law_samples(
    view: HistoryView,
    direction: Direction,
    settings: &PowerLawSettings,
    monitor: &Monitor,
) -> Option<Vec<Result<PowerLawTest, Cause>>> {
    let test = |kernel: &mut TailKernel, _: usize, values: &[f32]| match settings.tail {
        TailRule::Top(k) => kernel.test(values, k, settings.ecdf, settings.critical_distance(k)),
        _ => {
            let sample: Vec<f64> = values.iter().map(|&x| f64::from(x)).collect();
            PowerLawTest::of(&sample, settings)
        }
    };
    match direction {
        Direction::Dimension | Direction::Spectrum => map_columns(view, monitor, TailKernel::default, test),
        Direction::Iteration => map_rows(view, monitor, TailKernel::default, test),
    }
}

/// The power-law test over every sample; `None` if cancelled.
///
/// `tail_points` is the (lower) median size of the tails and `critical_distance` belongs to it; each sample is judged by
/// its own.
pub fn power_law_test(
    view: HistoryView,
    direction: Direction,
    settings: &PowerLawSettings,
    monitor: &Monitor,
) -> Option<PowerLawOutcome> {
    let samples = power_law_samples(view, direction, settings, monitor)?;
    Some(outcome(&samples, settings))
}

/// The power-law test of one sample, as an outcome of one.
pub fn power_law_of_sample(values: &[f64], settings: &PowerLawSettings) -> PowerLawOutcome {
    outcome(&[PowerLawTest::of(values, settings)], settings)
}

/// Sums up the tests of all samples, in their order.
pub(crate) fn outcome(
    samples: &[Result<PowerLawTest, Cause>],
    settings: &PowerLawSettings,
) -> PowerLawOutcome {
    let fitted: Vec<&PowerLawTest> = samples.iter().flatten().collect();
    let mut sizes: Vec<usize> = fitted.iter().map(|test| test.fit.n_tail).collect();
    sizes.sort_unstable();
    let tail_points = sizes.get(sizes.len().saturating_sub(1) / 2).copied();
    let distances = samples
        .iter()
        .map(|sample| sample.as_ref().map_or(1.0, |test| test.ks_distance));
    PowerLawOutcome {
        acceptance: acceptance(samples, PowerLawTest::accepted),
        alpha: settings.alpha,
        mean_ks_distance: mean(distances),
        critical_distance: tail_points.map_or(f64::NAN, |points| settings.critical_distance(points)),
        tail_points: tail_points.unwrap_or(0) as u64,
        mean_exponent: mean(fitted.iter().map(|test| test.fit.exponent)),
        mean_standard_error: mean(fitted.iter().map(|test| test.fit.standard_error)),
        mean_corrected_exponent: mean(fitted.iter().map(|test| test.fit.corrected_exponent())),
        mean_zipf_exponent: mean(fitted.iter().map(|test| test.fit.zipf_exponent)),
        median_x_min: median(fitted.iter().map(|test| test.fit.x_min).collect()),
        above_rounding: None,
        asked_points: None,
        bootstrap: None,
        distances: None,
        left_out: None,
        samples: values(samples),
    }
}

/// What each test found; a degenerate sample has d_ks = 1 and no fit.
fn values(samples: &[Result<PowerLawTest, Cause>]) -> SampleValues {
    let mut values = SampleValues::default();
    let mut add = |name: &str, degenerate: f64, value: fn(&PowerLawTest) -> f64| {
        let of = |sample: &Result<PowerLawTest, Cause>| sample.as_ref().map_or(degenerate, value);
        values.add(name, samples.iter().map(of));
    };
    add("ks_distance", 1.0, |test| test.ks_distance);
    add("critical_distance", f64::NAN, |test| test.critical_distance);
    add("exponent", f64::NAN, |test| test.fit.exponent);
    add("x_min", f64::NAN, |test| test.fit.x_min);
    add("n_tail", 0.0, |test| test.fit.n_tail as f64);
    values
}

/// Where the samples come from that a second look is taken at.
#[derive(Clone, Copy)]
pub(crate) enum Samples<'a> {
    History(HistoryView<'a>, Direction),
    One(&'a [f64]),
}

impl Samples<'_> {
    /// `look` at each sample, in order; `None` if cancelled.
    pub(crate) fn map<R: Send>(
        self,
        monitor: &Monitor,
        look: impl Fn(usize, &[f64]) -> R + Sync + Send,
    ) -> Option<Vec<R>> {
        match self {
            Samples::History(view, direction) => map_wide(
                view,
                direction,
                monitor,
                || (),
                |(), index, values| look(index, values),
            ),
            Samples::One(_) if monitor.cancelled() => None,
            Samples::One(values) => {
                let result = look(0, values);
                (monitor.progress)(1);
                Some(vec![result])
            }
        }
    }
}

/// Draws the replicates of one sample whose test is known; `None` if cancelled.
pub(crate) type Resample =
    fn(&[f64], PowerLawTest, &PowerLawSettings, &BootstrapSettings, &Monitor) -> Option<Bootstrap>;

/// A bootstrap p-value of each sample (0 where it is degenerate), and them summed up; `None` if cancelled.
///
/// For [`TailRule::Top`] and [`TailRule::Minimum`] one set of replicates serves all samples with a tail of one size.
pub(crate) fn bootstrap_outcome(
    samples: Samples,
    tests: &[Result<PowerLawTest, Cause>],
    settings: &PowerLawSettings,
    draws: &BootstrapSettings,
    monitor: &Monitor,
) -> Option<(BootstrapOutcome, Vec<f64>)> {
    let drawn = match settings.tail {
        TailRule::Top(_) | TailRule::Minimum => shared(tests, settings, draws, monitor)?,
        _ => own(samples, tests, settings, draws, resample, monitor)?,
    };
    Some(summed_up(drawn, tests, settings, draws))
}

/// As [`bootstrap_outcome`], with replicates of each sample's own that `resample` draws.
pub(crate) fn bootstrap_of_each(
    samples: Samples,
    tests: &[Result<PowerLawTest, Cause>],
    settings: &PowerLawSettings,
    draws: &BootstrapSettings,
    resample: Resample,
    monitor: &Monitor,
) -> Option<(BootstrapOutcome, Vec<f64>)> {
    let drawn = own(samples, tests, settings, draws, resample, monitor)?;
    Some(summed_up(drawn, tests, settings, draws))
}

fn summed_up(
    (p_values, error, drawn): Drawn,
    tests: &[Result<PowerLawTest, Cause>],
    settings: &PowerLawSettings,
    draws: &BootstrapSettings,
) -> (BootstrapOutcome, Vec<f64>) {
    let of_samples: Vec<Result<f64, Cause>> = p_values
        .iter()
        .zip(tests)
        .map(|(p, test)| test.as_ref().map(|_| *p).map_err(|cause| *cause))
        .collect();
    let defined: Vec<f64> = of_samples.iter().flatten().copied().collect();
    let outcome = BootstrapOutcome {
        replicates: draws.replicates,
        mean_replicates: drawn,
        mean_p_value: mean(of_samples.iter().map(|p| p.unwrap_or(0.0))),
        standard_error: error,
        acceptance: acceptance(&of_samples, |p| *p > settings.alpha),
        rejections: Rejections::of(&defined, settings.alpha),
    };
    (outcome, p_values)
}

/// p-values (0 where degenerate), the standard error of their mean, and the mean number of replicates.
type Drawn = (Vec<f64>, f64, f64);

fn shared(
    tests: &[Result<PowerLawTest, Cause>],
    settings: &PowerLawSettings,
    draws: &BootstrapSettings,
    monitor: &Monitor,
) -> Option<Drawn> {
    let mut by_size: HashMap<usize, Vec<f64>> = HashMap::new();
    for test in tests.iter().flatten() {
        by_size.entry(test.fit.n_tail).or_default().push(test.ks_distance);
    }
    let mut sizes: Vec<usize> = by_size.keys().copied().collect();
    sizes.sort_unstable();
    let (mut nulls, mut variance) = (HashMap::new(), 0.0);
    for size in sizes {
        let distances = by_size.get_mut(&size).expect("a size seen");
        distances.sort_unstable_by(f64::total_cmp);
        let null = NullDistances::draw(size, settings.ecdf, draws.replicates, draws.seed, monitor)?;
        variance += (null.error_of_mean(distances) * distances.len() as f64).powi(2);
        nulls.insert(size, null);
    }
    let p = |test: &PowerLawTest| nulls[&test.fit.n_tail].p_value(test.ks_distance);
    let p_values = tests.iter().map(|test| test.as_ref().map_or(0.0, p)).collect();
    (monitor.progress)(tests.len() as u64);
    Some((
        p_values,
        variance.sqrt() / tests.len() as f64,
        mean(tests.iter().flatten().map(|_| draws.replicates as f64)),
    ))
}

fn own(
    samples: Samples,
    tests: &[Result<PowerLawTest, Cause>],
    settings: &PowerLawSettings,
    draws: &BootstrapSettings,
    resample: Resample,
    monitor: &Monitor,
) -> Option<Drawn> {
    let found = samples.map(monitor, |index, values| match tests[index] {
        Err(_) => Some(None),
        Ok(test) => {
            let seed = draws.seed ^ (index as u64).rotate_left(32);
            resample(
                values,
                test,
                settings,
                &BootstrapSettings { seed, ..*draws },
                monitor,
            )
            .map(Some)
        }
    })?;
    let found: Vec<_> = found.into_iter().collect::<Option<_>>()?;
    let variance = found
        .iter()
        .flatten()
        .fold(0.0, |sum, found| sum + found.standard_error.powi(2));
    let drawn = mean(found.iter().flatten().map(|found| found.replicates as f64));
    let p_values: Vec<f64> = found
        .iter()
        .map(|found| found.map_or(0.0, |found| found.p_value))
        .collect();
    let error = variance.sqrt() / p_values.len() as f64;
    Some((p_values, error, drawn))
}

/// Kuiper's and Anderson's and Darling's distances of each sample (`None` where it is degenerate), and them summed up;
/// `None` if cancelled.
pub(crate) fn distances_outcome(
    samples: Samples,
    settings: &PowerLawSettings,
    monitor: &Monitor,
) -> Option<(DistancesOutcome, Vec<Option<Distances>>)> {
    let found = samples.map(monitor, |_, values| distances(values, settings).ok())?;
    let outcome = DistancesOutcome {
        mean_kuiper: mean(found.iter().flatten().map(|found| found.kuiper)),
        mean_anderson_darling: mean(found.iter().flatten().map(|found| found.anderson_darling)),
    };
    Some((outcome, found))
}
