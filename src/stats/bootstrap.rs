//! The goodness of fit of a power law by the semi-parametric bootstrap (Clauset, Shalizi and Newman, SIAM Review 51
//! (2009), section 4.1): how often a sample that does follow the fitted law lies as far from its own fit.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rayon::prelude::*;

use super::degenerate::Cause;
use super::power_law::{PowerLawSettings, PowerLawTest};
use super::sampling::below;
use super::tail::TailRule;

/// Replicates made between two looks at the count, on all threads.
const BATCH: u64 = 64;

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
/// result does not depend on their number.
///
/// A replicate has as many values above zero as the sample: each comes with probability n_tail/n from the fitted
/// power law, else from the sample's values below x_min, drawn with replacement. It is fitted by the same rule, x_min
/// and all; one that cannot be fitted counts as d_ks = 1. For [`TailRule::Top`] a replicate is a tail alone, all K
/// values from the fitted law.
pub fn bootstrap(
    sample: &[f64],
    settings: &PowerLawSettings,
    bootstrap: &BootstrapSettings,
) -> Result<Bootstrap, Cause> {
    let test = PowerLawTest::of(sample, settings)?;
    let body: Vec<f64> = match settings.tail {
        TailRule::Top(_) => Vec::new(),
        _ => sample
            .iter()
            .map(|x| x.abs())
            .filter(|&x| x > 0.0 && x < test.fit.x_min)
            .collect(),
    };
    let seeded = ChaCha8Rng::seed_from_u64(bootstrap.seed);
    let exceeds = |replicate: u64| {
        let mut rng = seeded.clone();
        rng.set_stream(replicate);
        let values = draw(&body, &test, &mut rng);
        PowerLawTest::of(&values, settings).map_or(1.0, |found| found.ks_distance) >= test.ks_distance
    };

    let (mut replicates, mut exceedances) = (0, 0);
    while replicates < bootstrap.replicates && exceedances < bootstrap.exceedances {
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
    Ok(Bootstrap {
        test,
        p_value,
        standard_error: (p_value * (1.0 - p_value) / replicates as f64).sqrt(),
        replicates,
        exceedances,
    })
}

/// One replicate: x_min u^(−1/(β̂ − 1)) for the tail, u uniform in (0, 1].
fn draw(body: &[f64], test: &PowerLawTest, rng: &mut ChaCha8Rng) -> Vec<f64> {
    let n = body.len() + test.fit.n_tail;
    (0..n)
        .map(|_| match body.get(below(rng, n as u64) as usize) {
            Some(_) => body[below(rng, body.len() as u64) as usize],
            None => {
                let u = ((rng.next_u64() >> 11) + 1) as f64 / (1u64 << 53) as f64;
                test.fit.x_min * u.powf(-test.fit.zipf_exponent)
            }
        })
        .collect()
}
