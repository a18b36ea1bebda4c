//! Kernels for GPUs beside the host's: on the GPU of `GRADSTUDY_DEVICE`, or compiled for the CPU with the feature
//! `cube-cpu`.

mod curvature;
mod history;
mod training;

use std::sync::atomic::AtomicBool;

use burn::Device;
use gradstudy::data::{self, Dataset, SearchPath};
use gradstudy::gradients::engine::Engine;
use gradstudy::gradients::kernels::KernelNetwork;
use gradstudy::kernels::Gpu;
use gradstudy::layers::{BatchNorm, BatchNormMode, Conv2d, GlobalAvgPool, Linear, MaxPool2d, Products, Relu};
use gradstudy::models::network::Builder;
use gradstudy::models::{self, Network, weights};
use gradstudy::signature::{Args, Value};
use gradstudy::spectra::Multiplier;
use gradstudy::spectra::gram::{self, GramAccumulator};
use gradstudy::spectra::products::Precision;
use gradstudy::stats::history_view::HistoryView;
use gradstudy::stats::monitor::Monitor;

use crate::support::tensor_device;

static NEVER: AtomicBool = AtomicBool::new(false);

const SILENT: Monitor<'static> = Monitor {
    progress: &|_| {},
    cancel: &NEVER,
};

/// The GPU, if one is asked for; else the CPU as kernels see it.
fn device() -> Device {
    let (device, _) = tensor_device();
    match Gpu::of(&device) {
        Some(_) => device,
        #[cfg(feature = "cube-cpu")]
        None => Device::cpu(),
        #[cfg(not(feature = "cube-cpu"))]
        None => device,
    }
}

/// Says that there is none.
fn gpu() -> Option<Gpu> {
    let gpu = Gpu::of(&device());
    if gpu.is_none() {
        eprintln!("skipped: neither GRADSTUDY_DEVICE=cuda nor the feature cube-cpu");
    }
    gpu
}

fn args<const N: usize>(values: [(&str, Value); N]) -> Args {
    Args(
        values
            .into_iter()
            .map(|(name, value)| (name.to_string(), value))
            .collect(),
    )
}

fn images() -> Dataset {
    let settings = args([
        ("split", Value::Text("train".into())),
        ("normalize", Value::Text("global".into())),
    ]);
    let kind = data::dataset("fashion_mnist_5k").unwrap();
    kind.load(&settings, &SearchPath::default()).unwrap()
}

fn model(name: &str, settings: Args) -> Network {
    models::find(name).unwrap().build(&settings, [1, 28, 28]).unwrap()
}

/// Convolutions too large for shared memory, in steps of one and two, with and without biases; a way around them; odd
/// sizes.
fn residual() -> Network {
    let mut net = Builder::new([1, 28, 28]);
    let conv = |input, out_channels, kernel, stride, padding| Conv2d {
        input,
        out_channels,
        kernel,
        stride,
        padding,
        ..Conv2d::default()
    };
    net.push("pad", conv(net.shape(), 9, 5, 1, 4));
    net.push("norm", BatchNorm { shape: net.shape() });
    net.push("relu", Relu { shape: net.shape() });
    let x = net.last();
    let main = Conv2d {
        bias: false,
        ..conv(net.shape(), 18, 3, 2, 1)
    };
    net.push("main", main);
    let branch = net.last();
    net.push_from(x, "shortcut", conv(net.shape_of(x), 18, 1, 2, 0));
    net.plus(branch);
    net.push("relu2", Relu { shape: net.shape() });
    net.push(
        "pool",
        MaxPool2d {
            input: net.shape(),
            window: 2,
        },
    );
    net.push("mean", GlobalAvgPool { input: net.shape() });
    let inputs = net.shape();
    net.push(
        "linear",
        Linear {
            input: inputs,
            outputs: 10,
        },
    );
    net.build("Residual")
}

fn relative_error(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len());
    let sum = |of: &dyn Fn(f64, f64) -> f64| -> f64 {
        a.iter()
            .zip(b)
            .map(|(a, b)| of(f64::from(*a), f64::from(*b)))
            .sum()
    };
    (sum(&|a, b| (a - b).powi(2)) / sum(&|_, b| b * b)).sqrt()
}

