//! The goodness of fit of a power law by the semi-parametric bootstrap (Clauset, Shalizi and Newman, SIAM Review 51
//! (2009), section 4.1): how often a sample that does follow the fitted law lies as far from its own fit.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rayon::prelude::*;

use super::degenerate::Cause;
use super::ks::{Ecdf, ks_distance};
use super::monitor::Monitor;
use super::power_law::{PowerLawSettings, PowerLawTest};
use super::sampling::below;
use super::tail::TailRule;

/// Replicates made between two looks at the count, on all threads.
const BATCH: u64 = 64;

/// Exceedances after which the test `power_law` stops: a p-value near 0.05 then rests on about 1000 replicates.
pub const EXCEEDANCES: u64 = 50;

/// How many replicates are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BootstrapSettings {
    /// Most replicates. Clauset, Shalizi and Newman take 2500 for a standard error of 0.01.
    pub replicates: u64,
    /// Stop once this many replicates lie as far from their fit as the sample (Besag and Clifford, Biometrika 78
    /// (1991)): a large p-value needs few replicates, and its relative standard error is about
    /// √((1 − p)/exceedances). More than `replicates` never stops early.
    pub exceedances: u64,
    /// Replicate i depends on this and on i alone.
    pub seed: u64,
}

/// What the bootstrap found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bootstrap {
    /// The sample's own test.
    pub test: PowerLawTest,
    /// Share of replicates with d_ks at least the sample's; small speaks against the power law. After an early
    /// stop exceedances/replicates, else (exceedances + 1)/(replicates + 1): a test by either rejects a true power
    /// law no more often than at its level, as far as replicates are like the sample.
    pub p_value: f64,
    /// Monte-Carlo standard error of the p-value, √(p(1 − p)/replicates).
    pub standard_error: f64,
    /// Replicates counted.
    pub replicates: u64,
    /// Those among them with d_ks at least the sample's.
    pub exceedances: u64,
}

/// The bootstrap p-value of the power law fitted to the tail of |x|, on all threads of the current rayon pool; the
/// result does not depend on their number; `None` if cancelled.
///
/// A replicate has as many values above zero as the sample: each comes with probability n_tail/n from the fitted
/// power law, else from the sample's values below x_min, drawn with replacement. It is fitted by the same rule, x_min
/// and all; one that cannot be fitted counts as d_ks = 1. For [`TailRule::Top`] a replicate is a tail alone, all K
/// values from the fitted law.
pub fn bootstrap(
    sample: &[f64],
    settings: &PowerLawSettings,
    bootstrap: &BootstrapSettings,
    monitor: &Monitor,
) -> Option<Result<Bootstrap, Cause>> {
    match PowerLawTest::of(sample, settings) {
        Ok(test) => resample(sample, test, settings, bootstrap, monitor).map(Ok),
        Err(cause) => Some(Err(cause)),
    }
}

/// [`bootstrap`] of a sample whose own test is known.
pub(super) fn resample(
    sample: &[f64],
    test: PowerLawTest,
    settings: &PowerLawSettings,
    bootstrap: &BootstrapSettings,
    monitor: &Monitor,
) -> Option<Bootstrap> {
    let body: Vec<f64> = match settings.tail {
        TailRule::Top(_) => Vec::new(),
        _ => sample
            .iter()
            .map(|x| x.abs())
            .filter(|&x| x > 0.0 && x < test.fit.x_min)
            .collect(),
    };
    let distance = |rng: &mut ChaCha8Rng| {
        let values = draw(&body, &test, rng);
        PowerLawTest::of(&values, settings).map_or(1.0, |found| found.ks_distance)
    };
    count_exceedances(test, bootstrap, monitor, distance)
}

/// The p-value of `test` from replicates whose d_ks are `distance`s, on all threads of the current rayon pool; `None` if
/// cancelled.
pub(super) fn count_exceedances(
    test: PowerLawTest,
    bootstrap: &BootstrapSettings,
    monitor: &Monitor,
    distance: impl Fn(&mut ChaCha8Rng) -> f64 + Sync,
) -> Option<Bootstrap> {
    let seeded = ChaCha8Rng::seed_from_u64(bootstrap.seed);
    let exceeds = |replicate: u64| {
        let mut rng = seeded.clone();
        rng.set_stream(replicate);
        distance(&mut rng) >= test.ks_distance
    };

    let (mut replicates, mut exceedances) = (0, 0);
    while replicates < bootstrap.replicates && exceedances < bootstrap.exceedances {
        if monitor.cancelled() {
            return None;
        }
        let batch = replicates..bootstrap.replicates.min(replicates + BATCH);
        let found: Vec<bool> = batch.into_par_iter().map(exceeds).collect();
        // Replicates after the one that stops are not counted: whether they were made depends on the batch.
        for exceeded in found {
            replicates += 1;
            exceedances += u64::from(exceeded);
            if exceedances == bootstrap.exceedances {
                break;
            }
        }
    }
    let p_value = if exceedances == bootstrap.exceedances && replicates > 0 {
        exceedances as f64 / replicates as f64
    } else {
        (exceedances + 1) as f64 / (replicates + 1) as f64
    };
    Some(Bootstrap {
        test,
        p_value,
        standard_error: (p_value * (1.0 - p_value) / replicates as f64).sqrt(),
        replicates,
        exceedances,
    })
}

