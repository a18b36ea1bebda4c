//! All samples of a history at once.

use super::*;

#[test]
fn degenerate_samples_have_their_cause() {
    let ramp: Vec<f32> = (0..100).map(|i| i as f32).collect();
    let with = |i: usize, x: f32| {
        let mut sample = ramp.clone();
        sample[i] = x;
        sample
    };
    let cases: Vec<(Vec<f32>, usize, Cause)> = vec![
        (vec![0.0; 100], 10, Cause::Constant),
        (vec![-1.5; 100], 10, Cause::Constant),
        (
            (0..100).map(|i| if i % 2 == 0 { 2.0 } else { -2.0 }).collect(),
            10,
            Cause::Constant,
        ),
        (ramp.clone(), 100, Cause::TooFew),
        (ramp.clone(), 101, Cause::TooFew),
        (vec![], 10, Cause::TooFew),
        (
            (0..100).map(|i| f32::from(u8::from(i >= 50))).collect(),
            50,
            Cause::TooFew,
        ),
        (with(3, f32::NAN), 10, Cause::NotFinite),
        (with(99, f32::NEG_INFINITY), 10, Cause::NotFinite),
        (with(0, f32::INFINITY), 200, Cause::NotFinite),
        (vec![f32::NAN; 100], 10, Cause::NotFinite),
    ];
    for (sample, k, cause) in cases {
        let wide: Vec<f64> = sample.iter().map(|&x| f64::from(x)).collect();
        assert_eq!(PowerLawTest::of(&wide, &top(k)), Err(cause), "{k} of {sample:?}");
        assert_eq!(
            TailKernel::default().test(&sample, k, Ecdf::Left, 1.0),
            Err(cause),
            "{k} of {sample:?}"
        );
    }
}

#[test]
fn wilson_equals_scipy() {
    for case in golden()["wilson"].as_array().expect("cases") {
        let [accepted, tested] = [0, 1].map(|i| case[i].as_u64().expect("a count"));
        let [low, high] = [2, 3].map(|i| case[i].as_f64().expect("a number"));
        let found = wilson(accepted, tested, 0.95);
        assert!(
            (found.low - low).abs() < 1e-10 && (found.high - high).abs() < 1e-10,
            "{case}: {found:?}"
        );
    }
    let nothing = wilson(0, 0, 0.95);
    assert_eq!((nothing.low, nothing.high), (0.0, 1.0));
}

/// The rows and columns of the fast path, each against the plain test of the same numbers.
#[test]
fn many_power_law_tests_equal_the_plain_one() {
    let (parameters, iterations, k) = (1500, 1200, 300);
    let values = history(parameters, iterations);
    let view = HistoryView::new(&values, parameters, iterations);
    let rules = [TailRule::Top(k), TailRule::Top(20), TailRule::Quantile(0.8)];
    for (direction, tail) in BOTH.into_iter().flat_map(|d| rules.map(|rule| (d, rule))) {
        for ecdf in [Ecdf::Left, Ecdf::TwoSided] {
            let settings = PowerLawSettings {
                tail,
                ecdf,
                alpha: 0.05,
                ..PowerLawSettings::default()
            };
            let (samples, done) = watched(|monitor| power_law_samples(view, direction, &settings, monitor));
            let samples = samples.expect("not cancelled");
            assert_eq!(done, samples.len() as u64);
            for (index, found) in samples.iter().enumerate() {
                let sample: Vec<f64> = match direction {
                    Direction::Dimension | Direction::Spectrum => {
                        view.column(index).iter().map(|&x| f64::from(x)).collect()
                    }
                    Direction::Iteration => (0..iterations)
                        .map(|t| f64::from(view.column(t)[index]))
                        .collect(),
                };
                match (PowerLawTest::of(&sample, &settings), found) {
                    (Ok(plain), Ok(found)) => {
                        assert_eq!(found.fit.x_min, plain.fit.x_min);
                        assert_eq!(found.fit.n_tail, plain.fit.n_tail);
                        assert!((found.fit.exponent / plain.fit.exponent - 1.0).abs() < 1e-13);
                        assert!((found.ks_distance - plain.ks_distance).abs() < 1e-13);
                        assert_eq!(found.critical_distance, plain.critical_distance);
                    }
                    (plain, found) => assert_eq!(plain.as_ref().err(), found.as_ref().err(), "{index}"),
                }
            }
        }
    }
}

