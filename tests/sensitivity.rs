//! A sensitivity table is a grid of tails, sides and critical distances over one recording.

use std::fs;

use gradstudy::report::table::CellValue;
use gradstudy::run::{Run, open_spectra};
use gradstudy::stats::sensitivity::sensitivity;
use serde_json::Value;

use crate::support::Gradstudy;

const STUDY: &str = r#"
study "Choices" { allow: [W0105, W0103] }
data  fashion = fashion_mnist_5k(subset: 600)
model fcn     = fcn(logits: 10, width: 8)
vary tail     in [top(100), minimum, quantile(50%), scan(at_least: 10)]
vary ecdf     in [left, two_sided]
vary critical in [fixed, fitted]
record g = gradients(of: fcn, on: fashion, batch: 4, iterations: 150)
spectrum c = covariance(g, top: 140)
test ks = power_law(c, tail: tail, ecdf: ecdf, critical: critical)
table choices { of: [ks] rows: [tail, ecdf, critical] columns: [power_law, d_ks, beta, beta_se, n_tail, x_min] }
"#;

#[test]
fn a_table_over_choices_is_the_sensitivity_of_the_sample() {
    let gradstudy = Gradstudy::new(STUDY);
    gradstudy.run(&["run", "test.study"]).success();
    let run = Run::open(&gradstudy.runs()[0]).unwrap();
    let steps = run.manifest.steps.iter();
    assert_eq!(
        steps.filter(|step| step.operation == "record").count(),
        1,
        "one recording"
    );
    let spectra = open_spectra(&gradstudy.runs()[0]).unwrap().spectra;
    let wanted = sensitivity(&spectra[0].spectrum.values, 0.05).unwrap();
    let table = &run.tables().unwrap()[0];
    assert_eq!(table.rows.len(), 16);
    for row in &table.rows {
        let labels: Vec<String> = row.labels.iter().map(ToString::to_string).collect();
        let found = wanted
            .iter()
            .find(|it| it.tail == labels[0] && it.ecdf == labels[1]);
        let found = found.unwrap_or_else(|| panic!("{labels:?}")).found.unwrap();
        let accepted = match labels[2].as_str() {
            "fixed" => found.power_law_fixed,
            _ => found.power_law_fitted,
        };
        let expected = [
            f64::from(u8::from(accepted)),
            found.d_ks,
            found.beta,
            found.beta_se,
            found.n_tail as f64,
            found.x_min,
        ];
        for (cell, expected) in row.cells.iter().zip(expected) {
            let CellValue::Number { mean, .. } = &cell.value else {
                panic!("{labels:?}: {cell:?}")
            };
            assert!(
                (mean - expected).abs() <= 1e-12 * expected.abs(),
                "{labels:?}: {mean} is not {expected}"
            );
        }
    }
    // What `gradstudy test --sensitivity` says of the same numbers.
    gradstudy
        .run(&[
            "export",
            "test@latest",
            "--what",
            "spectra",
            "--name",
            "c",
            "--at",
            "tail=minimum",
            "--at",
            "ecdf=left",
            "--at",
            "critical=fixed",
            "--to",
            "c.npy",
        ])
        .success();
    let said = gradstudy
        .run(&[
            "test",
            "c.npy",
            "--sensitivity",
            "--json",
            "--test",
            "power_law(tail: minimum)",
        ])
        .success();
    let json: Value = serde_json::from_str(&said.stdout).unwrap();
    let rows = json["arrays"][0]["sensitivity"].as_array().unwrap();
    let minimum = rows
        .iter()
        .find(|it| it["tail"] == "minimum" && it["ecdf"] == "left")
        .unwrap();
    let of = wanted
        .iter()
        .find(|it| it.tail == "minimum" && it.ecdf == "left")
        .unwrap();
    assert_eq!(minimum["found"]["d_ks"].as_f64(), Some(of.found.unwrap().d_ks));
    assert!(fs::read(gradstudy.path().join("c.npy")).unwrap().len() > 140 * 8);
}
