//! The x_min scan against its definition, powerlaw and plfit (values from `tests/reference/stats/make_scan.py`), and
//! the bootstrap by simulation under the null.

use gradstudy::stats::bootstrap::{Bootstrap, BootstrapSettings, bootstrap};
use gradstudy::stats::degenerate::Cause;
use gradstudy::stats::ks::{Ecdf, ks_distance};
use gradstudy::stats::monitor::Monitor;
use gradstudy::stats::power_law::{PowerLawFit, PowerLawSettings, PowerLawTest};
use gradstudy::stats::scan::Scanner;
use gradstudy::stats::tail::TailRule;
use proptest::prelude::*;

const GOLDEN: &str = include_str!("reference/stats/scan.json");

fn settings(tail: TailRule) -> PowerLawSettings {
    PowerLawSettings {
        tail,
        ecdf: Ecdf::Left,
        alpha: 0.05,
        ..PowerLawSettings::default()
    }
}

/// The `index`-th number in (0, 1) of a stream, as make_scan.py has it: SplitMix64's output function.
fn uniform(index: usize, stream: u64) -> f64 {
    let mut z = (index as u64 + (stream << 32) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / 2f64.powi(53) + 0.5 / 2f64.powi(53)
}

/// `n` values made from two uniform numbers each, of streams of their own.
fn sample(n: usize, stream: u64, value: impl Fn(f64, f64) -> f64) -> Vec<f64> {
    (0..n)
        .map(|i| value(uniform(i, 2 * stream), uniform(i, 2 * stream + 1)))
        .collect()
}

fn student(dof: f64) -> impl Fn(f64, f64) -> f64 {
    move |u, v| (dof * (u.powf(-2.0 / dof) - 1.0)).sqrt() * (std::f64::consts::TAU * v).cos()
}

fn body_and_tail(beta: f64) -> impl Fn(f64, f64) -> f64 {
    move |u, v| if u < 0.6 { v } else { v.powf(-1.0 / (beta - 1.0)) }
}

/// Every tail that the scan may choose, measured by the definition: (d_ks, start).
fn every_tail(ascending: &[f64], at_least: usize, ecdf: Ecdf) -> Vec<(f64, usize)> {
    (0..ascending.len())
        .filter(|&start| start == 0 || ascending[start - 1] < ascending[start])
        .filter(|&start| ascending.len() - start >= at_least.max(2))
        .filter_map(|start| {
            let tail = &ascending[start..];
            let fit = PowerLawFit::new(tail, tail[0])?;
            let cdf: Vec<f64> = tail.iter().map(|&x| fit.cdf(x)).collect();
            Some((ks_distance(&cdf, ecdf), start))
        })
        .collect()
}

#[track_caller]
fn is_the_least(mut sample: Vec<f64>, at_least: usize) {
    sample.sort_unstable_by(f64::total_cmp);
    for ecdf in [Ecdf::Left, Ecdf::TwoSided] {
        let tails = every_tail(&sample, at_least, ecdf);
        let least = tails
            .iter()
            .copied()
            .min_by(|a, b| a.partial_cmp(b).expect("no NaN"));
        let found = Scanner::default().start(&sample, at_least, ecdf);
        assert_eq!(found, least.map(|(_, start)| start), "{ecdf:?} {sample:?}");
    }
}

#[test]
fn scan_equals_powerlaw_and_plfit() {
    let golden: serde_json::Value = serde_json::from_str(GOLDEN).expect("scan.json is JSON");
    let mut compared = 0;
    for case in golden["scan"].as_array().expect("cases") {
        let name = case["name"].as_str().expect("a name");
        let sample = match name {
            "student 1.5, n=5000" => sample(5000, 0, student(1.5)),
            "student 3, n=1000" => sample(1000, 0, student(3.0)),
            "half normal, n=1000" => sample(1000, 0, |u, v| {
                (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
            }),
            "body and tail 2.2, n=2000" => sample(2000, 0, body_and_tail(2.2)),
            "body and tail 4.5, n=2000" => sample(2000, 0, body_and_tail(4.5)),
            "tied, n=1000" => sample(1000, 0, |u, v| (8.0 * student(2.0)(u, v).abs()).round() + 1.0),
            "pareto 2.5, n=50" => sample(50, 0, |u, _| u.powf(-1.0 / 1.5)),
            other => panic!("unknown sample {other}"),
        };
        let total: f64 = sample.iter().map(|x| x.abs()).sum();
        assert!(
            (total / case["sum"].as_f64().expect("a number") - 1.0).abs() < 1e-12,
            "{name}: {total}"
        );
        let found = PowerLawTest::of(&sample, &settings(TailRule::Scan { at_least: 2 })).expect("a tail");
        for peer in ["powerlaw", "plfit"] {
            // Of equal values powerlaw counts one step of F̂; plfit and gradstudy give each a rank of its own.
            if peer == "powerlaw" && name.starts_with("tied") {
                continue;
            }
            let number = |key: &str| case[peer][key].as_f64().expect("a number");
            assert!(
                (found.fit.x_min / number("x_min") - 1.0).abs() < 1e-12,
                "{name}: {found:?}"
            );
            assert!(
                (found.fit.exponent / number("alpha") - 1.0).abs() < 1e-11,
                "{name}: {found:?}"
            );
            assert!(
                (found.ks_distance - number("d")).abs() < 1e-11,
                "{name}: {found:?}"
            );
            compared += 1;
        }
    }
    assert_eq!(compared, 13);
}

/// Long enough for every level of evenly spaced points.
#[test]
fn scan_of_many_values_equals_the_definition() {
    let absolute = |values: Vec<f64>| -> Vec<f64> { values.into_iter().map(f64::abs).collect() };
    is_the_least(absolute(sample(6000, 1, student(1.5))), 10);
    is_the_least(sample(6000, 2, body_and_tail(3.0)), 10);
    is_the_least(sample(5000, 3, |u, v| (u * 300.0).round() + 1.0 + v.round()), 2);
    // Nearly equal values: the exponent is about 10⁹.
    is_the_least(sample(5000, 4, |u, _| 1.0 + 1e-9 * u), 10);
    is_the_least(sample(5000, 5, |u, v| 1e-30 * u.powf(-9.0 * v)), 10);
}

#[test]
fn degenerate_samples_have_no_scanned_tail() {
    let scan = settings(TailRule::Scan { at_least: 10 });
    assert_eq!(PowerLawTest::of(&[], &scan), Err(Cause::TooFew));
    assert_eq!(PowerLawTest::of(&[3.0; 20], &scan), Err(Cause::Constant));
    assert_eq!(PowerLawTest::of(&[0.0, 1.0, 2.0, 3.0], &scan), Err(Cause::TooFew));
    assert_eq!(PowerLawTest::of(&[1.0, f64::NAN], &scan), Err(Cause::NotFinite));
    let mut sample = vec![0.0; 50];
    sample.extend([5.0; 20]);
    assert_eq!(PowerLawTest::of(&sample, &scan), Err(Cause::TooFew));
    sample.push(-1.0);
    let found = PowerLawTest::of(&sample, &scan).expect("a tail");
    assert_eq!((found.fit.x_min, found.fit.n_tail), (1.0, 21));
}

/// Where a scanned tail's d_ks√K lies under the null: d_c = 1.36/√K is far too lenient.
#[test]
fn five_percent_point_of_a_scanned_tail() {
    let mut found: Vec<f64> = (0..400)
        .map(|stream| {
            let values = sample(1000, 100 + stream, |u, _| u.powf(-1.0 / 1.5));
            let test = PowerLawTest::of(&values, &settings(TailRule::Scan { at_least: 10 })).expect("a tail");
            assert!(test.accepted());
            test.ks_distance * (test.fit.n_tail as f64).sqrt()
        })
        .collect();
    found.sort_unstable_by(f64::total_cmp);
    assert!((found[380] - 0.78).abs() < 0.06, "{}", found[380]);
}

#[test]
fn bootstrap_does_not_depend_on_the_number_of_threads() {
    let values = sample(300, 7, body_and_tail(2.5));
    let scan = settings(TailRule::Scan { at_least: 10 });
    let draws = BootstrapSettings {
        replicates: 300,
        exceedances: 20,
        seed: 3,
    };
    let run = |threads: usize, draws: BootstrapSettings| -> Bootstrap {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.expect("threads")
            .install(|| bootstrap(&values, &scan, &draws, &Monitor::SILENT))
            .expect("not cancelled")
            .expect("a tail")
    };
    let one = run(1, draws);
    assert_eq!(run(3, draws), one);
    // Stopped at the 20th exceedance, which full length would have passed too.
    assert!(one.exceedances == 20 && one.replicates < 300, "{one:?}");
    assert_eq!(one.p_value, 20.0 / one.replicates as f64);
    let full = run(
        2,
        BootstrapSettings {
            exceedances: 301,
            ..draws
        },
    );
    assert_eq!(
        (full.replicates, full.p_value),
        (300, (full.exceedances + 1) as f64 / 301.0)
    );
    let spread = (one.standard_error.powi(2) + full.standard_error.powi(2)).sqrt();
    assert!(
        (one.p_value - full.p_value).abs() < 4.0 * spread,
        "{one:?} {full:?}"
    );
    assert_ne!(
        run(1, BootstrapSettings { seed: 4, ..draws }).p_value,
        one.p_value
    );
}

/// For the share of `p_values` at most 5 %, and for its distance from that in standard errors.
fn size_at_five_percent(p_values: &[f64]) -> (f64, f64) {
    let n = p_values.len() as f64;
    let share = p_values.iter().filter(|&&p| p <= 0.05).count() as f64 / n;
    (share, (share - 0.05) / (0.05 * 0.95 / n).sqrt())
}

fn p_values(tail: TailRule, samples: u64, value: impl Fn(f64, f64) -> f64) -> Vec<f64> {
    (0..samples)
        .map(|stream| {
            let values = sample(80, 1000 + stream, &value);
            let draws = BootstrapSettings {
                replicates: 99,
                exceedances: 100,
                seed: stream,
            };
            bootstrap(&values, &settings(tail), &draws, &Monitor::SILENT)
                .expect("not cancelled")
                .expect("a tail")
                .p_value
        })
        .collect()
}

/// The distance of a tail with x_min among its points does not depend on the law's parameters, so these two are exact.
#[test]
fn bootstrap_has_its_level_under_the_null() {
    for tail in [TailRule::Minimum, TailRule::Top(40)] {
        let p = p_values(tail, 600, |u, _| u.powf(-1.0 / 1.5));
        let (share, errors) = size_at_five_percent(&p);
        assert!(errors.abs() < 3.0, "{tail:?}: {share}");
        let mean = p.iter().sum::<f64>() / 600.0;
        assert!(
            (mean - 0.505).abs() < 3.0 * (1.0f64 / 12.0 / 600.0).sqrt(),
            "{tail:?}: {mean}"
        );
    }
}

/// With a body that is resampled and a scanned x_min the level holds roughly; a wrong law is still found out.
#[test]
fn bootstrap_of_a_scanned_tail() {
    let scan = TailRule::Scan { at_least: 10 };
    let (share, _) = size_at_five_percent(&p_values(scan, 300, body_and_tail(2.5)));
    assert!(share < 0.1, "{share}");
    let exponential = sample(2000, 9, |u, _| -u.ln());
    let draws = BootstrapSettings {
        replicates: 99,
        exceedances: 100,
        seed: 0,
    };
    let found = bootstrap(
        &exponential,
        &settings(TailRule::Quantile(0.5)),
        &draws,
        &Monitor::SILENT,
    )
    .expect("not cancelled")
    .expect("a tail");
    assert_eq!((found.exceedances, found.p_value), (0, 0.01), "{found:?}");
    assert_eq!(
        bootstrap(&[1.0; 9], &settings(scan), &draws, &Monitor::SILENT),
        Some(Err(Cause::Constant))
    );
}

proptest! {
    #[test]
    fn scan_equals_the_definition(
        values in proptest::collection::vec(1e-3f64..1e3, 0..60),
        at_least in 2usize..12,
    ) {
        is_the_least(values, at_least);
    }

    #[test]
    fn scan_of_ties_equals_the_definition(
        values in proptest::collection::vec((1u8..12).prop_map(f64::from), 0..400),
        at_least in 2usize..12,
    ) {
        is_the_least(values, at_least);
    }

    #[test]
    fn scan_of_heavy_tails_equals_the_definition(
        values in proptest::collection::vec((1e-9f64..1.0).prop_map(|u| u.powf(-0.6)), 0..700),
    ) {
        is_the_least(values, 2);
    }
}
