//! Shapes of spectra, Davis–Kahan bounds and overlaps against NumPy (make_measures.py) and closed forms.

use gradstudy::signature::Value;
use gradstudy::spectra::measures::shape::{OutlierRule, outliers, shape};
use gradstudy::spectra::measures::subspace::{Subspace, overlap};
use gradstudy::spectra::measures::{self, Method};
use gradstudy::spectra::{Spectrum, SpectrumError, SpectrumKind};
use gradstudy::stats::history_view::HistoryView;
use gradstudy::stats::outcome::{DavisKahanOutcome, Outcome};
use serde_json::Value as Json;

use super::support::{SILENT, args, assert_close, history, view};

/// The defaults.
const RULE: OutlierRule = OutlierRule {
    head: 30,
    deviations: 3.0,
    factor: 1.5,
};

fn golden() -> Json {
    serde_json::from_str(include_str!("../reference/spectra/measures.json")).unwrap()
}

fn floats(json: &Json) -> Vec<f64> {
    let values = json.as_array().unwrap().iter();
    values.map(|value| value.as_f64().unwrap()).collect()
}

fn whole(json: &Json, key: &str) -> usize {
    json[key].as_u64().unwrap() as usize
}

fn davis_kahan(view: HistoryView, top: usize) -> Result<DavisKahanOutcome, SpectrumError> {
    let Method::OfHistory(run) = measures::find("davis_kahan").unwrap().method else {
        panic!("of a history")
    };
    match run(view, &args(&[("top", Value::Integer(top as i64))]), &SILENT).unwrap()? {
        Outcome::DavisKahan(outcome) => Ok(outcome),
        other => panic!("{other:?}"),
    }
}

fn subspace(view: HistoryView, top: usize) -> Result<Subspace, SpectrumError> {
    let Method::OfSubspaces { find, .. } = measures::find("subspace_overlap").unwrap().method else {
        panic!("of subspaces")
    };
    find(view, &args(&[("top", Value::Integer(top as i64))]), &SILENT).unwrap()
}

#[test]
fn davis_kahan_is_numpys_and_the_bound_holds() {
    for case in golden()["cases"].as_array().unwrap() {
        let (n, t, top) = (
            whole(case, "parameters"),
            whole(case, "iterations"),
            whole(case, "top"),
        );
        let mean = case["mean"].as_f64().unwrap() as f32;
        let values = history(n, t, mean, case["seed"].as_u64().unwrap());
        let found = davis_kahan(view(&values, n), top).unwrap();
        let expected = &case["davis_kahan"];
        let close = |found: f64, key: &str| {
            let expected = expected[key].as_f64().unwrap();
            assert!((found / expected - 1.0).abs() < 1e-4, "{key}: {found} {expected}");
        };
        close(found.perturbation, "perturbation");
        close(found.zipf_exponent, "zipf_exponent");
        assert_eq!((found.half as usize, found.eigenvectors.len()), (t / 2, top));
        let each = |key: &str| floats(&expected[key]).into_iter().zip(&found.eigenvectors);
        for (bound, it) in each("bounds") {
            assert!((it.bound / bound - 1.0).abs() < 1e-3, "{} {bound}", it.bound);
            assert!(it.sine <= it.bound);
        }
        for (bound, it) in each("power_law_bounds") {
            assert!(
                (it.power_law_bound / bound - 1.0).abs() < 1e-4,
                "{} {bound}",
                it.power_law_bound
            );
        }
        for (sine, it) in each("sines") {
            assert!((it.sine - sine).abs() < 1e-3, "{} {sine}", it.sine);
        }
    }
}

#[test]
fn halves_that_are_equal_do_not_turn() {
    let half = history(50, 30, 0.5, 9);
    let twice = [&half[..], &half[..]].concat();
    let found = davis_kahan(view(&twice, 50), 5).unwrap();
    assert!(found.perturbation < 1e-6 * found.eigenvectors[0].eigenvalue);
    assert!(found.eigenvectors.iter().all(|it| it.sine < 1e-3), "{found:?}");
}

#[test]
fn constant_histories_are_degenerate_and_impossible_ones_errors() {
    let constant = vec![0.25f32; 20 * 12];
    let found = davis_kahan(view(&constant, 20), 3).unwrap();
    assert_eq!(
        (
            found.degenerate.too_few,
            found.eigenvectors.len(),
            found.perturbation
        ),
        (1, 0, 0.0)
    );
    assert!(matches!(
        subspace(view(&constant, 20), 3),
        Err(SpectrumError::TopAboveRank { rank_bound: 0, .. })
    ));
    let values = history(20, 12, 0.0, 1);
    for (found, bound) in [
        (davis_kahan(view(&values, 20), 6).map(|_| ()), 5),
        (davis_kahan(view(&values[..20], 20), 1).map(|_| ()), 0),
        (subspace(view(&values, 20), 12).map(|_| ()), 11),
    ] {
        match found {
            Err(SpectrumError::TopAboveRank { rank_bound, .. }) => assert_eq!(rank_bound, bound),
            other => panic!("{other:?}"),
        }
    }
    let mut broken = values;
    broken[45] = f32::NAN;
    assert!(matches!(
        davis_kahan(view(&broken, 20), 2),
        Err(SpectrumError::NotFinite {
            parameter: 5,
            iteration: 2,
            ..
        })
    ));
}

