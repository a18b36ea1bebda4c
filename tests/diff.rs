//! `diff` on two tiny runs made by hand (`cases/runs`).

use gradstudy::diff::{Alignment, Change, RunDiff, Tolerance, display};
use gradstudy::results::Results;
use serde_json::json;

use crate::report::{AWKWARD, compile};
use crate::support::tools;

#[path = "diff/agreement.rs"]
mod agreement;
#[path = "diff/null.rs"]
mod null;

fn run(name: &str) -> Results {
    let path = format!(
        "{}/tests/cases/runs/{name}/results.yaml",
        env!("CARGO_MANIFEST_DIR")
    );
    let text = std::fs::read_to_string(&path).expect(&path);
    serde_yaml::from_str(&text).expect(&path)
}

fn exact(left: &Results, right: &Results) -> RunDiff {
    diff(left, right, Tolerance::EXACT)
}

fn diff(left: &Results, right: &Results, tolerance: Tolerance) -> RunDiff {
    gradstudy::diff::diff(left, right, tolerance, 0.05)
}

#[test]
fn a_run_is_the_same_as_itself() {
    let diff = exact(&run("a"), &run("a"));
    assert!(diff.is_same());
    assert!(diff.pairs.iter().flat_map(|pair| &pair.statistics).count() > 50);
    insta::assert_snapshot!(display::to_text(&diff), @"the runs agree in all 9 measurements");
}

#[test]
fn what_moved_and_what_is_missing_is_shown() {
    let diff = exact(&run("a"), &run("b"));
    assert!(!diff.is_same());
    insta::assert_snapshot!(display::to_text(&diff));
}

#[test]
fn markdown_shows_causes_beside_effects() {
    let settings = [
        json!({"record": {"g": {"batch": 100}}}),
        json!({"record": {"g": {"batch": 10, "clip": 0.1}}}),
    ];
    let diff = exact(&run("a"), &run("b")).with_settings(&settings[0], &settings[1]);
    insta::assert_snapshot!(display::to_markdown(&diff));
}

#[test]
fn a_tolerance_covers_small_moves_only() {
    let (a, mut b) = (run("a"), run("b"));
    b.measurements.push(a.measurements[8].clone());
    assert!(!diff(&a, &b, Tolerance::new(1e-3, 0.0).expect("valid")).is_same());
    let wide = diff(&a, &b, Tolerance::new(0.05, 0.0).expect("valid"));
    assert!(wide.is_same());
    let tolerated = wide.pairs.iter().flat_map(|pair| &pair.statistics);
    assert_eq!(
        tolerated
            .filter(|it| matches!(it.change, Change::WithinTolerance { .. }))
            .count(),
        3
    );
}

#[test]
fn runs_without_a_common_seed_are_compared_by_their_means() {
    let left = run("a");
    let mut right = left.clone();
    for measurement in &mut right.measurements {
        measurement.seed += 10;
    }
    let diff = exact(&left, &right);
    assert_eq!(
        diff.alignment,
        Alignment::Mean {
            left: vec![0, 1],
            right: vec![10, 11]
        }
    );
    assert_eq!(diff.pairs.len(), 5);
    assert!(diff.is_same());
    assert!(display::to_text(&diff).contains("no seed"));
}

#[test]
fn swapping_runs_swaps_sides() {
    let diff = exact(&run("b"), &run("a"));
    let only_right = diff.pairs.iter().flat_map(|pair| &pair.statistics);
    assert!(
        only_right
            .filter(|it| matches!(it.change, Change::OnlyRight { .. }))
            .count()
            > 0
    );
    assert!(!display::to_text(&diff).contains("only in the left run"));
}

