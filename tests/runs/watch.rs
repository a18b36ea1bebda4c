//! `run --watch`.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use super::STUDY;
use crate::support::Gradstudy;

/// Ends the process with the test, whichever way that goes.
struct Watching(Child);

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What `look` finds, looked for until then.
fn wait<T>(what: &str, look: impl Fn() -> Option<T>) -> T {
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(120) {
        if let Some(found) = look() {
            return found;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("no {what}");
}

fn watch(gradstudy: &Gradstudy) -> Watching {
    let mut command = gradstudy.command(&["run", "test.study", "--watch", "--reports-dir", "reports"]);
    let log = fs::File::create(gradstudy.path().join("log")).unwrap();
    Watching(command.stdout(Stdio::null()).stderr(log).spawn().unwrap())
}

/// The script that says which report is the newest, once there is one.
fn script(gradstudy: &Gradstudy) -> PathBuf {
    wait("report", || {
        let studies = fs::read_dir(gradstudy.path().join("reports")).ok()?;
        let mut scripts = studies.flatten().map(|entry| entry.path().join("watch.js"));
        scripts.find(|script| script.is_file())
    })
}

fn logged(gradstudy: &Gradstudy, text: &str) {
    let log = || fs::read_to_string(gradstudy.path().join("log")).ok();
    wait(text, || log()?.contains(text).then_some(()));
}

#[test]
fn a_saved_study_is_run_again_and_the_page_follows() {
    let gradstudy = Gradstudy::new(STUDY);
    let study = gradstudy.path().join("test.study");
    let _watching = watch(&gradstudy);
    let script = script(&gradstudy);
    let folder = script.parent().unwrap();
    let first = fs::read_to_string(&script).unwrap();
    let page = fs::read_to_string(folder.join("watch.html")).unwrap();
    assert!(page.contains("watch.js"), "{page}");

    // A mistake does not end it.
    fs::write(&study, "study \"Broken {").unwrap();
    logged(&gradstudy, "test.study:1");
    fs::write(&study, STUDY.replace("subset: 600", "subset: 500")).unwrap();
    let second = wait("second report", || {
        fs::read_to_string(&script).ok().filter(|now| *now != first)
    });
    let shown = second
        .trim()
        .trim_start_matches("show(\"")
        .trim_end_matches("\")");
    assert!(folder.join(shown).is_file(), "{shown}");
}

#[test]
fn a_mistake_in_a_used_file_is_mended_there() {
    let gradstudy = Gradstudy::new(&format!("use \"shared.study\"\n{STUDY}"));
    let shared = gradstudy.path().join("shared.study");
    fs::write(&shared, "model spare = lennet").unwrap();
    let _watching = watch(&gradstudy);
    logged(&gradstudy, "lennet");
    logged(&gradstudy, "waiting for");
    fs::write(&shared, "model spare = lenet(logits: 5)").unwrap();
    script(&gradstudy);
}