#[test]
fn the_outcome_counts_degenerate_samples_as_rejected() {
    let (parameters, iterations, k) = (1500, 1200, 300);
    let values = history(parameters, iterations);
    let view = HistoryView::new(&values, parameters, iterations);
    let (outcome, _) = watched(|monitor| power_law_test(view, Direction::Iteration, &top(k), monitor));
    let outcome = outcome.expect("not cancelled");
    let (samples, _) = watched(|monitor| power_law_samples(view, Direction::Iteration, &top(k), monitor));
    let samples = samples.expect("not cancelled");

    // Zero rows (each ninth), and rows 1 to 5 as `history` makes them.
    let counts = outcome.acceptance.degenerate;
    assert_eq!(
        (counts.constant, counts.too_few, counts.not_finite),
        (167 + 2, 1, 2)
    );
    assert_eq!(outcome.acceptance.tested, 1500);
    assert_eq!(
        (outcome.tail_points, outcome.critical_distance),
        (300, critical_distance(0.05, 300))
    );
    let mean = samples
        .iter()
        .map(|s| s.as_ref().map_or(1.0, |t| t.ks_distance))
        .sum::<f64>()
        / 1500.0;
    assert_eq!(outcome.mean_ks_distance, mean);
    let fitted: Vec<_> = samples.iter().flatten().collect();
    let mut x_min: Vec<f64> = fitted.iter().map(|t| t.fit.x_min).collect();
    x_min.sort_by(f64::total_cmp);
    assert_eq!(x_min.len(), 1328);
    assert_eq!(outcome.median_x_min, (x_min[663] + x_min[664]) / 2.0);
    let mean = fitted.iter().map(|t| t.fit.exponent).sum::<f64>() / 1328.0;
    assert!((outcome.mean_exponent - mean).abs() < 1e-12);

    let settings = NormalitySettings {
        points: 100,
        alpha: 0.05,
        seed: 3,
    };
    let (outcome, done) = watched(|monitor| normality_test(view, Direction::Iteration, &settings, monitor));
    let outcome = outcome.expect("not cancelled");
    assert_eq!((done, outcome.acceptance.tested), (1500, 1500));
    assert!(outcome.acceptance.degenerate.constant >= 168);
    let (samples, _) = watched(|monitor| normality_samples(view, Direction::Iteration, &settings, monitor));
    let samples = samples.expect("not cancelled");
    let accepted = samples
        .iter()
        .filter(|s| s.as_ref().is_ok_and(|t| t.p_value > 0.05))
        .count();
    assert_eq!(outcome.acceptance.accepted, accepted as u64);
    let mean = samples
        .iter()
        .map(|s| s.as_ref().map_or(0.0, |t| t.p_value))
        .sum::<f64>()
        / 1500.0;
    assert_eq!(outcome.mean_p_value, mean);
}

#[test]
fn all_points_of_each_sample_are_tested_without_a_draw() {
    let (parameters, iterations) = (40, 300);
    let values = history(parameters, iterations);
    let view = HistoryView::new(&values, parameters, iterations);
    let all = NormalitySettings {
        points: gradstudy::stats::normality::ALL_POINTS,
        alpha: 0.05,
        seed: 3,
    };
    for (direction, size) in [
        (Direction::Dimension, parameters),
        (Direction::Iteration, iterations),
    ] {
        let (samples, _) = watched(|monitor| normality_samples(view, direction, &all, monitor));
        for (index, found) in samples.expect("not cancelled").iter().enumerate() {
            let value = |i: usize| match direction {
                Direction::Iteration => values[i * parameters + index],
                _ => values[index * parameters + i],
            };
            let sample: Vec<f64> = (0..size).map(|i| f64::from(value(i))).collect();
            assert_eq!(*found, normaltest(&sample), "{direction:?} {index}");
        }
        let (outcome, _) = watched(|monitor| normality_test(view, direction, &all, monitor));
        assert_eq!(outcome.expect("not cancelled").points, size as u64);
    }
}

