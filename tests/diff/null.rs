//! How often runs of one study are called different: at most as often as the level says.
//!
//! Each simulated run has a rate and a mean distance for each seed that spread over seeds as those of trained networks do,
//! and verdicts on rows that hang together within a run: only their common part differs from one run to the next.

use std::collections::{BTreeMap, HashSet};

use gradstudy::diff::{FailOn, RunDiff, Tolerance, diff};
use gradstudy::results::{Measurement, Results};
use gradstudy::stats::outcome::Outcome;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

use super::run;

const ALPHA: f64 = 0.05;
const PAIRS: u64 = 2000;
const ROWS: u64 = 300;
/// Conditions of a run: each has four statistics.
const CONDITIONS: usize = 3;

fn gaussian(rng: &mut ChaCha8Rng) -> f64 {
    let mut uniform = || (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
    let (u, v) = (uniform(), uniform());
    (-2.0 * (1.0 - u).ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

/// One seed of one run: of the seed, and of all else that was drawn.
#[derive(Clone, Copy)]
struct Effects {
    seed: f64,
    rest: f64,
}

/// The power-law test of `ROWS` rows: they are accepted where a part of their own and the common part stay below a bound.
fn measured(
    template: &Measurement,
    condition: usize,
    seed: u64,
    effects: Effects,
    rng: &mut ChaCha8Rng,
) -> Measurement {
    let mut measurement = template.clone();
    measurement.seed = seed;
    measurement.levels = vec![("condition".into(), condition.to_string())];
    measurement.subject.parameters = ROWS;
    let common = 0.3 * effects.seed + 0.25 * effects.rest;
    let verdicts: Vec<bool> = (0..ROWS).map(|_| gaussian(rng) + common < 0.8).collect();
    let Outcome::PowerLaw(outcome) = &mut measurement.outcome else {
        panic!("a power law");
    };
    let acceptance = &mut outcome.acceptance;
    acceptance.tested = ROWS;
    acceptance.accepted = verdicts.iter().filter(|it| **it).count() as u64;
    acceptance.rate = acceptance.accepted as f64 / ROWS as f64;
    acceptance.verdicts = verdicts.into_iter().collect();
    outcome.mean_ks_distance = (-3.7 + 0.03 * common + 0.001 * gaussian(rng)).exp();
    outcome.mean_exponent = 1.7 - 0.05 * common + 0.02 * gaussian(rng);
    outcome.mean_zipf_exponent = 1.0 / (outcome.mean_exponent - 1.0);
    measurement
}

/// Two runs of one study, with what both have of a seed in common.
fn pair(seeds: [&[u64]; 2], simulation: u64) -> [Results; 2] {
    let template = run("a");
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    rng.set_stream(simulation);
    let mut of_seed = BTreeMap::new();
    seeds.map(|seeds| {
        let mut results = template.clone();
        results.measurements.clear();
        for condition in 0..CONDITIONS {
            for &seed in seeds {
                let effects = Effects {
                    seed: *of_seed
                        .entry((condition, seed))
                        .or_insert_with(|| gaussian(&mut rng)),
                    rest: gaussian(&mut rng),
                };
                let first = &template.measurements[0];
                results
                    .measurements
                    .push(measured(first, condition, seed, effects, &mut rng));
            }
        }
        results
    })
}

fn compared(seeds: [&[u64]; 2]) -> impl Iterator<Item = ([Results; 2], RunDiff)> + '_ {
    (0..PAIRS).map(move |simulation| {
        let [left, right] = pair(seeds, simulation);
        let found = diff(&left, &right, Tolerance::EXACT, ALPHA);
        ([left, right], found)
    })
}

/// `share` of `of` cases is not above α but for the error of the simulation: three and a half standard deviations.
#[track_caller]
fn at_most_alpha(share: f64, of: f64, what: &str) {
    let error = (ALPHA * (1.0 - ALPHA) / of).sqrt();
    assert!(share <= ALPHA + 3.5 * error, "{what}: {share}");
}

#[test]
#[ignore = "half a minute and more; .ci/run runs it"]
fn tests_over_seeds_keep_their_level() {
    let cases: [(&[u64], &[u64], &str); 7] = [
        (&[0, 1], &[0, 1], "paired t, 2"),
        (&[0, 1, 2], &[0, 1, 2], "paired t, 3"),
        (&[0, 1, 2, 3, 4], &[0, 1, 2, 3, 4], "paired t, 5"),
        (&[0, 1], &[2, 3], "Welch t, 2 and 2"),
        (&[0, 1], &[2, 3, 4, 5, 6, 7, 8, 9, 10, 11], "Welch t, 2 and 10"),
        (&[0, 1, 2], &[3, 4, 5], "Welch t, 3 and 3"),
        (&[0, 1, 2], &[2, 3, 4], "one seed shared: Welch t, 2 and 2"),
    ];
    for (left, right, what) in cases {
        let statistics = ["d_ks", "power_law_rate", "beta", "s"];
        let (mut rejected, mut tested, mut headlines) = ([0.0; 4], [0.0; 4], 0.0);
        for (_, found) in compared([left, right]) {
            for it in &found.comparisons {
                let index = statistics
                    .iter()
                    .position(|name| *name == it.statistic)
                    .expect(it.statistic);
                tested[index] += 1.0;
                rejected[index] += f64::from(it.p_value <= ALPHA);
            }
            headlines += f64::from(found.fails(FailOn::Significant));
            // One statistic of one condition, one p-value.
            let once: HashSet<_> = found
                .comparisons
                .iter()
                .map(|it| (&it.condition, it.statistic))
                .collect();
            assert_eq!(once.len(), found.comparisons.len(), "{what}");
            assert!(found.comparisons.len() <= 4 * CONDITIONS, "{what}");
        }
        for ((rejected, tested), statistic) in rejected.iter().zip(tested).zip(statistics) {
            assert!(
                tested > 0.9 * (PAIRS as usize * CONDITIONS) as f64,
                "{what}, {statistic}: {tested}"
            );
            // A test of the same run's conditions is a draw of its own.
            at_most_alpha(rejected / tested, tested, &format!("{what}, {statistic}"));
        }
        at_most_alpha(
            headlines / PAIRS as f64,
            PAIRS as f64,
            &format!("{what}, headline"),
        );
    }
}

#[test]
fn one_seed_a_side_is_never_significant() {
    for (left, right) in [(&[0][..], &[0][..]), (&[0], &[1]), (&[0], &[1, 2, 3])] {
        for (_, found) in compared([left, right]).take(50) {
            assert!(found.comparisons.is_empty() && !found.fails(FailOn::Significant));
            assert_eq!(found.summary.significant + found.summary.tested, 0);
            assert!(found.summary.too_few_seeds > 0 && found.fails(FailOn::Any));
        }
    }
}

/// The same runs by what is not done: the simulation must tell a test that keeps its level from one that does not.
#[test]
#[ignore = "half a minute and more; .ci/run runs it"]
fn counts_of_rows_and_satterthwaites_freedom_do_not_keep_it() {
    let rates = |results: &Results| -> Vec<f64> {
        let first = results.measurements.iter().filter(|it| it.levels[0].1 == "0");
        first
            .map(|it| it.outcome.acceptance().expect("a rate").rate)
            .collect()
    };
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    // Two proportions, the rows of both runs taken as independent.
    let mut rejected = 0.0;
    for ([left, right], _) in compared([&[0], &[1]]) {
        let (a, b) = (rates(&left)[0], rates(&right)[0]);
        let pooled = (a + b) / 2.0;
        let error = (pooled * (1.0 - pooled) * 2.0 / ROWS as f64).sqrt();
        rejected += f64::from(2.0 * Normal::standard().cdf(-((b - a) / error).abs()) <= ALPHA);
    }
    assert!(rejected / PAIRS as f64 > 0.4, "{rejected}");
    // McNemar's test of the rows that both runs judged, by its normal approximation.
    let mut rejected = 0.0;
    for ([left, right], _) in compared([&[0], &[0]]) {
        let verdicts = |results: &Results| {
            let acceptance = results.measurements[0].outcome.acceptance();
            acceptance.expect("a rate").verdicts.clone()
        };
        let (b, c) = verdicts(&left)
            .discordant(&verdicts(&right))
            .expect("as many rows");
        let z = (b as f64 - c as f64) / ((b + c) as f64).sqrt();
        rejected += f64::from(2.0 * Normal::standard().cdf(-z.abs()) <= ALPHA);
    }
    assert!(rejected / PAIRS as f64 > 0.4, "{rejected}");
    // Welch's t with Satterthwaite's degrees of freedom, 2 seeds against 10.
    let mut rejected = 0.0;
    for ([left, right], _) in compared([&[0, 1], &[2, 3, 4, 5, 6, 7, 8, 9, 10, 11]]) {
        let (a, b) = (rates(&left), rates(&right));
        let error = |values: &[f64]| {
            let squares: f64 = values.iter().map(|value| (value - mean(values)).powi(2)).sum();
            squares / (values.len() * (values.len() - 1)) as f64
        };
        let (ea, eb) = (error(&a), error(&b));
        let freedom = (ea + eb).powi(2) / (ea * ea / (a.len() - 1) as f64 + eb * eb / (b.len() - 1) as f64);
        let t = (mean(&b) - mean(&a)) / (ea + eb).sqrt();
        let law = StudentsT::new(0.0, 1.0, freedom).expect("degrees of freedom");
        rejected += f64::from(2.0 * law.cdf(-t.abs()) <= ALPHA);
    }
    assert!(rejected / PAIRS as f64 > 0.08, "{rejected}");
}
