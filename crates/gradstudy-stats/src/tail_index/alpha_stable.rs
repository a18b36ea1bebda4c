//! The tail index of an α-stable law (M. Mohammadi, A. Mohammadpour and H. Ogata, Metrika 78 (2015), Corollary 2.4), as
//! U. Şimşekli, L. Sagun and M. Gürbüzbalaban (ICML 2019) apply it to gradient noise: all coordinates of all
//! iterations as one sample of independent numbers. Here also sample by sample.

use std::ops::Range;

use rayon::prelude::*;

use super::{ALONG, MISSING, OF, TailIndex, outcome};
use crate::TestKind;
use crate::degenerate::Cause;
use crate::history_view::HistoryView;
use crate::many;
use crate::missing::MissingValues;
use crate::monitor::Monitor;
use crate::outcome::{Direction, Outcome};
use gradstudy_base::signature::{Args, Default, Param, ParamType, Signature};

/// `alpha_stable(g, flatten: true, noise: true, block: 0, along: [dimension, iteration])`
pub static SIGNATURE: Signature = Signature {
    name: "alpha_stable",
    summary: "tail index of an α-stable law from block sums (Mohammadi 2015, as Şimşekli 2019 apply it)",
    params: &[
        OF,
        Param {
            name: "flatten",
            ty: ParamType::Boolean,
            default: Default::Text("true"),
            doc: "all of G as one sample, as Şimşekli et al. do, column after column or row after row; else each alone",
        },
        Param {
            name: "noise",
            ty: ParamType::Boolean,
            default: Default::Text("true"),
            doc: "whether each parameter's mean over the iterations (of one sample: its mean) is subtracted: the gradient noise",
        },
        Param {
            name: "block",
            ty: ParamType::Integer { min: 0, max: 1 << 31 },
            default: Default::Text("0"),
            doc: "values in a block; 0: the largest divisor of their number N up to √N, if at least √N/2, else ⌊√N⌋",
        },
        ALONG,
        MISSING,
    ],
    version: 1,
};

/// The estimator as a study names it.
#[derive(Debug)]
pub struct AlphaStable;

/// Added to absolute values before the logarithm, as Şimşekli's code does, so that zeros count as 2⁻⁵².
const TINY: f64 = f64::EPSILON;

/// Values of one piece of a flattened history, summed up on one thread.
const PIECE: usize = 1 << 16;

impl TestKind for AlphaStable {
    fn signature(&self) -> &'static Signature {
        &SIGNATURE
    }

    fn test_all(
        &self,
        view: HistoryView,
        direction: Direction,
        args: &Args,
        _seed: u64,
        monitor: &Monitor,
    ) -> Option<Outcome> {
        let block = args.integer("block") as usize;
        let means = match (args.boolean("noise"), direction) {
            (false, _) => vec![0.0; view.parameters],
            (true, Direction::Spectrum) => vec![mean_of(view.column(0), view.missing); view.parameters],
            (true, _) => row_means(view),
        };
        let by_rows = direction == Direction::Iteration;
        if args.boolean("flatten") {
            let flat = Flat::new(view, direction, &means, monitor)?;
            let index = log_moments(flat.count(), block, |range| flat.values(range), monitor)?;
            (monitor.progress)(flat.samples as u64);
            return Some(Outcome::TailIndex(outcome(&[index], flat.count())));
        }
        // A value's mean is that of its place, so what is to be left out is so afterwards.
        let whole = HistoryView {
            missing: MissingValues::Degenerate,
            ..view
        };
        let samples = many::map_wide(whole, direction, monitor, Vec::new, |noise, index, values| {
            noise.clear();
            noise.extend(
                values
                    .iter()
                    .enumerate()
                    .map(|(i, x)| x - means[if by_rows { index } else { i }]),
            );
            alpha_stable(&view.missing.kept(noise), block)
        })?;
        let points = if by_rows { view.iterations } else { view.parameters };
        Some(Outcome::TailIndex(outcome(&samples, points)))
    }

    fn test_one(&self, values: &[f64], args: &Args, _seed: u64, monitor: &Monitor) -> Option<Outcome> {
        let mean = match args.boolean("noise") {
            true => values.iter().sum::<f64>() / values.len() as f64,
            false => 0.0,
        };
        let noise = |range: Range<usize>| values[range].iter().map(move |x| x - mean);
        let index = log_moments(values.len(), args.integer("block") as usize, noise, monitor)?;
        (monitor.progress)(1);
        Some(Outcome::TailIndex(outcome(&[index], values.len())))
    }

    fn convention(&self, args: &Args) -> String {
        let what = match args.boolean("noise") {
            true => "G less each parameter's mean",
            false => "G",
        };
        let how = match args.boolean("flatten") {
            true => "as one sample",
            false => "for each row or column",
        };
        let block = match args.integer("block") {
            0 => "about √N".to_string(),
            block => block.to_string(),
        };
        format!(
            "Tail index: α-stable estimate from sums of {block} values (Mohammadi et al. 2015) of {what}, {how}."
        )
    }

    fn seconds(&self, _args: &Args, parameters: u64, iterations: u64, _direction: Direction) -> f64 {
        parameters as f64 * iterations as f64 * 1.2e-8 / rayon::current_num_threads() as f64
    }
}

/// All of G less the means of its rows as one sample: column after column, or row after row.
struct Flat<'a> {
    view: HistoryView<'a>,
    by_rows: bool,
    means: &'a [f64],
    /// Columns, or rows.
    samples: usize,
    /// Values that are kept of the samples before each, and of all; empty where every value is.
    before: Vec<usize>,
}

