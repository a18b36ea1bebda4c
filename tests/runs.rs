//! `list`, `show`, `report`, `rm`, `gc` and `diff` on runs of a study that takes a moment.

mod cache;
mod watch;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::Gradstudy;

const STUDY: &str = r#"
study "Two batches" { seeds: [0, 1] }
data  fashion = fashion_mnist_5k(subset: 600)
model lenet   = lenet(logits: 10)
record g = gradients(of: lenet, on: fashion, batch: 3, iterations: 60)
spectrum c = covariance(g, top: 40)
test tails = power_law(g, tail: top(30))
test ks    = power_law(c, tail: top(40))
table one { of: [tails] rows: [sg_type] columns: [d_ks, power_law_rate] }
table two { of: [ks] rows: [spectrum] columns: [d_ks, power_law, s] mirrors: table(7) }
figure three = rank_plot(c)
"#;

fn ran() -> Gradstudy {
    let gradstudy = Gradstudy::new(STUDY);
    gradstudy.run(&["run", "test.study"]).success();
    gradstudy
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    entries
        .map(|entry| {
            (
                entry.file_name().into_string().unwrap(),
                fs::read(entry.path()).unwrap(),
            )
        })
        .collect()
}

#[test]
fn runs_are_listed_shown_rendered_and_removed() {
    let gradstudy = ran();
    // Runs are told apart by the second.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    gradstudy
        .run(&["run", "test.study", "--set", "g.batch=5"])
        .success();
    let list = |arguments: &[&str]| {
        let said = gradstudy
            .run(&[&["list", "--json"], arguments].concat())
            .success();
        let list: Value = serde_json::from_str(&said.stdout).unwrap();
        assert_eq!(list["format_version"], 1);
        list["runs"].as_array().unwrap().clone()
    };
    let runs = list(&[]);
    assert_eq!(runs.len(), 2);
    assert_eq!(
        runs[0]["command"], "gradstudy run test.study --set g.batch=5",
        "the last one first"
    );
    assert!(runs[0]["bytes"].as_u64().unwrap() > 10_000 && runs[0]["measurements"] == 6);
    assert_eq!(list(&["--sort", "started", "--reverse"])[0], runs[1]);
    assert_eq!(list(&["batches", "test"]).len(), 2);
    assert_eq!(
        list(&["other"]).len() + list(&["--seed", "7"]).len() + list(&["--since", "2999"]).len(),
        0
    );
    // The index is made anew, whatever became of it.
    let index = gradstudy.path().join("reports/.gradstudy.sqlite");
    for damage in [Some("no database"), None] {
        match damage {
            Some(text) => fs::write(&index, text).unwrap(),
            None => fs::remove_file(&index).unwrap(),
        }
        assert_eq!(list(&[]), runs);
    }
    let text = gradstudy.run(&["list"]).success().stdout;
    assert!(
        text.contains("Two batches") && text.contains("2 runs, "),
        "{text}"
    );

    let shown = gradstudy.run(&["show", "test@latest"]).success().stdout;
    for wanted in [
        "again     gradstudy run test.study --set g.batch=5",
        "Power-law rate",
        "BLAKE3",
        "burn 0.22.1",
    ] {
        assert!(shown.contains(wanted), "{wanted} is not in\n{shown}");
    }

    // Rendering again gives the same bytes; with other templates, other documents elsewhere.
    let folder = gradstudy.runs().pop().unwrap();
    let before = files(&folder);
    fs::remove_file(folder.join("one.md")).unwrap();
    gradstudy.run(&["report", "test@latest"]).success();
    assert!(files(&folder) == before);
    let templates = gradstudy.path().join("mine");
    fs::create_dir(&templates).unwrap();
    fs::write(templates.join("table.md.jinja"), "mine: {{ table.name }}").unwrap();
    gradstudy
        .run(&[
            "report",
            "test@latest",
            "--templates",
            "mine",
            "--to",
            "elsewhere",
        ])
        .success();
    assert_eq!(
        fs::read_to_string(gradstudy.path().join("elsewhere/one.md")).unwrap(),
        "mine: one"
    );
    assert!(files(&folder) == before);

    let said = gradstudy.run(&["rm", "test@latest", "nothing"]);
    assert_eq!(
        (said.code, gradstudy.runs().len()),
        (Some(2), 2),
        "a wrong name removes nothing"
    );
    assert!(
        said.stderr.contains("no run is called `nothing`"),
        "{}",
        said.stderr
    );
    gradstudy.run(&["rm", "test@latest", "--dry-run"]).success();
    assert_eq!(gradstudy.runs().len(), 2);
    gradstudy.run(&["rm", "test@latest"]).success();
    assert_eq!((gradstudy.runs().len(), list(&[]).len()), (1, 1));

    // Steps of the removed run are of no run any more.
    let steps = || {
        fs::read_dir(gradstudy.path().join("cache/steps"))
            .unwrap()
            .filter(|it| it.as_ref().unwrap().path().is_dir())
            .count()
    };
    let all = steps();
    let would = gradstudy.run(&["gc"]).success().stdout;
    assert!(
        would.contains("of removed runs alone") && would.contains("`gradstudy gc --yes` frees"),
        "{would}"
    );
    assert_eq!(
        steps(),
        all,
        "without a terminal nobody is asked, and nothing freed"
    );
    gradstudy.run(&["gc", "--yes", "--older-than", "1"]).success();
    assert_eq!(steps(), all, "nothing is a day old");
    gradstudy.run(&["gc", "--yes"]).success();
    assert_eq!(steps(), all / 2, "those of the run that is left stay");
    let again = gradstudy.run(&["run", "test.study"]).success();
    assert_eq!(again.code, Some(0));
    gradstudy.run(&["gc", "--all", "--yes"]).success();
    assert_eq!(steps(), 0);
}