/// Distances of replicates that do follow a power law, for the tails that have x_min among their points and are as
/// long in every replicate ([`TailRule::Top`] and [`TailRule::Minimum`]): then d_ks depends on K alone, and one set
/// of replicates serves every sample of that size.
#[derive(Debug, Clone)]
pub struct NullDistances {
    /// Ascending.
    distances: Vec<f64>,
}

impl NullDistances {
    /// `replicates` tails of `points` ≥ 2 points on all threads of the current rayon pool; `None` if cancelled.
    /// Replicate i depends on `seed`, `points` and i alone.
    pub fn draw(points: usize, ecdf: Ecdf, replicates: u64, seed: u64, monitor: &Monitor) -> Option<Self> {
        let seeded = ChaCha8Rng::seed_from_u64(seed ^ (points as u64).rotate_left(40));
        let distances: Option<Vec<f64>> = (0..replicates)
            .into_par_iter()
            .map_init(Vec::new, |cdf, replicate| {
                if monitor.cancelled() {
                    return None;
                }
                let mut rng = seeded.clone();
                rng.set_stream(replicate);
                Some(null_distance(points, ecdf, &mut rng, cdf))
            })
            .collect();
        let mut distances = distances?;
        distances.sort_unstable_by(f64::total_cmp);
        Some(NullDistances { distances })
    }

    /// (exceedances + 1)/(replicates + 1), the p-value of a sample at distance `distance`: a test by it has its
    /// level exactly.
    pub fn p_value(&self, distance: f64) -> f64 {
        (self.exceedances(distance) + 1) as f64 / (self.distances.len() + 1) as f64
    }

    /// Replicates with d_ks of at least `distance`.
    pub fn exceedances(&self, distance: f64) -> u64 {
        (self.distances.len() - self.distances.partition_point(|&d| d < distance)) as u64
    }

    /// How many there are.
    pub fn replicates(&self) -> u64 {
        self.distances.len() as u64
    }

    /// The Monte-Carlo standard error of the mean p-value of samples at `distances` (ascending): the replicates are
    /// drawn once for all of them, so their p-values err together.
    pub fn error_of_mean(&self, distances: &[f64]) -> f64 {
        let n = self.distances.len() as f64;
        let share = |d: f64| distances.partition_point(|&x| x <= d) as f64 / distances.len().max(1) as f64;
        let shares: Vec<f64> = self.distances.iter().map(|&d| share(d)).collect();
        let mean = shares.iter().sum::<f64>() / n;
        let squares: f64 = shares.iter().map(|share| (share - mean).powi(2)).sum();
        (squares / (n - 1.0).max(1.0) / n).sqrt()
    }
}

/// d_ks of K points of a power law with β = 2, in logarithms: the gap below the j-th largest of them is exponential
/// with mean 1/j (A. Rényi, Acta Math. Acad. Sci. Hungar. 4 (1953)), and the smallest is x_min.
fn null_distance(points: usize, ecdf: Ecdf, rng: &mut ChaCha8Rng, cdf: &mut Vec<f64>) -> f64 {
    let (mut log, mut sum) = (0.0, 0.0);
    cdf.clear();
    cdf.push(0.0);
    for above in (1..points).rev() {
        log -= unit(rng).ln() / above as f64;
        sum += log;
        cdf.push(log);
    }
    let slope = points as f64 / sum;
    for value in cdf.iter_mut() {
        *value = -(-*value * slope).exp_m1();
    }
    ks_distance(cdf, ecdf)
}

/// Uniform in (0, 1].
pub(super) fn unit(rng: &mut ChaCha8Rng) -> f64 {
    ((rng.next_u64() >> 11) + 1) as f64 / (1u64 << 53) as f64
}

/// One replicate: x_min u^(−1/(β̂ − 1)) for the tail, u uniform in (0, 1].
fn draw(body: &[f64], test: &PowerLawTest, rng: &mut ChaCha8Rng) -> Vec<f64> {
    let n = body.len() + test.fit.n_tail;
    (0..n)
        .map(|_| match body.get(below(rng, n as u64) as usize) {
            Some(_) => body[below(rng, body.len() as u64) as usize],
            None => test.fit.x_min * unit(rng).powf(-test.fit.zipf_exponent),
        })
        .collect()
}
