//! Covariance, second moment and eigengaps of histories.

use gradstudy::signature::Value;
use gradstudy::spectra::gram::{self, GramAccumulator};
use gradstudy::spectra::products::Precision;
use gradstudy::spectra::{Input, SPECTRA, Spectrum, SpectrumError, SpectrumKind};
use gradstudy::stats::history_view::HistoryView;
use serde::Deserialize;

use super::support::{SILENT, args, assert_close, history, view};

#[derive(Deserialize)]
struct Golden {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    parameters: usize,
    iterations: usize,
    mean: f32,
    seed: u64,
    mean_norm: f64,
    second_moment: Vec<f64>,
    second_moment_trace: f64,
    second_moment_square_trace: f64,
    covariance: Vec<f64>,
    around_centre: Vec<f64>,
}

fn golden() -> Vec<Case> {
    let text = include_str!("../reference/spectra/moments.json");
    serde_json::from_str::<Golden>(text).unwrap().cases
}

fn run(name: &str, input: Input, entries: &[(&str, Value)]) -> Result<Spectrum, SpectrumError> {
    let method = SPECTRA
        .iter()
        .find(|method| method.signature().name == name)
        .unwrap();
    method
        .run(input, &args(entries), &SILENT)
        .expect("nothing cancels")
}

fn of(view: HistoryView, name: &str, top: usize, centre: Option<&[f32]>) -> Result<Spectrum, SpectrumError> {
    let word = if centre.is_some() { "full_batch" } else { "history" };
    run(
        name,
        Input::History {
            view,
            full_batch: centre,
        },
        &[
            ("top", Value::Integer(top as i64)),
            ("centre", Value::Text(word.into())),
        ],
    )
}

#[test]
fn spectra_are_numpys() {
    for case in golden() {
        let values = history(case.parameters, case.iterations, case.mean, case.seed);
        let view = view(&values, case.parameters);
        let centre: Vec<f32> = (0..case.parameters).map(|i| 0.5 / (1.0 + i as f32)).collect();
        let second = of(view, "second_moment", case.second_moment.len(), None).unwrap();
        assert_close(&second.values, &case.second_moment, 4e-7);
        assert_close(&[second.trace], &[case.second_moment_trace], 4e-7);
        assert_close(&[second.square_trace], &[case.second_moment_square_trace], 4e-7);
        assert_eq!(second.order as usize, case.parameters.min(case.iterations));
        let covariance = of(view, "covariance", case.covariance.len(), None).unwrap();
        assert_close(&covariance.values, &case.covariance, 4e-7);
        let around = of(view, "covariance", case.around_centre.len(), Some(&centre)).unwrap();
        assert_close(&around.values, &case.around_centre, 4e-7);
        let moments = gram::moments(view, None, Precision::Single, &SILENT)
            .unwrap()
            .unwrap();
        assert_close(&[moments.mean_norm()], &[case.mean_norm], 1e-12);
    }
}

#[test]
fn blocks_of_any_size_give_the_same_spectra() {
    for case in golden() {
        let values = history(case.parameters, case.iterations, case.mean, case.seed);
        let view = view(&values, case.parameters);
        let mut sums = GramAccumulator::new(case.iterations, false, Precision::Single);
        let (first, second) = (case.parameters / 3, case.parameters / 3 + 7);
        // The middle block is a history of its own, as a layer's would be.
        let middle: Vec<f32> = (0..case.iterations)
            .flat_map(|t| view.column(t)[first..second].to_vec())
            .collect();
        let layer = HistoryView::new(&middle, second - first, case.iterations);
        assert!(sums.add(view, 0..first, None, &SILENT).unwrap());
        assert!(sums.add(layer, 0..second - first, None, &SILENT).unwrap());
        assert!(sums.add(view, second..case.parameters, None, &SILENT).unwrap());
        let moments = sums.finish().unwrap();
        let top = [
            ("top", Value::Integer(20)),
            ("centre", Value::Text("history".into())),
        ];
        let spectrum = run("covariance", Input::Moments(&moments), &top).unwrap();
        assert_close(&spectrum.values, &case.covariance[..20], 4e-7);
        let spectrum = run("second_moment", Input::Moments(&moments), &top).unwrap();
        assert_close(&spectrum.values, &case.second_moment[..20], 4e-7);
    }
}

