//! Outputs that cannot be written, and text that is more than text.

use std::fs;
use std::process::Stdio;
use std::time::{Duration, SystemTime};

use super::files_in;
use crate::support::Gradstudy;

const STUDY: &str = r#"
study "Faults" { seeds: 0  allow: [W0103] }
data  d = fashion_mnist_5k(subset: 300)
model m = fcn(depth: 1, width: 3)
vary b in ["=1+2": 3, "-4": 4]
record g = gradients(of: m, on: d, batch: b, iterations: 40)
test tails = power_law(g, tail: top(20), along: [dimension])
table one { of: [tails] rows: [b] columns: [d_ks] }
"#;

/// `/dev/full` has no room.
#[cfg(target_os = "linux")]
#[test]
fn exit_codes_tell_of_outputs_that_are_full() {
    let gradstudy = Gradstudy::new(STUDY);
    let full = || fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let code = |arguments: &[&str], output: Stdio, errors: Stdio| {
        let mut command = gradstudy.command(arguments);
        command.stdout(output).stderr(errors).status().unwrap().code()
    };
    let explain = &["explain", "E0503"][..];
    assert_eq!(code(explain, full().into(), Stdio::null()), Some(2));
    assert_eq!(
        code(&["run", "test.study"], full().into(), Stdio::null()),
        Some(2)
    );
    // What is said on standard error alone is not what was asked for.
    assert_eq!(
        code(&["run", "test.study"], Stdio::null(), full().into()),
        Some(0)
    );
    assert_eq!(
        code(&["check", "none.study"], Stdio::null(), full().into()),
        Some(2)
    );
    let mut said = gradstudy
        .command(explain)
        .stdout(full())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut text = String::new();
    std::io::Read::read_to_string(&mut said.stderr.take().unwrap(), &mut text).unwrap();
    said.wait().unwrap();
    assert!(text.contains("cannot write to standard output"), "{text}");
}

/// A limit on the size of files is an error like a full disk.
#[cfg(target_os = "linux")]
#[test]
fn a_file_that_may_not_grow_is_named() {
    let gradstudy = Gradstudy::new(STUDY);
    let command = format!(
        "ulimit -f 8; exec {} run test.study",
        env!("CARGO_BIN_EXE_gradstudy")
    );
    let said = std::process::Command::new("bash")
        .args(["-c", &command])
        .current_dir(gradstudy.path())
        .env("GRADSTUDY_CACHE", gradstudy.path().join("cache"))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&said.stderr).into_owned();
    assert_eq!(said.status.code(), Some(2), "{text}");
    assert!(text.contains("cannot") && text.contains("help:"), "{text}");
}

#[test]
fn names_are_shown_and_not_obeyed() {
    let gradstudy = Gradstudy::new(&STUDY.replace("Faults", "Fa\u{1b}]0;title\u{7}ults\u{202e}"));
    let said = gradstudy.run(&["run", "test.study"]).success();
    let listed = gradstudy.run(&["list"]).success();
    let planned = gradstudy.run(&["plan", "test.study"]).success();
    let failed = gradstudy.run(&["check", "no\u{1b}[2Jne.study"]);
    for text in [
        said.stdout,
        said.stderr,
        listed.stdout,
        planned.stdout,
        failed.stderr,
    ] {
        let sent = text
            .chars()
            .find(|it| it.is_control() && *it != '\n' && *it != '\t');
        assert_eq!(sent, None, "{text}");
        assert!(!text.contains('\u{202e}'), "{text}");
    }
}

#[test]
fn formulas_in_labels_are_text_in_csv() {
    let gradstudy = Gradstudy::new(STUDY);
    gradstudy.run(&["run", "test.study"]).success();
    let table = fs::read_to_string(gradstudy.runs()[0].join("one.csv")).unwrap();
    let labels: Vec<&str> = table
        .lines()
        .skip(1)
        .map(|line| line.split(',').next().unwrap())
        .collect();
    assert_eq!(labels, ["'=1+2", "-4"]);
    gradstudy
        .run(&["export", "test@latest", "--what", "outcomes", "--to", "all.csv"])
        .success();
    let exported = fs::read_to_string(gradstudy.path().join("all.csv")).unwrap();
    assert!(
        exported.contains("'=1+2") && !exported.contains(",=1+2"),
        "{exported}"
    );
}

/// A figure that has nothing to draw is named; everything else is there.
#[test]
fn a_figure_without_points_leaves_the_report() {
    let study = STUDY.to_string()
        + "record z = file(\"z.npy\")\nspectrum zero = covariance(z, top: 10)\n\
           figure f = rank_plot(zero)\n";
    let gradstudy = Gradstudy::new(&study);
    // 40 gradients of 60 zeros: no eigenvalue has a place on an axis of logarithms.
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (40, 60), }";
    let mut file = format!("\u{93}NUMPY\u{1}\0v\0{header:<117}\n")
        .chars()
        .map(|it| it as u8)
        .collect::<Vec<u8>>();
    file.extend([0; 40 * 60 * 4]);
    fs::write(gradstudy.path().join("z.npy"), file).unwrap();
    let said = gradstudy.run(&["run", "test.study"]);
    let run = gradstudy.runs().pop().expect(&said.stderr);
    assert!(run.join("report.html").is_file() && run.join("one.csv").is_file());
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    assert!(said.stderr.contains("`f`"), "{}", said.stderr);
    let page = fs::read_to_string(run.join("report.html")).unwrap();
    assert!(page.contains("`f`"), "{page}");
    assert_eq!(gradstudy.run(&["run", "test.study"]).code, Some(1), "again");
}

#[test]
fn what_killed_processes_left_is_swept_up() {
    let gradstudy = Gradstudy::new(STUDY);
    gradstudy.run(&["run", "test.study"]).success();
    let (steps, reports) = (
        gradstudy.path().join("cache/steps"),
        gradstudy.path().join("reports/test"),
    );
    let step = files_in(&steps)
        .into_iter()
        .find(|name| !name.starts_with('.'))
        .unwrap();
    let old = SystemTime::now() - Duration::from_secs(2 * 24 * 3600);
    for folder in [&steps, &reports] {
        for name in [".new-old", ".new-young"] {
            fs::create_dir(folder.join(name)).unwrap();
        }
        let opened = fs::File::open(folder.join(".new-old")).unwrap();
        opened.set_modified(old).unwrap();
    }
    fs::write(steps.join(format!("{step}.lock")), "process 1 on none").unwrap();
    fs::create_dir(steps.join(format!("{step}.partial"))).unwrap();
    gradstudy.run(&["run", "test.study"]).success();
    gradstudy.run(&["gc"]).success();
    let left = [files_in(&steps), files_in(&reports)].concat();
    let temporary: Vec<&String> = left.iter().filter(|name| name.starts_with('.')).collect();
    assert_eq!(temporary, [".new-young", ".new-young"]);
    assert!(
        !left
            .iter()
            .any(|name| name.ends_with(".lock") || name.ends_with(".partial")),
        "{left:?}"
    );
}
