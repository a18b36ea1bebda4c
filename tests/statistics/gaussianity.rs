//! Tests of normality against SciPy (values from `tests/reference/stats/make_gaussianity.py`), and their sizes.

use gradstudy::stats::gaussianity::anderson_darling::anderson_darling;
use gradstudy::stats::gaussianity::chi_square::{Statistic, chi_square};
use gradstudy::stats::gaussianity::jarque_bera::jarque_bera;
use gradstudy::stats::gaussianity::lilliefors::lilliefors;
use gradstudy::stats::gaussianity::shapiro_wilk::shapiro_wilk;

use super::*;

fn golden_gaussianity() -> serde_json::Value {
    serde_json::from_str(include_str!("../reference/stats/gaussianity.json")).expect("JSON")
}

/// The same samples as in make_gaussianity.py.
fn sample(kind: &str, n: usize) -> Vec<f64> {
    (0..n)
        .map(|i| {
            let (u, v) = (split_mix(i, 0), split_mix(i, 1));
            let angle = (std::f64::consts::TAU * v).cos();
            let normal = (-2.0 * u.ln()).sqrt() * angle;
            match kind {
                "normal" => normal,
                "shifted" => 1000.0 + 3.0 * normal,
                "exponential" => -u.ln(),
                "uniform" => u,
                "student3" => (3.0 * (u.powf(-2.0 / 3.0) - 1.0)).sqrt() * angle,
                "rounded" => (4.0 * normal + 0.5).floor(),
                other => panic!("unknown sample {other}"),
            }
        })
        .collect()
}

#[test]
fn statistics_and_p_values_equal_scipy() {
    let golden = golden_gaussianity();
    let cases = golden["cases"].as_array().expect("cases");
    assert_eq!(cases.len(), 36);
    for case in cases {
        let (kind, n) = (
            case["kind"].as_str().expect("a kind"),
            case["n"].as_u64().expect("a count"),
        );
        let sample = sample(kind, n as usize);
        let sum: f64 = sample.iter().sum();
        assert!(
            (sum - case["sum"].as_f64().expect("a sum")).abs() < 1e-9,
            "{kind} {n}"
        );
        let check = |name: &str, found: Result<Significance, Cause>, tolerance: f64| {
            let found = found.unwrap_or_else(|cause| panic!("{kind} {n} {name}: {cause:?}"));
            let statistic = case[name][0].as_f64().expect("a statistic");
            let error = (found.statistic - statistic).abs() / statistic.abs().max(1.0);
            assert!(error < tolerance, "{kind} {n} {name}: {found:?} {}", case[name]);
            if let Some(p) = case[name][1].as_f64() {
                let error = (found.p_value - p).abs();
                assert!(
                    error <= 1e3 * tolerance * p + 1e-300,
                    "{kind} {n} {name}: {found:?} {}",
                    case[name]
                );
            }
        };
        check("skewtest", skewtest(&sample), 1e-9);
        check("kurtosistest", kurtosistest(&sample), 1e-9);
        check("normaltest", normaltest(&sample), 1e-9);
        check("jarque_bera", jarque_bera(&sample), 1e-9);
        // SciPy's normal quantiles have nine digits.
        check("shapiro", shapiro_wilk(&sample), 1e-8);
        check("anderson", anderson_darling(&sample), 1e-9);
        for bins in [4, 10] {
            let found = chi_square(&sample, bins, Statistic::Pearson);
            check(&format!("chi_square_{bins}"), found, 1e-9);
            let found = chi_square(&sample, bins, Statistic::RaoRobson);
            check(&format!("rao_robson_{bins}"), found, 1e-9);
        }
        let found = lilliefors(&sample).expect("defined");
        let expected = case["lilliefors"].as_f64().expect("a number");
        assert!(
            (found.statistic - expected).abs() < 1e-10,
            "{kind} {n}: {found:?}"
        );
    }
}

/// SciPy simulates the p-value anew: its error is that of 20 000 samples.
#[test]
fn lilliefors_p_value_is_that_of_scipy_s_simulation() {
    for case in golden_gaussianity()["lilliefors_monte_carlo"]
        .as_array()
        .expect("cases")
    {
        let kind = case["kind"].as_str().expect("a kind");
        let sample = sample(kind, case["n"].as_u64().expect("a count") as usize);
        let found = lilliefors(&sample).expect("defined");
        let [statistic, p] = ["statistic", "p"].map(|key| case[key].as_f64().expect("a number"));
        assert!((found.statistic - statistic).abs() < 1e-10, "{case} {found:?}");
        let error = 4.0 * (p * (1.0 - p) / 20_000.0).sqrt() + 0.02 * p + 1e-4;
        assert!((found.p_value - p).abs() < error, "{case} {found:?}");
    }
}

