//! Simulated critical distances against the simulation's own quantiles, published tables and fresh samples.

use gradstudy::stats::critical::{Critical, LILLIEFORS, POWER_LAW_LEFT, POWER_LAW_TWO_SIDED, Simulated};

use super::*;

fn tables() -> [(&'static str, &'static Simulated); 3] {
    [
        ("left", &POWER_LAW_LEFT),
        ("two_sided", &POWER_LAW_TWO_SIDED),
        ("lilliefors", &LILLIEFORS),
    ]
}

#[test]
fn quantiles_and_p_values_are_those_of_the_simulation() {
    let golden: serde_json::Value =
        serde_json::from_str(include_str!("../reference/stats/critical.json")).expect("JSON");
    for (name, table) in tables() {
        let levels = golden[name]["levels"].as_array().expect("levels");
        for size in golden[name]["sizes"].as_array().expect("sizes") {
            let points = size["size"].as_u64().expect("a count") as usize;
            let samples = size["samples"].as_u64().expect("a count") as f64;
            for (i, level) in levels.iter().enumerate() {
                let p = level["p"].as_f64().expect("a level");
                let [quantile, error] =
                    ["quantiles", "errors"].map(|key| size[key][i].as_f64().expect("a number"));
                let found = table.quantile(p, points) * (points as f64).sqrt();
                assert!(
                    (found - quantile).abs() < 0.002 + 4.0 * error,
                    "{name} {points} {p}: {found} {quantile}"
                );
                let found = table.p_value(quantile / (points as f64).sqrt(), points);
                let tolerance = 0.02 + 4.0 * ((1.0 - p) / (p * samples)).sqrt();
                assert!(
                    (found / p - 1.0).abs() < tolerance,
                    "{name} {points} {p}: {found}"
                );
            }
        }
    }
}

/// M. A. Stephens, J. Amer. Statist. Assoc. 69 (1974): for an exponential sample with fitted mean, to which a power law
/// with known x_min comes down, (D − 0.2/n)(√n + 0.26 + 0.5/√n); for a normal one D(√n − 0.01 + 0.85/√n).
#[test]
fn asymptotic_points_are_stephens_s() {
    for (p, exponential, normal) in [
        (0.15, 0.926, 0.775),
        (0.10, 0.990, 0.819),
        (0.05, 1.094, 0.895),
        (0.025, 1.190, 0.955),
        (0.01, 1.308, 1.035),
    ] {
        let n = 1_000_000;
        for table in [&POWER_LAW_LEFT, &POWER_LAW_TWO_SIDED] {
            let found = table.quantile(p, n) * 1000.0;
            assert!((found - exponential).abs() < 0.017, "{p}: {found}");
        }
        // His table for the normal case was smoothed by hand and runs low or high by up to 0.03.
        let n = 100;
        let found = LILLIEFORS.quantile(p, n) * (10.0 - 0.01 + 0.085);
        assert!((found - normal).abs() < 0.03, "{p}: {found}");
    }
}

#[test]
fn p_value_and_quantile_are_inverse_and_monotone() {
    for (name, table) in tables() {
        for points in [10, 100, 1000, 100_000] {
            let mut before = f64::INFINITY;
            for p in [1e-9, 1e-6, 1e-4, 6e-4, 0.003, 0.05, 0.3, 0.77, 0.985, 0.9999, 1.0] {
                let quantile = table.quantile(p, points);
                assert!(quantile < before && quantile >= 0.0, "{name} {points} {p}");
                before = quantile;
                let back = table.p_value(quantile, points);
                assert!((back / p - 1.0).abs() < 1e-9, "{name} {points} {p}: {back}");
            }
        }
    }
}

/// With the simulated distance a true power law is rejected at its level, by fresh samples of another generator.
#[test]
fn the_fitted_critical_distance_has_its_size() {
    let mut rng = ChaCha8Rng::seed_from_u64(77);
    let count = 4000;
    for ecdf in [Ecdf::Left, Ecdf::TwoSided] {
        let settings = PowerLawSettings {
            tail: TailRule::Top(200),
            ecdf,
            critical: Critical::Fitted,
            ..PowerLawSettings::default()
        };
        let mut rejected = 0;
        for _ in 0..count {
            let sample: Vec<f64> = (0..300).map(|_| uniform(&mut rng).powf(-1.0 / 1.7)).collect();
            rejected += u32::from(!PowerLawTest::of(&sample, &settings).expect("a tail").accepted());
        }
        let share = f64::from(rejected) / f64::from(count);
        assert!(
            (share - 0.05).abs() < 3.0 * (0.0475 / f64::from(count)).sqrt(),
            "{ecdf:?}: {share}"
        );
    }
}
