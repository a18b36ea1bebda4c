//! LeNet on the embedded images against PyTorch and SciPy in float64 (make_golden.py).

use std::path::Path;

use gradstudy::data::{self, SearchPath};
use gradstudy::hessian::{Curvature, Operator, Request};
use gradstudy::models::{self, weights};
use gradstudy::signature::{Args, Value};
use serde_json::Value as Json;

use super::nets::{reference, solve};

fn check(kind: Curvature, name: &str) {
    let text = |value: &str| Value::Text(value.into());
    let args =
        |values: Vec<(&str, Value)>| Args(values.into_iter().map(|(k, v)| (k.to_string(), v)).collect());
    let settings = args(vec![("split", text("train")), ("normalize", text("global"))]);
    let data = data::dataset("fashion_mnist_5k")
        .unwrap()
        .load(&settings, &SearchPath::default())
        .unwrap();
    let lenet = models::find("lenet").unwrap();
    let network = lenet
        .build(&args(vec![("logits", Value::Integer(10))]), [1, 28, 28])
        .unwrap();
    let path = "tests/reference/gradients/lenet_weights.safetensors";
    let theta = weights::read(&network, &Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();

    let golden = std::fs::read(reference("golden_lenet.json")).unwrap();
    let golden = &serde_json::from_slice::<Json>(&golden).unwrap()[name];
    let expected: Vec<f64> = golden["values"]
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v.as_f64().unwrap())
        .collect();
    let samples: Vec<u32> = (0..golden["samples"].as_u64().unwrap() as u32).collect();
    let operator = Operator::new(&network, &theta, &data, &samples, kind).unwrap();
    let found = solve(&operator, &Request::new(expected.len())).unwrap();
    assert_eq!((found.converged, expected.len()), (50, 50));
    for (k, (value, expected)) in found.values.iter().zip(&expected).enumerate() {
        assert!(
            (value / expected - 1.0).abs() < 1e-4,
            "{name}, {k}: {value} and {expected}"
        );
    }
}

#[test]
fn top_50_of_the_hessian() {
    check(Curvature::Hessian, "hessian");
}

#[test]
fn top_50_of_the_gauss_newton_matrix() {
    check(Curvature::GaussNewton, "gauss_newton");
}

#[test]
fn top_50_of_the_fisher_matrix() {
    check(Curvature::EmpiricalFisher, "fisher");
}
