//! A test over every column or every row of a gradient history, on all threads of the current rayon pool.
//!
//! The result of each sample lands at its own index and is summed up in that order, so nothing depends on
//! the number of threads.

use rayon::prelude::*;

use super::degenerate::Cause;
use super::history_view::HistoryView;
use super::interval::wilson;
use super::ks::critical_distance;
use super::monitor::Monitor;
use super::normality::{NormalitySettings, Significance, normality};
use super::outcome::{Acceptance, Degenerate, Direction, NormalityOutcome, PowerLawOutcome};
use super::power_law::{PowerLawSettings, PowerLawTest};
use super::sampling::Sampler;
use super::tail::TailRule;
use super::tail_kernel::TailKernel;

/// Columns between two looks at the cancel flag.
const COLUMN_BLOCK: usize = 16;

/// Rows that are turned at once: 64 floats of a column are four cache lines, and the block of 5000 iterations
/// (1.3 MB) stays in the L2 cache.
const ROW_BLOCK: usize = 64;

/// Calls `test` with the scratch of its thread, each column's index and values; `None` if cancelled.
pub fn map_columns<S, R: Send>(
    view: HistoryView,
    monitor: &Monitor,
    scratch: impl Fn() -> S + Sync + Send,
    test: impl Fn(&mut S, usize, &[f32]) -> R + Sync + Send,
) -> Option<Vec<R>> {
    map_blocks(
        view.iterations,
        COLUMN_BLOCK,
        monitor,
        scratch,
        |scratch, columns| columns.map(|t| test(scratch, t, view.column(t))).collect(),
    )
}

/// Calls `test` with the scratch of its thread, each row's index and values; `None` if cancelled.
pub fn map_rows<S, R: Send>(
    view: HistoryView,
    monitor: &Monitor,
    scratch: impl Fn() -> S + Sync + Send,
    test: impl Fn(&mut S, usize, &[f32]) -> R + Sync + Send,
) -> Option<Vec<R>> {
    let width = view.iterations;
    let scratch = || (scratch(), Vec::new());
    map_blocks(
        view.parameters,
        ROW_BLOCK,
        monitor,
        scratch,
        |(scratch, turned), rows| {
            turned.resize(rows.len() * width, 0.0);
            view.rows_into(rows.clone(), turned);
            rows.enumerate()
                .map(|(i, row)| test(scratch, row, &turned[i * width..][..width]))
                .collect()
        },
    )
}

/// Maps blocks of indices below `count` in parallel and joins the results in order; `None` if cancelled.
fn map_blocks<S, R: Send>(
    count: usize,
    block: usize,
    monitor: &Monitor,
    scratch: impl Fn() -> S + Sync + Send,
    test: impl Fn(&mut S, std::ops::Range<usize>) -> Vec<R> + Sync + Send,
) -> Option<Vec<R>> {
    let blocks: Option<Vec<Vec<R>>> = (0..count.div_ceil(block))
        .into_par_iter()
        .map_init(scratch, |scratch, number| {
            if monitor.cancelled() {
                return None;
            }
            let range = number * block..count.min((number + 1) * block);
            let done = range.len() as u64;
            let results = test(scratch, range);
            (monitor.progress)(done);
            Some(results)
        })
        .collect();
    blocks.map(|blocks| blocks.into_iter().flatten().collect())
}