#[test]
fn two_runs_are_the_same_but_for_the_time() {
    let (a, b) = (ran(), Gradstudy::new(STUDY));
    b.run(&["run", "test.study", "--threads", "1"]).success();
    let run = |gradstudy: &Gradstudy| gradstudy.runs().pop().unwrap();
    let fixed = |gradstudy: &Gradstudy| {
        let manifest = run(gradstudy).join("manifest.yaml");
        let mut value: serde_yaml::Value =
            serde_yaml::from_str(&fs::read_to_string(&manifest).unwrap()).unwrap();
        let name = value["device"]["name"].as_str().unwrap().to_string();
        // The number of threads is told, and changes nothing else.
        value["device"]["name"] = name.split(", ").next().unwrap().into();
        value["times"]["started"] = "then".into();
        value["times"]["seconds"] = 1.0.into();
        for step in value["times"]["steps"].as_sequence_mut().unwrap() {
            step["seconds"] = 1.0.into();
            step.as_mapping_mut().unwrap().remove("peak_memory");
        }
        let text = serde_yaml::to_string(&value).unwrap();
        let hash = gradstudy::integrity::hash(text.as_bytes());
        fs::write(&manifest, format!("{text}# BLAKE3 of the lines above: {hash}\n")).unwrap();
        gradstudy.run(&["report", "test@latest"]).success();
        files(&run(gradstudy))
    };
    let (a, b) = (fixed(&a), fixed(&b));
    assert_eq!(a.keys().collect::<Vec<_>>(), b.keys().collect::<Vec<_>>());
    assert!(a.contains_key("verdicts.safetensors") && a.contains_key("report.tex"));
    for (name, bytes) in &a {
        assert!(b[name] == *bytes, "{name} differs");
    }
}

