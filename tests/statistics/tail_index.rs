//! Estimators of the tail index, and correlations, against NumPy and PyTorch (values from
//! `tests/reference/stats/make_tail_index.py`), closed forms and simulation.

use gradstudy::stats::correlation::{correlation, pearson};
use gradstudy::stats::outcome::TailIndexOutcome;
use gradstudy::stats::tail_index::alpha_stable::alpha_stable;
use gradstudy::stats::tail_index::{Estimator, hill, moments, pickands};

use super::*;

const ESTIMATORS: [&Estimator; 3] = [&hill::ESTIMATOR, &moments::ESTIMATOR, &pickands::ESTIMATOR];

fn sample(kind: &str, n: usize) -> Vec<f64> {
    use std::f64::consts::{PI, TAU};
    (0..n)
        .map(|i| {
            let (u, v) = (split_mix(i, 0), split_mix(i, 1));
            match kind {
                "cauchy" => (PI * (u - 0.5)).tan(),
                "student3" => (3.0 * (u.powf(-2.0 / 3.0) - 1.0)).sqrt() * (TAU * v).cos(),
                "normal" => (-2.0 * u.ln()).sqrt() * (TAU * v).cos(),
                "uniform" => u - 0.5,
                other => panic!("unknown sample {other}"),
            }
        })
        .collect()
}

#[test]
fn estimators_equal_numpy_and_pytorch() {
    let golden: serde_json::Value =
        serde_json::from_str(include_str!("../reference/stats/tail_index.json")).expect("JSON");
    let cases = golden["cases"].as_array().expect("cases");
    assert_eq!(cases.len(), 12);
    for case in cases {
        let [n, k, block] = ["n", "k", "block"].map(|key| case[key].as_u64().expect("a count") as usize);
        let sample = sample(case["kind"].as_str().expect("a kind"), n);
        let number = |key: &str| case[key].as_f64().expect("a number");
        let sum: f64 = sample.iter().map(|x| x.abs()).sum();
        assert!((sum / number("sum") - 1.0).abs() < 1e-9, "{case}");
        for estimator in ESTIMATORS {
            let name = estimator.signature.name;
            let found = estimator.of(&sample, k).expect("defined").xi;
            assert!((found - number(name)).abs() < 1e-9, "{case} {name}: {found}");
        }
        let found = alpha_stable(&sample, block).expect("defined").xi;
        assert!((found - number("alpha_stable")).abs() < 1e-9, "{case}: {found}");
    }
}

/// Hill's estimate is the power law's fit up to whether x_min counts as a point.
#[test]
fn hill_is_the_maximum_of_the_likelihood() {
    let values = sample("cauchy", 3000);
    let hill = hill::ESTIMATOR.of(&values, 499).expect("defined");
    let fit = PowerLawTest::of(&values, &top(500)).expect("a tail").fit;
    assert!((hill.xi * 499.0 / 500.0 / fit.zipf_exponent - 1.0).abs() < 1e-12);
    assert!((hill.standard_error - hill.xi / 499f64.sqrt()).abs() < 1e-15);
    assert!((hill.alpha() * hill.xi - 1.0).abs() < 1e-15);
}

/// At the quantiles of a power law with ξ = 0.8 and of a uniform law (ξ = −1) the estimators come near; their spread
/// over samples is what they say it is.
#[test]
fn estimates_and_their_errors_are_right() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let count = 400;
    for (xi, estimators, value) in [
        (0.8, &ESTIMATORS[..], (|u: f64| u.powf(-0.8)) as fn(f64) -> f64),
        (-0.5, &ESTIMATORS[1..], |u: f64| 3.0 - u.powf(0.5)),
        (0.0, &ESTIMATORS[2..], |u: f64| 50.0 - u.ln()),
    ] {
        let samples: Vec<Vec<f64>> = (0..count)
            .map(|_| (0..4000).map(|_| value(uniform(&mut rng))).collect())
            .collect();
        for estimator in estimators {
            let found: Vec<_> = samples
                .iter()
                .map(|sample| estimator.of(sample, 400).expect("defined"))
                .collect();
            let mean = found.iter().map(|f| f.xi).sum::<f64>() / f64::from(count);
            let sd = (found.iter().map(|f| (f.xi - mean).powi(2)).sum::<f64>() / f64::from(count - 1)).sqrt();
            let said = found.iter().map(|f| f.standard_error).sum::<f64>() / f64::from(count);
            let name = estimator.signature.name;
            assert!((mean - xi).abs() < 0.05 + 4.0 * sd / 20.0, "{name} {xi}: {mean}");
            assert!((sd / said - 1.0).abs() < 0.2, "{name} {xi}: {sd} {said}");
        }
    }
}

