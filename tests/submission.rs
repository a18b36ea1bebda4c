//! Studies in pieces: units and tasks, run by a shell, by GNU parallel, by Slurm.

#[cfg(unix)]
mod pretended;
mod schedules;
mod shell;
mod slurm;
mod units;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::Gradstudy;

/// Two trainings with a recording each, and recordings at random weights: eight units in two waves, of a second or less.
const STUDY: &str = r#"
study "In pieces" { seeds: [0, 1] }
data  fashion = fashion_mnist_5k(subset: 600)
model lenet   = lenet(logits: 10)
train short   = sgd(lr: 0.05, momentum: 0.9) { of: lenet on: fashion epochs: 2 batch: 50 }
vary weights in [lenet, short]
record g = gradients(of: weights, on: fashion, batch: 3, iterations: 40)
record h = gradients(of: short, on: fashion, batch: 4, iterations: 40)
spectrum c = covariance(of: g, top: 20)
test tails = power_law(g, tail: top(30))
test bell  = normality(h, points: 20)
test eigen = power_law(c, tail: top(10))
table one { of: [tails, eigen] rows: [training, sg_type] columns: [d_ks, power_law_rate] }
table two { of: [bell] rows: [training, sg_type] columns: [p_value, gaussian_rate, train_loss] }
"#;

/// The lines of tasks that `submit … --to shell` prints, comments left out.
fn lines(gradstudy: &Gradstudy, arguments: &[&str]) -> Vec<String> {
    let mut all = vec!["submit", "test.study", "--to", "shell", "--threads", "1"];
    all.extend_from_slice(arguments);
    let said = gradstudy.run(&all).success();
    let lines = said.stdout.lines().filter(|line| !line.starts_with('#'));
    lines.map(str::to_string).collect()
}

/// Runs a line of a shell in the folder; its exit code.
fn shell(gradstudy: &Gradstudy, line: &str) -> i32 {
    let mut command = Command::new("sh");
    command.args(["-c", line]).current_dir(gradstudy.path());
    command.env("GRADSTUDY_CACHE", gradstudy.path().join("cache"));
    command.env("HOME", gradstudy.path());
    command.output().unwrap().status.code().unwrap()
}

/// What `status --json` says of the only submission of the folder, and its exit code.
fn status(gradstudy: &Gradstudy) -> (Value, i32) {
    let said = gradstudy.run(&["status", "test-", "--json"]);
    (serde_json::from_str(&said.stdout).unwrap(), said.code.unwrap())
}

/// How many units stand so.
fn count(status: &Value, standing: &str) -> u64 {
    status["counts"][standing].as_u64().unwrap()
}

/// The folder of the only submission.
fn submission(gradstudy: &Gradstudy) -> PathBuf {
    let folders = fs::read_dir(gradstudy.path().join("cache/submissions")).unwrap();
    let folders: Vec<PathBuf> = folders.map(|entry| entry.unwrap().path()).collect();
    let [only] = &folders[..] else {
        panic!("one submission, found {folders:?}")
    };
    only.clone()
}

fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    walkdir::WalkDir::new(folder)
        .into_iter()
        .map(|entry| entry.unwrap().into_path())
        .filter(|path| path.is_file())
        .map(|path| {
            (
                path.strip_prefix(folder).unwrap().to_path_buf(),
                fs::read(&path).unwrap(),
            )
        })
        .collect()
}

/// Fails unless the last run of `collected` is that of `local`, which is run now on one thread with `arguments`, in every
/// byte but for times.
#[track_caller]
fn equals_a_local_run(collected: &Gradstudy, study: &str, arguments: &[&str]) {
    let local = Gradstudy::new(study);
    let mut all = vec!["run", "test.study", "--threads", "1"];
    all.extend_from_slice(arguments);
    let code = local.run(&all).code;
    assert!(matches!(code, Some(0 | 1)), "{code:?}");
    equal_runs(
        &local.runs().remove(0),
        collected,
        &collected.runs().pop().unwrap(),
    );
}

/// Fails unless two runs are the same in every byte but for times.
#[track_caller]
fn equal_runs(expected: &Path, of: &Gradstudy, found: &Path) {
    let manifests = [expected, found].map(|run| fs::read_to_string(run.join("manifest.yaml")).unwrap());
    let facts = manifests
        .each_ref()
        .map(|text| text.split_once("\ntimes:\n").unwrap().0);
    let lines = facts[0].lines().zip(facts[1].lines());
    let differs = lines.filter(|(a, b)| a != b).take(3).collect::<Vec<_>>();
    assert!(facts[0] == facts[1], "{differs:#?}");
    // With the times of the first, the second renders to the same bytes.
    fs::write(found.join("manifest.yaml"), &manifests[0]).unwrap();
    of.run(&["report", found.to_str().unwrap()]).success();
    let [expected, found] = [expected, found].map(files);
    assert!(
        expected.len() > 12 && expected.keys().eq(found.keys()),
        "{:?}",
        found.keys()
    );
    for (name, bytes) in &expected {
        assert!(found[name] == *bytes, "{} differs", name.display());
    }
}