#[test]
fn diff_tests_what_changed_and_says_what_may_have_caused_it() {
    let gradstudy = ran();
    // Runs are told apart by the second.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    gradstudy
        .run(&["run", "test.study", "--set", "g.batch=5"])
        .success();
    let runs = gradstudy.runs();
    let [a, b] = [&runs[0], &runs[1]].map(|run| run.display().to_string());
    let diff = |arguments: &[&str]| gradstudy.run(&[&["diff"], arguments].concat());
    assert_eq!(diff(&[&a, &a]).code, Some(0));
    let said = diff(&[&a, &b]);
    assert_eq!(said.code, Some(1));
    for wanted in [
        "right: ",
        "batch 5",
        "records.g.batch",
        "paired t, 2 seeds",
        "after Benjamini's",
    ] {
        assert!(
            said.stdout.contains(wanted),
            "{wanted} is not in\n{}",
            said.stdout
        );
    }
    let json: Value = serde_json::from_str(&diff(&[&a, &b, "--format", "json"]).stdout).unwrap();
    assert_eq!(json["format_version"], 2);
    assert_eq!(json["pairs"][0]["right_subject"]["batch"], 5);
    let latex = diff(&[&a, &b, "--format", "latex"]).stdout;
    assert!(latex.contains(r"\label{tab:diff-test-tested}"), "{latex}");
    let latex = diff(&[&a, &b, "--format", "latex", "--label", "batches"]).stdout;
    assert!(latex.contains(r"\label{tab:batches-tested}"), "{latex}");
    for refused in [
        &["--label", "batches"][..],
        &["--format", "latex", "--label", "a b"],
    ] {
        assert_eq!(
            diff(&[&[&*a, &*b], refused].concat()).code,
            Some(2),
            "{refused:?}"
        );
    }
    for (fail_on, code) in [
        ("any", 1),
        ("flip", i32::from(json["flips"] != serde_json::json!([]))),
    ] {
        assert_eq!(
            diff(&[&a, &b, "--fail-on", fail_on]).code,
            Some(code),
            "{fail_on}"
        );
    }
    assert_eq!(diff(&[&a, &b, "--rtol", "1e9", "--atol", "1e9"]).code, Some(0));
    assert_eq!(diff(&[&a]).code, Some(2));

    // The same rows judged at another level.
    // Runs are told apart by the second.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    gradstudy
        .run(&["run", "test.study", "--set", "tails.alpha=20%"])
        .success();
    let strict = gradstudy
        .runs()
        .into_iter()
        .find(|run| !runs.contains(run))
        .unwrap();
    let said = diff(&[&a, &strict.display().to_string(), "--format", "json"]);
    let json: Value = serde_json::from_str(&said.stdout).unwrap();
    let pairs = json["pairs"].as_array().unwrap();
    let statistics = pairs
        .iter()
        .flat_map(|pair| pair["statistics"].as_array().unwrap());
    let judged: Vec<&Value> = statistics
        .filter(|it| it["name"] == "power_law_rate" && it["change"]["kind"] == "moved")
        .collect();
    assert!(!judged.is_empty());
    for rate in judged {
        // A larger α rejects more and accepts nothing that a smaller rejects.
        assert!(
            rate["discordant"][0].as_u64() > Some(0) && rate["discordant"][1] == 0,
            "{rate}"
        );
    }
    // Rows of one history are no repeats: whether they were judged alike is told, not tested.
    let compared = json["comparisons"].as_array().unwrap();
    let methods: Vec<&Value> = compared.iter().map(|it| &it["method"]).collect();
    assert!(methods.iter().all(|method| **method == "paired_t"), "{methods:?}");
    let fails = json["flips"] != serde_json::json!([]) || json["summary"]["significant"] != 0;
    assert_eq!(
        diff(&[&a, &strict.display().to_string(), "--fail-on", "significant"]).code,
        Some(i32::from(fails))
    );

    let beside = diff(&[&a, "--paper"]);
    assert!(
        beside.stdout.contains("no table of the run has a row"),
        "{}",
        beside.stdout
    );
    // Folders of reports: the last run of each study.
    let other = Gradstudy::new(STUDY);
    let reports = |gradstudy: &Gradstudy| gradstudy.path().join("reports").display().to_string();
    other
        .run(&["run", "test.study", "--set", "tails.alpha=20%"])
        .success();
    let same = diff(&[&reports(&gradstudy), &reports(&other)]);
    assert_eq!(
        same.code,
        Some(i32::from(strict != *gradstudy.runs().last().unwrap())),
        "{}",
        same.stdout
    );
    assert!(same.stdout.contains("test: "));
    assert_eq!(diff(&[&reports(&gradstudy), &a]).code, Some(2));
}