/// For a Cauchy sample a block's sum is the block's size times a Cauchy number, for a Gaussian one its root.
#[test]
fn alpha_stable_finds_alpha() {
    for (kind, alpha) in [("cauchy", 1.0), ("normal", 2.0)] {
        let found = alpha_stable(&sample(kind, 250_000), 0).expect("defined");
        assert!((found.alpha() / alpha - 1.0).abs() < 0.03, "{kind}: {found:?}");
    }
    assert_eq!(alpha_stable(&[1.0; 100], 0), Err(Cause::Constant));
    assert_eq!(alpha_stable(&[1.0, 2.0, 3.0], 0), Err(Cause::TooFew));
    assert_eq!(alpha_stable(&[], 0), Err(Cause::TooFew));
    assert_eq!(alpha_stable(&[1.0, f64::NAN, 3.0, 4.0], 0), Err(Cause::NotFinite));
    assert_eq!(
        alpha_stable(&[1.0, f64::INFINITY, 3.0, 4.0], 0),
        Err(Cause::NotFinite)
    );
}

#[test]
fn degenerate_samples_have_no_tail_index() {
    let ramp: Vec<f64> = (0..50).map(f64::from).collect();
    for estimator in ESTIMATORS {
        let name = estimator.signature.name;
        let of = |sample: &[f64], k| estimator.of(sample, k).map(|found| found.xi);
        assert_eq!(
            of(&[2.0, -2.0, 2.0, 2.0, 2.0, 2.0], 4),
            Err(Cause::Constant),
            "{name}"
        );
        assert_eq!(of(&ramp, 51), Err(Cause::TooFew), "{name}");
        assert_eq!(of(&[], 4), Err(Cause::TooFew), "{name}");
        assert_eq!(of(&[0.0, 0.0, 0.0, 1.0, 2.0], 4), Err(Cause::TooFew), "{name}");
        let mut sample = ramp.clone();
        sample[7] = f64::NAN;
        assert_eq!(of(&sample, 8), Err(Cause::NotFinite), "{name}");
        sample[7] = f64::NEG_INFINITY;
        assert_eq!(of(&sample, 8), Err(Cause::NotFinite), "{name}");
        // Ties at the top leave no spread.
        let tied: Vec<f64> = (0..50).map(|i| if i < 30 { 5.0 } else { 1.0 }).collect();
        assert_eq!(of(&tied, 20), Err(Cause::TooFew), "{name}");
    }
}

fn alpha_stable_of(view: HistoryView, direction: Direction, flatten: bool, noise: bool) -> TailIndexOutcome {
    let test = TESTS.iter().find(|test| test.signature().name == "alpha_stable");
    let test = test.expect("registered");
    let mut args = default_args(test.signature());
    args.0.insert("flatten".into(), Value::Boolean(flatten));
    args.0.insert("noise".into(), Value::Boolean(noise));
    match watched(|monitor| test.run(view, direction, &args, 0, monitor)) {
        (Some(Outcome::TailIndex(outcome)), done) => {
            assert_eq!(
                done as usize,
                if direction == Direction::Iteration {
                    view.parameters
                } else {
                    view.iterations
                }
            );
            outcome
        }
        (other, _) => panic!("{other:?}"),
    }
}