/// The power-law test of each sample, in order; `None` if cancelled.
pub fn power_law_samples(
    view: HistoryView,
    direction: Direction,
    settings: &PowerLawSettings,
    monitor: &Monitor,
) -> Option<Vec<Result<PowerLawTest, Cause>>> {
    let test = |kernel: &mut TailKernel, _: usize, values: &[f32]| match settings.tail {
        TailRule::Top(k) => kernel.test(values, k, settings.ecdf, critical_distance(settings.alpha, k)),
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
/// Where the tail rule leaves the size of the tail to the sample, `tail_points` is the (lower) median size and
/// `critical_distance` belongs to it; each sample is judged by its own.
pub fn power_law_test(
    view: HistoryView,
    direction: Direction,
    settings: &PowerLawSettings,
    monitor: &Monitor,
) -> Option<PowerLawOutcome> {
    let samples = power_law_samples(view, direction, settings, monitor)?;
    Some(power_law_outcome(&samples, settings))
}

/// The power-law test of one sample, as an outcome of one.
pub fn power_law_of_sample(values: &[f64], settings: &PowerLawSettings) -> PowerLawOutcome {
    power_law_outcome(&[PowerLawTest::of(values, settings)], settings)
}

/// Sums up the tests of all samples, in their order.
fn power_law_outcome(
    samples: &[Result<PowerLawTest, Cause>],
    settings: &PowerLawSettings,
) -> PowerLawOutcome {
    let fitted: Vec<&PowerLawTest> = samples.iter().flatten().collect();
    let tail_points = match settings.tail {
        TailRule::Top(k) => k,
        _ => {
            let mut sizes: Vec<usize> = fitted.iter().map(|test| test.fit.n_tail).collect();
            sizes.sort_unstable();
            sizes.get(sizes.len().saturating_sub(1) / 2).copied().unwrap_or(0)
        }
    };
    let distances = samples
        .iter()
        .map(|sample| sample.as_ref().map_or(1.0, |test| test.ks_distance));
    PowerLawOutcome {
        acceptance: acceptance(samples, PowerLawTest::accepted),
        alpha: settings.alpha,
        mean_ks_distance: mean(distances),
        critical_distance: critical_distance(settings.alpha, tail_points),
        tail_points: tail_points as u64,
        mean_exponent: mean(fitted.iter().map(|test| test.fit.exponent)),
        mean_zipf_exponent: mean(fitted.iter().map(|test| test.fit.zipf_exponent)),
        median_x_min: median(fitted.iter().map(|test| test.fit.x_min).collect()),
    }
}

/// The normality test of each sample, in order; `None` if cancelled.
///
/// Each sample is judged by the points drawn from it: a constant or non-finite draw makes it degenerate, what
/// is not drawn is not looked at. The points of a row are read straight from G.
pub fn normality_samples(
    view: HistoryView,
    direction: Direction,
    settings: &NormalitySettings,
    monitor: &Monitor,
) -> Option<Vec<Result<Significance, Cause>>> {
    let (count, size) = match direction {
        Direction::Dimension | Direction::Spectrum => (view.iterations, view.parameters),
        Direction::Iteration => (view.parameters, view.iterations),
    };
    let scratch = || (Sampler::new(settings.seed), Vec::new());
    map_blocks(
        count,
        ROW_BLOCK,
        monitor,
        scratch,
        |(sampler, sample), indices| {
            indices
                .map(|index| {
                    if size < settings.points {
                        return Err(Cause::TooFew);
                    }
                    // Rows and columns of one number must not share their draws.
                    let stream = index as u64 * 2 + u64::from(direction == Direction::Iteration);
                    let drawn = sampler.draw(stream, settings.points, size);
                    sample.clear();
                    sample.extend(drawn.iter().map(|&point| {
                        f64::from(match direction {
                            Direction::Dimension | Direction::Spectrum => {
                                view.values[index * view.parameters + point]
                            }
                            Direction::Iteration => view.values[point * view.parameters + index],
                        })
                    }));
                    normality(sample)
                })
                .collect()
        },
    )
}

/// The normality test over every sample; `None` if cancelled.
pub fn normality_test(
    view: HistoryView,
    direction: Direction,
    settings: &NormalitySettings,
    monitor: &Monitor,
) -> Option<NormalityOutcome> {
    let samples = normality_samples(view, direction, settings, monitor)?;
    Some(normality_outcome(&samples, settings))
}

/// The normality test of points drawn from one sample, as an outcome of one; they are those of column 0.
pub fn normality_of_sample(values: &[f64], settings: &NormalitySettings) -> NormalityOutcome {
    let sample = if values.len() < settings.points {
        Err(Cause::TooFew)
    } else {
        let mut sampler = Sampler::new(settings.seed);
        let drawn = sampler.draw(0, settings.points, values.len());
        let sample: Vec<f64> = drawn.iter().map(|&point| values[point]).collect();
        normality(&sample)
    };
    normality_outcome(&[sample], settings)
}

/// Sums up the tests of all samples, in their order.
fn normality_outcome(
    samples: &[Result<Significance, Cause>],
    settings: &NormalitySettings,
) -> NormalityOutcome {
    NormalityOutcome {
        acceptance: acceptance(samples, |test| test.p_value > settings.alpha),
        alpha: settings.alpha,
        points: settings.points as u64,
        mean_p_value: mean(
            samples
                .iter()
                .map(|sample| sample.as_ref().map_or(0.0, |test| test.p_value)),
        ),
    }
}

/// Counts and rate; a degenerate sample is not accepted.
fn acceptance<T>(samples: &[Result<T, Cause>], accepted: impl Fn(&T) -> bool) -> Acceptance {
    let tested = samples.len() as u64;
    let accepted = samples.iter().flatten().filter(|test| accepted(test)).count() as u64;
    Acceptance {
        tested,
        accepted,
        degenerate: Degenerate::of(samples.iter().filter_map(|sample| sample.as_ref().err().copied())),
        rate: if tested == 0 {
            0.0
        } else {
            accepted as f64 / tested as f64
        },
        rate_interval: wilson(accepted, tested, 0.95),
    }
}

/// Mean in the given order; NaN of nothing.
fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (count, sum) = values.fold((0u64, 0.0), |(count, sum), value| (count + 1, sum + value));
    sum / count as f64
}

/// Median, the mean of the middle two for an even count; NaN of nothing.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        n => (values[(n - 1) / 2] + values[n / 2]) / 2.0,
    }
}
