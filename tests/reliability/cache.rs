//! Finished steps in the cache.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use super::{FAULTS, files_in, inflict};
use crate::support::Gradstudy;

/// Every kind of step that leaves files.
const STUDY: &str = r#"
study "Faults" { seeds: 0  allow: [W0103] }
data  d = fashion_mnist_5k(subset: 300)
model m = fcn(depth: 1, width: 3)
train t = sgd(lr: 0.05) { of: m  on: d  epochs: 1  batch: 50 }
record g = gradients(of: t, on: d, batch: 3, iterations: 40, keep: true)
record h = gradients(of: m, on: d, batch: 3, iterations: 40)
spectrum c = covariance(g, top: 20)
spectrum q = hessian(of: t, on: d, samples: 40, top: 3, batch_norm: running)
test tails = power_law(g, tail: top(20))
test bell  = normality(g, points: 20)
test line  = power_law(c, tail: top(15))
test shape = spectrum_shape(q, head: 1)
test same  = subspace_overlap(g, h, top: 2)
table one { of: [tails, bell] rows: [sg_type] columns: [d_ks, p_value] }
table two { of: [line, shape, same] rows: [spectrum] columns: [d_ks, largest, overlap] }
"#;

/// A finished step of the cache.
#[derive(Debug, Clone)]
struct Folder {
    path: PathBuf,
    id: String,
    inputs: Vec<String>,
}

fn steps(gradstudy: &Gradstudy) -> Vec<Folder> {
    let mut steps = Vec::new();
    for name in files_in(&gradstudy.path().join("cache/steps")) {
        let path = gradstudy.path().join("cache/steps").join(&name);
        let Ok(key) = fs::read(path.join("key.json")) else {
            continue;
        };
        if name.starts_with('.') {
            continue;
        }
        let key: serde_json::Value = serde_json::from_slice(&key).unwrap();
        let inputs = key["inputs"].as_array().unwrap().iter();
        steps.push(Folder {
            path,
            id: name.split('-').next().unwrap().to_string(),
            inputs: inputs.map(|id| id.as_str().unwrap().to_string()).collect(),
        });
    }
    steps
}

/// Removes what is made from the step, so that it is read again.
fn forget_users(all: &[Folder], id: &str) {
    let mut gone = BTreeSet::from([id.to_string()]);
    for _ in 0..all.len() {
        for step in all {
            if step.inputs.iter().any(|input| gone.contains(input)) {
                gone.insert(step.id.clone());
            }
        }
    }
    for step in all.iter().filter(|step| step.id != id && gone.contains(&step.id)) {
        fs::remove_dir_all(&step.path).unwrap();
    }
}

#[test]
fn a_damaged_step_is_set_aside_and_made_again() {
    let gradstudy = Gradstudy::new(STUDY);
    gradstudy.run(&["run", "test.study"]).success();
    let outputs = |gradstudy: &Gradstudy| {
        let run = gradstudy.runs().pop().unwrap();
        let names = [
            "results.yaml",
            "spectra.json",
            "samples.safetensors",
            "verdicts.safetensors",
        ];
        let files = names.map(|name| fs::read(run.join(name)).unwrap());
        fs::remove_dir_all(gradstudy.path().join("reports")).unwrap();
        files
    };
    let expected = outputs(&gradstudy);
    let mut kinds = BTreeSet::new();
    for step in steps(&gradstudy) {
        for (number, name) in files_in(&step.path).iter().enumerate() {
            kinds.insert(name.clone());
            // One kind of fault a file, each kind of file by all in turn.
            let fault = FAULTS[(number + kinds.len()) % FAULTS.len()];
            forget_users(&steps(&gradstudy), &step.id);
            inflict(fault, &step.path.join(name), number as u64);
            let said = gradstudy.run(&["run", "test.study"]).success();
            let case = format!("{fault:?} of {name} of {}:\n{}", step.id, said.stderr);
            assert!(outputs(&gradstudy) == expected, "{case}");
            let told = said.stderr.replace("\n  │ ", " ");
            assert!(
                told.contains("not as it was written") && told.contains(&step.id[..10]),
                "{case}"
            );
        }
    }
    let expected = [
        "eigenvectors.safetensors",
        "facts.yaml",
        "history.f32",
        "key.json",
        "outcome.yaml",
        "samples.safetensors",
        "spectrum.json",
        "verdicts.bits",
        "weights.safetensors",
    ];
    assert_eq!(
        kinds.iter().collect::<Vec<_>>(),
        expected.iter().collect::<Vec<_>>()
    );
    // What was set aside is freed without a question of what needs it: nothing does.
    let said = gradstudy.run(&["gc", "--yes"]).success();
    assert!(said.stdout.contains("damaged"), "{}", said.stdout);
    let left = files_in(&gradstudy.path().join("cache/steps"));
    assert!(!left.iter().any(|name| name.starts_with(".damaged-")), "{left:?}");
}

/// A step of an older gradstudy has no hashes: it is used as it is.
#[test]
fn steps_without_hashes_are_used() {
    let gradstudy = Gradstudy::new(STUDY);
    gradstudy.run(&["run", "test.study"]).success();
    for step in steps(&gradstudy) {
        let path = step.path.join("key.json");
        let mut key: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let map = key.as_object_mut().unwrap();
        assert!(map.shift_remove("files").is_some() && map.shift_remove("check").is_some());
        fs::write(&path, serde_json::to_string_pretty(&key).unwrap()).unwrap();
    }
    let said = gradstudy.run(&["run", "test.study"]).success();
    assert!(!said.stderr.contains("not as it was written"), "{}", said.stderr);
    assert!(said.stderr.contains("nothing to make"), "{}", said.stderr);
    // But not one that has lost a part of what it says, which a plan knows, too.
    let path = steps(&gradstudy)[0].path.join("key.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("\"inputs\"", "\"files\"")).unwrap();
    let planned = gradstudy.run(&["plan", "test.study"]).success();
    assert!(
        planned
            .stdout
            .contains("`key.json` in the cache is not as it was written"),
        "{}",
        planned.stdout
    );
    let said = gradstudy.run(&["run", "test.study"]).success();
    assert!(!said.stderr.contains("nothing to make"), "{}", said.stderr);
}