#[test]
fn overlaps_are_numpys() {
    for case in golden()["cases"].as_array().unwrap() {
        let (n, t, top) = (
            whole(case, "parameters"),
            whole(case, "iterations"),
            whole(case, "top"),
        );
        let (mean, seed) = (
            case["mean"].as_f64().unwrap() as f32,
            case["seed"].as_u64().unwrap(),
        );
        let of = |seed| subspace(view(&history(n, t, mean, seed), n), top).unwrap();
        let (a, b) = (of(seed), of(seed + 10));
        let found = overlap(&a, &b).by_rank;
        for (found, expected) in found.iter().zip(floats(&case["overlaps"])) {
            assert!((found - expected).abs() < 1e-3, "{found} {expected}");
        }
        let own = overlap(&a, &a).by_rank;
        assert!(own.iter().all(|value| (value - 1.0).abs() < 1e-6), "{own:?}");
        assert_eq!(Subspace::from_bytes(&a.to_bytes()), Some(a));
        assert_eq!(Subspace::from_bytes(b"no file"), None);
    }
}

fn spectrum(values: Vec<f64>, trace: f64, square_trace: f64) -> Spectrum {
    Spectrum {
        kind: SpectrumKind::Covariance,
        order: 300,
        rank_bound: 299,
        parameters: 1000,
        samples: 300,
        trace,
        square_trace,
        accuracy: 0.0,
        residuals: None,
        converged: None,
        sketch: None,
        values,
    }
}

#[test]
fn the_shape_is_numpys() {
    let golden = &golden()["shape"];
    let values = floats(&golden["values"]);
    let (trace, squares) = (
        2.0 * values.iter().sum::<f64>(),
        values.iter().map(|v| v * v).sum::<f64>(),
    );
    let found = shape(&spectrum(values.clone(), trace, squares), &RULE);
    let number = |key: &str| golden[key].as_f64().unwrap();
    assert_close(
        &[
            found.effective_rank,
            found.slope,
            found.slope_r_squared,
            found.bulk_slope,
            found.outlier_gap,
        ],
        &[
            number("effective_rank"),
            number("slope"),
            number("r_squared"),
            number("bulk_slope"),
            number("outlier_gap"),
        ],
        1e-12,
    );
    assert_eq!((found.outliers, golden["outliers"].as_u64()), (Some(9), Some(9)));
    assert_eq!((found.kept_share, found.largest), (0.5, values[0]));
    assert!((found.stable_rank - trace / values[0]).abs() < 1e-9);
    assert!((found.participation_ratio - trace * trace / squares).abs() < 1e-9);
    assert_eq!(found.condition, values[0] / values[199]);
}

#[test]
fn shapes_with_closed_forms() {
    // K equal eigenvalues: every rank is K, no slope, no outlier.
    let flat = shape(&spectrum(vec![3.0; 16], 48.0, 144.0), &RULE);
    assert!((flat.effective_rank - 16.0).abs() < 1e-12);
    assert_eq!(
        (flat.participation_ratio, flat.stable_rank, flat.condition),
        (16.0, 16.0, 1.0)
    );
    assert_eq!((flat.outliers, flat.slope.abs() < 1e-12), (Some(0), true));
    // An exact power law: its exponent, nothing above it.
    let law: Vec<f64> = (1..=100).map(|k| f64::from(k).powf(-1.7)).collect();
    let exact = shape(&spectrum(law.clone(), f64::NAN, f64::NAN), &RULE);
    assert!((exact.slope - 1.7).abs() < 1e-12 && (exact.slope_r_squared - 1.0).abs() < 1e-12);
    assert_eq!(exact.outliers, Some(0));
    assert!(exact.outlier_gap.is_nan() && exact.largest_share.is_nan());
    // With the first m lifted, m outliers, whatever their order among each other.
    for m in [1, 4, 9, 20] {
        let mut lifted = law.clone();
        lifted[..m].iter_mut().for_each(|value| *value *= 100.0);
        assert_eq!(outliers(&lifted, &RULE).unwrap().count, m);
    }
}

#[test]
fn spectra_without_values_are_degenerate() {
    let zeros = shape(&spectrum(vec![0.0; 10], 0.0, 0.0), &RULE);
    assert_eq!((zeros.degenerate.too_few, zeros.outliers), (1, None));
    assert!(zeros.effective_rank.is_nan() && zeros.slope.is_nan());
    let nan = shape(&spectrum(vec![1.0, f64::NAN], 1.0, 1.0), &RULE);
    assert_eq!((nan.degenerate.not_finite, nan.above_rounding), (1, 0));
    let one = shape(&spectrum(vec![2.0], 2.0, 4.0), &RULE);
    assert_eq!(
        (one.degenerate.total(), one.effective_rank, one.slope.is_nan()),
        (0, 1.0, true)
    );
}
