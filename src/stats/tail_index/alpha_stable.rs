//! The tail index of an α-stable law (M. Mohammadi, A. Mohammadpour and H. Ogata, Metrika 78 (2015), Corollary 2.4), as
//! U. Şimşekli, L. Sagun and M. Gürbüzbalaban (ICML 2019) apply it to gradient noise: all coordinates of all
//! iterations as one sample of independent numbers. Here also sample by sample.

use rayon::prelude::*;

use super::{ALONG, OF, TailIndex, outcome};
use crate::signature::{Args, Default, Param, ParamType, Signature};
use crate::stats::TestKind;
use crate::stats::degenerate::Cause;
use crate::stats::history_view::HistoryView;
use crate::stats::many;
use crate::stats::monitor::Monitor;
use crate::stats::outcome::{Direction, Outcome};

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

    fn run(
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
            (true, Direction::Spectrum) => vec![mean_of(view.column(0)); view.parameters],
            (true, _) => row_means(view),
        };
        let by_rows = direction == Direction::Iteration;
        if args.boolean("flatten") {
            let (n, t) = (view.parameters, view.iterations);
            let at = |index: usize| {
                let (row, column) = if by_rows {
                    (index / t, index % t)
                } else {
                    (index % n, index / n)
                };
                f64::from(view.values[column * n + row]) - means[row]
            };
            let index = log_moments(n * t, block, at, monitor)?;
            (monitor.progress)(if by_rows { n } else { t } as u64);
            return Some(Outcome::TailIndex(outcome(&[index], n * t)));
        }
        let samples = many::map_wide(view, direction, monitor, Vec::new, |noise, index, values| {
            noise.clear();
            noise.extend(
                values
                    .iter()
                    .enumerate()
                    .map(|(i, x)| x - means[if by_rows { index } else { i }]),
            );
            alpha_stable(noise, block)
        })?;
        let points = if by_rows { view.iterations } else { view.parameters };
        Some(Outcome::TailIndex(outcome(&samples, points)))
    }

    fn run_sample(&self, values: &[f64], args: &Args, _seed: u64, monitor: &Monitor) -> Option<Outcome> {
        let mean = match args.boolean("noise") {
            true => values.iter().sum::<f64>() / values.len() as f64,
            false => 0.0,
        };
        let at = |index: usize| values[index] - mean;
        let index = log_moments(values.len(), args.integer("block") as usize, at, monitor)?;
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

/// The estimate of one sample: 1/α̂ = (mean of ln|Yᵢ| − mean of ln|Xⱼ|)/ln m with Yᵢ the sums of blocks of `block` = m
/// values (0 for the usual size), after N. The values that fill no block are left out.
pub fn alpha_stable(sample: &[f64], block: usize) -> Result<TailIndex, Cause> {
    let index = log_moments(sample.len(), block, |index| sample[index], &Monitor::SILENT);
    index.expect("never cancelled")
}

/// [`alpha_stable`] of `count` values read by their index; `None` if cancelled. The order of summation does not depend
/// on the number of threads.
fn log_moments(
    count: usize,
    block: usize,
    at: impl Fn(usize) -> f64 + Sync,
    monitor: &Monitor,
) -> Option<Result<TailIndex, Cause>> {
    let block = if block == 0 { usual_block(count) } else { block };
    let blocks = count / block.max(1);
    if block < 2 || blocks < 2 {
        return Some(Err(Cause::TooFew));
    }
    let first = at(0);
    let piece = (PIECE / block).max(1);
    let sums: Option<Vec<(f64, f64, bool)>> = (0..blocks.div_ceil(piece))
        .into_par_iter()
        .map(|number| {
            if monitor.cancelled() {
                return None;
            }
            let (mut of_sums, mut of_values, mut equal) = (0.0, 0.0, true);
            for i in number * piece..blocks.min((number + 1) * piece) {
                let mut sum = 0.0;
                for x in (i * block..(i + 1) * block).map(&at) {
                    sum += x;
                    of_values += (x.abs() + TINY).ln();
                    equal &= x == first;
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

fn mean_of(values: &[f32]) -> f64 {
    values.iter().map(|&x| f64::from(x)).sum::<f64>() / values.len() as f64
}

/// Mean of each row, in f64, the columns in their order.
fn row_means(view: HistoryView) -> Vec<f64> {
    let mut means = vec![0.0; view.parameters];
    means.par_chunks_mut(4096).enumerate().for_each(|(chunk, means)| {
        for t in 0..view.iterations {
            let column = &view.column(t)[chunk * 4096..];
            for (mean, &x) in means.iter_mut().zip(column) {
                *mean += f64::from(x);
            }
        }
        for mean in means {
            *mean /= view.iterations as f64;
        }
    });
    means
}
