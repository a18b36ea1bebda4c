//! The eigen-solver and the f32 products before it.

use faer::Mat;
use gradstudy::signature::Value;
use gradstudy::spectra::eigen;
use gradstudy::spectra::products::Precision;
use gradstudy::spectra::symmetric::Symmetric;
use gradstudy::spectra::{Input, SPECTRA, Spectrum, SpectrumError, gram};
use gradstudy::stats::history_view::HistoryView;
use serde::Deserialize;

use super::support::{Draws, SILENT, args, view};

fn top_eigenvalues(matrix: Mat<f64>, top: usize) -> Result<Vec<f64>, SpectrumError> {
    eigen::top_eigenvalues(Symmetric::of_lower(matrix.as_ref()), top)
}

/// Q diag(values) Qᵀ for a Q of `reflections` Householder reflections.
fn with_spectrum(values: &[f64], reflections: usize, seed: u64) -> Mat<f64> {
    let n = values.len();
    let mut draws = Draws(seed);
    let mut a = Mat::from_fn(n, n, |i, j| if i == j { values[i] } else { 0.0 });
    for _ in 0..reflections {
        let v: Vec<f64> = (0..n).map(|_| draws.gaussian()).collect();
        let square: f64 = v.iter().map(|v| v * v).sum();
        let y: Vec<f64> = (0..n).map(|i| (0..n).map(|j| a[(i, j)] * v[j]).sum()).collect();
        let middle: f64 = v.iter().zip(&y).map(|(v, y)| v * y).sum();
        for j in 0..n {
            for i in 0..n {
                a[(i, j)] +=
                    4.0 * middle / square / square * v[i] * v[j] - 2.0 / square * (y[i] * v[j] + v[i] * y[j]);
            }
        }
    }
    a
}

#[track_caller]
fn assert_within(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    for (k, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!(
            (found - expected).abs() <= tolerance,
            "value {k}: {found:e} is not {expected:e}"
        );
    }
}

#[test]
fn known_spectra_over_ten_orders_of_magnitude_come_back() {
    for n in [2, 33, 100, 350] {
        let values: Vec<f64> = (0..n)
            .map(|k| 10f64.powf(-10.0 * k as f64 / (n - 1) as f64))
            .collect();
        let found = top_eigenvalues(with_spectrum(&values, 3, n as u64), n).unwrap();
        // 1e-15 of the largest: the smallest has five digits.
        assert_within(&found, &values, 1e-15 * 5.0);
    }
}

#[test]
fn negative_repeated_and_zero_eigenvalues_come_back() {
    let mut values = vec![5.0; 40];
    values.extend([1.0; 30]);
    values.extend([0.0; 25]);
    values.extend([-3.0; 20]);
    let found = top_eigenvalues(with_spectrum(&values, 2, 11), values.len()).unwrap();
    assert_within(&found, &values, 1e-13);
    let mut rank_one = vec![0.0; 150];
    rank_one[0] = 7.0;
    let found = top_eigenvalues(with_spectrum(&rank_one, 1, 12), 150).unwrap();
    assert_within(&found, &rank_one, 3e-14);
}

#[test]
fn trivial_matrices_have_their_eigenvalues() {
    assert_eq!(top_eigenvalues(Mat::zeros(0, 0), 0).unwrap(), [0.0; 0]);
    assert_eq!(
        top_eigenvalues(Mat::from_fn(1, 1, |_, _| -2.5), 1).unwrap(),
        [-2.5]
    );
    assert_eq!(top_eigenvalues(Mat::zeros(90, 90), 90).unwrap(), [0.0; 90]);
    // Diagonal, far outside of what can be squared.
    for scale in [1e-200, 1e200] {
        let found = top_eigenvalues(
            Mat::from_fn(60, 60, |i, j| if i == j { i as f64 * scale } else { 0.0 }),
            2,
        );
        assert_within(
            &found.unwrap(),
            &[59.0 * scale, 58.0 * scale],
            1e-14 * 59.0 * scale,
        );
    }
    for bad in [f64::NAN, f64::INFINITY] {
        let matrix = Mat::from_fn(70, 70, |i, j| if (i, j) == (50, 20) { bad } else { 1.0 });
        assert_eq!(
            top_eigenvalues(matrix, 5).unwrap_err(),
            SpectrumError::MatrixNotFinite
        );
    }
}

#[test]
fn the_second_difference_has_its_cosines() {
    // Already tridiagonal: λ_k = 2 + 2 cos(kπ/(n + 1)).
    let n = 500;
    let matrix = Mat::from_fn(n, n, |i, j| match i.abs_diff(j) {
        0 => 2.0,
        1 => -1.0,
        _ => 0.0,
    });
    let expected: Vec<f64> = (1..=100)
        .map(|k| 2.0 + 2.0 * (k as f64 * std::f64::consts::PI / (n + 1) as f64).cos())
        .collect();
    assert_within(&top_eigenvalues(matrix, 100).unwrap(), &expected, 1e-14);
}

