//! Tanh, average pooling, residual blocks and batch normalisation against PyTorch's products and spectra in float64
//! (make_layers.py).

use std::sync::atomic::AtomicBool;

use gradstudy::hessian::{Curvature, HessianError, Operator, Request};
use gradstudy::layers::{BatchNorm, Conv2d, GlobalAvgPool, Linear, Relu, Tanh};
use gradstudy::models::{Builder, Network};
use safetensors::SafeTensors;

use super::nets::{dataset, norm, reference, solve};

fn linear(net: &mut Builder, outputs: usize) {
    let input = net.shape();
    net.push("fc", Linear { input, outputs });
}

fn tanh(net: &mut Builder) {
    let shape = net.shape();
    net.push("tanh", Tanh { shape });
}

fn relu(net: &mut Builder) {
    let shape = net.shape();
    net.push("relu", Relu { shape });
}

fn batch_norm(net: &mut Builder) {
    let shape = net.shape();
    net.push("bn", BatchNorm { shape });
}

fn conv(net: &mut Builder, from: usize, out_channels: usize, kernel: usize, stride: usize, bias: bool) {
    let layer = Conv2d {
        input: net.shape_of(from),
        out_channels,
        kernel,
        stride,
        padding: kernel / 2,
        dilation: 1,
        groups: 1,
        bias,
    };
    net.push_from(from, "conv", layer);
}

fn residual(net: &mut Builder, channels: usize, stride: usize) {
    let x = net.last();
    conv(net, x, channels, 3, stride, false);
    batch_norm(net);
    relu(net);
    conv(net, net.last(), channels, 3, 1, false);
    batch_norm(net);
    if net.shape() == net.shape_of(x) {
        net.plus(x);
    } else {
        let main = net.last();
        conv(net, x, channels, 1, stride, false);
        batch_norm(net);
        net.plus(main);
    }
    relu(net);
}

fn average(net: &mut Builder) {
    let input = net.shape();
    net.push("pool", GlobalAvgPool { input });
}

fn network(name: &'static str) -> Network {
    let mut net = Builder::new(match name {
        "tanh" | "norm" => [5, 1, 1],
        _ => [2, 4, 4],
    });
    match name {
        "tanh" => {
            linear(&mut net, 8);
            tanh(&mut net);
            linear(&mut net, 6);
            tanh(&mut net);
        }
        "average" => {
            conv(&mut net, 0, 4, 3, 1, true);
            tanh(&mut net);
            average(&mut net);
        }
        "norm" => {
            linear(&mut net, 7);
            batch_norm(&mut net);
            relu(&mut net);
            linear(&mut net, 6);
            batch_norm(&mut net);
            tanh(&mut net);
        }
        _ => {
            conv(&mut net, 0, 3, 3, 1, false);
            batch_norm(&mut net);
            relu(&mut net);
            residual(&mut net, 3, 1);
            residual(&mut net, 4, 2);
            average(&mut net);
        }
    }
    linear(&mut net, 3);
    net.build(name)
}

fn numbers<const N: usize, T>(file: &SafeTensors, name: &str, from: fn([u8; N]) -> T) -> Vec<T> {
    let tensor = file.tensor(name).unwrap_or_else(|_| panic!("{name}"));
    tensor
        .data()
        .as_chunks::<N>()
        .0
        .iter()
        .map(|b| from(*b))
        .collect()
}

/// Modes: `None` for running statistics.
const NETS: [(&str, &[Option<usize>]); 4] = [
    ("tanh", &[None]),
    ("average", &[None]),
    ("norm", &[None, Some(10), Some(40)]),
    ("residual", &[None, Some(20)]),
];

#[test]
fn products_and_spectra_equal_pytorch_s() {
    let bytes = std::fs::read(reference("golden_layers.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    for (name, modes) in NETS {
        let network = network(name);
        let n = network.parameter_count();
        let values = numbers(&file, &format!("{name}.values"), f32::from_le_bytes);
        let images = numbers(&file, &format!("{name}.images"), f32::from_le_bytes);
        let labels = numbers(&file, &format!("{name}.labels"), u32::from_le_bytes);
        let directions = numbers(&file, &format!("{name}.directions"), f32::from_le_bytes);
        let data = dataset(network.input, 3, images, labels);
        let samples: Vec<u32> = (0..data.len() as u32).collect();
        for mode in modes {
            for (kind, word) in [
                (Curvature::Hessian, "hessian"),
                (Curvature::GaussNewton, "gauss_newton"),
                (Curvature::EmpiricalFisher, "fisher"),
            ] {
                let key = match mode {
                    None => format!("{name}.running.{word}"),
                    Some(size) => format!("{name}.{size}.{word}"),
                };
                let mut operator = Operator::new(&network, &values, &data, &samples, kind).unwrap();
                if let Some(size) = mode {
                    operator = operator.in_minibatches(*size).unwrap();
                }
                let mut products = vec![0.0; directions.len()];
                operator
                    .products(&directions, &mut products, &AtomicBool::new(false))
                    .expect("nobody cancels")
                    .unwrap();
                let expected = numbers(&file, &format!("{key}.products"), f64::from_le_bytes);
                let difference: Vec<f64> = products.iter().zip(&expected).map(|(a, b)| a - b).collect();
                let error = norm(&difference) / norm(&expected);
                assert!(error < 1e-6, "{key}: relative error of products {error:e}");

                let expected = numbers(&file, &format!("{key}.eigenvalues"), f64::from_le_bytes);
                let found = solve(&operator, &Request::new(n)).unwrap();
                let largest = expected[0].max(-expected[n - 1]);
                for (k, (value, expected)) in found.values.iter().zip(&expected).enumerate() {
                    let error = (value - expected).abs() / largest;
                    assert!(error < 1e-6, "{key}, {k}: {value} and {expected}");
                }
            }
        }
    }
}

#[test]
fn products_do_not_depend_on_the_number_of_threads() {
    let network = network("residual");
    let data = super::nets::random_data(&network, 60);
    let mut values = super::nets::numbers(network.value_count(), 3);
    values[network.parameter_count()..]
        .iter_mut()
        .for_each(|v| *v = v.abs());
    let samples: Vec<u32> = (0..60).collect();
    let direction = super::nets::numbers(network.parameter_count(), 4);
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| {
            let operator = Operator::new(&network, &values, &data, &samples, Curvature::Hessian).unwrap();
            let operator = operator.in_minibatches(20).unwrap();
            let mut product = vec![0.0; direction.len()];
            operator
                .products(&direction, &mut product, &AtomicBool::new(false))
                .expect("nobody cancels")
                .unwrap();
            product
        })
    };
    let one = run(1);
    assert!(one.iter().all(|p| p.is_finite()));
    assert_eq!(one, run(3));
}

#[test]
fn minibatches_are_full_and_of_two_samples_or_more() {
    let network = network("norm");
    let data = super::nets::random_data(&network, 40);
    let samples: Vec<u32> = (0..40).collect();
    let mut values = super::nets::numbers(network.value_count(), 3);
    values[network.parameter_count()..]
        .iter_mut()
        .for_each(|v| *v = v.abs());
    for size in [0, 1, 7, 50] {
        let operator = Operator::new(&network, &values, &data, &samples, Curvature::Hessian).unwrap();
        let error = operator.in_minibatches(size).unwrap_err();
        assert!(
            matches!(error, HessianError::Minibatches { samples: 40, .. }),
            "{size}: {error}"
        );
    }
}
