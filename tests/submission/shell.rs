//! Tasks started by a shell: what every scheduler does in the end.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{STUDY, count, equals_a_local_run, lines, shell, status, submission};
use crate::support::{Gradstudy, tools};

#[test]
fn tasks_of_gnu_parallel_make_what_a_local_run_makes() {
    if !tools::parallel() {
        return;
    }
    let gradstudy = Gradstudy::new(STUDY);
    let lines = lines(&gradstudy, &["--task-time", "0s"]);
    assert_eq!(lines.len(), 8);
    assert_eq!(
        lines.iter().filter(|line| line.ends_with(" --wait")).count(),
        4,
        "{lines:?}"
    );
    fs::write(gradstudy.path().join("tasks"), lines.join("\n")).unwrap();
    assert_eq!(shell(&gradstudy, "parallel -j 3 < tasks"), 0);
    let (found, code) = status(&gradstudy);
    assert_eq!((count(&found, "done"), code), (8, 0), "{found:#}");
    let said = gradstudy
        .run(&["run", "test.study", "--cached", "--threads", "1"])
        .success();
    assert!(said.stdout.contains("report in"), "{}", said.stdout);
    equals_a_local_run(&gradstudy, STUDY, &[]);
    // The report of a submission is that of its study.
    let name = submission(&gradstudy);
    let again = gradstudy
        .run(&["run", name.to_str().unwrap(), "--cached"])
        .success();
    assert!(again.stdout.contains("nothing new"), "{}", again.stdout);
    let nothing = gradstudy
        .run(&["submit", "test.study", "--to", "shell"])
        .success();
    assert!(
        nothing.stdout.is_empty() && nothing.stderr.contains("nothing to submit"),
        "{}",
        nothing.stderr
    );
}

#[test]
fn what_is_missing_is_named_and_left_out_only_when_that_is_asked_for() {
    let gradstudy = Gradstudy::new(STUDY);
    // Units of both waves in tasks of their own; only the first wave is begun.
    let lines = lines(&gradstudy, &[]);
    assert_eq!(lines.len(), 2);
    assert_eq!(shell(&gradstudy, lines[1].trim_end_matches(" --wait")), 1);
    let (found, code) = status(&gradstudy);
    assert_eq!(
        (count(&found, "blocked"), count(&found, "waiting"), code),
        (4, 4, 1)
    );
    let why = found["units"]
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["is"] == "blocked")
        .unwrap();
    assert!(
        why["why"]
            .as_str()
            .unwrap()
            .starts_with("its input has not been begun: train short"),
        "{why}"
    );
    assert_eq!(shell(&gradstudy, &lines[0]), 0);
    let whole = gradstudy.run(&["run", "test.study", "--cached"]);
    assert_eq!(whole.code, Some(1));
    assert!(
        whole.stderr.contains("the cache lacks results of 4 units:"),
        "{}",
        whole.stderr
    );
    assert!(
        whole.stderr.contains("record h: ") && gradstudy.runs().is_empty(),
        "{}",
        whole.stderr
    );
    let partial = gradstudy.run(&["run", "test.study", "--cached", "--partial"]);
    assert_eq!(partial.code, Some(1));
    assert!(
        partial.stdout.contains("missing") && gradstudy.runs().len() == 1,
        "{}",
        partial.stdout
    );
    // What is submitted again is what is missing; numbers of tasks keep their meaning.
    let again = super::lines(&gradstudy, &[]);
    assert_eq!(again.len(), 1);
    assert!(again[0].ends_with(" 2"), "{again:?}");
    assert_eq!(shell(&gradstudy, &again[0]), 0);
    assert_eq!(shell(&gradstudy, &lines[1]), 0, "all of it is in the cache");
    gradstudy
        .run(&["run", "test.study", "--cached", "--threads", "1"])
        .success();
    equals_a_local_run(&gradstudy, STUDY, &[]);
}

