//! Outcomes of single samples put together equal the outcome of all at once.

use gradstudy::stats::merge::merge;

use super::*;

/// By every test that looks at whole samples: those that draw points draw others for a sample alone.
#[test]
fn single_outcomes_make_the_whole() {
    let (parameters, iterations) = (130, 160);
    let values = history(parameters, iterations);
    let view = HistoryView::new(&values, parameters, iterations);
    let mut compared = 0;
    for test in TESTS {
        let signature = test.signature();
        let mut args = default_args(signature);
        let mut set = |name: &str, value: Value| {
            if args.get(name).is_some() {
                args.0.insert(name.into(), value);
            }
        };
        set(
            "tail",
            Value::Call(call("quantile", &[("q", Value::Number(0.3))])),
        );
        set("points", Value::Integer(160));
        set("k", Value::Integer(40));
        set("distances", Value::Text("all".into()));
        set("flatten", Value::Boolean(false));
        set("noise", Value::Boolean(false));
        let call = Call {
            name: signature.name.to_string(),
            args: args.clone(),
        };
        let (whole, _) = watched(|monitor| test.run(view, Direction::Iteration, &args, 4, monitor));
        let singles: Vec<Outcome> = (0..parameters)
            .map(|i| {
                let row: Vec<f64> = (0..iterations)
                    .map(|t| f64::from(values[t * parameters + i]))
                    .collect();
                watched(|monitor| test.run_sample(&row, &args, 4, monitor))
                    .0
                    .expect("not cancelled")
            })
            .collect();
        let Some(merged) = merge(&singles, &call) else {
            assert_eq!(signature.name, "correlation");
            continue;
        };
        let [whole, merged] = [whole.expect("not cancelled"), merged]
            .map(|outcome| serde_json::to_value(outcome).expect("serialises"));
        near(signature.name, &whole, &merged);
        compared += 1;
    }
    assert!(compared >= 14, "{compared}");
    let call = call("normality", &[]);
    assert!(merge(&[], &call).is_none());
}

#[test]
fn bootstraps_are_put_together() {
    let test = TESTS[0];
    let mut args = default_args(test.signature());
    let top = Value::Call(call("top", &[("k", Value::Integer(60))]));
    args.0.insert("tail".into(), top);
    args.0.insert("bootstrap".into(), Value::Integer(99));
    let call = Call {
        name: "power_law".into(),
        args: args.clone(),
    };
    let samples = [
        pareto(100, 2.0),
        vec![1.0; 100],
        (1..101).map(f64::from).collect(),
    ];
    let singles: Vec<Outcome> = samples
        .iter()
        .map(|sample| {
            watched(|monitor| test.run_sample(sample, &args, 4, monitor))
                .0
                .expect("not cancelled")
        })
        .collect();
    let Some(Outcome::PowerLaw(merged)) = merge(&singles, &call) else {
        panic!("a power law")
    };
    let found = merged.bootstrap.expect("asked for");
    assert_eq!(
        (
            found.replicates,
            found.acceptance.tested,
            found.acceptance.degenerate.constant
        ),
        (99, 3, 1)
    );
    let each: Vec<f64> = singles
        .iter()
        .map(|single| match single {
            Outcome::PowerLaw(single) => single.bootstrap.as_ref().expect("asked for").mean_p_value,
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(
        (found.mean_p_value - each.iter().sum::<f64>() / 3.0).abs() < 1e-15,
        "{each:?}"
    );
    assert_eq!(
        found.rejections.single,
        each.iter().filter(|p| **p <= 0.05).count() as u64 - 1
    );
}