/// All of G at once, in either order, and each row or column, against the estimate of the numbers laid out by hand.
#[test]
fn a_history_is_flattened_in_the_order_of_its_direction() {
    let (parameters, iterations) = (60, 48);
    let values: Vec<f32> = (0..parameters * iterations)
        .map(|i| {
            (3.0 + sample("student3", parameters * iterations)[i] * (1.0 + (i % parameters) as f64)) as f32
        })
        .collect();
    let view = HistoryView::new(&values, parameters, iterations);
    let row = |i: usize| -> Vec<f64> {
        (0..iterations)
            .map(|t| f64::from(values[t * parameters + i]))
            .collect()
    };
    let rows: Vec<Vec<f64>> = (0..parameters)
        .map(|i| {
            let mean = row(i).iter().sum::<f64>() / iterations as f64;
            row(i).iter().map(|x| x - mean).collect()
        })
        .collect();
    let near = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-9, "{found} {expected}");
    let flat: Vec<f64> = rows.concat();
    let found = alpha_stable_of(view, Direction::Iteration, true, true);
    near(found.mean_xi, alpha_stable(&flat, 0).expect("defined").xi);
    assert_eq!((found.tested, found.points), (1, 2880));
    let flat: Vec<f64> = (0..iterations)
        .flat_map(|t| rows.iter().map(move |row| row[t]))
        .collect();
    let found = alpha_stable_of(view, Direction::Dimension, true, true);
    near(found.mean_xi, alpha_stable(&flat, 0).expect("defined").xi);
    let raw: Vec<f64> = values.iter().map(|&x| f64::from(x)).collect();
    let found = alpha_stable_of(view, Direction::Dimension, true, false);
    near(found.mean_xi, alpha_stable(&raw, 0).expect("defined").xi);
    // 48 = 6 · 8, the largest divisor up to its root; 60 = 6 · 10.
    let each: Vec<f64> = rows
        .iter()
        .map(|row| alpha_stable(row, 6).expect("defined").xi)
        .collect();
    let found = alpha_stable_of(view, Direction::Iteration, false, true);
    near(found.mean_xi, each.iter().sum::<f64>() / 60.0);
    assert_eq!((found.tested, found.points), (60, 48));
    let each: Vec<f64> = raw
        .chunks(60)
        .map(|column| alpha_stable(column, 6).expect("defined").xi)
        .collect();
    near(
        alpha_stable_of(view, Direction::Dimension, false, false).mean_xi,
        each.iter().sum::<f64>() / 48.0,
    );
}

/// Independent rows are worth about their number; copies of few rows about as many as there are different ones.
#[test]
fn effective_numbers_of_known_histories() {
    let (parameters, iterations) = (300, 400);
    let mut rng = ChaCha8Rng::seed_from_u64(12);
    let independent: Vec<f32> = (0..parameters * iterations)
        .map(|_| gaussian(&mut rng) as f32)
        .collect();
    let view = HistoryView::new(&independent, parameters, iterations);
    let of = |view, direction| {
        let (found, done) = watched(|monitor| correlation(view, direction, 20_000, 1, monitor));
        let found = found.expect("not cancelled");
        assert_eq!(done, found.tested);
        found
    };
    let found = of(view, Direction::Iteration);
    assert!(
        found.mean.abs() < 0.002 && found.mean_square.abs() < 3e-4,
        "{found:?}"
    );
    assert!(found.effective > 270.0 && found.effective <= 300.0, "{found:?}");
    // Each row thirty times: r = 1 for 29 of the other 299, so ρ² = 0.097 and the effective number is 10.
    let copies: Vec<f32> = (0..iterations)
        .flat_map(|t| (0..parameters).map(move |i| (t, i % 10)))
        .map(|(t, i)| independent[t * parameters + i])
        .collect();
    let view = HistoryView::new(&copies, parameters, iterations);
    let found = of(view, Direction::Iteration);
    assert!((found.effective - 10.0).abs() < 0.8, "{found:?}");
    // One factor behind all rows: r = 1/2 for every pair, m/(1 + (m − 1)/4) = 3.96.
    let factor: Vec<f64> = (0..iterations).map(|_| gaussian(&mut rng)).collect();
    let common: Vec<f32> = (0..parameters * iterations)
        .map(|j| (f64::from(independent[j]) + factor[j / parameters]) as f32)
        .collect();
    let mut common = common;
    for t in 0..iterations {
        common[t * parameters] = 0.0;
    }
    common[1] = f32::NAN;
    let found = of(
        HistoryView::new(&common, parameters, iterations),
        Direction::Iteration,
    );
    assert_eq!(
        (
            found.degenerate.constant,
            found.degenerate.not_finite,
            found.tested
        ),
        (1, 1, 300)
    );
    assert!(
        (found.mean - 0.5).abs() < 0.05 && (found.effective - 3.96).abs() < 0.8,
        "{found:?}"
    );
    let by_hand = pearson(&[1.0, 2.0, 4.0], &[2.0, 1.0, 5.0]);
    // By hand: sums of products 16/3, of squares 14/3 and 26/3.
    assert!(
        (by_hand - (16.0 / 3.0) / ((14.0f64 / 3.0) * (26.0 / 3.0)).sqrt()).abs() < 1e-15,
        "{by_hand}"
    );
}