#[test]
fn eigengaps_are_differences_in_either_order() {
    let spectrum = Spectrum {
        kind: SpectrumKind::Covariance,
        values: vec![9.0, 8.0, 4.0, 3.5],
        order: 10,
        rank_bound: 9,
        parameters: 20,
        samples: 10,
        trace: 26.0,
        square_trace: 200.0,
        accuracy: 1e-9,
        residuals: None,
        converged: None,
        sketch: None,
    };
    let rank = run(
        "eigengaps",
        Input::Spectrum(&spectrum),
        &[("order", Value::Text("rank".into()))],
    )
    .unwrap();
    assert_eq!(rank.values, [1.0, 4.0, 0.5]);
    let sorted = run(
        "eigengaps",
        Input::Spectrum(&spectrum),
        &[("order", Value::Text("sorted".into()))],
    )
    .unwrap();
    assert_eq!(sorted.values, [4.0, 1.0, 0.5]);
    assert_eq!(
        (sorted.trace, sorted.square_trace, sorted.rank_bound),
        (5.5, 17.25, 3)
    );
    let one = Spectrum {
        values: vec![1.0],
        ..spectrum
    };
    let error = run(
        "eigengaps",
        Input::Spectrum(&one),
        &[("order", Value::Text("rank".into()))],
    )
    .unwrap_err();
    assert_eq!(error, SpectrumError::NoGaps { values: 1 });
}

#[test]
fn what_has_no_spectrum_is_an_error() {
    let values = history(30, 20, 0.1, 5);
    let whole = view(&values, 30);
    let rank = |top, rank_bound| SpectrumError::TopAboveRank {
        top,
        rank_bound,
        parameters: 30,
        samples: 20,
    };
    assert_eq!(of(whole, "second_moment", 21, None).unwrap_err(), rank(21, 20));
    assert_eq!(of(whole, "covariance", 20, None).unwrap_err(), rank(20, 19));
    let one = HistoryView::new(&values[..30], 30, 1);
    assert_eq!(
        of(one, "covariance", 1, None).unwrap_err(),
        SpectrumError::OneIteration
    );
    assert_eq!(of(one, "second_moment", 1, None).unwrap().values.len(), 1);
    let empty = HistoryView::new(&[], 30, 0);
    assert!(matches!(
        of(empty, "covariance", 1, None),
        Err(SpectrumError::Empty { samples: 0, .. })
    ));
    assert!(matches!(
        of(whole, "covariance", 1, Some(&[0.0; 7])),
        Err(SpectrumError::Centre { found: 7, .. })
    ));
    let full_batch = [
        ("top", Value::Integer(1)),
        ("centre", Value::Text("full_batch".into())),
    ];
    let input = Input::History {
        view: whole,
        full_batch: None,
    };
    assert_eq!(
        run("covariance", input, &full_batch).unwrap_err(),
        SpectrumError::NoFullBatch
    );
    let mut bad = values.clone();
    bad[30 * 4 + 17] = f32::NAN;
    let at = |error| match error {
        SpectrumError::NotFinite {
            parameter, iteration, ..
        } => (parameter, iteration),
        other => panic!("{other}"),
    };
    assert_eq!(
        at(of(view(&bad, 30), "covariance", 1, None).unwrap_err()),
        (17, 4)
    );
    // More columns than rows: the other matrix.
    bad[30 * 4 + 17] = f32::INFINITY;
    assert_eq!(at(of(view(&bad, 6), "covariance", 1, None).unwrap_err()), (5, 22));
}

#[test]
fn degenerate_histories_have_stated_spectra() {
    // Equal columns: no noise at all, and a second moment of rank one.
    let column: Vec<f32> = (0..50).map(|i| 0.1 + i as f32).collect();
    let values: Vec<f32> = (0..20).flat_map(|_| column.clone()).collect();
    let noise = of(view(&values, 50), "covariance", 19, None).unwrap();
    assert_eq!(noise.values, [0.0; 19]);
    assert_eq!((noise.trace, noise.accuracy), (0.0, 0.0));
    let second = of(view(&values, 50), "second_moment", 20, None).unwrap();
    let square: f64 = column.iter().map(|&g| f64::from(g).powi(2)).sum();
    assert_close(&second.values[..1], &[square], 1e-14);
    assert_eq!(second.above_rounding(), 1);
    // Nothing but zeros.
    let zeros = of(view(&[0.0; 60], 6), "second_moment", 6, None).unwrap();
    assert_eq!(zeros.values, [0.0; 6]);
    // Values whose squares leave f32's range, on either side.
    for size in [1e-30f32, 1e30] {
        let small: Vec<f32> = history(50, 20, 0.2, 9);
        let scaled: Vec<f32> = small.iter().map(|g| g * size).collect();
        let plain = of(view(&small, 50), "covariance", 19, None).unwrap();
        let found = of(view(&scaled, 50), "covariance", 19, None).unwrap();
        let back: Vec<f64> = found.values.iter().map(|v| v / f64::from(size).powi(2)).collect();
        assert_close(&back, &plain.values, 1e-6);
    }
}
