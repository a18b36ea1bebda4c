//! What interrupted steps leave, to be gone on with.

use std::fs;
use std::sync::atomic::AtomicBool;

use gradstudy::data::SearchPath;
use gradstudy::execute::observer::Silent;
use gradstudy::execute::{Execution, Executor, Observer};
use gradstudy::gradients::engine::Engine;
use gradstudy::plan::{self, Plan};
use gradstudy::store::Store;
use gradstudy::study::{Overrides, check_with};
use gradstudy::syntax::Source;
use gradstudy::vocabulary::VOCABULARY;

use super::{FAULTS, files_in, inflict};
use crate::support::StopIn;

fn plan_of(statements: &str) -> Plan {
    let text = format!(
        "study \"Faults\" {{ seeds: 0  allow: [W0101, W0103] }}\ndata d = fashion_mnist_5k(subset: 1000)\n{statements}"
    );
    let source = Source::new("test.study", text);
    let (study, _) = check_with(&source, &Overrides::default(), &VOCABULARY).unwrap();
    plan::lower(&study, &SearchPath::default()).unwrap()
}

fn run(
    plan: &Plan,
    store: &Store,
    memory: u64,
    observer: &dyn Observer,
    cancel: &AtomicBool,
) -> Option<Execution> {
    let (search, engine) = (SearchPath::default(), Engine::Host);
    let executor = Executor::new(store, &search, &engine, memory, observer, cancel);
    match executor.run(plan) {
        Ok(execution) => Some(execution),
        Err(error) => {
            assert!(error.is_interrupt(), "{error}");
            None
        }
    }
}

/// All numbers of a run.
fn found(execution: Execution) -> String {
    let mut outcomes: Vec<_> = execution.outcomes.into_iter().collect();
    let mut spectra: Vec<_> = execution.spectra.into_iter().collect();
    outcomes.sort_by(|a, b| a.0.cmp(&b.0));
    spectra.sort_by(|a, b| a.0.cmp(&b.0));
    format!("{outcomes:?} {spectra:?} {:?}", execution.trainings)
}

/// Stops a run in `verb` after so many units, does each fault to each file that is left, and goes on.
fn goes_on(statements: &str, memory: u64, verb: &'static str, after: u64, expected: &[&str]) {
    let plan = plan_of(statements);
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("whole"), "cpu").unwrap();
    let whole = run(&plan, &store, memory, &Silent, &AtomicBool::new(false)).unwrap();
    let whole = found(whole);
    let stopped = folder.path().join("stopped");
    let cancel = AtomicBool::new(false);
    let stop = StopIn::new(verb, move |_| after, &cancel);
    let store = Store::open(&stopped, "cpu").unwrap();
    assert!(
        run(&plan, &store, memory, &stop, &cancel).is_none(),
        "the run is stopped"
    );
    let partials: Vec<String> = files_in(&stopped.join("steps"))
        .into_iter()
        .filter(|name| name.ends_with(".partial"))
        .collect();
    let mut kinds = Vec::new();
    for partial in &partials {
        for name in files_in(&stopped.join("steps").join(partial)) {
            kinds.push(without_hash(&name));
            for (number, fault) in FAULTS.into_iter().enumerate() {
                let copy = folder.path().join("copy");
                copy_folder(&stopped, &copy);
                inflict(
                    fault,
                    &copy.join("steps").join(partial).join(&name),
                    number as u64,
                );
                let store = Store::open(&copy, "cpu").unwrap();
                let again = run(&plan, &store, memory, &Silent, &AtomicBool::new(false)).unwrap();
                assert!(whole == found(again), "{fault:?} of {name}: other numbers");
                fs::remove_dir_all(&copy).unwrap();
            }
        }
    }
    assert_eq!(kinds, expected);
}

/// The name without the hash that tells ways to divide a history apart.
fn without_hash(name: &str) -> String {
    let is_hash = |part: &&str| part.len() == 10 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    let parts: Vec<&str> = name.split('-').filter(|part| !is_hash(part)).collect();
    parts.join("-")
}

fn copy_folder(from: &std::path::Path, to: &std::path::Path) {
    for entry in walkdir::WalkDir::new(from) {
        let entry = entry.unwrap();
        let target = to.join(entry.path().strip_prefix(from).unwrap());
        match entry.file_type().is_dir() {
            true => fs::create_dir_all(target).unwrap(),
            false => fs::copy(entry.path(), target).map(|_| ()).unwrap(),
        }
    }
}

#[test]
fn trainings_go_on_from_whole_checkpoints_alone() {
    let study = "model m = lenet\n\
                 train t = sgd(lr: 0.05, momentum: 0.9) { of: m on: d epochs: 3 batch: 50 }\n\
                 record g = gradients(of: t, on: d, batch: 1, iterations: 30)\n\
                 test tails = power_law(g, tail: top(20), along: [dimension])\n\
                 table one { of: [tails] rows: [sg_type] columns: [d_ks] }";
    goes_on(study, u64::MAX, "train", 30, &["checkpoint.safetensors"]);
}

#[test]
fn recordings_go_on_from_whole_gradients_alone() {
    let study = "model m = lenet\n\
                 record g = gradients(of: m, on: d, batch: 250, iterations: 96, through: adam)\n\
                 test tails = power_law(g, tail: top(20), along: [dimension])\n\
                 table one { of: [tails] rows: [sg_type] columns: [d_ks] }";
    goes_on(
        study,
        1,
        "record",
        65,
        &["done", "history.f32", "moments.safetensors"],
    );
}

#[test]
fn searches_for_eigenvalues_go_on_from_whole_spaces_alone() {
    let study = "model m = fcn(depth: 1, width: 8)\n\
                 spectrum q = hessian(of: m, on: d, samples: 100, top: 5, batch_norm: running)\n\
                 test shape = spectrum_shape(q, head: 1)\n\
                 table one { of: [shape] rows: [spectrum] columns: [largest] }";
    goes_on(
        study,
        u64::MAX,
        "spectrum",
        40,
        &["basis-0.f32", "lanczos.safetensors"],
    );
}

#[test]
fn sums_of_inner_products_go_on_from_whole_ones_alone() {
    let study = "model m = lenet\n\
                 record g = gradients(of: m, on: d, batch: 20, iterations: 50)\n\
                 spectrum c = covariance(g, top: 10)\n\
                 test shape = spectrum_shape(c, head: 1)\n\
                 table one { of: [shape] rows: [spectrum] columns: [largest] }";
    goes_on(
        study,
        3_000_000,
        "spectrum",
        44_426 * 30,
        &["done", "history-single.safetensors", "history.f32"],
    );
}
