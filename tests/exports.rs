//! `gradstudy export RUN`: what is written is what the run found, and is read back by others' rules.

mod agreement;
mod files;
mod keys;
mod reasons;
mod study;

use std::fs;
use std::path::Path;

use gradstudy::arrays::{self, Along};
use gradstudy::run::{open_results, open_spectra};
use gradstudy::stats::outcome::{Direction, Outcome};
use gradstudy::stats::power_law::{PowerLawSettings, PowerLawTest};
use gradstudy::stats::tail::TailRule;
use safetensors::SafeTensors;
use serde_json::Value;

use crate::support::Gradstudy;

const STUDY: &str = r#"
study "Exports" { seeds: [0, 1] }
data  fashion = fashion_mnist_5k(subset: 600)
model lenet   = lenet(logits: 10)
vary batch in [3, 5]
record g = gradients(of: lenet, on: fashion, batch: batch, iterations: 40)
spectrum c = covariance(g, top: 30)
test tails = power_law(g, tail: top(20), bootstrap: 19, distances: all)
test bell  = normality(g, points: 20, along: [dimension])
test heavy = hill(g, k: 20, along: [dimension])
test laws  = alternatives(g, tail: top(20), against: [lognormal], along: [dimension])
test ks    = power_law(c, tail: top(30))
table one { of: [tails, bell, heavy, laws, ks] rows: [sg_type, batch] columns: [d_ks, xi, p_lognormal, p_value] }
"#;

