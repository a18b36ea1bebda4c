//! `missing: drop`: values that are no finite numbers are left out, counted, and change nothing else.

use gradstudy::stats::merge::merge;
use gradstudy::stats::missing::LeftOut;

use super::*;

/// Numbers at which tests of each kind make sense, small whole ones among them for the test of counts.
fn numbers(parameters: usize, iterations: usize) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(17);
    (0..parameters * iterations)
        .map(|_| (uniform(&mut rng).powf(-0.6) * 4.0).round() as f32)
        .collect()
}

fn settings(signature: &Signature) -> Option<Args> {
    let mut args = default_args(signature);
    signature.params.iter().find(|param| param.name == "missing")?;
    let mut set = |name: &str, value: Value| {
        if args.get(name).is_some() {
            args.0.insert(name.into(), value);
        }
    };
    set("tail", Value::Call(call("top", &[("k", Value::Integer(15))])));
    set("points", Value::Integer(40));
    set("k", Value::Integer(12));
    set("distances", Value::Text("all".into()));
    set("bootstrap", Value::Integer(9));
    set("flatten", Value::Boolean(false));
    args.0.insert("missing".into(), Value::Text("drop".into()));
    Some(args)
}

fn without_left_out(outcome: &Outcome) -> serde_json::Value {
    let mut value = serde_json::to_value(outcome).expect("serialises");
    let left_out = value.as_object_mut().expect("fields").remove("left_out");
    assert!(left_out.is_some(), "{value}");
    value
}

#[test]
fn every_test_but_correlation_has_the_setting() {
    let without: Vec<&str> = TESTS
        .iter()
        .map(|test| test.signature())
        .filter(|signature| settings(signature).is_none())
        .map(|signature| signature.name)
        .collect();
    assert_eq!(without, ["correlation"]);
}

/// One sample with holes is tested as the shorter sample that its other values are.
#[test]
fn holes_are_as_if_they_were_not_there() {
    let kept: Vec<f64> = numbers(1, 60).iter().map(|&x| f64::from(x)).collect();
    let mut holes = kept.clone();
    for (place, value) in [
        (0, f64::NAN),
        (13, f64::INFINITY),
        (14, f64::NEG_INFINITY),
        (63, f64::NAN),
    ] {
        holes.insert(place, value);
    }
    for test in TESTS {
        let Some(args) = settings(test.signature()) else {
            continue;
        };
        let name = test.signature().name;
        let run = |sample: &[f64]| {
            watched(|monitor| test.run_sample(sample, &args, 4, monitor))
                .0
                .expect("run")
        };
        let (found, expected) = (run(&holes), run(&kept));
        assert_eq!(without_left_out(&found), without_left_out(&expected), "{name}");
        assert_eq!(
            found.left_out(),
            Some(LeftOut {
                values: 4,
                samples: 1
            }),
            "{name}"
        );
        assert_eq!(expected.left_out(), Some(LeftOut::default()), "{name}");
        let merged = merge(
            &[found.clone(), expected.clone(), found.clone()],
            &Call {
                name: name.into(),
                args,
            },
        );
        let merged = merged.expect("one by one");
        assert_eq!(
            merged.left_out(),
            Some(LeftOut {
                values: 8,
                samples: 2
            }),
            "{name}"
        );
        let column = merged
            .samples()
            .expect("samples")
            .columns()
            .iter()
            .find(|(it, _)| it == "left_out");
        assert_eq!(column.expect("a column").1, [4.0, 0.0, 4.0], "{name}");
    }
}