/// Studies that fail fail in the same way.
#[test]
fn a_failing_unit_is_what_it_is_in_a_local_run() {
    let study = STUDY
        .replace("lr: 0.05, momentum: 0.9", "lr: rate")
        .replace("train short", "vary rate in [0.05, 1e6]\ntrain short");
    let study = study.replace("rows: [training", "rows: [rate, training");
    let gradstudy = Gradstudy::new(&study);
    let lines = lines(&gradstudy, &[]);
    let codes: Vec<i32> = lines.iter().map(|line| shell(&gradstudy, line)).collect();
    assert_eq!(codes, [1, 1]);
    let (found, code) = status(&gradstudy);
    assert_eq!(
        (count(&found, "failed"), count(&found, "blocked"), code),
        (2, 4, 1),
        "{found:#}"
    );
    let units = found["units"].as_array().unwrap();
    let blocked = units.iter().find(|it| it["is"] == "blocked").unwrap();
    assert!(
        blocked["why"]
            .as_str()
            .unwrap()
            .starts_with("its input failed: train short"),
        "{blocked}"
    );
    let said = gradstudy.run(&["run", "test.study", "--cached", "--partial", "--threads", "1"]);
    assert_eq!(said.code, Some(1));
    assert!(said.stdout.contains("diverged at epoch 1"), "{}", said.stdout);
    equals_a_local_run(&gradstudy, &study, &[]);
}