#[test]
fn a_run_beside_the_paper() {
    let gradstudy = Gradstudy::new("");
    let reports = concat!(env!("CARGO_MANIFEST_DIR"), "/reports");
    let diff = |arguments: &[&str]| {
        gradstudy.run(
            &[
                &["diff", "table1@latest", "--paper", "--reports-dir", reports],
                arguments,
            ]
            .concat(),
        )
    };
    let said = diff(&[]);
    assert_eq!(said.code, Some(1));
    assert!(
        said.stdout.contains("beside Table 1 of Xie et al., 2023"),
        "{}",
        said.stdout
    );
    let json: Value = serde_json::from_str(&diff(&["--format", "json"]).stdout).unwrap();
    let cells = json["cells"].as_array().unwrap();
    assert_eq!(cells.len(), 40, "eight rows of five numbers");
    assert!(
        cells
            .iter()
            .filter(|cell| cell["statistic"] == "d_c")
            .all(|cell| cell["as_printed"] == true)
    );
    assert!(
        cells.iter().any(|cell| cell["p_adjusted"].as_f64() < Some(0.05)),
        "pretrained rows differ"
    );
    assert_eq!(diff(&["--fail-on", "flip"]).code, Some(0));
}

#[test]
fn used_files_are_told_and_a_difference_names_them() {
    let (head, rest) = STUDY.split_once("record g").unwrap();
    let (title, common) = head.split_once("data ").unwrap();
    let gradstudy = Gradstudy::new(&format!("{title}use \"parts/common.study\"\nrecord g{rest}"));
    let part = gradstudy.path().join("parts/common.study");
    fs::create_dir(part.parent().unwrap()).unwrap();
    for text in [format!("data {common}"), format!("data {common}# more\n")] {
        fs::write(&part, &text).unwrap();
        let digest = blake3::hash(text.as_bytes()).to_hex().to_string();
        gradstudy.run(&["run", "test.study"]).success();
        let run = gradstudy.runs().pop().unwrap();
        let manifest: Value =
            serde_yaml::from_str(&fs::read_to_string(run.join("manifest.yaml")).unwrap()).unwrap();
        assert_eq!(
            manifest["files"],
            serde_json::json!([{"name": "parts/common.study", "digest": digest}])
        );
        for (name, digest) in [
            ("report.md", &digest[..]),
            ("report.html", &digest),
            ("report.tex", &digest[..32]),
        ] {
            let text = fs::read_to_string(run.join(name)).unwrap();
            assert!(
                text.contains("parts/common.study") && text.contains(digest),
                "{name}"
            );
        }
        // Runs are told apart by the second.
        std::thread::sleep(std::time::Duration::from_millis(1100));
    }
    let runs = gradstudy.runs().into_iter().map(|run| run.display().to_string());
    let [a, b] = <[String; 2]>::try_from(runs.collect::<Vec<_>>()).unwrap();
    let said = gradstudy.run(&["diff", &a, &b, "--format", "json"]).success();
    let diff: Value = serde_json::from_str(&said.stdout).unwrap();
    let told = diff["provenance"].as_array().unwrap();
    let paths: Vec<&str> = told.iter().map(|it| it["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["files.parts/common.study.digest"]);
    assert_eq!(diff["settings"], serde_json::json!([]), "a comment is no setting");
}
