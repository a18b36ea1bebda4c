//! LeNet on the embedded images against PyTorch and SciPy in float64 (make_golden.py).

use std::path::Path;

use gradstudy::data::{self, Dataset, SearchPath};
use gradstudy::hessian::{Curvature, Operator, Request};
use gradstudy::models::{self, Network, weights};
use gradstudy::signature::{Args, Value};
use serde_json::Value as Json;

use super::nets::{reference, solve};

/// LeNet at PyTorch's initial weights and the embedded images.
fn lenet() -> (Network, Vec<f32>, Dataset) {
    let text = |value: &str| Value::Text(value.into());
    let args =
        |values: Vec<(&str, Value)>| Args(values.into_iter().map(|(k, v)| (k.to_string(), v)).collect());
    let settings = args(vec![("split", text("train")), ("normalize", text("global"))]);
    let fashion = data::dataset("fashion_mnist_5k").unwrap();
    let data = fashion.load(&settings, &SearchPath::default()).unwrap();
    let logits = args(vec![("logits", Value::Integer(10))]);
    let network = models::find("lenet")
        .unwrap()
        .build(&logits, [1, 28, 28])
        .unwrap();
    let path = "tests/reference/gradients/lenet_weights.safetensors";
    let theta = weights::read(&network, &Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    (network, theta, data)
}

fn check(kind: Curvature, name: &str) {
    let (network, theta, data) = lenet();
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
#[ignore = "half a minute and more; .ci/run runs it"]
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

#[test]
#[ignore = "half a minute and more; .ci/run runs it"]
fn two_seeds_give_the_same_top_200() {
    let (network, theta, data) = lenet();
    let samples: Vec<u32> = (100..148).collect();
    let operator = Operator::new(&network, &theta, &data, &samples, Curvature::Hessian).unwrap();
    let run = |seed| {
        let request = Request {
            seed,
            ..Request::new(200)
        };
        solve(&operator, &request).unwrap()
    };
    let (a, b) = (run(1), run(2));
    assert_eq!((a.converged, b.converged), (200, 200));
    for (k, (a, b)) in a.values.iter().zip(&b.values).enumerate() {
        assert!((a / b - 1.0).abs() < 1e-4, "{k}: {a} and {b}");
    }
}
