//! One statistic is one number: of a sample alone, of it as the only sample, and of it among others.

use gradstudy::report::COLUMNS;
use gradstudy::stats::merge::merge;
use gradstudy::stats::sample_values::SampleValues;

use super::*;

/// Every rule that cuts a tail off.
fn tails() -> Vec<Value> {
    let rule = |name: &str, args: &[(&str, Value)]| Value::Call(call(name, args));
    vec![
        rule("top", &[("k", Value::Integer(30))]),
        rule("top", &[("k", Value::Integer(7))]),
        rule("minimum", &[]),
        rule("at", &[("value", Value::Number(2.0))]),
        rule("quantile", &[("q", Value::Number(0.6))]),
        rule("scan", &[("at_least", Value::Integer(5))]),
    ]
}

/// The settings under which each test is tried: small samples, each tail rule where there is one.
fn settings(signature: &Signature) -> Vec<Args> {
    let mut plain = default_args(signature);
    let mut set = |name: &str, value: Value| {
        if plain.get(name).is_some() {
            plain.0.insert(name.into(), value);
        }
    };
    set("points", Value::Integer(60));
    set("k", Value::Integer(12));
    set("distances", Value::Text("all".into()));
    set("bootstrap", Value::Integer(19));
    set("flatten", Value::Boolean(false));
    set("noise", Value::Boolean(false));
    match plain.get("tail") {
        None => vec![plain],
        Some(_) => tails()
            .into_iter()
            .map(|tail| {
                let mut args = plain.clone();
                args.0.insert("tail".into(), tail);
                args
            })
            .collect(),
    }
}

/// Every column of the outcome by its name, and each number that a table, `--each` and JSON show.
fn shown(outcome: &Outcome) -> Vec<(&'static str, u64)> {
    let value = |column: &'static gradstudy::report::ColumnKind| {
        Some((column.name, (column.value)(outcome)?.to_bits()))
    };
    COLUMNS.iter().filter_map(value).collect()
}

fn column(values: &SampleValues, name: &str, index: usize) -> Option<f64> {
    let (_, values) = values.columns().iter().find(|(it, _)| it == name)?;
    Some(values[index])
}

/// Small counts with many ties and heavy tails, a few of them zero or degenerate.
fn counts() -> impl Strategy<Value = Vec<f64>> {
    let count = prop_oneof![
        6 => (0.0f64..1.0).prop_map(|u| (1.0 / (1.0 - u).sqrt()).floor().min(1e6)),
        3 => (0u32..6).prop_map(f64::from),
        1 => (1u32..60).prop_map(f64::from),
    ];
    let negative = any::<bool>();
    let value = (count, negative).prop_map(|(x, negative)| if negative { -x } else { x });
    prop_oneof![
        8 => prop::collection::vec(value, 64),
        1 => (1u32..5).prop_map(|x| vec![f64::from(x); 64]),
    ]
}

/// The verdict on a sample is that of the printed distances.
fn check_verdict(what: &str, outcome: &Outcome) {
    let Outcome::PowerLaw(found) = outcome else {
        return;
    };
    let sound = found.acceptance.degenerate.total() == 0;
    let accepted = found.mean_ks_distance < found.critical_distance;
    assert_eq!(found.acceptance.accepted == 1, accepted, "{what} {found:?}");
    assert_eq!(found.tail_points > 0, sound, "{what} {found:?}");
    assert_eq!(found.critical_distance.is_finite(), sound, "{what} {found:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn a_sample_has_one_number_of_each_kind(samples in prop::collection::vec(counts(), 5)) {
        for test in TESTS {
            let signature = test.signature();
            // Compares samples with each other.
            if signature.name == "correlation" {
                continue;
            }
            for args in settings(signature) {
                let call = Call { name: signature.name.into(), args: args.clone() };
                let what = format!("{call:?}");
                let singles: Vec<Outcome> = samples
                    .iter()
                    .map(|sample| watched(|monitor| test.run_sample(sample, &args, 4, monitor)).0.expect("not cancelled"))
                    .collect();
                for single in &singles {
                    check_verdict(&what, single);
                    let merged = merge(std::slice::from_ref(single), &call).expect("one by one");
                    prop_assert_eq!(shown(&merged), shown(single), "{}", what);
                }
                // As columns of G they are kept in float32, which holds these numbers.
                let values: Vec<f32> = samples.iter().flatten().map(|&x| x as f32).collect();
                let view = HistoryView::new(&values, 64, samples.len());
                let whole = watched(|monitor| test.run(view, Direction::Dimension, &args, 4, monitor)).0;
                let whole = whole.expect("not cancelled");
                let each = whole.samples().expect("samples");
                for (index, single) in singles.iter().enumerate() {
                    let Outcome::PowerLaw(single) = single else {
                        continue;
                    };
                    let close = |name: &str, expected: f64| {
                        let found = column(each, name, index).expect("a column");
                        let same = (found - expected).abs() <= 1e-11 * expected.abs() || found.is_nan() && expected.is_nan();
                        assert!(same, "{what} {name}: {found} {expected}");
                    };
                    close("ks_distance", single.mean_ks_distance);
                    close("critical_distance", single.critical_distance);
                    close("n_tail", single.tail_points as f64);
                    close("x_min", single.median_x_min);
                    close("exponent", single.mean_exponent);
                    let accepted = whole.acceptance().expect("verdicts").verdicts.iter().nth(index);
                    assert_eq!(accepted, Some(single.acceptance.accepted == 1), "{what}");
                }
            }
        }
    }
}

/// Counts with many ties (`counts_ties.npy`): the whole tail of equal values counts, everywhere.
#[test]
fn ties_at_the_end_of_a_tail_all_count() {
    let counts = [
        (1, 1002),
        (2, 1007),
        (3, 727),
        (4, 482),
        (5, 341),
        (6, 173),
        (7, 120),
        (8, 65),
        (9, 43),
        (10, 23),
        (11, 10),
        (12, 4),
        (13, 2),
        (14, 1),
    ];
    let sample: Vec<f64> = counts
        .iter()
        .flat_map(|&(value, count)| std::iter::repeat_n(f64::from(value), count))
        .collect();
    let test = TESTS
        .iter()
        .find(|test| test.signature().name == "discrete_power_law")
        .expect("a test");
    let mut args = default_args(test.signature());
    let top = Value::Call(call("top", &[("k", Value::Integer(500))]));
    args.0.insert("tail".into(), top);
    let call = Call {
        name: "discrete_power_law".into(),
        args: args.clone(),
    };
    let single = watched(|monitor| test.run_sample(&sample, &args, 4, monitor))
        .0
        .expect("not cancelled");
    let merged = merge(&[single.clone(), single.clone(), single.clone()], &call).expect("one by one");
    for outcome in [single, merged] {
        let Outcome::PowerLaw(found) = outcome else {
            panic!("a power law")
        };
        assert_eq!(found.tail_points, 782);
        assert!((found.critical_distance - 0.0486).abs() < 5e-5, "{found:?}");
        assert!((found.mean_ks_distance - 0.0560).abs() < 5e-5, "{found:?}");
        assert_eq!(found.acceptance.accepted, 0);
    }
}
