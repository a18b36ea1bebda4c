//! Sums that are stopped on their way and go on from what they left on the disk.

use std::sync::atomic::AtomicBool;

use gradstudy::data::SearchPath;
use gradstudy::execute::observer::Silent;
use gradstudy::execute::{Executor, Observer};
use gradstudy::gradients::engine::Engine;
use gradstudy::plan::{self, Plan, Work};
use gradstudy::store::Store;
use gradstudy::study;
use gradstudy::syntax::Source;
use gradstudy::vocabulary::VOCABULARY;

use crate::support::StopIn;

fn planned(text: &str) -> Plan {
    let (study, _) = study::check(&Source::new("test.study", text), &VOCABULARY).unwrap();
    plan::lower(&study, &SearchPath::default()).unwrap()
}

/// The eigenvalues of the plan's only spectrum.
fn values(plan: &Plan, store: &Store) -> Vec<f64> {
    let mut steps = plan.steps.iter();
    let spectrum = steps
        .find(|step| matches!(step.work, Work::Spectrum { .. }))
        .unwrap();
    let path = store.directory(&spectrum.id).join("spectrum.json");
    let spectrum: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let values = spectrum["values"].as_array().unwrap().iter();
    values.map(|value| value.as_f64().unwrap()).collect()
}

#[test]
fn sums_that_were_stopped_go_on_where_they_were() {
    let (search, engine) = (SearchPath::default(), Engine::Host);
    let study = |model: &str, record: &str| {
        format!(
            "data d = fashion_mnist_5k\nmodel m = {model}\nrecord g = gradients(of: m, on: d, iterations: 300, {record})\n\
             spectrum c = covariance(g, top: 100)\ntest t = power_law(c, tail: top(60))\n"
        )
    };
    // Passes over the minibatches that take some layers each; windows of rows.
    for (what, text, memory) in [
        ("layers", study("lenet", "batch: 1"), 4_000_000),
        ("windows", study("fcn", "batch: 4"), 60_000_000),
    ] {
        let plan = planned(&text);
        let record = &plan.records[0].step;
        let run = |store: &Store, observer: &dyn Observer, cancel: &AtomicBool| {
            Executor::new(store, &search, &engine, memory, observer, cancel)
                .run(&plan)
                .map(|_| ())
        };
        let folder = tempfile::tempdir().unwrap();
        let straight = Store::open(folder.path(), "cpu").unwrap();
        run(&straight, &Silent, &AtomicBool::new(false)).unwrap();

        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), "cpu").unwrap();
        let cancel = AtomicBool::new(false);
        let stop = StopIn::new("spectrum", |total| total / 10 * 7, &cancel);
        let error = run(&store, &stop, &cancel).expect_err("the run is stopped");
        assert!(error.is_interrupt(), "{what}: {error}");
        let left: Vec<String> = std::fs::read_dir(store.partial(record))
            .unwrap_or_else(|_| panic!("{what}: nothing is left"))
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        assert!(left.iter().any(|name| name.starts_with(what)), "{what}: {left:?}");
        run(&store, &Silent, &AtomicBool::new(false)).unwrap();
        assert!(
            values(&plan, &straight) == values(&plan, &store),
            "{what}: the resumed spectrum differs"
        );
        assert!(
            !store.partial(record).exists(),
            "{what}: what is finished leaves nothing behind"
        );
    }
}
