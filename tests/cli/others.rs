//! Commands that run nothing: `data`, `explain`, `render`.

use super::*;

#[test]
fn data_sets_are_listed_fetched_and_verified() {
    let gradstudy = Gradstudy::new("");
    let list = gradstudy.run(&["data", "list"]).success().stdout;
    assert!(
        list.contains("embedded in gradstudy") && list.contains("gradstudy data fetch mnist"),
        "{list}"
    );
    gradstudy.run(&["data", "verify", "fashion_mnist_5k"]).success();
    assert_eq!(
        gradstudy
            .run(&["data", "verify", "mnist", "--data-dir", "empty"])
            .code,
        Some(1)
    );
    let said = gradstudy.run(&["data", "fetch", "minst"]);
    assert_eq!(said.code, Some(2));
    assert!(said.stderr.contains("mnist"), "{}", said.stderr);
    // Nobody listens on the discard port of this machine.
    let fetch = ["data", "fetch", "mnist", "--data-dir", "data"];
    let output = gradstudy
        .command(&fetch)
        .env("GRADSTUDY_MIRROR", "http://127.0.0.1:9/")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(
        stderr.contains("127.0.0.1:9") && stderr.contains("gradstudy data verify mnist"),
        "{stderr}"
    );
}

#[test]
fn codes_are_explained() {
    let gradstudy = Gradstudy::new("");
    assert!(
        gradstudy
            .run(&["explain", "e0301"])
            .success()
            .stdout
            .starts_with("E0301")
    );
    for spelling in ["E301", "e301", "e00301"] {
        let said = gradstudy.run(&["explain", spelling]).success().stdout;
        assert!(said.starts_with("E0301"), "{spelling}: {said}");
    }
    let said = gradstudy.run(&["explain", "w108"]).success().stdout;
    assert!(
        said.starts_with("W0108") && !said.contains("For example"),
        "{said}"
    );
    // What is printed without a line of a study is explained by what it is about.
    let missing = gradstudy.run(&["show", "nothing"]).stderr;
    let code = missing.split_whitespace().next().unwrap();
    assert!(code.starts_with("gradstudy::run::"), "{missing}");
    let said = gradstudy.run(&["explain", code]).success().stdout;
    assert!(said.starts_with("gradstudy::run::…: runs"), "{said}");
    for unknown in ["E9999", "gradstudy::nonsense::here", "é"] {
        assert_eq!(gradstudy.run(&["explain", unknown]).code, Some(2), "{unknown}");
    }
}

#[test]
fn a_rendered_study_checks_and_takes_what_the_command_line_sets() {
    let gradstudy = Gradstudy::new(
        "use \"part.study\"\nlet few = 50\ntest t = normality(g, points: few)\n\
         table one { of: t  rows: [model]  columns: [p_value] }\nprofile quick { g.iterations: 100 }\n",
    );
    let part = "data d = fashion_mnist_5k\nmodel m = lenet { assert parameters == 44_426 }\n\
                record g = gradients(of: m, on: d with symmetric(40%), batch: 10, iterations: 200)\n";
    std::fs::write(gradstudy.path().join("part.study"), part).unwrap();
    let render = [
        "render",
        "test.study",
        "--profile",
        "quick",
        "--set",
        "g.batch=20",
    ];
    let text = gradstudy.run(&render).success().stdout;
    std::fs::write(gradstudy.path().join("x.study"), &text).unwrap();
    let said = gradstudy.run(&["check", "x.study"]).success();
    assert_eq!(said.stderr, "", "{text}");
    gradstudy.run(&["fmt", "--check", "x.study"]).success();
    for part in [
        "iterations: 100",
        "batch: 20",
        "order: shuffled",
        "alpha: 0.05",
        "seeds: [0]",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert!(!text.contains("use ") && !text.contains("quick"), "{text}");
    let resolved = gradstudy
        .run(&["render", "test.study", "--resolved"])
        .success()
        .stdout;
    assert!(resolved.starts_with("title: "), "{resolved}");
}