/// Through the registry, as a study runs them; equal bits in pools of one, two and three threads.
#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let (parameters, iterations) = (700, 500);
    let values = history(parameters, iterations);
    let view = HistoryView::new(&values, parameters, iterations);
    let args = call(
        "",
        &[
            ("tail", Value::Call(call("top", &[("k", Value::Integer(100))]))),
            ("ecdf", Value::Text("two_sided".into())),
            ("points", Value::Integer(64)),
            ("alpha", Value::Number(0.1)),
        ],
    )
    .args;
    let args_of = |signature: &Signature| {
        let mut all = default_args(signature);
        for (name, value) in &args.0 {
            if all.get(name).is_some() {
                all.0.insert(name.clone(), value.clone());
            }
        }
        if all.get("bootstrap").is_some() {
            all.0.insert("bootstrap".into(), Value::Integer(20));
        }
        all
    };
    let outcomes: Vec<Vec<Option<Outcome>>> = [1, 2, 3]
        .map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .expect("a pool");
            let run = || {
                let cases = TESTS
                    .iter()
                    .flat_map(|test| BOTH.map(|direction| (test, direction)));
                cases
                    .map(|(test, direction)| {
                        watched(|monitor| test.run(view, direction, &args_of(test.signature()), 4, monitor)).0
                    })
                    .collect()
            };
            pool.install(run)
        })
        .into();
    let bits = |outcome: &Option<Outcome>| serde_json::to_string(outcome).expect("serialises");
    for pool in &outcomes {
        assert!(pool.len() == 2 * TESTS.len() && pool.iter().all(Option::is_some));
        assert_eq!(
            pool.iter().map(bits).collect::<Vec<_>>(),
            outcomes[0].iter().map(bits).collect::<Vec<_>>()
        );
    }
    let Some(Outcome::PowerLaw(outcome)) = &outcomes[0][0] else {
        panic!("the power law comes first")
    };
    assert_eq!((outcome.alpha, outcome.tail_points), (0.1, 100));
}

/// A sample alone is tested as the only column of a history would be, in the full precision of f64.
#[test]
fn one_sample_is_tested_like_a_column() {
    let column: Vec<f32> = history(5000, 1)
        .into_iter()
        .map(|x| if x.is_finite() { x } else { 0.5 })
        .collect();
    let wide: Vec<f64> = column.iter().map(|&x| f64::from(x)).collect();
    let view = HistoryView::new(&column, 5000, 1);
    for test in TESTS {
        let args = default_args(test.signature());
        let (one, done) = watched(|monitor| test.run_sample(&wide, &args, 4, monitor));
        let (many, _) = watched(|monitor| test.run(view, Direction::Spectrum, &args, 4, monitor));
        assert_eq!(done, 1);
        let (one, many) = [one, many]
            .map(|outcome| serde_json::to_value(outcome.expect("not cancelled")).expect("serialises"))
            .into();
        near(test.signature().name, &one, &many);
        let cancel = AtomicBool::new(true);
        let progress = |_| ();
        let monitor = Monitor {
            progress: &progress,
            cancel: &cancel,
        };
        assert_eq!(test.run_sample(&wide, &args, 4, &monitor), None);
    }
}

#[test]
fn a_cancelled_test_gives_nothing() {
    let values = history(100, 100);
    let view = HistoryView::new(&values, 100, 100);
    let cancel = AtomicBool::new(true);
    let monitor = Monitor {
        progress: &|_| panic!("nothing is done"),
        cancel: &cancel,
    };
    let settings = NormalitySettings {
        points: 10,
        alpha: 0.05,
        seed: 0,
    };
    for direction in BOTH {
        assert!(power_law_test(view, direction, &top(10), &monitor).is_none());
        assert!(normality_test(view, direction, &settings, &monitor).is_none());
    }
}

#[test]
fn outcomes_survive_yaml() {
    let values = vec![0.0; 100 * 50];
    let view = HistoryView::new(&values, 100, 50);
    let (outcome, _) = watched(|monitor| power_law_test(view, Direction::Dimension, &top(10), monitor));
    let outcome = Outcome::PowerLaw(outcome.expect("not cancelled"));
    let text = serde_yaml::to_string(&outcome).expect("serialises");
    assert!(text.contains("mean_exponent: null"), "{text}");
    let Outcome::PowerLaw(back) = serde_yaml::from_str(&text).expect("reads back") else {
        panic!("another kind of outcome")
    };
    assert!(back.mean_exponent.is_nan() && back.median_x_min.is_nan());
    assert_eq!(
        (back.mean_ks_distance, back.acceptance.degenerate.constant),
        (1.0, 50)
    );
}
