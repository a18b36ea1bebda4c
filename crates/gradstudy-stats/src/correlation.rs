//! How many independent samples the rows or columns of a gradient history are worth.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rayon::prelude::*;

use super::TestKind;
use super::centre::sum;
use super::degenerate::Cause;
use super::history_view::HistoryView;
use super::many::{self, mean};
use super::monitor::Monitor;
use super::outcome::{CorrelationOutcome, Degenerate, Direction, Outcome};
use super::power_law::{ALONG, OF};
use super::sampling::below;
use gradstudy_base::signature::{Args, Default, Param, ParamType, Signature};

/// `correlation(g, pairs: 10000, along: [dimension, iteration])`
pub static SIGNATURE: Signature = Signature {
    name: "correlation",
    summary: "correlation of rows (or columns) drawn in pairs, and how many independent ones they are worth",
    params: &[
        OF,
        Param {
            name: "pairs",
            ty: ParamType::Integer {
                min: 1,
                max: 1_000_000_000,
            },
            default: Default::Text("10000"),
            doc: "pairs of different rows or columns that are drawn, with replacement of pairs",
        },
        ALONG,
    ],
    version: 2,
};

/// The measurement as a study names it.
#[derive(Debug)]
pub struct Correlation;

impl TestKind for Correlation {
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
        correlation(view, direction, args.integer("pairs") as u64, seed, monitor).map(Outcome::Correlation)
    }

    /// One sample has no other to be correlated with: it is worth one.
    fn test_one(&self, values: &[f64], _args: &Args, _seed: u64, monitor: &Monitor) -> Option<Outcome> {
        let causes = usable(values).err();
        (!monitor.cancelled()).then(|| {
            (monitor.progress)(1);
            Outcome::Correlation(CorrelationOutcome {
                tested: 1,
                degenerate: Degenerate::of(causes),
                pairs: 0,
                mean: f64::NAN,
                mean_square: f64::NAN,
                effective: if causes.is_none() { 1.0 } else { 0.0 },
            })
        })
    }

    fn convention(&self, args: &Args) -> String {
        format!(
            "Effective number of samples: m/(1 + (m − 1)ρ²), m the samples that are not degenerate and ρ² the mean \
             squared correlation of {} pairs of them, less what independent samples of that length show.",
            args.integer("pairs")
        )
    }

    fn seconds(&self, args: &Args, parameters: u64, iterations: u64, direction: Direction) -> f64 {
        let (size, per_value) = match direction {
            Direction::Dimension | Direction::Spectrum => (parameters, 1e-9),
            Direction::Iteration => (iterations, 2e-8),
        };
        let all = parameters as f64 * iterations as f64 * 1.5e-9;
        let pairs = args.integer("pairs") as f64 * size as f64 * per_value;
        (all + pairs) / rayon::current_num_threads() as f64
    }
}

/// Correlations of `pairs` pairs of different samples; `None` if cancelled. Pair i depends on `seed` and i alone.
///
/// For unit samples the squared sum of the eigenvalues of their correlation matrix over the sum of their squares is
/// m²/Σᵢⱼ rᵢⱼ² = m/(1 + (m − 1)ρ²), the number of equal eigenvalues that spread as much. The mean of r² over pairs
/// estimates ρ² too high by that of independent samples of length L, 1/(L − 1), and is corrected for it.
pub fn correlation(
    view: HistoryView,
    direction: Direction,
    pairs: u64,
    seed: u64,
    monitor: &Monitor,
) -> Option<CorrelationOutcome> {
    let silent = monitor.without_progress();
    let states = many::map_wide(view, direction, &silent, || (), |(), _, values| usable(values))?;
    let good: Vec<usize> = (0..states.len()).filter(|&i| states[i].is_ok()).collect();
    let tested = states.len() as u64;
    let degenerate = Degenerate::of(states.iter().filter_map(|state| state.err()));
    let length = match direction {
        Direction::Dimension | Direction::Spectrum => view.parameters,
        Direction::Iteration => view.iterations,
    };
    let m = good.len() as f64;
    if good.len() < 2 || length < 3 {
        (monitor.progress)(tested);
        return Some(CorrelationOutcome {
            tested,
            degenerate,
            pairs: 0,
            mean: f64::NAN,
            mean_square: f64::NAN,
            effective: m,
        });
    }
    let seeded = ChaCha8Rng::seed_from_u64(seed);
    let drawn: Option<Vec<f64>> = (0..pairs)
        .into_par_iter()
        .map(|pair| {
            if monitor.cancelled() {
                return None;
            }
            let mut rng = seeded.clone();
            rng.set_stream(pair);
            let first = below(&mut rng, good.len() as u64) as usize;
            let second = (first + 1 + below(&mut rng, good.len() as u64 - 1) as usize) % good.len();
            Some(pearson(
                &sample(view, direction, good[first]),
                &sample(view, direction, good[second]),
            ))
        })
        .collect();
    let drawn = drawn?;
    let chance = 1.0 / (length as f64 - 1.0);
    let mean_square = (mean(drawn.iter().map(|r| r * r)) - chance) / (1.0 - chance);
    (monitor.progress)(tested);
    Some(CorrelationOutcome {
        tested,
        degenerate,
        pairs,
        mean: mean(drawn.iter().copied()),
        mean_square,
        effective: m / (1.0 + (m - 1.0) * mean_square.max(0.0)),
    })
}

fn usable(values: &[f64]) -> Result<(), Cause> {
    if values.iter().any(|x| !x.is_finite()) {
        Err(Cause::NotFinite)
    } else if values.iter().all(|x| *x == values[0]) {
        Err(Cause::Constant)
    } else {
        Ok(())
    }
}

/// One column or row.
fn sample(view: HistoryView, direction: Direction, index: usize) -> Vec<f64> {
    match direction {
        Direction::Dimension | Direction::Spectrum => {
            view.column(index).iter().map(|&x| f64::from(x)).collect()
        }
        Direction::Iteration => (0..view.iterations)
            .map(|t| f64::from(view.values[t * view.parameters + index]))
            .collect(),
    }
}

/// Pearson's correlation of two samples of one length, neither of them constant.
pub fn pearson(left: &[f64], right: &[f64]) -> f64 {
    let (of_left, of_right) = (middle(left), middle(right));
    let (mut both, mut squares_left, mut squares_right) = (0.0, 0.0, 0.0);
    for (x, y) in left.iter().zip(right) {
        let (x, y) = ((x - of_left.0) - of_left.1, (y - of_right.0) - of_right.1);
        both += x * y;
        squares_left += x * x;
        squares_right += y * y;
    }
    both / (squares_left.sqrt() * squares_right.sqrt())
}

/// The mean, rounded, and what is missing to it: values that lie closer together than they are large keep their digits.
fn middle(sample: &[f64]) -> (f64, f64) {
    let mean = sum(sample, |x| x) / sample.len() as f64;
    (mean, sum(sample, |x| x - mean) / sample.len() as f64)
}
