//! Times one recording or one training epoch on MNIST (or the embedded set; ResNet18: on CIFAR-10) and prints
//! `seconds: X`: our side of benches/peers.
//!
//! `cargo run --release --example bench_gradients -- --batch 1 --iterations 5000 [--model lenet|fcn|resnet18]
//! [--running] [--data DIR] [--epoch] [--device cuda] [--precision tf32]`

use std::path::PathBuf;
use std::time::Instant;

use clap::Parser;
use gradstudy::data::{self, Dataset, SearchPath};
use gradstudy::device::nvidia::Installation;
use gradstudy::device::{Choice, Precision, select};
use gradstudy::gradients::batches::{Batches, Order};
#[cfg(feature = "kernels")]
use gradstudy::gradients::engine::Engine;
use gradstudy::gradients::history::GradientHistory;
use gradstudy::layers::BatchNormMode;
#[cfg(feature = "kernels")]
use gradstudy::models::Network;
use gradstudy::models::{self, weights};
use gradstudy::optimizers;
use gradstudy::signature::{Args, Value};
use gradstudy::training::{Training, step_decay};

#[derive(Parser)]
struct Options {
    /// Minibatch size
    #[arg(long, default_value_t = 1)]
    batch: usize,
    /// Gradients to record
    #[arg(long, default_value_t = 5000)]
    iterations: usize,
    #[arg(long, default_value = "lenet")]
    model: String,
    /// Batch normalisation by running statistics
    #[arg(long)]
    running: bool,
    /// Folder with the data set; the embedded one without it
    #[arg(long)]
    data: Option<PathBuf>,
    /// Time one epoch of SGD (lr 0.1, momentum 0.9, weight decay 5e-4) instead
    #[arg(long)]
    epoch: bool,
    /// Numbers made up, in the shape of 50 000 images of CIFAR-10, for want of its files
    #[arg(long)]
    synthetic: bool,
    /// Gradients stay in the GPU's memory
    #[arg(long)]
    keep: bool,
    /// As for `gradstudy run`
    #[arg(long, default_value = "cpu")]
    device: Choice,
    #[arg(long, default_value = "f32")]
    precision: Precision,
    /// Repeats; the median without the first is printed
    #[arg(long, default_value_t = 3)]
    repeats: usize,
}

fn args<const N: usize>(values: [(&str, Value); N]) -> Args {
    Args(
        values
            .into_iter()
            .map(|(name, value)| (name.to_string(), value))
            .collect(),
    )
}

/// G in a GPU's memory, from the images on.
#[cfg(feature = "kernels")]
fn keep(
    engine: &Engine,
    network: &Network,
    theta: &[f32],
    data: &Dataset,
    options: &Options,
) -> miette::Result<()> {
    use gradstudy::gradients::kernels::{DeviceData, KernelNetwork};
    use gradstudy::kernels::Gpu;

    let gpu = match engine {
        Engine::Burn(device, _) => Gpu::of(device),
        Engine::Host => None,
    };
    let gpu = gpu.ok_or_else(|| miette::miette!("`--keep` is for GPUs"))?;
    let kernels = KernelNetwork::new(network, theta, BatchNormMode::Batch, &gpu);
    let kernels = kernels.ok_or_else(|| miette::miette!("`--keep` is for networks with kernels"))?;
    let (n, batch) = (network.parameter_count(), options.batch);
    let images = DeviceData::new(&gpu, data, usize::MAX);
    let gradients = gpu.empty(options.iterations * n);
    gpu.sync()?;
    let mut times = Vec::new();
    for _ in 0..options.repeats {
        let start = Instant::now();
        let mut batches = Batches::new(Order::Shuffled, data.len(), batch, 0);
        let indices = batches.indices(0..options.iterations);
        let chunk = kernels.minibatches_per_chunk(batch);
        for (number, indices) in indices.chunks(chunk * batch).enumerate() {
            kernels.gradients(&images, indices, batch, &(0..n), &gradients, number * chunk);
        }
        gpu.sync()?;
        times.push(start.elapsed().as_secs_f64());
    }
    tell(times);
    Ok(())
}

