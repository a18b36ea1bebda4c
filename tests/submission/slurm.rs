//! A real Slurm: two pretended nodes of two cores on this machine.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{STUDY, count, equal_runs, equals_a_local_run, files, status, submission};
use crate::support::{Gradstudy, tools};

/// Slurm takes its time: jobs begin within seconds, and those that were put back into the queue within a quarter minute.
const PATIENCE: Duration = Duration::from_secs(240);

/// Submits the study in the folder; what it said.
#[track_caller]
fn submit(gradstudy: &Gradstudy, arguments: &[&str]) -> String {
    let mut all = vec!["submit", "test.study", "--threads", "1"];
    all.extend_from_slice(arguments);
    gradstudy.run(&all).success().stdout
}

/// Ids of the submission's jobs, the report's last.
fn jobs(gradstudy: &Gradstudy) -> Vec<String> {
    let text = fs::read_to_string(submission(gradstudy).join("jobs.json")).unwrap();
    let jobs: Value = serde_json::from_str(&text).unwrap();
    let ids = jobs
        .as_array()
        .unwrap()
        .iter()
        .map(|job| job["id"].as_str().unwrap().to_string());
    ids.collect()
}

fn queued(ids: &[String]) -> String {
    let jobs = format!("--jobs={}", ids.join(","));
    let output = Command::new("squeue")
        .args(["--noheader", "--format=%i %T %r", &jobs])
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Waits until `ready` says so.
#[track_caller]
fn wait_until(what: &str, mut ready: impl FnMut() -> bool) {
    let start = Instant::now();
    while !ready() {
        assert!(start.elapsed() < PATIENCE, "not in {PATIENCE:?}: {what}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Waits until no job of the submission is in the queue.
#[track_caller]
fn wait_for_the_end(gradstudy: &Gradstudy) {
    let ids = jobs(gradstudy);
    wait_until("the end of all jobs", || queued(&ids).trim().is_empty());
}

/// What the logs say, for messages.
fn logs(gradstudy: &Gradstudy) -> String {
    let logs = files(&submission(gradstudy).join("logs"));
    let texts = logs
        .iter()
        .map(|(name, text)| format!("== {}\n{}", name.display(), String::from_utf8_lossy(text)));
    texts.collect()
}

#[test]
fn an_array_makes_what_a_local_run_makes() {
    if !tools::slurm() {
        return;
    }
    let gradstudy = Gradstudy::new(STUDY);
    let said = submit(&gradstudy, &["--task-time", "0s"]);
    assert!(said.contains("the report, when all have ended"), "{said}");
    let again = gradstudy.run(&["submit", "test.study"]);
    assert!(
        again.code == Some(2) && again.stderr.contains("still at work or waiting"),
        "{}",
        again.stderr
    );
    wait_for_the_end(&gradstudy);
    let (found, code) = status(&gradstudy);
    assert_eq!(
        (count(&found, "done"), code),
        (8, 0),
        "{found:#}\n{}",
        logs(&gradstudy)
    );
    assert_eq!(gradstudy.runs().len(), 1, "{}", logs(&gradstudy));
    equals_a_local_run(&gradstudy, STUDY, &[]);
    // What it cost is in the report, with the machine that made it.
    let manifest = gradstudy::run::open_manifest(&gradstudy.runs()[0]).unwrap();
    assert!(manifest.steps.iter().any(|step| step.operation == "train"));
    assert!(submit(&gradstudy, &[]).contains("nothing to submit"));
}

/// What `.ci/run` also asks for: Table 1 of the paper in its quick form, over four seeds.
#[test]
#[ignore = "takes minutes"]
fn an_array_of_four_seeds_of_mnist_is_a_local_run() {
    let data = std::env::var("GRADSTUDY_DATA").unwrap_or_default();
    if !tools::slurm() || data.is_empty() {
        return tools::lacks("mnist", "no MNIST on this machine");
    }
    let study = fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/studies/table1_random.study"
    ))
    .unwrap();
    let gradstudy = Gradstudy::new(&study);
    let arguments = [
        "--profile",
        "quick",
        "--set",
        "study.seeds=0..3",
        "--data-dir",
        &data,
    ];
    submit(&gradstudy, &[&arguments[..], &["--task-time", "0s"]].concat());
    wait_for_the_end(&gradstudy);
    let (found, code) = status(&gradstudy);
    assert_eq!(
        (count(&found, "done"), code),
        (4, 0),
        "{found:#}\n{}",
        logs(&gradstudy)
    );
    equals_a_local_run(&gradstudy, &study, &arguments);
}

const TRAINING: &str = "study \"Long\" { }\ndata d = fashion_mnist_5k\nmodel m = lenet\n\
                        train t = sgd(lr: 0.01) { of: m  on: d  epochs: EPOCHS  batch: 50 }\n\
                        record g = gradients(of: t, on: d, batch: 10, iterations: 60)\n\
                        test bell = normality(g, points: 20)\n\
                        table one { of: [bell]  rows: [sg_type]  columns: [p_value, train_loss] }\n";

/// When the checkpoint of the folder's only training was written.
fn checkpoint(gradstudy: &Gradstudy) -> Option<std::time::SystemTime> {
    let steps = fs::read_dir(gradstudy.path().join("cache/steps")).ok()?;
    let mut checkpoints = steps.map(|entry| entry.unwrap().path().join("checkpoint.safetensors"));
    checkpoints.find_map(|path| path.metadata().ok()?.modified().ok())
}

/// A signal, as before a time limit, then Slurm's own requeue: the training goes on, and is that of an undisturbed run.
#[test]
#[ignore = "a minute; .ci/run runs it"]
fn a_training_that_is_put_back_into_the_queue_twice_is_that_of_one_run() {
    if !tools::slurm() {
        return;
    }
    let study = TRAINING.replace("EPOCHS", "15");
    let gradstudy = Gradstudy::new(&study);
    submit(&gradstudy, &[]);
    let job = format!("{}_0", jobs(&gradstudy)[0]);
    for signal in [
        &["scancel", "--signal=TERM", &job][..],
        &["scontrol", "requeue", &job],
    ] {
        let before = checkpoint(&gradstudy);
        wait_until("an epoch", || checkpoint(&gradstudy) != before);
        let asked = Command::new(signal[0]).args(&signal[1..]).output().unwrap();
        assert!(asked.status.success(), "{asked:?}");
        let ended = || {
            let state = queued(std::slice::from_ref(&jobs(&gradstudy)[0]));
            state.contains("PENDING")
        };
        wait_until("the queue", ended);
        let (found, code) = status(&gradstudy);
        assert_eq!((count(&found, "waiting"), code), (1, 0), "{found:#}");
    }
    wait_for_the_end(&gradstudy);
    let (found, code) = status(&gradstudy);
    assert_eq!(
        (count(&found, "done"), code),
        (1, 0),
        "{found:#}\n{}",
        logs(&gradstudy)
    );
    assert_eq!(found["units"][0]["state"]["attempts"], 3, "{found:#}");
    equals_a_local_run(&gradstudy, &study, &[]);
}

/// Jobs of a partition give way to those of a better one, and go on.
#[test]
#[ignore = "a minute; .ci/run runs it"]
fn a_job_that_gives_way_goes_on() {
    if !tools::slurm() {
        return;
    }
    let study = TRAINING.replace("EPOCHS", "20");
    let gradstudy = Gradstudy::new(&study);
    fs::write(
        gradstudy.path().join("clusters.toml"),
        "[clusters.scavenge]\nsbatch = [\"--partition=scavenge\", \"--nodelist=n2\"]\n",
    )
    .unwrap();
    let mut command = gradstudy.command(&["submit", "test.study", "--threads", "1"]);
    let output = command
        .env("GRADSTUDY_CLUSTERS", gradstudy.path().join("clusters.toml"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    wait_until("an epoch", || checkpoint(&gradstudy).is_some());
    let other = Command::new("sbatch")
        .args([
            "--parsable",
            "--partition=main",
            "--nodelist=n2",
            "--exclusive",
            "--output=/dev/null",
            "--wrap=sleep 1",
        ])
        .output()
        .unwrap();
    let other = String::from_utf8_lossy(&other.stdout).trim().to_string();
    wait_until("the better job", || {
        queued(std::slice::from_ref(&other)).trim().is_empty()
    });
    wait_for_the_end(&gradstudy);
    let (found, code) = status(&gradstudy);
    assert_eq!(
        (count(&found, "done"), code),
        (1, 0),
        "{found:#}\n{}",
        logs(&gradstudy)
    );
    assert!(
        found["units"][0]["state"]["attempts"].as_u64().unwrap() > 1,
        "{found:#}\n{}",
        logs(&gradstudy)
    );
    equals_a_local_run(&gradstudy, &study, &[]);
}

/// Too little memory: the job is killed, which is seen; with more it is done.
#[test]
fn what_was_killed_for_its_memory_gets_more() {
    if !tools::slurm() {
        return;
    }
    // The class is of 512 MB, of which the site's options leave less than the program itself takes.
    let study = TRAINING.replace("EPOCHS", "3");
    let gradstudy = Gradstudy::new(&study);
    let write = |options: &str| {
        let text = format!("[clusters.small]\nsbatch = [{options}]\n");
        fs::write(gradstudy.path().join("clusters.toml"), text).unwrap();
    };
    let submit = |arguments: &[&str]| {
        let mut command = gradstudy.command(&["submit", "test.study", "--threads", "1"]);
        command
            .args(arguments)
            .env("GRADSTUDY_CLUSTERS", gradstudy.path().join("clusters.toml"));
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    write("\"--mem=24M\"");
    submit(&[]);
    wait_for_the_end(&gradstudy);
    let (found, code) = status(&gradstudy);
    assert_eq!(
        (count(&found, "out of memory"), code),
        (1, 1),
        "{found:#}\n{}",
        logs(&gradstudy)
    );
    let text = gradstudy.run(&["status", "test-"]).stdout;
    assert!(text.contains("--more-memory"), "{text}");
    write("");
    let said = submit(&["--more-memory"]);
    assert!(said.contains("1024 MB"), "{said}");
    wait_for_the_end(&gradstudy);
    assert_eq!(count(&status(&gradstudy).0, "done"), 1, "{}", logs(&gradstudy));
}

/// A unit that fails takes its dependents with it, and nothing waits for ever; mended, what is missing is submitted.
#[test]
fn a_failing_unit_blocks_its_own_dependents_alone_until_it_is_mended() {
    if !tools::slurm() {
        return;
    }
    let gradstudy = Gradstudy::new(STUDY);
    let plan = gradstudy
        .run(&["submit", "test.study", "--to", "json", "--print"])
        .success()
        .stdout;
    let plan: Value = serde_json::from_str(&plan).unwrap();
    assert_eq!(plan["tasks"].as_array().unwrap().len(), 2);
    let steps = gradstudy.run(&["plan", "test.study", "--json"]).success().stdout;
    let steps: Value = serde_json::from_str(&steps).unwrap();
    let training = steps["steps"]
        .as_array()
        .unwrap()
        .iter()
        .find(|step| step["operation"] == "train")
        .unwrap();
    let obstacle = format!("cache/steps/{}-cpu.partial", training["id"].as_str().unwrap());
    let obstacle = gradstudy.path().join(obstacle);
    fs::write(&obstacle, "").unwrap();
    submit(&gradstudy, &["--task-time", "0s"]);
    wait_for_the_end(&gradstudy);
    let (found, code) = status(&gradstudy);
    let counts = ["done", "failed", "blocked"].map(|word| count(&found, word));
    assert_eq!((counts, code), ([5, 1, 2], 1), "{found:#}\n{}", logs(&gradstudy));
    let report = gradstudy.runs().pop().expect("the report of what is there");
    assert!(
        fs::read_to_string(report.join("two.md"))
            .unwrap()
            .contains("failed")
    );
    fs::remove_file(&obstacle).unwrap();
    let said = submit(&gradstudy, &["--task-time", "0s"]);
    assert!(said.contains("wave 2, 2 tasks"), "{said}");
    wait_for_the_end(&gradstudy);
    assert_eq!(count(&status(&gradstudy).0, "done"), 8, "{}", logs(&gradstudy));
    equals_a_local_run(&gradstudy, STUDY, &[]);
}

#[test]
fn what_is_cancelled_ends_and_can_be_gone_on_with() {
    if !tools::slurm() {
        return;
    }
    let study = TRAINING.replace("EPOCHS", "3000");
    let gradstudy = Gradstudy::new(&study);
    submit(&gradstudy, &[]);
    wait_until("an epoch", || checkpoint(&gradstudy).is_some());
    let said = gradstudy.run(&["cancel", "test-"]).success().stdout;
    assert!(said.contains("2 jobs ended"), "{said}");
    wait_for_the_end(&gradstudy);
    let is_stopped = || count(&status(&gradstudy).0, "stopped") == 1;
    wait_until("the end of the task", is_stopped);
    assert!(gradstudy.runs().is_empty());
    assert!(checkpoint(&gradstudy).is_some(), "its work is saved");
    submit(&gradstudy, &[]);
    gradstudy.run(&["cancel", "test-"]).success();
    wait_for_the_end(&gradstudy);
}

/// Two studies that share a training, submitted at once to one cache; then the study is changed.
#[test]
fn submissions_share_what_they_have_in_common() {
    if !tools::slurm() {
        return;
    }
    let gradstudy = Gradstudy::new(STUDY);
    let path = |name: &str| gradstudy.path().join(name);
    let of = |study: &str| {
        let said = gradstudy
            .run(&["submit", study, "--threads", "1", "--task-time", "0s"])
            .success();
        let jobs = said.stdout.lines().filter_map(|line| line.strip_prefix("job "));
        jobs.map(|line| line.split(':').next().unwrap().to_string())
            .collect::<Vec<_>>()
    };
    fs::write(path("other.study"), STUDY.replace("points: 20", "points: 25")).unwrap();
    let mut jobs = of("test.study");
    jobs.extend(of("other.study"));
    wait_until("the end of all jobs", || queued(&jobs).trim().is_empty());
    let all = gradstudy.run(&["status", "--json"]).success().stdout;
    let all: Value = serde_json::from_str(&all).unwrap();
    let done: Vec<u64> = all["submissions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| count(it, "done"))
        .collect();
    assert_eq!(done, [8, 8], "{all:#}");
    // Nothing was made twice: each training has one checkpoint's worth of epochs in its logs.
    let logs: String = files(&path("cache/submissions"))
        .into_iter()
        .filter(|(name, _)| name.extension().is_some_and(|end| end == "log"))
        .map(|(_, text)| String::from_utf8_lossy(&text).into_owned())
        .collect();
    assert_eq!(
        logs.lines()
            .filter(|line| line.contains("train short") && line.contains("done in"))
            .count(),
        2,
        "{logs}"
    );
    // The study changed between two submissions: another one, that makes what is new.
    fs::write(path("test.study"), STUDY.replace("top(30)", "top(35)")).unwrap();
    let jobs = of("test.study");
    assert_eq!(
        jobs.len(),
        3,
        "two arrays of at most three, and the report: {jobs:?}"
    );
    wait_until("the end of all jobs", || queued(&jobs).trim().is_empty());
    let changed = Gradstudy::new(&STUDY.replace("top(30)", "top(35)"));
    changed.run(&["run", "test.study", "--threads", "1"]).success();
    equal_runs(&changed.runs()[0], &gradstudy, &gradstudy.runs().pop().unwrap());
}