/// Whatever number of an outcome changes, the difference is seen. Intervals follow from the counts.
#[test]
fn no_number_of_an_outcome_escapes() {
    let results = run("a");
    let tree = serde_json::to_value(&results).expect("plain data");
    let mut checked = 0;
    for index in [0, 1, 2] {
        let mut paths = Vec::new();
        leaves(&tree["measurements"][index]["outcome"], String::new(), &mut paths);
        for path in paths.iter().filter(|path| !path.contains("interval")) {
            let mut changed = tree.clone();
            let pointer = format!("/measurements/{index}/outcome{path}");
            let leaf = changed.pointer_mut(&pointer).expect(&pointer);
            *leaf = match leaf.as_u64() {
                Some(count) => json!(count + 1),
                None => json!(leaf.as_f64().expect(&pointer) + 0.5),
            };
            let changed: Results = serde_json::from_value(changed).expect(&pointer);
            assert!(!exact(&results, &changed).is_same(), "{pointer} is not compared");
            checked += 1;
        }
    }
    assert!(checked > 25, "{checked}");
}

fn leaves(value: &serde_json::Value, path: String, paths: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(map) => {
            map.iter()
                .for_each(|(key, value)| leaves(value, format!("{path}/{key}"), paths));
        }
        serde_json::Value::Number(_) => paths.push(path),
        _ => {}
    }
}

#[test]
fn json_says_its_version() {
    let json = serde_json::to_value(exact(&run("a"), &run("b"))).expect("plain data");
    assert_eq!(json["format_version"], 2);
    assert_eq!(json["alignment"], json!({"by": "seed"}));
    let moved = json["pairs"][5]["statistics"][0].clone();
    assert_eq!(
        moved,
        json!({"name": "d_ks", "change": {"kind": "moved", "left": 0.195, "right": 0.197}})
    );
    // A missing exponent is null on the side that has the measurement.
    let lost = &json["pairs"][8]["statistics"][3];
    assert_eq!(
        lost,
        &json!({"name": "beta", "change": {"kind": "only_left", "left": null}})
    );
}

#[test]
fn latex_compiles_by_itself_and_by_input() {
    let engines = tools::latex();
    if engines.is_empty() {
        return;
    }
    let mut awkward = run("b");
    for measurement in &mut awkward.measurements {
        measurement.subject.dataset = format!("[{AWKWARD}");
        measurement.levels = vec![(
            AWKWARD.into(),
            format!("* {} {AWKWARD}", measurement.subject.training),
        )];
    }
    let mut other = awkward.clone();
    for (measurement, moved) in other.measurements.iter_mut().zip(run("a").measurements) {
        measurement.outcome = moved.outcome;
    }
    let settings = [
        json!({ AWKWARD: 1, "same": 2 }),
        json!({ AWKWARD: AWKWARD, "same": 2 }),
    ];
    let plain = exact(&run("a"), &run("b"));
    let with_causes = |diff: RunDiff| {
        let provenance = [
            json!({"device": {"name": AWKWARD}}),
            json!({"device": {"name": "cpu"}}),
        ];
        diff.with_settings(&settings[0], &settings[1])
            .with_provenance(&provenance[0], &provenance[1])
    };
    let directory = tempfile::tempdir().expect("a temporary directory");
    for (name, diff) in [
        ("plain", plain),
        ("awkward", with_causes(exact(&awkward, &other))),
        ("same", exact(&run("a"), &run("a"))),
    ] {
        let tables = display::to_latex(&diff, "diff-test");
        let write = |file: String, text: String| {
            std::fs::write(directory.path().join(&file), text).expect("writable");
            file
        };
        let input = write(format!("{name}.tex"), tables.clone());
        let barest = format!(
            "\\documentclass{{article}}\n\\usepackage{{booktabs,siunitx,longtable}}\n\\begin{{document}}\n\\input{{{input}}}\n\
             \\end{{document}}\n"
        );
        let documents = [
            write(format!("{name}-input.tex"), barest),
            write(format!("{name}-document.tex"), display::latex_document(&tables)),
        ];
        for document in &documents {
            for &engine in &engines {
                if let Err(log) = compile(engine, directory.path(), document) {
                    panic!("{document} does not compile with {engine}:\n{log}\n{tables}");
                }
            }
        }
    }
    if let Ok(kept) = std::env::var("GRADSTUDY_KEEP_PDF") {
        for entry in std::fs::read_dir(directory.path()).expect("there").flatten() {
            std::fs::copy(entry.path(), std::path::Path::new(&kept).join(entry.file_name())).expect("copies");
        }
    }
}
