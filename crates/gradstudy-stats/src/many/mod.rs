//! A test over every column or every row of a gradient history, on all threads of the current rayon pool.
//!
//! The result of each sample lands at its own index and is summed up in that order, so nothing depends on
//! the number of threads.

pub(super) mod drawn;
pub(super) mod power_law;

use rayon::prelude::*;

use super::degenerate::Cause;
use super::history_view::HistoryView;
use super::missing::MissingValues;
use super::monitor::Monitor;
use super::outcome::{Acceptance, Degenerate, Direction};

pub use drawn::{
    DrawnSettings, gaussianity_of_sample, gaussianity_samples, gaussianity_test, gaussianity_test_remote,
    normality_samples, normality_test,
};
pub use power_law::{power_law_of_sample, power_law_samples, power_law_test};

/// Columns between two looks at the cancel flag.
const COLUMN_BLOCK: usize = 16;

/// Rows that are turned at once: 64 floats of a column are four cache lines, and the block of 5000 iterations
/// (1.3 MB) stays in the L2 cache.
const ROW_BLOCK: usize = 64;

/// Calls `test` with the scratch of its thread, each column's index and values (those that are kept, where values are left
/// out); `None` if cancelled.
pub fn map_columns<S, R: Send>(
    view: HistoryView,
    monitor: &Monitor,
    scratch: impl Fn() -> S + Sync + Send,
    test: impl Fn(&mut S, usize, &[f32]) -> R + Sync + Send,
) -> Option<Vec<R>> {
    let scratch = || (scratch(), Vec::new());
    map_blocks(
        view.iterations,
        COLUMN_BLOCK,
        monitor,
        scratch,
        |(scratch, kept), columns| {
            columns
                .map(|t| test(scratch, t, view.missing.kept_in(view.column(t), kept)))
                .collect()
        },
    )
}

/// Calls `test` with the scratch of its thread, each row's index and values (those that are kept, where values are left
/// out); `None` if cancelled.
pub fn map_rows<S, R: Send>(
    view: HistoryView,
    monitor: &Monitor,
    scratch: impl Fn() -> S + Sync + Send,
    test: impl Fn(&mut S, usize, &[f32]) -> R + Sync + Send,
) -> Option<Vec<R>> {
    let width = view.iterations;
    let scratch = || (scratch(), Vec::new(), Vec::new());
    map_blocks(
        view.parameters,
        ROW_BLOCK,
        monitor,
        scratch,
        |(scratch, turned, kept), rows| {
            turned.resize(rows.len() * width, 0.0);
            view.rows_into(rows.clone(), turned);
            rows.enumerate()
                .map(|(i, row)| {
                    let values = &turned[i * width..][..width];
                    test(scratch, row, view.missing.kept_in(values, kept))
                })
                .collect()
        },
    )
}

/// Calls `test` with the scratch of its thread, each sample's index and values, in f64; `None` if cancelled.
pub fn map_wide<S, R: Send>(
    view: HistoryView,
    direction: Direction,
    monitor: &Monitor,
    scratch: impl Fn() -> S + Sync + Send,
    test: impl Fn(&mut S, usize, &[f64]) -> R + Sync + Send,
) -> Option<Vec<R>> {
    let scratch = || (scratch(), Vec::new());
    let test = |(scratch, wide): &mut (S, Vec<f64>), index: usize, values: &[f32]| {
        wide.clear();
        wide.extend(values.iter().map(|&x| f64::from(x)));
        test(scratch, index, wide)
    };
    match direction {
        Direction::Dimension | Direction::Spectrum => map_columns(view, monitor, scratch, test),
        Direction::Iteration => map_rows(view, monitor, scratch, test),
    }
}

/// How many values of each sample are no finite numbers; `None` if cancelled.
pub(super) fn left_out(view: HistoryView, direction: Direction, monitor: &Monitor) -> Option<Vec<u64>> {
    let view = HistoryView {
        missing: MissingValues::Degenerate,
        ..view
    };
    let silent = monitor.without_progress();
    let count =
        |(): &mut (), _: usize, values: &[f32]| values.iter().filter(|x| !x.is_finite()).count() as u64;
    match direction {
        Direction::Dimension | Direction::Spectrum => map_columns(view, &silent, || (), count),
        Direction::Iteration => map_rows(view, &silent, || (), count),
    }
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

/// Counts and rate; a degenerate sample is not accepted.
pub(super) fn acceptance<T>(samples: &[Result<T, Cause>], accepted: impl Fn(&T) -> bool) -> Acceptance {
    let tested = samples.len() as u64;
    let verdicts: Vec<bool> = samples
        .iter()
        .map(|sample| sample.as_ref().is_ok_and(&accepted))
        .collect();
    let accepted = verdicts.iter().filter(|&&accepted| accepted).count() as u64;
    Acceptance {
        tested,
        accepted,
        degenerate: Degenerate::of(samples.iter().filter_map(|sample| sample.as_ref().err().copied())),
        rate: if tested == 0 {
            0.0
        } else {
            accepted as f64 / tested as f64
        },
        verdicts: verdicts.into_iter().collect(),
    }
}

/// Mean in the given order; NaN of nothing.
pub(super) fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (count, sum) = values.fold((0u64, 0.0), |(count, sum), value| (count + 1, sum + value));
    sum / count as f64
}

/// Median, the mean of the middle two for an even count; NaN of nothing.
pub(super) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        n => (values[(n - 1) / 2] + values[n / 2]) / 2.0,
    }
}
