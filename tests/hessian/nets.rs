//! Networks, data and helpers of these tests.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use gradstudy::data::Dataset;
use gradstudy::data::normalize::{Normalization, NormalizationNote};
use gradstudy::hessian::{CurvatureSpectrum, HessianError, Operator, Request, spectrum};
use gradstudy::layers::{Conv2d, Layer, Linear, MaxPool2d, Relu, Shape};
use gradstudy::models::Network;
use gradstudy::stats::monitor::Monitor;
use rand::RngExt;

pub fn reference(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/reference/hessian")
        .join(name)
}

/// A layer made for the shape before it.
type Make = fn(Shape) -> Box<dyn Layer>;

fn conv<const OUT: usize, const KERNEL: usize, const PADDING: usize>(input: Shape) -> Box<dyn Layer> {
    Box::new(Conv2d {
        input,
        out_channels: OUT,
        kernel: KERNEL,
        padding: PADDING,
        ..Conv2d::default()
    })
}

fn linear<const OUT: usize>(input: Shape) -> Box<dyn Layer> {
    Box::new(Linear { input, outputs: OUT })
}

fn relu(shape: Shape) -> Box<dyn Layer> {
    Box::new(Relu { shape })
}

fn pool(input: Shape) -> Box<dyn Layer> {
    Box::new(MaxPool2d { input, window: 2 })
}

fn chain(name: &'static str, input: Shape, makes: &[Make]) -> Network {
    let mut shape = input;
    let layers = makes
        .iter()
        .map(|make| {
            let layer = make(shape);
            shape = layer.output();
            ("layer", layer)
        })
        .collect();
    Network::new(name, input, layers)
}

/// The small networks of make_golden.py, and some of these tests alone.
pub fn network(name: &str) -> Network {
    match name {
        "conv" => {
            let makes: [Make; 6] = [conv::<3, 3, 0>, pool, relu, linear::<6>, relu, linear::<4>];
            chain("conv", [1, 6, 6], &makes)
        }
        "padded" => {
            let makes: [Make; 5] = [conv::<3, 3, 1>, relu, conv::<2, 3, 0>, pool, linear::<3>];
            chain("padded", [2, 5, 5], &makes)
        }
        "mlp" => {
            let makes: [Make; 5] = [linear::<8>, relu, linear::<7>, relu, linear::<3>];
            chain("mlp", [5, 1, 1], &makes)
        }
        "wide" => {
            let makes: [Make; 5] = [linear::<30>, relu, linear::<20>, relu, linear::<5>];
            chain("wide", [12, 1, 1], &makes)
        }
        "softmax" => chain("softmax", [4, 1, 1], &[linear::<3>]),
        other => panic!("no network `{other}`"),
    }
}

/// A data set of these images and labels.
pub fn dataset(shape: Shape, classes: usize, images: Vec<f32>, labels: Vec<u32>) -> Dataset {
    let examples = labels.len();
    Dataset {
        name: "test".into(),
        images,
        shape,
        labels,
        classes,
        digest: "test".into(),
        note: NormalizationNote {
            scheme: Normalization::None,
            mean: 0.0,
            sd: 1.0,
            channels: Vec::new(),
            constant_pixels: 0,
            fitted_on: examples,
        },
    }
}

/// Numbers in (−1, 1) that never change.
pub fn numbers(count: usize, salt: u64) -> Vec<f32> {
    let mut rng = gradstudy::seed::rng(salt, "hessian tests");
    (0..count).map(|_| rng.random_range(-1.0f32..1.0)).collect()
}

/// Random examples for `network`.
pub fn random_data(network: &Network, examples: usize) -> Dataset {
    let size: usize = network.input.iter().product();
    let labels = (0..examples)
        .map(|i| (i * 7 % 11 % network.classes) as u32)
        .collect();
    let images = numbers(size * examples, 1).iter().map(|x| 2.0 * x).collect();
    dataset(network.input, network.classes, images, labels)
}

/// The whole matrix, column by column.
pub fn dense(operator: &Operator) -> Vec<f64> {
    let n = operator.size();
    let mut identity = vec![0.0; n * n];
    (0..n).for_each(|i| identity[i * n + i] = 1.0);
    let mut matrix = vec![0.0; n * n];
    operator
        .products(&identity, &mut matrix, &AtomicBool::new(false))
        .expect("nobody cancels")
        .unwrap();
    matrix
}

/// The spectrum, nobody cancelling.
pub fn solve(operator: &Operator, request: &Request) -> Result<CurvatureSpectrum, HessianError> {
    let cancel = AtomicBool::new(false);
    let monitor = Monitor {
        progress: &|_| {},
        cancel: &cancel,
    };
    spectrum(operator, request, &monitor).expect("nobody cancels")
}

pub fn norm(values: &[f64]) -> f64 {
    values.iter().map(|v| v * v).sum::<f64>().sqrt()
}