impl<'a> Flat<'a> {
    /// `None` if cancelled.
    fn new(view: HistoryView<'a>, direction: Direction, means: &'a [f64], monitor: &Monitor) -> Option<Self> {
        let by_rows = direction == Direction::Iteration;
        let (samples, size) = match by_rows {
            true => (view.parameters, view.iterations),
            false => (view.iterations, view.parameters),
        };
        let mut before = Vec::new();
        if view.missing == MissingValues::Drop {
            let mut kept = 0;
            before.push(0);
            for left_out in many::left_out(view, direction, monitor)? {
                kept += size - left_out as usize;
                before.push(kept);
            }
        }
        Some(Flat {
            view,
            by_rows,
            means,
            samples,
            before,
        })
    }

    fn count(&self) -> usize {
        match self.before.last() {
            Some(&kept) => kept,
            None => self.view.values.len(),
        }
    }

    /// Value `place` of all, kept or not.
    fn at(&self, place: usize) -> f64 {
        let (n, t) = (self.view.parameters, self.view.iterations);
        let (row, column) = match self.by_rows {
            true => (place / t, place % t),
            false => (place % n, place / n),
        };
        f64::from(self.view.values[column * n + row]) - self.means[row]
    }

    /// Consecutive values of those that are kept.
    fn values(&self, range: Range<usize>) -> impl Iterator<Item = f64> + '_ {
        let (first, skipped) = match self.before.is_empty() {
            true => (range.start, 0),
            false => {
                let sample = self.before.partition_point(|&before| before <= range.start) - 1;
                let size = self.view.values.len() / self.samples;
                (sample * size, range.start - self.before[sample])
            }
        };
        let all = self.before.is_empty();
        (first..self.view.values.len())
            .map(|place| self.at(place))
            .filter(move |x| all || x.is_finite())
            .skip(skipped)
            .take(range.len())
    }
}

/// The estimate of one sample: 1/α̂ = (mean of ln|Yᵢ| − mean of ln|Xⱼ|)/ln m with Yᵢ the sums of blocks of `block` = m
/// values (0 for the usual size), after N. The values that fill no block are left out.
pub fn alpha_stable(sample: &[f64], block: usize) -> Result<TailIndex, Cause> {
    let values = |range: Range<usize>| sample[range].iter().copied();
    let index = log_moments(sample.len(), block, values, &Monitor::SILENT);
    index.expect("never cancelled")
}

/// [`alpha_stable`] of `count` values, of which `values` gives those of a range; `None` if cancelled. The order of summation
/// does not depend on the number of threads.
fn log_moments<I: Iterator<Item = f64>>(
    count: usize,
    block: usize,
    values: impl Fn(Range<usize>) -> I + Sync,
    monitor: &Monitor,
) -> Option<Result<TailIndex, Cause>> {
    let block = if block == 0 { usual_block(count) } else { block };
    let blocks = count / block.max(1);
    if block < 2 || blocks < 2 {
        return Some(Err(Cause::TooFew));
    }
    let first = values(0..1).next();
    let piece = (PIECE / block).max(1);
    let sums: Option<Vec<(f64, f64, bool)>> = (0..blocks.div_ceil(piece))
        .into_par_iter()
        .map(|number| {
            if monitor.cancelled() {
                return None;
            }
            let (mut of_sums, mut of_values, mut equal) = (0.0, 0.0, true);
            let these = number * piece..blocks.min((number + 1) * piece);
            let mut values = values(these.start * block..these.end * block);
            for _ in these {
                let mut sum = 0.0;
                for x in values.by_ref().take(block) {
                    sum += x;
                    of_values += (x.abs() + TINY).ln();
                    equal &= Some(x) == first;
                }
                of_sums += (sum.abs() + TINY).ln();
            }
            Some((of_sums, of_values, equal))
        })
        .collect();
    let sums = sums?;
    let of_sums = sums.iter().map(|sums| sums.0).sum::<f64>() / blocks as f64;
    let of_values = sums.iter().map(|sums| sums.1).sum::<f64>() / (blocks * block) as f64;
    let xi = (of_sums - of_values) / (block as f64).ln();
    Some(if !xi.is_finite() {
        Err(Cause::NotFinite)
    } else if sums.iter().all(|sums| sums.2) {
        Err(Cause::Constant)
    } else {
        Ok(TailIndex {
            xi,
            standard_error: f64::NAN,
        })
    })
}

/// The largest divisor of `count` up to its root, as Şimşekli et al. choose; where that is far from the root, the root.
fn usual_block(count: usize) -> usize {
    let root = count.isqrt();
    (root.div_ceil(2)..=root)
        .rev()
        .find(|divisor| *divisor > 0 && count.is_multiple_of(*divisor))
        .unwrap_or(root)
}

/// Mean of the finite values where the others are left out, else of all.
fn mean_of(values: &[f32], missing: MissingValues) -> f64 {
    let mut kept = Vec::new();
    let values = missing.kept_in(values, &mut kept);
    values.iter().map(|&x| f64::from(x)).sum::<f64>() / values.len() as f64
}

/// Mean of each row, in f64, the columns in their order; of its finite values where the others are left out.
fn row_means(view: HistoryView) -> Vec<f64> {
    let drop = view.missing == MissingValues::Drop;
    let mut means = vec![0.0; view.parameters];
    means.par_chunks_mut(4096).enumerate().for_each(|(chunk, means)| {
        let mut counts = vec![view.iterations; means.len()];
        for t in 0..view.iterations {
            let column = &view.column(t)[chunk * 4096..];
            for ((mean, count), &x) in means.iter_mut().zip(&mut counts).zip(column) {
                match drop && !x.is_finite() {
                    true => *count -= 1,
                    false => *mean += f64::from(x),
                }
            }
        }
        for (mean, count) in means.iter_mut().zip(counts) {
            *mean /= count as f64;
        }
    });
    means
}
