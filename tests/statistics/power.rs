//! Simulated size and power, sensitivity to what was chosen, and laws to draw from.

use gradstudy::stats::laws::Law;
use gradstudy::stats::power::{Power, power};
use gradstudy::stats::sensitivity::{rules, sensitivity, stability};
use gradstudy::stats::{TestKind, tail_index::hill};

use super::*;

fn test_of(name: &str, given: &[(&str, Value)]) -> (&'static dyn TestKind, Args) {
    let test = TESTS
        .iter()
        .find(|test| test.signature().name == name)
        .expect("registered");
    let mut args = default_args(test.signature());
    for (key, value) in given {
        args.0.insert(key.to_string(), value.clone());
    }
    (*test, args)
}

fn power_of(name: &str, given: &[(&str, Value)], law: Law, size: usize, samples: u64) -> Power {
    let (test, args) = test_of(name, given);
    let (found, done) = watched(|monitor| power(test, &args, law, size, samples, 5, monitor));
    assert_eq!(done, samples);
    found.expect("a verdict")
}

fn top_of(k: i64) -> (&'static str, Value) {
    ("tail", Value::Call(call("top", &[("k", Value::Integer(k))])))
}

/// Size of the tests of one moment at n = 100 and α = 0.05: within one percent of the level, and the samples that tell
/// so are 8000, whose standard error is a quarter of a percent.
#[test]
fn tests_of_one_moment_hold_their_level() {
    for name in ["skewtest", "kurtosistest", "normality"] {
        let size = power_of(name, &[], Law::Normal, 100, 8000);
        assert!((size.rate - 0.05).abs() < 0.01, "{name}: {size:?}");
    }
}

/// Size at α = 0.05 through the registry, as a user would simulate it; the interval holds the level.
#[test]
fn simulated_size_and_power() {
    for name in ["normality", "shapiro_wilk", "lilliefors", "anderson_darling"] {
        let size = power_of(name, &[], Law::Normal, 150, 2000);
        let interval = size.rate_interval;
        assert!(interval.low < 0.065 && interval.high > 0.045, "{name}: {size:?}");
        let strong = power_of(name, &[], Law::Laplace, 150, 300);
        assert!(strong.rate > 0.5, "{name}: {strong:?}");
        assert_eq!(strong.rate, strong.rejected as f64 / 300.0);
    }
    let fitted = ("critical", Value::Text("fitted".into()));
    let law = Law::PowerLaw { beta: 2.2 };
    let size = power_of("power_law", &[top_of(100), fitted.clone()], law, 100, 2000);
    assert!(
        size.rate_interval.low < 0.05 && size.rate_interval.high > 0.05,
        "{size:?}"
    );
    let lenient = power_of("power_law", &[top_of(100)], law, 100, 2000);
    assert!(lenient.rate < 0.015, "{lenient:?}");
    let strong = power_of("power_law", &[top_of(100), fitted], Law::Exponential, 100, 300);
    assert!(strong.rate > 0.9, "{strong:?}");
    // The bootstrap decides where there is one: with the shared null distribution its level is exact.
    let given = [top_of(100), ("bootstrap", Value::Integer(199))];
    let size = power_of("power_law", &given, law, 100, 600);
    assert!(
        size.rate_interval.low < 0.05 && size.rate_interval.high > 0.05,
        "{size:?}"
    );
    let (test, args) = test_of("hill", &[("k", Value::Integer(20))]);
    assert!(
        watched(|monitor| power(test, &args, law, 100, 10, 5, monitor))
            .0
            .is_none()
    );
}

#[test]
fn power_does_not_depend_on_the_number_of_threads() {
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .expect("a pool");
        pool.install(|| power_of("normality", &[], Law::Student { dof: 3.0 }, 120, 200))
    };
    assert_eq!(run(1), run(3));
}

