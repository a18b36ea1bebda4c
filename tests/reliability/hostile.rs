//! Files and templates of strangers.

use std::fs;

use crate::support::Gradstudy;

const STUDY: &str = r#"
study "Faults" { seeds: 0  allow: [W0103] }
data  d = fashion_mnist_5k(subset: 300)
model m = fcn(depth: 1, width: 3)
record g = gradients(of: m, on: d, batch: 3, iterations: 40)
test tails = power_law(g, tail: top(20), along: [dimension])
table one { of: [tails] rows: [sg_type] columns: [d_ks] }
"#;

/// A pipe that nobody writes to, and a device without an end, are no files.
#[cfg(target_os = "linux")]
#[test]
fn only_regular_files_are_read() {
    let gradstudy = Gradstudy::new(STUDY);
    let pipe = gradstudy.path().join("pipe.study");
    assert!(
        std::process::Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    for ending in ["npy", "csv", "pt", "parquet", "arrow", "safetensors"] {
        std::os::unix::fs::symlink("/dev/zero", gradstudy.path().join(format!("zero.{ending}"))).unwrap();
        let said = gradstudy.run(&["test", &format!("zero.{ending}")]);
        assert_eq!(said.code, Some(2), "{ending}: {}", said.stderr);
        assert!(
            said.stderr.contains("no regular file"),
            "{ending}: {}",
            said.stderr
        );
    }
    let said = gradstudy.run(&["check", "pipe.study"]);
    assert_eq!(said.code, Some(2));
    assert!(said.stderr.contains("pipe.study"), "{}", said.stderr);
    let study = STUDY.replace(
        "model m = fcn(depth: 1, width: 3)",
        "model m = fcn(depth: 1, width: 3, weights: \"pipe.study\")",
    );
    fs::write(gradstudy.path().join("weights.study"), study).unwrap();
    let said = gradstudy.run(&["plan", "weights.study"]);
    assert_eq!(said.code, Some(2), "{}", said.stdout);
}

#[test]
fn templates_end_stay_small_and_stay_inside() {
    let gradstudy = Gradstudy::new(STUDY);
    gradstudy.run(&["run", "test.study"]).success();
    let folder = gradstudy.path().join("mine");
    fs::create_dir(&folder).unwrap();
    fs::write(gradstudy.path().join("secret"), "secret").unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("../secret", folder.join("link")).unwrap();
    let nested =
        |begin: &str, end: &str| format!("{{{{ {}1{} }}}}", begin.repeat(20_000), end.repeat(20_000));
    let cases = [
        ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}".to_string(), "recursion"),
        (
            "{% for a in range(99999) %}{% for b in range(99999) %}{% for c in range(9) %}{% endfor %}{% endfor %}{% endfor %}".to_string(),
            "fuel",
        ),
        (
            format!("{{% for a in range(99999) %}}{{% for b in range(99) %}}{}{{% endfor %}}{{% endfor %}}", "x".repeat(999)),
            "512 MiB",
        ),
        (nested("(", ")"), "recursion"),
        (nested("not ", ""), ""),
        (nested("- ", ""), ""),
        (format!("{{{{ 1{} }}}}", " + 1".repeat(20_000)), ""),
        (format!("{{{{ 'a'{} }}}}", "|upper".repeat(20_000)), ""),
        ("{% include 'link' %}".to_string(), "link"),
        ("{% include '../secret' %}".to_string(), "secret"),
        ("x".repeat(300_000), "256 KiB"),
    ];
    for (template, reason) in cases {
        fs::write(folder.join("table.md.jinja"), &template).unwrap();
        let said = gradstudy.run(&["report", "test@latest", "--templates", "mine", "--to", "out"]);
        let case = format!("{:.60}: {}", template, said.stderr);
        // An expression that is deep and right is rendered.
        match reason.is_empty() {
            true => assert!(matches!(said.code, Some(0 | 2)), "{case}"),
            false => assert_eq!(said.code, Some(2), "{case}"),
        }
        assert!(said.stderr.contains(reason), "{case}");
        let made = fs::read_to_string(gradstudy.path().join("out/one.md")).unwrap_or_default();
        assert!(!made.contains("secret"), "{case}");
    }
}