/// A disk that gives trouble, or a folder that may not be written to: mended, only what is missing is made.
#[test]
fn trouble_is_told_and_what_is_missing_is_made_later() {
    let gradstudy = Gradstudy::new(STUDY);
    let lines = lines(&gradstudy, &[]);
    let manifest = fs::read_to_string(submission(&gradstudy).join("manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    let units = manifest["units"].as_array().unwrap();
    let training = units
        .iter()
        .find(|unit| unit["label"].as_str().unwrap().starts_with("train"))
        .unwrap();
    let step = training["steps"][0][0].as_str().unwrap();
    // A file lies where the checkpoints of a training are to go.
    let obstacle = gradstudy.path().join(format!("cache/steps/{step}-cpu.partial"));
    fs::write(&obstacle, "").unwrap();
    assert_eq!(shell(&gradstudy, &lines[0]), 2);
    let (found, code) = status(&gradstudy);
    assert_eq!((count(&found, "failed"), code), (1, 1), "{found:#}");
    assert_eq!(count(&found, "done") + count(&found, "stopped"), 3, "{found:#}");
    fs::remove_file(&obstacle).unwrap();
    for line in super::lines(&gradstudy, &[]) {
        assert_eq!(shell(&gradstudy, &line), 0);
    }
    assert_eq!(count(&status(&gradstudy).0, "done"), 8);
}

/// A training that is asked to end by a signal, twice, and goes on.
#[cfg(unix)]
#[test]
#[ignore = "a minute; .ci/run runs it"]
fn a_task_that_is_stopped_goes_on_where_it_was() {
    let study = "study \"Stopped\" { }\ndata d = fashion_mnist_5k\nmodel m = lenet\n\
                 train t = sgd(lr: 0.01) { of: m  on: d  epochs: 20  batch: 50 }\n\
                 record g = gradients(of: t, on: d, batch: 10, iterations: 60)\n\
                 test bell = normality(g, points: 20)\n\
                 table one { of: [bell]  rows: [sg_type]  columns: [p_value, train_loss] }\n";
    let gradstudy = Gradstudy::new(study);
    let line = lines(&gradstudy, &[]).remove(0);
    let folder = submission(&gradstudy);
    let epochs = || {
        let steps = fs::read_dir(gradstudy.path().join("cache/steps")).unwrap();
        let checkpoints = steps.map(|entry| entry.unwrap().path().join("checkpoint.safetensors"));
        let mut written = checkpoints.filter_map(|path| path.metadata().ok()?.modified().ok());
        written.next()
    };
    let mut before = None;
    for _ in 0..2 {
        let mut command = Command::new("sh");
        command
            .args(["-c", &format!("exec {line}")])
            .stderr(Stdio::null())
            .stdout(Stdio::null());
        let mut child = command.spawn().unwrap();
        let start = Instant::now();
        // Until an epoch of this process is saved.
        while epochs() == before {
            assert!(start.elapsed() < Duration::from_secs(120), "no epoch");
            assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
            std::thread::sleep(Duration::from_millis(5));
        }
        before = epochs();
        let kill = Command::new("kill").arg(child.id().to_string()).status().unwrap();
        assert!(kill.success());
        assert_eq!(child.wait().unwrap().code(), Some(75));
        let (found, code) = status(&gradstudy);
        assert_eq!((count(&found, "stopped"), code), (1, 1), "{found:#}");
    }
    assert_eq!(shell(&gradstudy, &line), 0);
    let (found, _) = status(&gradstudy);
    assert_eq!(found["units"][0]["state"]["attempts"], 3, "{found:#}");
    assert!(folder.join("tasks").read_dir().unwrap().count() == 1);
    gradstudy
        .run(&["run", "test.study", "--cached", "--threads", "1"])
        .success();
    equals_a_local_run(&gradstudy, study, &[]);
}

/// A process that was killed is gone; whoever is at work is not disturbed.
#[cfg(unix)]
#[test]
fn a_unit_at_work_is_not_submitted_twice_and_a_killed_one_is_lost() {
    let study = "study \"Long\" { }\ndata d = fashion_mnist_5k\nmodel m = lenet\n\
                 train t = sgd(lr: 0.01) { of: m  on: d  epochs: 400  batch: 50 }\n";
    let gradstudy = Gradstudy::new(study);
    let line = lines(&gradstudy, &[]).remove(0);
    let mut command = Command::new("sh");
    command
        .args(["-c", &format!("exec {line}")])
        .stderr(Stdio::null())
        .stdout(Stdio::null());
    let mut child = command.spawn().unwrap();
    let start = Instant::now();
    while count(&status(&gradstudy).0, "running") == 0 {
        assert!(start.elapsed() < Duration::from_secs(60), "it does not begin");
        std::thread::sleep(Duration::from_millis(20));
    }
    let said = gradstudy.run(&["submit", "test.study", "--to", "shell"]);
    assert_eq!(said.code, Some(2));
    assert!(
        said.stderr.contains("1 unit of submission") && said.stderr.contains("cancel"),
        "{}",
        said.stderr
    );
    child.kill().unwrap();
    child.wait().unwrap();
    let (found, code) = status(&gradstudy);
    assert_eq!((count(&found, "lost"), code), (1, 1), "{found:#}");
    assert!(
        found["units"][0]["why"].as_str().unwrap().contains("is gone"),
        "{found:#}"
    );
    assert_eq!(lines(&gradstudy, &[]).len(), 1);
    // Of what was cancelled nothing is begun.
    gradstudy.run(&["cancel", "test-"]).success();
    assert_eq!(shell(&gradstudy, &line), 1);
    let (found, _) = status(&gradstudy);
    assert_eq!(
        (count(&found, "stopped"), found["cancelled"].as_bool()),
        (1, Some(true)),
        "{found:#}"
    );
}

/// Tasks are what was submitted, whatever becomes of the files; where that cannot be, they say so and make nothing.
#[test]
fn a_study_is_frozen_when_it_is_submitted() {
    let used = "study \"Used\" { }\ndata d = fashion_mnist_5k(subset: 600)\n";
    let gradstudy = Gradstudy::new(
        "use \"parts/used.study\"\nstudy \"Frozen\" { }\nrecord n = file(\"numbers.npy\")\n\
         model m = lenet\nrecord g = gradients(of: m, on: d, batch: 3, iterations: 40)\n\
         test a = normality(n, points: 20)\ntest b = normality(g, points: 20)\n\
         table one { of: [a, b]  rows: [sg_type, dataset]  columns: [p_value] }\n",
    );
    let path = |name: &str| gradstudy.path().join(name);
    fs::create_dir(path("parts")).unwrap();
    fs::write(path("parts/used.study"), used).unwrap();
    let numbers: Vec<f32> = (0..60 * 50).map(|it| ((it * 7919 % 1009) as f32).sin()).collect();
    let write = |numbers: &[f32]| {
        let mut bytes = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
        let head = "{'descr': '<f4', 'fortran_order': False, 'shape': (60, 50), }";
        bytes.extend(format!("{head:<117}\n").bytes());
        bytes.extend(numbers.iter().flat_map(|it| it.to_le_bytes()));
        fs::write(path("numbers.npy"), bytes).unwrap();
    };
    write(&numbers);
    let lines = lines(&gradstudy, &["--task-time", "0s"]);
    assert_eq!(lines.len(), 2);
    fs::write(path("test.study"), "study \"Another\" { }").unwrap();
    fs::write(path("parts/used.study"), "nonsense").unwrap();
    assert_eq!(shell(&gradstudy, &lines[0]), 0);
    let mut others = numbers.clone();
    others[0] = 7.0;
    write(&others);
    assert_eq!(shell(&gradstudy, &lines[1]), 2);
    let (found, code) = status(&gradstudy);
    assert_eq!(
        (count(&found, "done"), count(&found, "stopped"), code),
        (1, 1, 1),
        "{found:#}"
    );
    let why = found["units"]
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["is"] == "stopped")
        .unwrap();
    assert!(
        why["why"]
            .as_str()
            .unwrap()
            .contains("the study is not what was submitted"),
        "{why}"
    );
    write(&numbers);
    assert_eq!(shell(&gradstudy, &lines[1]), 0);
    let name = submission(&gradstudy);
    let said = gradstudy
        .run(&["run", name.to_str().unwrap(), "--cached"])
        .success();
    assert!(said.stdout.contains("report in"), "{}", said.stdout);
}

#[test]
fn a_damaged_manifest_costs_nothing_that_was_made() {
    let gradstudy = Gradstudy::new(STUDY);
    let lines = lines(&gradstudy, &[]);
    assert_eq!(shell(&gradstudy, &lines[0]), 0);
    fs::write(submission(&gradstudy).join("manifest.json"), "{").unwrap();
    assert_eq!(shell(&gradstudy, &lines[1]), 2);
    assert_eq!(gradstudy.run(&["status", "test-"]).code, Some(2));
    let said = gradstudy
        .run(&["submit", "test.study", "--to", "shell", "--threads", "1"])
        .success();
    assert!(
        said.stderr.contains("is damaged") && said.stderr.contains("4 are in the cache"),
        "{}",
        said.stderr
    );
    assert_eq!(said.stdout.lines().count(), 1, "{}", said.stdout);
    assert_eq!(shell(&gradstudy, said.stdout.trim()), 0);
    assert_eq!(count(&status(&gradstudy).0, "done"), 8);
}

/// Results of one study come from one binary.
#[test]
fn a_task_is_of_the_binary_that_submitted_it() {
    let gradstudy = Gradstudy::new(STUDY);
    let line = lines(&gradstudy, &[]).remove(0);
    let other = gradstudy.path().join("other");
    let mut bytes = fs::read(env!("CARGO_BIN_EXE_gradstudy")).unwrap();
    bytes.push(0);
    fs::write(&other, bytes).unwrap();
    assert_eq!(shell(&gradstudy, "chmod +x other"), 0);
    let (_, rest) = line.split_once(" task ").unwrap();
    let output = Command::new(&other)
        .args(["task"])
        .args(rest.split(' '))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains("is not the one that") && said.contains("submit again"),
        "{said}"
    );
    let (found, _) = status(&gradstudy);
    assert_eq!(count(&found, "stopped"), 4, "{found:#}");
    let said = gradstudy.run(&["task", "test-", "99"]);
    assert_eq!(said.code, Some(2));
    assert!(
        said.stderr
            .contains("there is no task 99: the submission has tasks 0 to 1"),
        "{}",
        said.stderr
    );
}