type Test = (&'static str, fn(&[f64]) -> Result<Significance, Cause>);

const TESTS_OF_NORMALITY: [Test; 6] = [
    ("jarque_bera", jarque_bera),
    ("shapiro_wilk", shapiro_wilk),
    ("anderson_darling", anderson_darling),
    ("lilliefors", lilliefors),
    ("pearson", |sample| chi_square(sample, 10, Statistic::Pearson)),
    ("rao_robson", |sample| {
        chi_square(sample, 10, Statistic::RaoRobson)
    }),
];

/// Each test's size at α = 0.05 and n = 100: within three Monte-Carlo errors of its own claim, 5 %, for the tests that
/// claim one; Jarque's and Bera's is asymptotic and Pearson's known to be between 5 and 10 %.
#[test]
fn tests_of_normality_have_their_size() {
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    let count = 6000;
    let mut rejected = [0; 6];
    for _ in 0..count {
        let sample: Vec<f64> = (0..100).map(|_| 5.0 + gaussian(&mut rng)).collect();
        for (rejected, (_, test)) in rejected.iter_mut().zip(TESTS_OF_NORMALITY) {
            *rejected += u32::from(test(&sample).expect("defined").p_value <= 0.05);
        }
    }
    let error = 3.0 * (0.05f64 * 0.95 / f64::from(count)).sqrt();
    for (rejected, (name, _)) in rejected.iter().zip(TESTS_OF_NORMALITY) {
        let share = f64::from(*rejected) / f64::from(count);
        let (low, high) = match name {
            "jarque_bera" => (0.03, 0.05),
            "pearson" => (0.05, 0.09),
            // The counts of 100 points in 10 bins are few enough to show.
            "rao_robson" => (0.05 - error, 0.05 + error + 0.01),
            _ => (0.05 - error, 0.05 + error),
        };
        assert!(low <= share && share <= high, "{name}: {share}");
    }
}

#[test]
fn tests_of_normality_say_why_they_do_not_apply() {
    let ramp: Vec<f64> = (0..50).map(f64::from).collect();
    let with = |x: f64| {
        let mut sample = ramp.clone();
        sample[20] = x;
        sample
    };
    for (name, test) in TESTS_OF_NORMALITY {
        assert_eq!(test(&with(f64::NAN)), Err(Cause::NotFinite), "{name}");
        assert_eq!(test(&with(f64::INFINITY)), Err(Cause::NotFinite), "{name}");
        assert_eq!(test(&[2.5; 30]), Err(Cause::Constant), "{name}");
        assert_eq!(test(&[0.0; 30]), Err(Cause::Constant), "{name}");
        assert_eq!(test(&ramp[..1]), Err(Cause::Constant), "{name}");
        // Two values next to each other are a spread within rounding.
        let wide: Vec<f64> = ramp.iter().map(|x| 1e12 + x * 3e-6).collect();
        assert_eq!(test(&wide), Err(Cause::Rounding), "{name}");
        // Ties, tiny and huge values are ordinary numbers.
        let tied: Vec<f64> = (0..300).map(|i| f64::from(i % 3)).collect();
        assert!(test(&tied).expect("defined").p_value < 0.05, "{name}");
        for scale in [1e-300, 1e-70, 1e-30, 1e30, 1e70, 1e300] {
            let scaled: Vec<f64> = ramp.iter().map(|x| x * scale).collect();
            let (found, plain) = (test(&scaled).expect("defined"), test(&ramp).expect("defined"));
            assert!(
                (found.statistic / plain.statistic - 1.0).abs() < 1e-9,
                "{name} {scale}"
            );
            let p = found.p_value;
            assert!((0.0..=1.0).contains(&p), "{name} {p}");
        }
    }
    assert_eq!(anderson_darling(&ramp[..7]), Err(Cause::TooFew));
    assert_eq!(shapiro_wilk(&ramp[..2]), Err(Cause::TooFew));
    assert!(shapiro_wilk(&ramp[..3]).is_ok());
    // A single far point: p-values run to zero, not to NaN.
    let mut far = vec![0.0; 2000];
    far[0] = 1e9;
    far[1] = 1.0;
    for (name, test) in TESTS_OF_NORMALITY {
        assert!(test(&far).expect("defined").p_value < 1e-6, "{name}");
    }
}