#[derive(Deserialize)]
struct Golden {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    order: usize,
    seed: u64,
    values: Vec<f64>,
}

fn symmetric(order: usize, seed: u64) -> Mat<f64> {
    let mut draws = Draws(seed);
    let mut a = Mat::zeros(order, order);
    for j in 0..order {
        for i in j..order {
            a[(i, j)] = f64::from(draws.uniform());
        }
    }
    a
}

#[test]
fn eigenvalues_are_numpys() {
    let golden: Golden = serde_json::from_str(include_str!("../reference/spectra/eigen.json")).unwrap();
    for case in golden.cases {
        let found = top_eigenvalues(symmetric(case.order, case.seed), case.values.len()).unwrap();
        assert_within(&found, &case.values, 4e-14 * case.values[0]);
    }
}

#[test]
fn threads_do_not_change_a_bit() {
    let solve = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| top_eigenvalues(symmetric(530, 3), 530).unwrap())
    };
    let one = solve(1);
    assert_eq!(one, solve(2));
    assert_eq!(one, solve(5));
}

/// Row i is of width (1 + i)^(−power): eigenvalues fall like k^(−2 power).
fn steep(n: usize, t: usize, power: f32) -> Vec<f32> {
    let mut draws = Draws(21);
    (0..n * t)
        .map(|at| draws.uniform() / (1.0 + (at % n) as f32).powf(power))
        .collect()
}

/// Eigenvalues of (1/T) GᵀG by f64 products.
fn reference(values: &[f32], n: usize) -> Vec<f64> {
    let t = values.len() / n;
    let wide = Mat::from_fn(n, t, |i, j| f64::from(values[j * n + i]));
    top_eigenvalues(wide.transpose() * &wide * faer::Scale(1.0 / t as f64), t).unwrap()
}

fn worst(found: &[f64], reference: &[f64]) -> f64 {
    let errors = found
        .iter()
        .zip(reference)
        .map(|(found, exact)| (found / exact - 1.0).abs());
    errors.fold(0.0, f64::max)
}

#[test]
fn every_eigenvalue_has_three_digits_over_eight_orders_of_magnitude() {
    let (n, t) = (3000, 300);
    let values = steep(n, t, 1.6);
    let exact = reference(&values, n);
    assert!(exact[0] / exact[t - 1] > 1e8, "{:e}", exact[0] / exact[t - 1]);
    let found = second_moment(view(&values, n), t);
    assert!(found.has_three_digits());
    assert!(
        worst(&found.values, &exact) < 1e-5,
        "{:e}",
        worst(&found.values, &exact)
    );
    // Products in f32 summed in f32 have not.
    let narrow = Mat::from_fn(n, t, |i, j| values[j * n + i]);
    let naive = narrow.transpose() * &narrow;
    let naive = Mat::from_fn(t, t, |i, j| f64::from(naive[(i, j)]) / t as f64);
    assert!(worst(&top_eigenvalues(naive, t).unwrap(), &exact) > 0.1);
}

#[test]
fn products_in_f32_tell_how_many_eigenvalues_have_three_digits() {
    for (n, t, power) in [
        (3000, 300, 1.6),
        (3000, 300, 1.3),
        (5000, 400, 0.8),
        (900, 900, 0.2),
        (300, 800, 1.5),
    ] {
        let values = steep(n, t, power);
        let exact = reference(&values, n);
        let moments = gram::moments(view(&values, n), None, Precision::Single, &SILENT)
            .unwrap()
            .unwrap();
        let found = eigen::top_eigenvalues(moments.second_moment(), t.min(n)).unwrap();
        let three = found
            .iter()
            .take_while(|&&value| value > 100.0 * moments.rounding())
            .count();
        assert!(three >= 30, "{n} × {t}: {three}");
        let error = worst(&found[..three], &exact);
        assert!(error < 5e-4, "{n} × {t}, {power}: {error:e} among {three}");
        // Nothing is off by more than the estimate.
        let off = found
            .iter()
            .zip(&exact)
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f64::max);
        assert!(
            off < 1.0 * moments.rounding(),
            "{n} × {t}, {power}: {off:e}, {:e}",
            moments.rounding()
        );
    }
}

fn second_moment(view: HistoryView, top: usize) -> Spectrum {
    let method = SPECTRA
        .iter()
        .find(|method| method.signature().name == "second_moment")
        .unwrap();
    let input = Input::History {
        view,
        full_batch: None,
    };
    method
        .run(input, &args(&[("top", Value::Integer(top as i64))]), &SILENT)
        .unwrap()
        .unwrap()
}