#[test]
fn gradients_of_kernels_are_the_hosts() {
    let Some(gpu) = gpu() else { return };
    let data = images();
    let fcn = [
        ("depth", Value::Integer(2)),
        ("width", Value::Integer(13)),
        ("batchnorm", Value::Boolean(true)),
        ("activation", Value::Text("relu".into())),
        ("logits", Value::Integer(10)),
    ];
    let lenet = || model("lenet", args([("logits", Value::Integer(10))]));
    let own = BatchNormMode::Batch;
    for (network, batch, minibatches, mode) in [
        (lenet(), 1, 5, own),
        (lenet(), 7, 3, own),
        (model("fcn", args(fcn)), 5, 3, own),
        (residual(), 3, 2, own),
        (residual(), 3, 2, BatchNormMode::Running),
    ] {
        let name = network.name;
        let n = network.parameter_count();
        let mut theta = weights::initial(&network, 0);
        // Running statistics that matter.
        let running = theta[n..].iter_mut().enumerate();
        running.for_each(|(i, value)| *value += 0.1 + (i % 3) as f32 * 0.2);
        assert!(
            KernelNetwork::new(&network, &theta, mode, &gpu).is_some(),
            "{name} has kernels"
        );
        let indices: Vec<u32> = (0..(batch * minibatches) as u32).map(|i| i * 37 % 5000).collect();
        let record = |engine: Engine| {
            let mut columns = vec![f32::NAN; n * minibatches];
            engine
                .record(
                    &network,
                    &theta,
                    &data,
                    &indices,
                    batch,
                    mode,
                    &mut columns,
                    &|_| {},
                )
                .unwrap();
            let (mut gradient, mut running) = (vec![0.0; n], vec![0.0; theta.len() - n]);
            let loss = engine.gradient(&network, &theta, &data, &indices, &mut gradient, &mut running);
            (columns, gradient, running, loss.unwrap())
        };
        let host = record(Engine::Host);
        let other = record(Engine::Burn(device(), Products::Double));
        for placed in network.layers.iter().filter(|placed| !placed.range.is_empty()) {
            let rows = |g: &[f32]| -> Vec<f32> {
                g.chunks(n)
                    .flat_map(|column| column[placed.range.clone()].to_vec())
                    .collect()
            };
            let error = relative_error(&rows(&other.0), &rows(&host.0));
            // Biases before a normalisation have gradients of nothing but rounding.
            let rounding = rows(&host.0).iter().all(|g| g.abs() < 1e-6);
            assert!(error < 1e-5 || rounding, "{name}, {}: {error:e}", placed.name);
        }
        assert!(relative_error(&other.1, &host.1) < 1e-5, "{name}: one minibatch");
        assert!(
            (other.3 / host.3 - 1.0).abs() < 1e-5,
            "{name}: {} and {}",
            other.3,
            host.3
        );
        if !host.2.is_empty() {
            assert!(relative_error(&other.2, &host.2) < 1e-5, "{name}: statistics");
        }
    }
}

#[test]
fn rows_of_gradients_are_those_of_whole_gradients() {
    if gpu().is_none() {
        return;
    }
    let data = images();
    let network = model("lenet", args([("logits", Value::Integer(10))]));
    let theta = weights::initial(&network, 0);
    let n = network.parameter_count();
    let indices: Vec<u32> = (0..12).map(|i| i * 37 % 5000).collect();
    let engine = Engine::Burn(device(), Products::Double);
    let mut whole = vec![f32::NAN; 4 * n];
    let mode = BatchNormMode::Batch;
    let progress = |_| {};
    engine
        .record(&network, &theta, &data, &indices, 3, mode, &mut whole, &progress)
        .unwrap();
    for rows in [0..n, 100..3000, n - 5..n] {
        let mut part = vec![f32::NAN; 4 * rows.len()];
        let done = engine.record_rows(&network, &theta, &data, &indices, 3, &rows, &mut part);
        assert!(done.unwrap());
        let expected = whole.chunks(n).flat_map(|g| g[rows.clone()].to_vec());
        assert_eq!(part, expected.collect::<Vec<f32>>(), "{rows:?}");
    }
    let mut part = vec![0.0; 4 * n];
    let done = Engine::Host.record_rows(&network, &theta, &data, &indices, 3, &(0..n), &mut part);
    assert!(!done.unwrap());
}

#[test]
fn sums_of_a_gpu_go_on_after_they_are_saved() {
    let Some(gpu) = gpu() else { return };
    let (n, t) = (600, 21);
    let values: Vec<f32> = (0..n * t).map(|i| ((i * i) as f32).sin()).collect();
    let view = HistoryView::new(&values, n, t);
    let covariance = |multiplier: &Multiplier, saved: bool| {
        let mut sums = GramAccumulator::new(t, false, Precision::Double).on(multiplier);
        assert!(sums.add(view, 0..200, None, &SILENT).unwrap());
        if saved {
            sums.settle().unwrap();
            let state = sums.save();
            sums = sums.emptied();
            let part = |name: &str| Some(state.iter().find(|(own, _)| *own == name)?.1.clone());
            assert!(sums.restore(&part));
        }
        assert!(sums.add(view, 200..n, None, &SILENT).unwrap());
        let moments = sums.finish().unwrap();
        moments.covariance()
    };
    let host = covariance(&Multiplier::Host, false);
    for saved in [false, true] {
        let found = covariance(&Multiplier::Gpu(gpu.clone()), saved);
        for j in 0..t {
            for i in j..t {
                assert!(
                    (host[(i, j)] - found[(i, j)]).abs() < 1e-12 * n as f64,
                    "({i}, {j})"
                );
            }
        }
    }
}

#[test]
fn inner_products_of_kernels_are_the_hosts() {
    let Some(gpu) = gpu() else { return };
    let (n, t) = (2500, 37);
    let values: Vec<f32> = (0..n * t)
        .map(|i| ((i * 7919 % 1013) as f32 - 500.0) / 77.0 + 3.0)
        .collect();
    let view = HistoryView::new(&values, n, t);
    let matrices = |multiplier: &Multiplier| {
        let moments = gram::moments_on(multiplier, view, None, Precision::Double, &SILENT);
        let moments = moments.unwrap().unwrap();
        assert_eq!(moments.precision(), Precision::Double);
        (moments.covariance(), moments.second_moment())
    };
    let (host, other) = (matrices(&Multiplier::Host), matrices(&Multiplier::Gpu(gpu)));
    for (a, b) in [(host.0, other.0), (host.1, other.1)] {
        let largest = (0..t).map(|i| a[(i, i)]).fold(0.0, f64::max);
        for j in 0..t {
            for i in j..t {
                let (a, b) = (a[(i, j)], b[(i, j)]);
                assert!((a - b).abs() < 1e-12 * largest, "({i}, {j}): {a} and {b}");
            }
        }
    }
}
