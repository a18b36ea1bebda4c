//! What tells the rows of an export apart is in every row, with its type.
//! Whole: one study of every kind of key, and what reads each format back.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::Path;

use arrow_schema::DataType;
use gradstudy::arrays::{self, Along};
use gradstudy::run::{open_results, open_spectra};
use safetensors::{Dtype, SafeTensors};
use serde_json::Value;

use super::files::{Table, words};
use crate::support::Gradstudy;

/// Factors of every type, layers one by one, and cells that share a step: `twin_a` and `twin_b`, both levels of `keep`.
const STUDY: &str = r#"
study "Keys" { seeds: [0, 1] }
data  fashion = fashion_mnist_5k(subset: 300)
data  noisy   = fashion_mnist_5k(subset: 300, labels: noise)
model net     = fcn(depth: 1, width: 4)
vary noise in [clean, "40 %": symmetric(40%)]
vary batch in [3, 5]
vary decay in [0.0, 0.01]
vary share in [10%, 0.25]
vary keep  in [true, false]
vary size  in [small: 20, large: 30]
record g = gradients(of: net, on: fashion, batch: batch, iterations: size, weight_decay: decay)
record n = gradients(of: net, on: noisy, batch: 4, iterations: 20)
record k = gradients(of: net, on: fashion, batch: 2, iterations: 25, keep: keep)
spectrum c    = covariance(g, top: 10)
spectrum each = covariance(g, top: 10, layers: each)
spectrum h    = hessian(of: net, on: noisy, samples: 50, top: 3, batch_norm: running)
test tails  = power_law(g, tail: top(10))
test of_each = power_law(each, tail: minimum)
test shape  = spectrum_shape(c)
test part   = power_law(k, tail: quantile(share), along: [dimension])
test twin_a = normality(k, points: 20, along: [dimension])
test twin_b = normality(k, points: 20, along: [dimension])
test labels = hill(n, k: 10)
table one { of: [tails]  rows: [sg_type, batch]  columns: [d_ks] }
"#;

fn ran() -> Gradstudy {
    let gradstudy = Gradstudy::new(STUDY);
    gradstudy.run(&["run", "test.study"]).success();
    gradstudy
}

fn export(gradstudy: &Gradstudy, arguments: &[&str], file: &str) -> std::path::PathBuf {
    gradstudy
        .run(&[&["export", "test@latest"], arguments, &["--to", file]].concat())
        .success();
    gradstudy.path().join(file)
}

/// Columns that are found, not keys.
const FOUND: [&str; 7] = [
    "value",
    "low",
    "high",
    "effective",
    "residual",
    "accuracy",
    "trace",
];

/// Fails unless the keys of all rows differ; of samples, those up to `sample`.
fn assert_distinct(table: &Table) {
    let is_key = |name: &&String| match table.has("sample") {
        true => {
            ["test", "direction", "sample", "seed", "layers"].contains(&name.as_str())
                || name.contains("level.")
        }
        false => !FOUND.contains(&name.as_str()) && !name.starts_with("value."),
    };
    let keys: Vec<usize> = (0..table.names.len())
        .filter(|&index| is_key(&&table.names[index]))
        .collect();
    let mut seen = HashSet::new();
    for row in &table.rows {
        let key: Vec<&String> = keys.iter().map(|&index| &row[index]).collect();
        assert!(
            seen.insert(key.clone()),
            "two rows are {key:?} of {:?}",
            table.names
        );
    }
}

fn tensors(path: &Path) -> (HashMap<String, Vec<f64>>, Value) {
    let bytes = fs::read(path).unwrap();
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    // JSON is YAML, which is read to the last digit.
    let keys = serde_yaml::from_str(&header.metadata().as_ref().unwrap()["keys"]).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let numbers = |name: &String| {
        let tensor = file.tensor(name).unwrap();
        match tensor.dtype() {
            Dtype::F64 => tensor
                .data()
                .as_chunks::<8>()
                .0
                .iter()
                .map(|it| f64::from_le_bytes(*it))
                .collect(),
            Dtype::BOOL => tensor.data().iter().map(|it| f64::from(*it)).collect(),
            other => panic!("{other:?}"),
        }
    };
    let all: HashMap<String, Vec<f64>> = file
        .names()
        .into_iter()
        .map(|name| (name.to_string(), numbers(&name.to_string())))
        .collect();
    assert_eq!(all.len(), header.tensors().len());
    (all, keys)
}

fn array(path: &Path) -> Vec<f64> {
    let mut values = Vec::new();
    arrays::open(path, None).unwrap()[0]
        .read(Along::All, 0..1, &mut values)
        .unwrap();
    values
}

