//! One id, one result: what a step gives depends neither on the memory, the threads, nor on what the cache held before.

use std::collections::BTreeMap;
use std::fs;

use super::files_in;
use crate::support::Gradstudy;

/// Results by step. The larger spectrum's own tests are of values and of columns of G.
type Results = BTreeMap<String, Vec<u8>>;

const HEAD: &str =
    "study \"Identity\" { seeds: 0  allow: [W0101, W0103] }\ndata d = fashion_mnist_5k(subset: 500)\n";

/// Spectra of one recording, and what else may be asked of it.
fn study(model: &str, record: &str, spectra: &[&str], more: &str) -> String {
    let spectra: String = spectra
        .iter()
        .enumerate()
        .map(|(i, spectrum)| {
            format!("spectrum s{i} = {spectrum}\ntest t{i} = power_law(s{i}, tail: top(15))\n")
        })
        .collect();
    let tables: String = (0..spectra.matches("spectrum ").count())
        .map(|i| format!("table r{i} {{ of: t{i}  rows: [spectrum]  columns: [d_ks, s] }}\n"))
        .collect();
    format!("{HEAD}model m = {model}\nrecord g = gradients(of: m, on: d, {record})\n{spectra}{more}{tables}")
}

/// Runs the studies one after the other on one cache and takes what is in it then.
fn results(studies: &[String], options: &[&str]) -> Results {
    let gradstudy = Gradstudy::new("");
    for text in studies {
        fs::write(gradstudy.path().join("test.study"), text).unwrap();
        let arguments: Vec<&str> = ["run", "test.study"].iter().chain(options).copied().collect();
        gradstudy.run(&arguments).success();
    }
    let steps = gradstudy.path().join("cache/steps");
    let mut results = Results::new();
    for name in files_in(&steps) {
        for file in ["spectrum.json", "samples.safetensors", "verdicts.bits"] {
            if let Ok(bytes) = fs::read(steps.join(&name).join(file)) {
                results.insert(format!("{name}/{file}"), bytes);
            }
        }
    }
    results
}

/// The results of `found` are those of `expected`, where both have the step.
fn assert_agree(what: &str, expected: &Results, found: &Results) {
    let common = expected.keys().filter(|name| found.contains_key(*name)).count();
    assert!(common > 0, "{what}: no step in common");
    for (name, bytes) in expected {
        if let Some(other) = found.get(name) {
            assert!(bytes == other, "{what}: {name} differs");
        }
    }
}

#[test]
fn results_do_not_depend_on_memory_threads_or_order() {
    // Layers by their factors and by their rows; batch normalisation, which allows rows alone.
    every_way(&[
        ("lenet", "batch: 1, iterations: 120"),
        ("fcn(width: 20)", "batch: 4, iterations: 90"),
    ]);
}

#[test]
#[ignore = "a minute; .ci/run runs it"]
fn nor_do_those_of_other_networks() {
    every_way(&[
        ("lenet", "batch: 5, iterations: 130"),
        ("fcn(width: 20, batchnorm: false)", "batch: 1, iterations: 90"),
        ("lnn(width: 8)", "batch: 2, iterations: 100"),
    ]);
}

/// Runs studies of these models and recordings on every way there is, and compares what they give.
fn every_way(cases: &[(&str, &str)]) {
    let all = [
        "covariance(g, top: 40)",
        "second_moment(g, top: 40)",
        "covariance(g, top: 40, centre: full_batch)",
        "covariance(g, top: 20, layers: \"*.weight\")",
        "covariance(g, top: 20, layers: \"conv*\")",
        "covariance(g, top: 20, sketch: sparse_signs(dim: 256))",
    ];
    let tests = "test rows = power_law(g, along: [dimension], tail: top(20))\ntable x { of: rows  rows: [sg_type]  columns: [d_ks] }\n";
    for &(model, record) in cases {
        // A name that only one network has.
        let all: Vec<&str> = all
            .iter()
            .copied()
            .filter(|it| model == "lenet" || !it.contains("conv*"))
            .collect();
        let alone = study(model, record, &all, "");
        let expected = results(std::slice::from_ref(&alone), &[]);
        let kept = format!("{record}, keep: true");
        let with_tests = study(model, record, &all, tests);
        let of_kept = study(model, &kept, &all, tests);
        let ways: [(&str, Vec<String>, Vec<&str>); 8] = [
            ("one thread", vec![alone.clone()], vec!["--threads", "1"]),
            ("less memory", vec![alone.clone()], vec!["--memory", "12MB"]),
            ("little memory", vec![alone.clone()], vec!["--memory", "1MB"]),
            ("tests beside", vec![with_tests.clone()], vec![]),
            (
                "tests beside, in a file",
                vec![with_tests.clone()],
                vec!["--memory", "2MB"],
            ),
            ("kept, in a file", vec![of_kept.clone()], vec!["--memory", "2MB"]),
            (
                "one by one",
                all.iter().map(|it| study(model, record, &[it], "")).collect(),
                vec![],
            ),
            (
                "grown",
                vec![study(model, record, &all[1..2], tests), with_tests.clone()],
                vec!["--memory", "3MB"],
            ),
        ];
        for (what, studies, options) in ways {
            let found = results(&studies, &options);
            assert_agree(&format!("{model}, {record}: {what}"), &expected, &found);
        }
    }
}
