//! Several devices at once, here several engines of the host.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use gradstudy::data::SearchPath;
use gradstudy::execute::observer::Silent;
use gradstudy::execute::{ExecuteError, Execution, Executor, Observer};
use gradstudy::gradients::engine::Engine;
use gradstudy::plan::{self, Plan, Step};
use gradstudy::store::Store;
use gradstudy::study;
use gradstudy::syntax::Source;
use gradstudy::vocabulary::VOCABULARY;

const STUDY: &str = r#"
study "Beside" { seeds: [0, 1]  allow: [W0103] }
data  fashion = fashion_mnist_5k(subset: 600)
model lenet   = lenet(logits: 10)
train first   = sgd(lr: RATE) { of: lenet  on: fashion  epochs: 1  batch: 100 }
train second  = sgd(lr: 0.01) { of: first  on: fashion with symmetric(40%)    epochs: 1  batch: 100 }
record g = gradients(of: lenet, on: fashion, batch: 5, iterations: 60)
record h = gradients(of: second, on: fashion with symmetric(40%), batch: 5, iterations: 60)
spectrum c = covariance(h, top: 30)
spectrum e = eigengaps(c)
spectrum l = hessian(of: first, on: fashion, top: 3, samples: 100)
test tails = power_law(g, tail: top(50))
test bell  = normality(h, points: 50)
test ks    = power_law(e, tail: top(20))
"#;

fn planned(rate: &str) -> Plan {
    let source = Source::new("test.study", STUDY.replace("RATE", rate));
    let (study, _) = study::check(&source, &VOCABULARY).unwrap_or_else(|found| panic!("{found:?}"));
    plan::lower(&study, &SearchPath::default()).unwrap()
}

fn run(
    plan: &Plan,
    store: &Store,
    beside: &[Engine],
    observer: &dyn Observer,
    stop: &AtomicBool,
) -> Result<Execution, ExecuteError> {
    let search = SearchPath::default();
    let mut executor = Executor::new(store, &search, &Engine::Host, 1 << 30, observer, stop);
    executor.beside = beside;
    executor.run(plan)
}

/// What a run came to, and its steps.
fn found(execution: &Execution) -> (BTreeMap<String, String>, BTreeMap<String, bool>) {
    let outcomes = execution.outcomes.iter().map(|(id, outcome)| {
        let text = serde_yaml::to_string(outcome).unwrap();
        (id.short().to_string(), text)
    });
    let spectra = execution.spectra.iter().map(|(id, spectrum)| {
        let text = serde_yaml::to_string(spectrum).unwrap();
        (id.short().to_string(), text)
    });
    let steps = execution.steps.iter();
    let steps: Vec<_> = steps
        .map(|step| (step.id.short().to_string(), step.reused))
        .collect();
    let count = steps.len();
    let steps: BTreeMap<String, bool> = steps.into_iter().collect();
    assert_eq!(steps.len(), count, "each step is told of once");
    (outcomes.chain(spectra).collect(), steps)
}

#[test]
fn devices_side_by_side_find_what_one_finds() {
    let plan = planned("0.01");
    let stop = AtomicBool::new(false);
    let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let stores = [0, 1].map(|i| Store::open(folders[i].path(), "cpu").unwrap());
    let one = run(&plan, &stores[0], &[], &Silent, &stop).unwrap();
    let engines = [Engine::Host, Engine::Host];
    let three = run(&plan, &stores[1], &engines, &Silent, &stop).unwrap();
    let ((expected, steps), (results, those)) = (found(&one), found(&three));
    assert!(expected.len() >= 12, "{} results", expected.len());
    assert_eq!(results, expected);
    assert_eq!(those, steps, "each step is made once, by one of them");
    assert_eq!(three.trainings.len(), one.trainings.len());
    let again = found(&run(&plan, &stores[1], &engines, &Silent, &stop).unwrap());
    assert_eq!(again.0, expected);
    for report in run(&plan, &stores[1], &engines, &Silent, &stop).unwrap().steps {
        assert!(report.reused || report.operation == "load" || report.operation == "corrupt");
    }
}

/// What needs no training that diverged is made, and the same steps fail, on one device and on two.
#[test]
fn a_failure_on_one_of_them_spares_what_does_not_need_it() {
    let plan = planned("1e6");
    let stop = AtomicBool::new(false);
    let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let stores = [0, 1].map(|i| Store::open(folders[i].path(), "cpu").unwrap());
    let one = run(&plan, &stores[0], &[], &Silent, &stop).unwrap();
    let two = run(&plan, &stores[1], &[Engine::Host], &Silent, &stop).unwrap();
    for execution in [&one, &two] {
        let first = execution.failures.iter().filter(|(id, it)| **id == it.step);
        let reasons: Vec<&str> = first.map(|(_, it)| it.reason.as_str()).collect();
        assert_eq!(
            reasons, ["diverged at epoch 1"; 2],
            "the first training, in both seeds"
        );
        let tails = plan.measurements.iter().filter(|it| it.test == "tails");
        assert!(
            tails.clone().count() == 4 && tails.clone().all(|it| execution.outcomes.contains_key(&it.step))
        );
        let others = plan.measurements.iter().filter(|it| it.test != "tails");
        assert!(others.clone().all(|it| execution.failures.contains_key(&it.step)));
    }
    assert_eq!(found(&two).0, found(&one).0);
}

#[test]
fn a_failure_ends_all_of_them_where_that_is_asked_for() {
    let plan = planned("1e6");
    let stop = AtomicBool::new(false);
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), "cpu").unwrap();
    let (search, engines) = (SearchPath::default(), [Engine::Host]);
    let mut executor = Executor::new(&store, &search, &Engine::Host, 1 << 30, &Silent, &stop);
    (executor.beside, executor.fail_fast) = (&engines, true);
    let error = executor.run(&plan).unwrap_err();
    assert!(
        !error.is_interrupt() && format!("{error:?}").contains("Diverged"),
        "{error:?}"
    );
}

/// Stops a run when the first training ends.
struct Stop<'a>(&'a AtomicBool);

impl Observer for Stop<'_> {
    fn begin(&self, _: &Step, _: u64, _: u64, _: &str) {}
    fn advance(&self, _: u64) {}
    fn note(&self, _: &str) {}
    fn end(&self, step: &Step, _: f64) {
        if step.key.operation.verb() == "train" {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    fn reused(&self, _: &Step) {}
}

#[test]
fn a_run_that_is_stopped_goes_on_from_what_is_there() {
    let plan = planned("0.01");
    let stop = AtomicBool::new(false);
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), "cpu").unwrap();
    let engines = [Engine::Host];
    let error = run(&plan, &store, &engines, &Stop(&stop), &stop).unwrap_err();
    assert!(error.is_interrupt(), "{error}");
    stop.store(false, Ordering::Relaxed);
    let rest = found(&run(&plan, &store, &engines, &Silent, &stop).unwrap());
    assert!(rest.1.values().any(|reused| *reused), "a training was kept");
    let folder = tempfile::tempdir().unwrap();
    let fresh = Store::open(folder.path(), "cpu").unwrap();
    assert_eq!(rest.0, found(&run(&plan, &fresh, &[], &Silent, &stop).unwrap()).0);
}