#[test]
fn every_row_has_all_that_tells_it_apart() {
    let gradstudy = ran();
    let run = gradstudy.runs().remove(0);
    let results = open_results(&run).unwrap();
    for what in ["outcomes", "spectra", "samples"] {
        let parquet = Table::open(&export(&gradstudy, &["--what", what], "all.parquet"));
        let csv = Table::open(&export(&gradstudy, &["--what", what], "all.csv"));
        assert!(parquet.rows.len() > 100, "{what}: {} rows", parquet.rows.len());
        assert_eq!((&parquet.names, &parquet.rows), (&csv.names, &csv.rows), "{what}");
        assert_distinct(&parquet);
        let keys = [
            "record",
            "dataset",
            "model",
            "training",
            "layers",
            "batch",
            "iterations",
            "seed",
            "spectrum",
        ];
        for key in keys {
            assert!(parquet.has(key), "{what}: no {key} in {:?}", parquet.names);
        }
        for (column, ty, of_spectra) in [
            ("level.batch", DataType::Int64, true),
            ("level.decay", DataType::Float64, true),
            ("level.size", DataType::Utf8, true),
            ("value.size", DataType::Int64, true),
            ("level.noise", DataType::Utf8, true),
            ("level.share", DataType::Float64, false),
            ("level.keep", DataType::Boolean, false),
        ] {
            if of_spectra || what != "spectra" {
                assert_eq!(parquet.type_of(column), &ty, "{what}: {column}");
            }
        }
        assert!(!parquet.has("value.batch") && !parquet.has("value.noise"));
        // A part of a run has the types of the whole.
        let part = export(
            &gradstudy,
            &["--what", what, "--at", "size=small", "--seed", "1"],
            "part.parquet",
        );
        let part = Table::open(&part);
        assert_eq!(part.type_of("level.size"), &DataType::Utf8);
        let asked = [("level.size", "small"), ("seed", "1")];
        assert_eq!(part.rows.len(), parquet.only(&asked).rows.len());
        assert!(part.numbers("value.size").iter().all(|it| *it == 20.0));
    }
    let outcomes = Table::open(&export(&gradstudy, &["--what", "outcomes"], "all.parquet"));
    assert_eq!(
        outcomes
            .only(&[("test", "part"), ("level.share", "0.1")])
            .rows
            .len()
            % 2,
        0
    );
    assert_eq!(
        outcomes.column("level.share").iter().collect::<HashSet<_>>(),
        HashSet::from([&"", &"0.1", &"0.25"]),
        "percents are fractions, and other tests have no such factor"
    );
    // The name of the spectrum, and what it is of.
    let tested = outcomes.only(&[("test", "of_each"), ("statistic", "d_ks")]);
    assert!(tested.column("spectrum").iter().all(|it| *it == "each"));
    let layers: HashSet<&str> = tested.column("layers").into_iter().collect();
    assert_eq!(layers.len(), 3, "{layers:?}");
    assert_eq!(
        tested.rows.len(),
        results
            .measurements
            .iter()
            .filter(|it| it.test == "of_each")
            .count()
    );
}

