//! D'Agostino's and Pearson's test.

use super::*;

#[test]
fn normality_tests_equal_scipy() {
    let golden = golden();
    for case in golden["normality"].as_array().expect("cases") {
        let name = case["name"].as_str().expect("a name");
        let sample: Vec<f64> = match case["values"].as_array() {
            Some(values) => values.iter().map(|v| v.as_f64().expect("a number")).collect(),
            None => (1..=1000).map(|i| f64::from(i).sin()).collect(),
        };
        // With a mean of 1e6 the order of summation shows in SciPy's own digits.
        let tolerance = if name.starts_with("1e6") { 1e-8 } else { 1e-11 };
        let check = |test: &str, found: Result<Significance, Cause>| {
            let found = found.unwrap_or_else(|cause| panic!("{name}: no {test}: {cause:?}"));
            let [statistic, p] = [0, 1].map(|i| case[test][i].as_f64().expect("a number"));
            let error = (found.statistic - statistic).abs();
            assert!(
                error <= tolerance * statistic.abs().max(1.0),
                "{name} {test}: {found:?}"
            );
            assert!(
                (found.p_value - p).abs() <= 100.0 * tolerance * p,
                "{name} {test}: {found:?}"
            );
        };
        check("skewtest", skewtest(&sample));
        check("kurtosistest", kurtosistest(&sample));
        check("normaltest", normaltest(&sample));
    }
}

#[test]
fn normality_is_undefined_where_scipy_gives_nan() {
    let seven: Vec<f64> = (0..7).map(f64::from).collect();
    assert_eq!(skewtest(&seven), Err(Cause::TooFew));
    assert_eq!(normaltest(&seven), Err(Cause::TooFew));
    assert!(kurtosistest(&seven).is_ok());
    assert_eq!(kurtosistest(&seven[..4]), Err(Cause::TooFew));
    assert_eq!(normaltest(&[2.5; 100]), Err(Cause::Constant));
    assert!(normaltest(&[]).is_err());
    let mut sample: Vec<f64> = (0..100).map(f64::from).collect();
    for value in [f64::NAN, f64::INFINITY] {
        sample[50] = value;
        assert_eq!(normaltest(&sample), Err(Cause::NotFinite));
    }
}

#[test]
fn normality_draws_the_sampler_s_points() {
    let values = history(300, 200);
    let view = HistoryView::new(&values, 300, 200);
    let settings = NormalitySettings {
        points: 50,
        alpha: 0.05,
        seed: 9,
    };
    let (rows, _) = watched(|monitor| normality_samples(view, Direction::Iteration, &settings, monitor));
    let (columns, _) = watched(|monitor| normality_samples(view, Direction::Dimension, &settings, monitor));
    let mut sampler = Sampler::new(9);
    let points = sampler.draw(2 * 17 + 1, 50, 200).to_vec();
    let row: Vec<f64> = points.iter().map(|&t| f64::from(values[t * 300 + 17])).collect();
    assert_eq!(rows.expect("not cancelled")[17], normaltest(&row));
    let points = sampler.draw(2 * 11, 50, 300).to_vec();
    let column: Vec<f64> = points.iter().map(|&i| f64::from(values[11 * 300 + i])).collect();
    assert_eq!(columns.expect("not cancelled")[11], normaltest(&column));

    let settings = NormalitySettings {
        points: 201,
        ..settings
    };
    let (rows, _) = watched(|monitor| normality_samples(view, Direction::Iteration, &settings, monitor));
    assert!(
        rows.expect("not cancelled")
            .iter()
            .all(|row| *row == Err(Cause::TooFew))
    );
}

/// Under normality p is nearly uniform: at α = 0.05, 2000 samples of 100 reject 5 % within three standard
/// errors (1.5 %) and SciPy's own error at n = 100 (0.7 %: its size is 5.6 % or so by simulation).
#[test]
fn the_normality_test_has_its_size() {
    let mut rng = ChaCha8Rng::seed_from_u64(42);
    let count = 2000;
    let p: Vec<f64> = (0..count)
        .map(|_| {
            let sample: Vec<f64> = (0..100).map(|_| gaussian(&mut rng)).collect();
            normaltest(&sample).expect("defined").p_value
        })
        .collect();
    let below = |level: f64| p.iter().filter(|&&p| p <= level).count() as f64 / f64::from(count);
    assert!((below(0.05) - 0.05).abs() < 0.022, "{}", below(0.05));
    assert!((below(0.5) - 0.5).abs() < 0.05, "{}", below(0.5));
}
