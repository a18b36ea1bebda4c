//! How often a test rejects samples of a given law: its size where the law is the test's hypothesis, else its power.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rayon::prelude::*;
use serde::Serialize;

use super::TestKind;
use super::interval::{Interval, wilson};
use super::laws::Law;
use super::monitor::Monitor;
use super::outcome::Outcome;
use gradstudy_base::signature::Args;

/// The share of rejections among simulated samples.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Power {
    /// Samples drawn.
    pub samples: u64,
    /// Samples that the test rejected.
    pub rejected: u64,
    /// rejected / samples.
    pub rate: f64,
    /// Wilson 95 % interval of the rate: its Monte-Carlo error.
    pub rate_interval: Interval,
}

/// Applies `test` to `samples` samples of `size` numbers each, drawn from `law`; `None` if cancelled or if the test has
/// no verdict. Sample i depends on `seed` and i alone, and so does what the test draws at random.
pub fn power(
    test: &dyn TestKind,
    args: &Args,
    law: Law,
    size: usize,
    samples: u64,
    seed: u64,
    monitor: &Monitor,
) -> Option<Power> {
    let seeded = ChaCha8Rng::seed_from_u64(seed);
    let silent = monitor.without_progress();
    let rejected: Option<Vec<bool>> = (0..samples)
        .into_par_iter()
        .map_init(Vec::new, |values, sample| {
            let mut rng = seeded.clone();
            rng.set_stream(sample);
            values.clear();
            values.extend((0..size).map(|_| law.draw(&mut rng)));
            let outcome = test.run_sample(values, args, seed ^ sample.rotate_left(32), &silent)?;
            (monitor.progress)(1);
            Some(accepted(&outcome)? == 0)
        })
        .collect();
    let rejected = rejected?.into_iter().filter(|rejected| *rejected).count() as u64;
    Some(Power {
        samples,
        rejected,
        rate: rejected as f64 / samples as f64,
        rate_interval: wilson(rejected, samples, 0.95),
    })
}

/// Samples accepted, by the bootstrap where there is one; `None` for what has no verdict.
fn accepted(outcome: &Outcome) -> Option<u64> {
    match outcome {
        Outcome::PowerLaw(outcome) => Some(match &outcome.bootstrap {
            Some(bootstrap) => bootstrap.acceptance.accepted,
            None => outcome.acceptance.accepted,
        }),
        Outcome::Normality(outcome) => Some(outcome.acceptance.accepted),
        Outcome::Alternatives(outcome) => Some(outcome.acceptance.accepted),
        _ => None,
    }
}