#[test]
fn layers_one_by_one_go_to_every_format_and_are_selected() {
    let gradstudy = ran();
    let run = gradstudy.runs().remove(0);
    let spectra = open_spectra(&run).unwrap().spectra;
    let (all, keys) = tensors(&export(&gradstudy, &["--what", "spectra"], "all.safetensors"));
    assert_eq!(keys.as_object().unwrap().len(), spectra.len());
    let wanted: usize = spectra
        .iter()
        .map(|it| 1 + usize::from(it.spectrum.residuals.is_some()))
        .sum();
    assert_eq!(all.len(), wanted);
    let one = spectra.iter().find(|it| {
        it.name == "each" && it.seed == 1 && it.levels.contains(&("size".to_string(), "large".to_string()))
    });
    let one = one.unwrap();
    let layers = one.subject.layers.as_ref().unwrap();
    let level = |factor: &str| {
        one.levels
            .iter()
            .find(|(name, _)| name == factor)
            .unwrap()
            .1
            .clone()
    };
    let name = one
        .levels
        .iter()
        .fold(format!("each/layers={layers}/seed=1"), |name, (factor, label)| {
            format!("{name}/{factor}={label}")
        });
    assert_eq!(all[&name], one.spectrum.values);
    let of = &keys[&name];
    assert_eq!(of["layers"], layers.as_str());
    assert_eq!(of["level.batch"], level("batch").parse::<i64>().unwrap());
    assert_eq!(of["level.decay"], level("decay").parse::<f64>().unwrap());
    assert_eq!(
        (&of["level.size"], &of["value.size"]),
        (&"large".into(), &30.into())
    );

    // Every line of the list chooses one thing.
    let list = gradstudy.run(&["export", "test@latest"]).success().stdout;
    let lines: Vec<&str> = list
        .lines()
        .filter(|line| !line.contains("--what outcomes"))
        .collect();
    assert!(lines.len() > 100, "{}", lines.len());
    assert!(
        lines
            .iter()
            .any(|line| line.contains(&format!("--layers {layers}"))),
        "{list}"
    );
    for line in lines.iter().step_by(23) {
        let (options, _) = line.split_once(": ").unwrap();
        let options = words(options);
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        export(&gradstudy, &options, "one.npy");
    }
    let at = |factor: &str| format!("{factor}={}", level(factor));
    let (size, batch, decay) = (at("size"), at("batch"), at("decay"));
    let chosen = [
        "--what", "spectra", "--name", "each", "--layers", layers, "--seed", "1",
    ];
    let at = ["--at", &size, "--at", &batch, "--at", &decay];
    let file = export(&gradstudy, &[&chosen[..], &at[..]].concat(), "one.npy");
    assert_eq!(array(&file), one.spectrum.values);
    // Without the layer there are several.
    let several = [
        "export",
        "test@latest",
        "--what",
        "spectra",
        "--name",
        "each",
        "--seed",
        "1",
        "--to",
        "one.npy",
    ];
    let said = gradstudy.run(&[&several[..], &at[..]].concat());
    assert_eq!(said.code, Some(2));
    assert!(
        said.stderr.contains("3 of the run's spectra") && said.stderr.contains("--layers"),
        "{}",
        said.stderr
    );
    let table = Table::open(&export(
        &gradstudy,
        &["--what", "outcomes", "--layers", layers],
        "layer.csv",
    ));
    assert!(table.column("layers").iter().all(|it| it == layers));

    // Samples: each test's columns, and its verdicts.
    let (all, keys) = tensors(&export(&gradstudy, &["--what", "samples"], "samples.safetensors"));
    let table = Table::open(&export(
        &gradstudy,
        &["--what", "samples", "--name", "tails"],
        "tails.parquet",
    ));
    for (name, keys) in keys
        .as_object()
        .unwrap()
        .iter()
        .filter(|(name, _)| name.starts_with("tails/"))
    {
        let text = |key: &str| match keys[key].as_f64() {
            Some(number) => number.to_string(),
            None => keys[key].as_str().unwrap().to_string(),
        };
        let keys =
            ["direction", "seed", "level.batch", "level.size", "level.decay"].map(|key| (key, text(key)));
        let asked: Vec<(&str, &str)> = keys.iter().map(|(key, text)| (*key, text.as_str())).collect();
        let rows = table.only(&asked);
        assert_eq!(
            all[&format!("{name}/ks_distance")],
            rows.numbers("ks_distance"),
            "{name}"
        );
        let accepted: Vec<f64> = rows
            .column("accepted")
            .iter()
            .map(|it| if *it == "true" { 1.0 } else { 0.0 })
            .collect();
        assert_eq!(all[&format!("{name}/accepted")], accepted, "{name}");
    }
}

#[test]
fn cells_that_share_a_step_have_its_numbers_each() {
    let gradstudy = ran();
    let table = Table::open(&export(&gradstudy, &["--what", "samples"], "all.parquet"));
    // `keep` and `share` change nothing of these tests.
    let mut twins = Vec::new();
    for test in ["twin_a", "twin_b"] {
        for keep in ["true", "false"] {
            for share in ["0.1", "0.25"] {
                let asked = [
                    ("test", test),
                    ("level.keep", keep),
                    ("level.share", share),
                    ("seed", "1"),
                ];
                twins.push(table.only(&asked).numbers("p_value"));
            }
        }
    }
    assert_eq!(twins[0].len(), 25);
    assert!(twins[0].iter().all(|p| (0.0..=1.0).contains(p)), "{:?}", twins[0]);
    assert!(twins.iter().all(|twin| twin == &twins[0]), "{twins:?}");
    // No number that a test gives of each sample is missing in any of its rows.
    for (test, column) in [
        ("tails", "ks_distance"),
        ("part", "critical_distance"),
        ("labels", "xi"),
    ] {
        let of = table.only(&[("test", test)]);
        let missing = of.numbers(column).iter().filter(|it| it.is_nan()).count();
        let degenerate = match test {
            // A constant row has no estimate.
            "labels" => of.rows.len() / 2,
            _ => 0,
        };
        assert!(
            missing <= degenerate,
            "{test}: {missing} of {} rows lack {column}",
            of.rows.len()
        );
    }
    let (all, _) = tensors(&export(
        &gradstudy,
        &["--what", "samples", "--seed", "1"],
        "all.safetensors",
    ));
    for name in [
        "twin_a/dimension/seed=1/share=10%/keep=true",
        "twin_b/dimension/seed=1/share=0.25/keep=false",
    ] {
        assert_eq!(all[&format!("{name}/p_value")], twins[0]);
    }
    let choice = [
        "--what",
        "samples",
        "--name",
        "twin_b",
        "--seed",
        "1",
        "--at",
        "keep=false",
        "--at",
        "share=10%",
    ];
    let npy = export(&gradstudy, &choice, "twin.npy");
    let values = array(&npy);
    assert_eq!(
        values
            .chunks(values.len() / 25)
            .map(|row| row[0])
            .collect::<Vec<_>>(),
        twins[0]
    );
}