/// The median, without the first, in which memory is touched and kernels are compiled for the first time.
fn tell(mut times: Vec<f64>) {
    eprintln!("all repeats: {times:.4?}");
    if times.len() > 1 {
        times.remove(0);
    }
    times.sort_by(f64::total_cmp);
    println!("seconds: {:.5}", times[times.len() / 2]);
}

/// Made-up images of CIFAR-10's shape and number.
fn synthetic(data: Dataset) -> Dataset {
    let (count, size) = (50_000, 3 * 32 * 32);
    Dataset {
        images: (0..count * size)
            .map(|i| (i * 7919 + i / 13) as f32 % 1009.0 / 291.0 - 1.73)
            .collect(),
        shape: [3, 32, 32],
        labels: (0..count as u32).map(|i| i * 31 % 10).collect(),
        ..data
    }
}

fn main() -> miette::Result<()> {
    let options = Options::parse();
    let name = match (options.model.as_str(), &options.data) {
        ("resnet18", _) if !options.synthetic => "cifar10",
        (_, Some(_)) => "mnist",
        (_, None) => "fashion_mnist_5k",
    };
    let search = SearchPath::new(
        options
            .data
            .iter()
            .map(|dir| ("--data".to_string(), dir.clone()))
            .collect(),
    );
    let word = |text: &str| Value::Text(text.to_string());
    let settings = args([("split", word("train")), ("normalize", word("global"))]);
    let data = data::dataset(name)
        .expect("registered")
        .load(&settings, &search)?;
    let data = match options.synthetic {
        true => synthetic(data),
        false => data,
    };
    let logits = ("logits", Value::Integer(10));
    let settings = match options.model.as_str() {
        "fcn" => args([
            ("depth", Value::Integer(2)),
            ("width", Value::Integer(70)),
            ("batchnorm", Value::Boolean(true)),
            ("activation", word("relu")),
            logits,
        ]),
        "resnet18" => args([("width", Value::Integer(64)), logits]),
        _ => args([logits]),
    };
    let kind = models::find(&options.model).ok_or_else(|| miette::miette!("no such model"))?;
    let network = kind.build(&settings, data.shape)?;
    let mode = match options.running {
        true => BatchNormMode::Running,
        false => BatchNormMode::Batch,
    };
    let installation = Installation::look(|name| std::env::var_os(name));
    let device = select(options.device, options.precision, &installation)?;
    eprintln!("{}", device.description);
    if options.keep {
        #[cfg(feature = "kernels")]
        return keep(
            &device.engine,
            &network,
            &weights::initial(&network, 0),
            &data,
            &options,
        );
        #[cfg(not(feature = "kernels"))]
        return Err(miette::miette!(
            "`--keep` is for GPUs: build with `--features cuda`"
        ));
    }
    let mut times = Vec::new();
    for _ in 0..options.repeats {
        let theta = weights::initial(&network, 0);
        let start;
        if options.epoch {
            let sgd = args([
                ("lr", Value::Number(0.1)),
                ("momentum", Value::Number(0.9)),
                ("weight_decay", Value::Number(5e-4)),
                ("nesterov", Value::Boolean(false)),
            ]);
            let optimizer = optimizers::find("sgd")
                .expect("registered")
                .build(&sgd, theta.len());
            let rates = step_decay(0.1, 1, 1.0, &[]);
            let batch = if options.batch == 1 { 128 } else { options.batch };
            let mut training = Training::new(
                &network,
                &data,
                &device.engine,
                optimizer,
                rates,
                batch,
                Order::Shuffled,
                0,
                theta,
            );
            start = Instant::now();
            let report = training.run_epoch(&|| true)?;
            eprintln!("loss {:.4}", report.map_or(f64::NAN, |report| report.loss));
        } else {
            start = Instant::now();
            let mut history = GradientHistory::in_memory(network.parameter_count(), options.iterations)?;
            let mut batches = Batches::new(Order::Shuffled, data.len(), options.batch, 0);
            let indices = batches.indices(0..options.iterations);
            device.engine.record(
                &network,
                &theta,
                &data,
                &indices,
                options.batch,
                mode,
                history.values_mut(),
                &|_| {},
            )?;
        }
        times.push(start.elapsed().as_secs_f64());
    }
    tell(times);
    Ok(())
}