fn column(path: &Path, name: &str) -> Vec<f64> {
    if path.extension().is_some_and(|it| it == "csv") {
        let mut reader = csv::Reader::from_path(path).unwrap();
        let index = reader
            .headers()
            .unwrap()
            .iter()
            .position(|it| it == name)
            .unwrap();
        let number = |text: &str| text.parse().unwrap_or(f64::NAN);
        return reader.records().map(|row| number(&row.unwrap()[index])).collect();
    }
    let table = arrays::open(path, None).unwrap().remove(0);
    let index = table.column_names.iter().position(|it| it == name);
    let index = index.unwrap_or_else(|| panic!("{name} is not among {:?}", table.column_names));
    let mut values = Vec::new();
    table.read(Along::Columns, index..index + 1, &mut values).unwrap();
    values
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[test]
fn results_are_exported_as_they_are() {
    let gradstudy = Gradstudy::new(STUDY);
    gradstudy.run(&["run", "test.study"]).success();
    let folder = gradstudy.runs().remove(0);
    let export = |arguments: &[&str]| gradstudy.run(&[&["export", "test@latest"], arguments].concat());
    let file = |name: &str| gradstudy.path().join(name);

    // What there is.
    let json: Value = serde_json::from_str(&export(&["--json"]).success().stdout).unwrap();
    assert_eq!(
        (
            json["format_version"].as_u64(),
            json["outcomes"]["measurements"].as_u64()
        ),
        (Some(1), Some(24))
    );
    assert_eq!(json["spectra"].as_array().unwrap().len(), 4);
    let samples = json["samples"].as_array().unwrap();
    assert_eq!(samples.len(), 20);
    assert_eq!(
        samples[0]["columns"],
        serde_json::json!([
            "accepted",
            "ks_distance",
            "critical_distance",
            "exponent",
            "x_min",
            "n_tail",
            "kuiper",
            "anderson_darling",
            "bootstrap_p_value"
        ])
    );
    let text = export(&[]).success().stdout;
    assert!(
        text.contains(
            "--what samples --name bell --seed 1 --at batch=5 --along dimension: 40 × accepted, p_value"
        ),
        "{text}"
    );

    // Each row's and column's numbers, whose means are those of the outcome.
    let results = open_results(&folder).unwrap();
    for measurement in &results.measurements {
        if measurement.direction == Direction::Spectrum {
            continue;
        }
        let (seed, batch) = (measurement.seed.to_string(), measurement.subject.batch);
        let chosen = [
            "--what",
            "samples",
            "--name",
            &measurement.test,
            "--seed",
            &seed,
            "--at",
            &format!("batch={batch}"),
            "--along",
            measurement.direction.word(),
            "--to",
        ];
        for name in ["each.parquet", "each.csv"] {
            export(&[&chosen[..], &[name]].concat()).success();
            let column = |name_of: &str| column(&file(name), name_of);
            match &measurement.outcome {
                Outcome::PowerLaw(outcome) => {
                    let distances = column("ks_distance");
                    assert_eq!(distances.len() as u64, outcome.acceptance.tested);
                    assert!((mean(&distances) - outcome.mean_ks_distance).abs() < 1e-12);
                    let critical = column("critical_distance");
                    let accepted = distances.iter().zip(&critical).filter(|(d, d_c)| d < d_c).count();
                    assert_eq!(accepted as u64, outcome.acceptance.accepted);
                    let bootstrap = outcome.bootstrap.as_ref().unwrap();
                    assert!((mean(&column("bootstrap_p_value")) - bootstrap.mean_p_value).abs() < 1e-12);
                    let mut kuiper = column("kuiper");
                    kuiper.retain(|value| !value.is_nan());
                    let summed = outcome.distances.as_ref().unwrap().mean_kuiper;
                    assert!((mean(&kuiper) - summed).abs() < 1e-12);
                    assert_eq!(column("sample").last(), Some(&(distances.len() as f64 - 1.0)));
                }
                Outcome::Normality(outcome) => {
                    assert!((mean(&column("p_value")) - outcome.mean_p_value).abs() < 1e-12);
                }
                Outcome::TailIndex(outcome) => assert!((mean(&column("xi")) - outcome.mean_xi).abs() < 1e-12),
                Outcome::Alternatives(outcome) => {
                    let p = mean(&column("p_lognormal"));
                    assert!((p - outcome.against[0].mean_p_value).abs() < 1e-12);
                }
                other => panic!("{other:?}"),
            }
        }
    }

    // One measurement as an array, against the plain test of each column of the exported G.
    let one = [
        "--name",
        "tails",
        "--seed",
        "1",
        "--at",
        "batch=3",
        "--along",
        "dimension",
    ];
    let said = export(&[&["--what", "samples", "--to", "tails.npy"], &one[..]].concat()).success();
    assert!(
        said.stdout.contains("[40, 8] of ks_distance, critical_distance"),
        "{}",
        said.stdout
    );
    gradstudy
        .run(&[
            "export",
            "test.study",
            "--to",
            "g.npy",
            "--seed",
            "1",
            "--at",
            "batch=3",
        ])
        .success();
    let (g, tails) = (
        arrays::open(&file("g.npy"), None).unwrap().remove(0),
        arrays::open(&file("tails.npy"), None).unwrap().remove(0),
    );
    let settings = PowerLawSettings {
        tail: TailRule::Top(20),
        ..PowerLawSettings::default()
    };
    let (mut gradient, mut found) = (Vec::new(), Vec::new());
    for t in 0..40 {
        g.read(Along::Rows, t..t + 1, &mut gradient).unwrap();
        tails.read(Along::Rows, t..t + 1, &mut found).unwrap();
        let test = PowerLawTest::of(&gradient, &settings).unwrap();
        let wanted = [
            test.ks_distance,
            test.critical_distance,
            test.fit.exponent,
            test.fit.x_min,
        ];
        for (found, wanted) in found.iter().zip(wanted) {
            assert!(
                (found / wanted - 1.0).abs() < 1e-9,
                "column {t}: {found} is not {wanted}"
            );
        }
    }

    // Spectra.
    let spectra = open_spectra(&folder).unwrap();
    export(&["--what", "spectra", "--to", "all.parquet"]).success();
    let values: Vec<f64> = spectra
        .spectra
        .iter()
        .flat_map(|it| it.spectrum.values.clone())
        .collect();
    assert_eq!(column(&file("all.parquet"), "value"), values);
    assert_eq!(column(&file("all.parquet"), "rank")[29..31], [30.0, 1.0]);
    export(&[
        "--what", "spectra", "--to", "c.npy", "--seed", "0", "--at", "batch=5",
    ])
    .success();
    let c = arrays::open(&file("c.npy"), None).unwrap().remove(0);
    let mut read = Vec::new();
    c.read(Along::All, 0..1, &mut read).unwrap();
    let of = |it: &&gradstudy::results::MeasuredSpectrum| it.seed == 0 && it.subject.batch == 5;
    assert_eq!(read, spectra.spectra.iter().find(of).unwrap().spectrum.values);
    export(&["--what", "spectra", "--to", "c.safetensors"]).success();
    let bytes = fs::read(file("c.safetensors")).unwrap();
    let tensor = SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(tensor.tensor("c/seed=0/batch=5").unwrap().shape(), [30]);
    export(&["--what", "samples", "--to", "samples.safetensors"]).success();
    let bytes = fs::read(file("samples.safetensors")).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(
        tensors
            .tensor("bell/dimension/seed=1/batch=3/accepted")
            .unwrap()
            .shape(),
        [40]
    );

    // Outcomes.
    export(&["--what", "outcomes", "--to", "outcomes.parquet"]).success();
    let values = column(&file("outcomes.parquet"), "value");
    let wanted: usize = results
        .measurements
        .iter()
        .map(|it| {
            let columns = gradstudy::report::columns::COLUMNS.iter();
            columns.filter(|column| column.of(it).is_some()).count()
        })
        .sum();
    assert_eq!(values.len(), wanted);

    // What cannot be.
    for (arguments, says) in [
        (&["--to", "x.npy"][..], "--what samples"),
        (&["--what", "samples", "--to", "x.npy"], "20 of the run's"),
        (&["--what", "spectra", "--to", "x.txt"], "`.parquet`"),
        (&["--what", "outcomes", "--to", "x.npy"], "`.csv`"),
        (&["--what", "spectra", "--name", "d", "--to", "x.npy"], "--name c"),
        (&["--weights", "--to", "x.npy"], "is for a study"),
    ] {
        let said = export(arguments);
        assert_eq!(said.code, Some(2), "{arguments:?}");
        assert!(said.stderr.contains(says), "{says} is not in {}", said.stderr);
        assert!(!file("x.npy").exists());
    }

    // From the cache they are the same; without the file, verdicts are left.
    let bytes = |run: &Path| fs::read(run.join("samples.safetensors")).unwrap();
    let before = bytes(&folder);
    gradstudy.run(&["rm", "test@latest"]).success();
    gradstudy.run(&["run", "test.study"]).success();
    let again = gradstudy.runs().remove(0);
    assert!(before == bytes(&again));
    fs::remove_file(again.join("samples.safetensors")).unwrap();
    let text = export(&[]).success().stdout;
    assert!(text.contains("--along dimension: 40 × accepted\n"), "{text}");
}
