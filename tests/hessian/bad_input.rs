//! What cannot be computed says so.

use burn::Tensor;
use gradstudy::hessian::{Curvature, HessianError, Operator, Request};
use gradstudy::layers::lanes::Lanes;
use gradstudy::layers::{Layer, Linear, Products, Shape};
use gradstudy::models::Network;
use miette::Diagnostic;

use super::nets::{network, numbers, random_data, solve};

/// tanh: smooth, and without a second-order rule.
#[derive(Debug)]
struct Tanh(Shape);

impl Layer for Tanh {
    fn kind(&self) -> &'static str {
        "Tanh"
    }

    fn output(&self) -> Shape {
        self.0
    }

    fn flops(&self) -> u64 {
        0
    }

    fn forward(&self, _: &[f32], _: &[Lanes], _: &mut [Lanes], _: &mut [Lanes]) {
        unreachable!("no product is computed")
    }

    fn backward(&self, _: &[f32], _: &[Lanes], _: &[Lanes], _: &[Lanes], _: &mut [Lanes], _: &mut [Lanes]) {
        unreachable!("no product is computed")
    }

    fn tensor_forward(&self, _: Tensor<1>, input: Tensor<4>, _: Products) -> Tensor<4> {
        input
    }
}

fn refused(network: &Network, theta: &[f32], samples: &[u32]) -> HessianError {
    let data = random_data(network, 20);
    Operator::new(network, theta, &data, samples, Curvature::Hessian).expect_err("bad input")
}

#[test]
fn every_error_has_a_code_and_a_help() {
    let mlp = network("mlp");
    let n = mlp.parameter_count();
    let (theta, samples) = (numbers(n, 1), vec![0, 1]);
    let mut nan = theta.clone();
    nan[50] = f32::NAN;
    let linear = |input| Linear { input, outputs: 3 };
    let smooth: Vec<(&'static str, Box<dyn Layer>)> = vec![
        ("fc1", Box::new(linear([5, 1, 1]))),
        ("tanh1", Box::new(Tanh([3, 1, 1]))),
        ("fc2", Box::new(linear([3, 1, 1]))),
    ];
    let smooth = Network::new("smooth", [5, 1, 1], smooth);
    let other_shape = random_data(&network("wide"), 20);
    let mut more_classes = random_data(&mlp, 20);
    more_classes.classes = 4;
    let misfit =
        |data| Operator::new(&mlp, &theta, data, &samples, Curvature::Hessian).expect_err("bad data");

    let data = random_data(&mlp, 20);
    let operator = Operator::new(&mlp, &theta, &data, &samples, Curvature::Hessian).unwrap();
    let unsolved = |request: Request| solve(&operator, &request).expect_err("bad request");
    let huge: Vec<f32> = theta.iter().map(|t| t * 1e30).collect();
    let overflow = Operator::new(&mlp, &huge, &data, &samples, Curvature::Hessian).unwrap();

    let errors = [
        (
            refused(&smooth, &vec![0.1; smooth.parameter_count()], &samples),
            "layer `tanh1` (Tanh)",
        ),
        (
            refused(&mlp, &nan, &samples),
            "parameter 50 (`layer.weight`) is NaN",
        ),
        (
            refused(&mlp, &theta[1..], &samples),
            "θ has 134 numbers, mlp has 135",
        ),
        (refused(&mlp, &theta, &[]), "no samples"),
        (refused(&mlp, &theta, &[3, 20]), "sample 20 of a data set of 20"),
        (misfit(&other_shape), "its examples are [12, 1, 1]"),
        (misfit(&more_classes), "it has 4 classes, the model 3 logits"),
        (
            unsolved(Request::new(n + 1)),
            "136 eigenvalues of a matrix with 135 rows",
        ),
        (unsolved(Request::new(0)), "0 eigenvalues"),
        (
            unsolved(Request {
                tolerance: 0.0,
                ..Request::new(3)
            }),
            "the tolerance is 0",
        ),
        (
            unsolved(Request {
                tolerance: f64::NAN,
                ..Request::new(3)
            }),
            "the tolerance is NaN",
        ),
        (
            unsolved(Request {
                memory: 1000,
                ..Request::new(3)
            }),
            "need 0 MB for a basis of 135",
        ),
        (
            solve(&overflow, &Request::new(3)).expect_err("overflow"),
            "not finite",
        ),
    ];
    for (error, expected) in errors {
        assert!(error.to_string().contains(expected), "{error}");
        assert!(
            error
                .code()
                .is_some_and(|c| c.to_string().starts_with("gradstudy::hessian::"))
        );
        assert!(error.help().is_some(), "{error}");
    }
}