/// Quantiles of each law against its distribution function.
#[test]
fn laws_are_what_they_are_called() {
    let cases: [(Law, &[(f64, f64)]); 9] = [
        (Law::Normal, &[(-1.0, 0.158_655), (0.0, 0.5), (1.644_854, 0.95)]),
        (Law::Laplace, &[(-1.0, 0.183_940), (2.0, 0.932_332)]),
        (Law::Uniform, &[(0.25, 0.25), (0.9, 0.9)]),
        (Law::Exponential, &[(0.5, 0.393_469), (2.0, 0.864_665)]),
        (Law::Student { dof: 3.0 }, &[(-1.0, 0.195_501), (2.353_363, 0.95)]),
        (
            Law::Lognormal { sigma: 2.0 },
            &[(1.0, 0.5), (2f64.exp(), 0.841_345)],
        ),
        (Law::Weibull { shape: 0.5 }, &[(1.0, 0.632_121), (4.0, 0.864_665)]),
        (
            Law::PowerLaw { beta: 2.5 },
            &[(2.0, 0.646_447), (10.0, 0.968_377)],
        ),
        // SciPy: levy_stable(1.5, 0).cdf.
        (
            Law::Stable { alpha: 1.5 },
            &[(0.0, 0.5), (1.0, 0.756_342), (5.0, 0.979_331)],
        ),
    ];
    let count = 40_000;
    for (law, points) in cases {
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        let values: Vec<f64> = (0..count).map(|_| law.draw(&mut rng)).collect();
        for &(x, cdf) in points {
            let share = values.iter().filter(|&&value| value <= x).count() as f64 / f64::from(count);
            let error = 4.0 * (cdf * (1.0 - cdf) / f64::from(count)).sqrt();
            assert!((share - cdf).abs() < error, "{law:?} {x}: {share} {cdf}");
        }
    }
}

#[test]
fn sensitivity_has_each_rule_on_both_sides() {
    let values = pareto(1200, 2.5);
    let rows = sensitivity(&values, 0.05).expect("defined");
    assert_eq!(rows.len(), 2 * rules(1200).len());
    for (row, (name, tail)) in rows.iter().step_by(2).zip(rules(1200)) {
        assert_eq!((&row.tail, row.ecdf), (&name, "left"));
        let found = row.found.expect("a tail");
        let direct = PowerLawTest::of(&values, &PowerLawSettings { tail, ..top(2) }).expect("a tail");
        assert_eq!(
            (found.d_ks, found.beta),
            (direct.ks_distance, direct.fit.exponent)
        );
        assert_eq!(found.power_law_fixed, direct.accepted());
        assert!(found.d_c_fitted < found.d_c_fixed);
    }
    assert!(rows.iter().all(|row| row.tail != "top(5000)"));
    let tied: Vec<f64> = (0..150).map(|i| if i < 5 { 1.0 } else { 2.0 }).collect();
    assert!(sensitivity(&tied, 0.05).expect("defined")[0].found.is_none());
    assert_eq!(sensitivity(&[3.0; 20], 0.05), Err(Cause::Constant));
}

#[test]
fn stability_walks_from_short_tails_to_all() {
    let mut values = pareto(2000, 2.5);
    values.push(0.0);
    let found = stability(&values, 30, 20, &top(2)).expect("defined");
    assert_eq!((found[0].k, found.last().expect("points").k), (20, 2000));
    assert!(found.len() > 25 && found.windows(2).all(|pair| pair[0].k < pair[1].k));
    for point in &found {
        let direct = PowerLawTest::of(&values, &top(point.k)).expect("a tail");
        assert_eq!(
            (point.beta, point.d_ks),
            (direct.fit.exponent, direct.ks_distance)
        );
        let hill = hill::ESTIMATOR.of(&values, point.k - 1).expect("defined");
        assert_eq!(point.hill, Some(hill.xi));
    }
    assert_eq!(stability(&[1.0, f64::NAN], 5, 4, &top(2)), Err(Cause::NotFinite));
    assert_eq!(stability(&[1.0, 2.0], 5, 4, &top(2)), Err(Cause::TooFew));
}
