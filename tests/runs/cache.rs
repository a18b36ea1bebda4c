//! Runs and the cache that they share.

use std::fs;

use super::STUDY;
use crate::support::Gradstudy;

/// Runs are registered with the cache wherever their folders lie; what is of no registered run stays unless asked for.
#[test]
fn gc_keeps_what_runs_of_other_folders_are_made_of() {
    let gradstudy = Gradstudy::new(STUDY);
    gradstudy
        .run(&["run", "test.study", "--reports-dir", "elsewhere/reports"])
        .success();
    let steps = || {
        let steps = fs::read_dir(gradstudy.path().join("cache/steps")).unwrap();
        steps.filter(|it| it.as_ref().unwrap().path().is_dir()).count()
    };
    let all = steps();
    let said = gradstudy.run(&["gc", "--yes"]).success().stdout;
    assert!(
        said.contains("of runs that are there") && said.contains("nothing to free"),
        "{said}"
    );
    // As where a disk is not mounted.
    fs::rename(gradstudy.path().join("elsewhere"), gradstudy.path().join("away")).unwrap();
    let said = gradstudy.run(&["gc", "--yes"]).success().stdout;
    assert!(
        said.contains("cannot be seen from here") && steps() == all,
        "{said}"
    );
    fs::rename(gradstudy.path().join("away"), gradstudy.path().join("elsewhere")).unwrap();
    // Runs made before there was a registry.
    fs::remove_dir_all(gradstudy.path().join("cache/runs")).unwrap();
    let said = gradstudy.run(&["gc", "--yes"]).success().stdout;
    assert!(said.contains("of no registered run") && steps() == all, "{said}");
    gradstudy.run(&["gc", "--yes", "--unregistered"]).success();
    assert_eq!(steps(), 0);
}

#[test]
fn a_rerun_with_nothing_new_writes_no_further_folder() {
    let gradstudy = Gradstudy::new(STUDY);
    gradstudy.run(&["run", "test.study"]).success();
    let again = gradstudy.run(&["run", "test.study"]).success();
    assert!(
        again.stdout.contains("nothing new: the report is in"),
        "{}",
        again.stdout
    );
    assert_eq!(gradstudy.runs().len(), 1);
    gradstudy
        .run(&["run", "test.study", "--set", "study.seeds=7"])
        .success();
    assert_eq!(gradstudy.runs().len(), 2);
    gradstudy.run(&["run", "test.study"]).success();
    assert_eq!(gradstudy.runs().len(), 3, "the last run is of another seed");
}

/// Two processes on one study: the second waits, and makes nothing that the first has made.
#[test]
fn two_processes_share_the_work_of_one_study() {
    let gradstudy = Gradstudy::new(
        "study \"Shared\" { }\ndata d = fashion_mnist_5k\nmodel m = lenet\n\
         train t = sgd(lr: 0.05) { of: m  on: d  epochs: 3  batch: 50 }\n\
         record g = gradients(of: t, on: d, batch: 10, iterations: 200)\n\
         test ks = power_law(g, tail: top(50))\ntable all { of: [ks]  rows: [sg_type]  columns: [d_ks, train_loss] }\n",
    );
    let start = || {
        let mut command = gradstudy.command(&["run", "test.study", "--threads", "1"]);
        command
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped());
        command.spawn().unwrap()
    };
    let (first, second) = (start(), start());
    let outputs = [first, second].map(|process| process.wait_with_output().unwrap());
    let said = outputs
        .each_ref()
        .map(|output| String::from_utf8_lossy(&output.stderr).into_owned());
    assert!(outputs.iter().all(|output| output.status.success()), "{said:?}");
    assert!(
        said.iter().any(|said| said.contains("waiting for process ")),
        "{said:?}"
    );
    let runs = gradstudy.runs();
    let trained = runs.iter().map(|run| {
        let manifest = gradstudy::run::open_manifest(run).unwrap();
        let train = manifest
            .steps
            .iter()
            .find(|step| step.operation == "train")
            .unwrap();
        manifest
            .times
            .steps
            .iter()
            .filter(|time| time.id == train.id && !time.reused)
            .count()
    });
    assert_eq!(trained.sum::<usize>(), 1);
    let locks = fs::read_dir(gradstudy.path().join("cache/steps")).unwrap();
    let locks = locks.filter(|it| {
        it.as_ref()
            .unwrap()
            .path()
            .extension()
            .is_some_and(|end| end == "lock")
    });
    assert_eq!(locks.count(), 0);
}
