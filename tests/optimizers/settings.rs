//! What the checker says of settings of optimizers, and what goes into a step's key.

use super::*;

#[test]
fn settings_that_cannot_hold_are_errors_where_they_stand() {
    for (train, expected) in [
        (
            "sgd(lr: 1) { of: m on: d epochs: 9 batch: 8 decay: 0.1 at 5 schedule: cosine }",
            "E0531",
        ),
        (
            "sgd(lr: 1) { of: m on: d epochs: 9 batch: 8 clip: 1 clip_value: 1 }",
            "E0531",
        ),
        (
            "sgd(lr: 1, nesterov: true) { of: m on: d epochs: 9 batch: 8 }",
            "E0531",
        ),
        (
            "adam { of: m on: d epochs: 9 batch: 8 schedule: cosine(warmup: 9) }",
            "E0532",
        ),
        (
            "adam { of: m on: d epochs: 9 batch: 8 schedule: linear(warmup: 100%) }",
            "E0532",
        ),
        (
            "adam { of: m on: d epochs: 9 batch: 8 schedule: constant(10) }",
            "E0532",
        ),
        (
            "adam { of: m on: d epochs: 9 batch: 8 schedule: cosine(warmup: 10%, each: epoch) }",
            "E0532",
        ),
        (
            "adam { of: m on: d epochs: 9 batch: 8 schedule: cosine(from: 10%) }",
            "E0532",
        ),
        (
            "adam { of: m on: d epochs: 9 batch: 8 schedule: steps(0.1 at [2, 5], warmup: 3) }",
            "E0532",
        ),
        (
            "adam { of: m on: d epochs: 9 batch: 8 schedule: steps(0.1 at [5, 2]) }",
            "E0507",
        ),
        (
            "adam { of: m on: d epochs: 9 batch: 8 schedule: exponential }",
            "E0301",
        ),
        ("adam { of: m on: d epochs: 9 batch: 8 clip: 0 }", "E0308"),
        ("adam(beta2: 1) { of: m on: d epochs: 9 batch: 8 }", "E0308"),
        ("adam(eps: 0) { of: m on: d epochs: 9 batch: 8 }", "E0308"),
        ("adam(nesterov: true) { of: m on: d epochs: 9 batch: 8 }", "E0302"),
    ] {
        assert_eq!(codes(&format!("{TRAINING}{train}")), [expected], "{train}");
    }
    let record =
        "data d = fashion_mnist_5k\nmodel m = lenet\nrecord g = gradients(of: m, on: d, keep: true, ";
    for (setting, expected) in [
        ("through: adamw)", "E0301"),
        ("through: sgd)", "E0304"),
        ("through: sgd(lr: 0.1, momentum: 0.9))", "E0302"),
        ("through: adam(weight_decay: 1e-4))", "E0302"),
        ("through: 0.9)", "E0307"),
        ("clip: 0)", "E0308"),
        ("clip_value: 1)", "E0302"),
        ("weight_decay: -1)", "E0308"),
    ] {
        let found = codes(&format!("{record}{setting}"));
        assert!(found.contains(&expected), "{setting}: {found:?}");
    }
}

#[test]
fn a_transformed_recording_has_no_full_batch_centre() {
    let text = |settings: &str| {
        format!(
            "data d = fashion_mnist_5k\nmodel m = lenet\nrecord g = gradients(of: m, on: d, {settings})\n\
             spectrum c = covariance(g, centre: full_batch)"
        )
    };
    for settings in ["clip: 1", "through: adam", "clip: 1, through: sgd(momentum: 0.9)"] {
        assert_eq!(codes(&text(settings)), ["E0531"], "{settings}");
    }
    for settings in ["batch: 1", "weight_decay: 0.1", "through: none"] {
        study(&text(settings));
    }
}

/// Steps of studies that use none of the newer settings keep their keys: their results stay in the cache.
#[test]
fn settings_that_are_not_used_are_in_no_key() {
    let plan = |train: &str, record: &str| {
        let text = format!(
            "data d = fashion_mnist_5k(subset: 100)\nmodel m = lenet\n\
             train p = sgd(lr: 0.1) {{ of: m on: d epochs: 4 batch: 8 {train} }}\n\
             record g = gradients(of: p, on: d, keep: true, {record})"
        );
        let plan = gradstudy::plan::lower(&study(&text), &SearchPath::default()).unwrap();
        let key = |verb: &str| {
            let step = plan
                .steps
                .iter()
                .find(|step| step.key.operation.verb() == verb)
                .unwrap();
            (step.id.clone(), step.key.settings.clone())
        };
        (key("train"), key("record"))
    };
    let keys = |settings: &Json| settings.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let (train, record) = plan("", "batch: 2");
    assert_eq!(
        keys(&train.1),
        ["optimizer", "epochs", "batch", "decay", "milestones"]
    );
    assert_eq!(keys(&record.1), ["batch", "iterations", "order"]);
    for same in ["batch: 2, through: none", "batch: 2, weight_decay: 0"] {
        assert_eq!(plan("", same).1.0, record.0, "{same}");
    }
    let trains = [
        "clip: 1",
        "clip_value: 1",
        "schedule: cosine",
        "schedule: cosine(each: epoch)",
        "clip: 2",
    ];
    let mut ids: Vec<_> = trains.iter().map(|train| plan(train, "batch: 2").0.0).collect();
    ids.push(train.0);
    let records = [
        "clip: 1",
        "weight_decay: 1",
        "through: adam",
        "through: adam(eps: 1)",
    ];
    ids.extend(
        records
            .iter()
            .map(|record| plan("", &format!("batch: 2, {record}")).1.0),
    );
    ids.push(record.0);
    let different: std::collections::HashSet<_> = ids.iter().collect();
    assert_eq!(different.len(), ids.len());
}
