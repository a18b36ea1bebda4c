//! Tests of differences against SciPy: `tests/reference/stats/make_differences.py`.

use gradstudy::stats::differences::{paired_t, prediction, welch_t};
use serde_json::Value;

fn golden(name: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("../reference/stats/differences.json")).unwrap();
    all[name].as_array().unwrap().clone()
}

fn numbers(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it.as_f64().unwrap())
        .collect()
}

#[track_caller]
fn close(ours: f64, scipy: &Value) {
    let scipy = scipy.as_f64().unwrap();
    assert!((ours - scipy).abs() <= 1e-8 * scipy.abs(), "{ours} {scipy}");
}

/// Welch's with SciPy's statistic and min(n₁, n₂) − 1 degrees of freedom.
#[test]
fn t_tests_are_scipys() {
    for (name, test) in [
        ("paired", paired_t as fn(&[f64], &[f64], f64) -> _),
        ("welch", welch_t),
    ] {
        for case in golden(name) {
            let found = test(&numbers(&case["left"]), &numbers(&case["right"]), 0.95).unwrap();
            close(found.p_value, &case["p"]);
            close(found.interval.low, &case["low"]);
            close(found.interval.high, &case["high"]);
        }
    }
}

/// A prediction is Welch's idea with one value on the other side: t² = (x − x̄)² / (s² (1 + 1/n)); with two values of
/// spread s the law is Cauchy's, p = 1 − 2/π atan|t|.
#[test]
fn a_prediction_from_two_seeds_is_cauchys() {
    let (mean, sd) = (0.5, 0.1);
    let found = prediction(mean, sd, 2, 0.8, 0.95).unwrap();
    let t: f64 = 0.3 / (sd * 1.5f64.sqrt());
    assert!((found.p_value - (1.0 - 2.0 / std::f64::consts::PI * t.atan())).abs() < 1e-10);
}
