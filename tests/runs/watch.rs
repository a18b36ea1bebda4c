//! `run --watch`.

use std::fs;
use std::path::Path;
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

/// What the page shows once it is another than `before`.
fn next(file: &Path, before: &str) -> String {
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(120) {
        let now = fs::read_to_string(file).unwrap_or_default();
        if !now.is_empty() && now != before {
            return now;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("{} stays {before:?}", file.display());
}

#[test]
fn a_saved_study_is_run_again_and_the_page_follows() {
    let gradstudy = Gradstudy::new(STUDY);
    let study = gradstudy.path().join("test.study");
    let mut command = gradstudy.command(&["run", "test.study", "--watch", "--reports-dir", "reports"]);
    let log = fs::File::create(gradstudy.path().join("log")).unwrap();
    let process = command.stdout(Stdio::null()).stderr(log).spawn().unwrap();
    let _watching = Watching(process);

    let reports = gradstudy.path().join("reports");
    let begin = Instant::now();
    let folder = loop {
        let found = fs::read_dir(&reports)
            .ok()
            .and_then(|mut all| all.find_map(Result::ok));
        match found
            .map(|entry| entry.path())
            .filter(|path| path.join("watch.js").exists())
        {
            Some(folder) => break folder,
            None => assert!(begin.elapsed() < Duration::from_secs(120), "no report"),
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    let script = folder.join("watch.js");
    let first = next(&script, "");
    assert!(
        fs::read_to_string(folder.join("watch.html"))
            .unwrap()
            .contains("watch.js")
    );

    // A mistake does not end it.
    fs::write(&study, "study \"Broken {").unwrap();
    let begin = Instant::now();
    while !fs::read_to_string(gradstudy.path().join("log"))
        .unwrap()
        .contains("test.study:1")
    {
        assert!(
            begin.elapsed() < Duration::from_secs(60),
            "the mistake is not shown"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
    fs::write(&study, STUDY.replace("subset: 600", "subset: 500")).unwrap();
    let second = next(&script, &first);
    let shown = second
        .trim()
        .trim_start_matches("show(\"")
        .trim_end_matches("\")");
    assert!(folder.join(shown).is_file(), "{shown}");
}