/// Rows and columns of G: those without holes come out as by default, those with holes as samples of their own.
#[test]
fn histories_with_holes() {
    let (parameters, iterations) = (60, 50);
    let whole = numbers(parameters, iterations);
    let mut values = whole.clone();
    // Row 7 loses three values, row 8 too many; each hole is in a column of its own.
    let mut holes = vec![(7, 3), (7, 20), (7, 44)];
    holes.extend((0..45).map(|t| (8, t)));
    for &(row, t) in &holes {
        values[t * parameters + row] = if t % 2 == 0 { f32::NAN } else { f32::INFINITY };
    }
    let view = HistoryView::new(&values, parameters, iterations);
    let row = |values: &[f32], row: usize| -> Vec<f64> {
        (0..iterations)
            .map(|t| f64::from(values[t * parameters + row]))
            .collect()
    };
    for test in TESTS {
        let Some(args) = settings(test.signature()) else {
            continue;
        };
        let name = test.signature().name;
        let run = |values: &[f32], args: &Args, direction| {
            let view = HistoryView::new(values, parameters, iterations);
            watched(|monitor| test.run(view, direction, args, 4, monitor))
                .0
                .expect("run")
        };
        let mut plain = args.clone();
        plain.0.shift_remove("missing");
        let found = run(&values, &args, Direction::Iteration);
        assert_eq!(
            found.left_out(),
            Some(LeftOut {
                values: 48,
                samples: 2
            }),
            "{name}"
        );
        let of_whole = run(&whole, &plain, Direction::Iteration);
        assert_eq!(of_whole.left_out(), None);
        // Replicates and noise hang on the other samples.
        for ((column, found), (_, expected)) in found
            .samples()
            .expect("samples")
            .columns()
            .iter()
            .zip(of_whole.samples().expect("samples").columns())
        {
            for index in (0..parameters).filter(|index| ![7, 8].contains(index)) {
                let same = found[index].to_bits() == expected[index].to_bits();
                assert!(
                    same,
                    "{name} {column} {index}: {} {}",
                    found[index], expected[index]
                );
            }
        }
        let (_, degenerate) = counts(&found);
        assert_eq!(degenerate.not_finite, 0, "{name}");
        if args.get("noise").is_none() {
            let (_, expected) = counts(&of_whole);
            assert_eq!(degenerate.too_few, expected.too_few + 1, "{name}: row 8");
        }
        let by_default = run(&values, &plain, Direction::Iteration);
        assert!(counts(&by_default).1.not_finite >= 1, "{name}");
        // Nothing missing: as by default but for the count.
        for direction in BOTH {
            let (left, right) = (run(&whole, &args, direction), run(&whole, &plain, direction));
            assert_eq!(left.left_out(), Some(LeftOut::default()));
            let right = serde_json::to_value(&right).expect("serialises");
            assert_eq!(without_left_out(&left), right, "{name}");
        }
        let by_columns = run(&values, &args, Direction::Dimension);
        assert_eq!(
            by_columns.left_out(),
            Some(LeftOut {
                values: 48,
                samples: 45
            }),
            "{name}"
        );
        assert!(test.remote(&args, iterations).is_none(), "{name}");
    }
    // A row with holes alone, by a test of whole samples.
    let hill = TESTS
        .iter()
        .find(|test| test.signature().name == "hill")
        .expect("a test");
    let args = settings(hill.signature()).expect("a setting");
    let all = watched(|monitor| hill.run(view, Direction::Iteration, &args, 4, monitor))
        .0
        .expect("run");
    let one = watched(|monitor| hill.run_sample(&row(&values, 7), &args, 4, monitor))
        .0
        .expect("run");
    let Outcome::TailIndex(one) = one else {
        panic!("an index")
    };
    assert_eq!(all.samples().expect("samples").columns()[0].1[7], one.mean_xi);
}

fn counts(outcome: &Outcome) -> (u64, gradstudy::stats::outcome::Degenerate) {
    match outcome {
        Outcome::TailIndex(outcome) => (outcome.tested, outcome.degenerate),
        outcome => {
            let acceptance = outcome.acceptance().expect("verdicts");
            (acceptance.tested, acceptance.degenerate)
        }
    }
}

/// G as one sample: what is left, in its order, less the means of what is left of each row.
#[test]
fn flattened_histories_with_holes() {
    use gradstudy::stats::tail_index::alpha_stable::alpha_stable;
    let (parameters, iterations) = (70, 90);
    let mut values = numbers(parameters, iterations);
    for hole in [0, 1, 5, 69, 70, 71, 900, 4000, 6298, 6299] {
        values[hole] = f32::NAN;
    }
    let view = HistoryView::new(&values, parameters, iterations);
    let test = TESTS
        .iter()
        .find(|test| test.signature().name == "alpha_stable")
        .expect("a test");
    let mut args = settings(test.signature()).expect("a setting");
    args.0.insert("flatten".into(), Value::Boolean(true));
    for noise in [false, true] {
        args.0.insert("noise".into(), Value::Boolean(noise));
        let means: Vec<f64> = (0..parameters)
            .map(|row| {
                let row = (0..iterations).map(|t| f64::from(values[t * parameters + row]));
                let kept: Vec<f64> = row.filter(|x| x.is_finite()).collect();
                if noise {
                    kept.iter().sum::<f64>() / kept.len() as f64
                } else {
                    0.0
                }
            })
            .collect();
        for direction in BOTH {
            let places: Vec<(usize, usize)> = match direction {
                Direction::Iteration => (0..parameters)
                    .flat_map(|row| (0..iterations).map(move |t| (row, t)))
                    .collect(),
                _ => (0..iterations)
                    .flat_map(|t| (0..parameters).map(move |row| (row, t)))
                    .collect(),
            };
            let kept: Vec<f64> = places
                .iter()
                .map(|&(row, t)| f64::from(values[t * parameters + row]) - means[row])
                .filter(|x| x.is_finite())
                .collect();
            let found = watched(|monitor| test.run(view, direction, &args, 4, monitor)).0;
            let Some(Outcome::TailIndex(found)) = found else {
                panic!("an index")
            };
            let expected = alpha_stable(&kept, 0).expect("defined");
            assert_eq!(found.points, 6290);
            assert!(
                (found.mean_xi / expected.xi - 1.0).abs() < 1e-12,
                "{noise} {direction:?}"
            );
            assert_eq!(
                found.left_out,
                Some(LeftOut {
                    values: 10,
                    samples: 1
                })
            );
        }
    }
}
