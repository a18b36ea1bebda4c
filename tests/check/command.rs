//! `gradstudy check`: what editors and CI read.

use serde_json::{Value, json};

use crate::support::Gradstudy;

#[test]
fn a_study_is_read_from_standard_input() {
    use std::io::Write;
    use std::process::Stdio;
    let gradstudy = Gradstudy::new("");
    let check = |text: &str| {
        let mut command = gradstudy.command(&["check", "-"]);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let good = "data d = mnist\nmodel m = lenet\nrecord g = gradients(of: m, on: d)\n\
        test t = normality(g)\ntable r { of: t  rows: sg_type  columns: p_value }\n";
    assert_eq!(check(good), (Some(0), String::new()));
    let (code, said) = check("data d = minst\n");
    assert!(code == Some(2) && said.contains("stdin:1:10"), "{said}");
}

#[test]
fn json_holds_mistakes_and_warnings_of_every_file_and_nothing_else_is_said() {
    let gradstudy = Gradstudy::new("# é\ndata d = mnist(splitt: train)\ndata d = mnist\n");
    let doubtful = "data d = mnist\ndata spare = mnist\nmodel m = lenet\nrecord g = gradients(of: m, on: d)\n\
        test t = normality(g)\ntable r { of: t  rows: sg_type  columns: p_value }\n";
    std::fs::write(gradstudy.path().join("doubtful.study"), doubtful).unwrap();
    let said = gradstudy.run(&["check", "--json", "doubtful.study", "test.study", "missing.study"]);
    assert_eq!((said.code, said.stderr.as_str()), (Some(2), ""));
    let report: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(report["format_version"], 1);
    assert_eq!(
        report["studies"][0],
        json!({ "file": "doubtful.study", "errors": 0, "warnings": 1 })
    );
    let all = report["diagnostics"].as_array().unwrap();
    let of = |file: &str| all.iter().filter(|one| one["file"] == file).collect::<Vec<_>>();

    let [warning] = of("doubtful.study")[..] else {
        panic!("{}", said.stdout)
    };
    assert_eq!(warning["severity"], "warning");
    let place = &warning["labels"][0];
    assert_eq!(
        (&place["line"], &place["file"]),
        (&json!(2), &json!("doubtful.study"))
    );

    let mistakes = of("test.study");
    assert_eq!(report["studies"][1]["errors"], mistakes.len());
    let setting = mistakes
        .iter()
        .find(|one| one["message"].as_str().unwrap().contains("splitt"))
        .unwrap();
    assert_eq!(setting["severity"], "error");
    assert!(setting["code"].as_str().unwrap().starts_with('E'));
    assert!(setting["help"].as_str().unwrap().contains("split"));
    let place = &setting["labels"][0];
    assert_eq!(
        (
            &place["line"],
            &place["column"],
            &place["end_column"],
            &place["span"]
        ),
        (&json!(2), &json!(16), &json!(22), &json!([20, 26])),
        "bytes count `é` twice"
    );
    let twice = mistakes
        .iter()
        .find(|one| one["labels"].as_array().unwrap().len() > 1);
    assert!(
        twice.is_some(),
        "every place that has to do with a mistake is there: {}",
        said.stdout
    );

    let [missing] = of("missing.study")[..] else {
        panic!("{}", said.stdout)
    };
    assert_eq!(
        (&missing["code"], &missing["labels"]),
        (&json!("gradstudy::syntax::not_found"), &json!([]))
    );
}

#[test]
fn warnings_do_not_make_a_check_fail() {
    let study = "data d = mnist\ndata spare = mnist\nmodel m = lenet\nrecord g = gradients(of: m, on: d)\n\
        test t = normality(g)\ntable r { of: t  rows: sg_type  columns: p_value }\n";
    let gradstudy = Gradstudy::new(study);
    let said = gradstudy.run(&["check", "test.study", "test.study"]).success();
    assert_eq!(said.stdout.lines().count(), 2, "{}", said.stdout);
    let json = gradstudy.run(&["check", "--json", "test.study"]).success();
    assert_eq!(
        (json.stdout.matches("\"warning\"").count(), json.stderr.as_str()),
        (1, "")
    );
}

#[test]
fn a_mistake_that_only_a_profile_makes_is_told_with_its_name() {
    let study = "profile quick { g.iterations: 100 }\nprofile wider { c.topp: 3 }\nprofile fine { g.batch: 2 }\n\
        data d = fashion_mnist_5k\nmodel m = lenet\nrecord g = gradients(of: m, on: d, iterations: 500)\n\
        spectrum c = covariance(g, top: 400)\ntest t = power_law(c, tail: top(400))\n\
        table r { of: t  rows: [spectrum]  columns: [d_ks] }\n";
    let gradstudy = Gradstudy::new(study);
    let said = gradstudy.run(&["check", "--json", "test.study"]);
    assert_eq!(said.code, Some(2), "{}", said.stdout);
    let report: Value = serde_json::from_str(&said.stdout).unwrap();
    let found: Vec<(&str, &str)> = report["diagnostics"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["code"].as_str().unwrap(), it["message"].as_str().unwrap()))
        .collect();
    let rank = found.iter().find(|it| it.0 == "E0509").expect("no rank of 400");
    assert!(rank.1.contains("with profile `quick`"), "{rank:?}");
    assert!(found.iter().any(|it| it.1.contains("topp")), "{found:?}");
    assert!(!said.stdout.contains("fine"), "{}", said.stdout);
    // Both places that have to do with it.
    let labels = report["diagnostics"].as_array().unwrap().iter();
    let rank = labels.clone().find(|it| it["code"] == "E0509").unwrap();
    assert_eq!(rank["labels"].as_array().unwrap().len(), 2, "{rank}");

    let sound = study.replace("profile wider { c.topp: 3 }\n", "");
    std::fs::write(gradstudy.path().join("test.study"), sound).unwrap();
    let plain = gradstudy.run(&["plan", "test.study"]);
    assert_eq!(
        plain.code,
        Some(0),
        "a profile that is not taken stops nothing: {}",
        plain.stderr
    );
    let taken = gradstudy.run(&["check", "test.study", "--profile", "fine"]);
    assert_eq!(taken.code, Some(0), "{}", taken.stderr);
}
