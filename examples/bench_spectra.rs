//! Times the inner products of a gradient history and all eigenvalues of their matrix, and prints `seconds: X`: our
//! side of benches/peers/spectra.py.
//!
//! `cargo run --release --example bench_spectra -- --model lenet|fcn --data DIR [--iterations 5000] [--values FILE]
//! [--gradients FILE] [--theta FILE]`
//!
//! LeNet: from G, which lies in memory when the clock starts and can be written to a file (float32, T × n). FCN: from
//! the minibatches, without G. The rates of each part go to stderr: those of src/plan/route.rs come from them.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use clap::Parser;
use gradstudy::data::{self, Dataset, SearchPath};
use gradstudy::gradients::history::GradientHistory;
use gradstudy::gradients::parts::record_parts;
use gradstudy::gradients::record::record;
use gradstudy::layers::BatchNormMode;
use gradstudy::models::parts::{Layout, Part};
use gradstudy::models::{self, Network, weights};
use gradstudy::signature::{Args, Value};
use gradstudy::spectra::eigen::{band, chase, top_eigenvalues};
use gradstudy::spectra::factors::Factors;
use gradstudy::spectra::gram::{self, GramAccumulator};
use gradstudy::spectra::moments::Moments;
use gradstudy::spectra::products::Precision;
use gradstudy::stats::monitor::Monitor;
use miette::IntoDiagnostic;

#[derive(Parser)]
struct Options {
    #[arg(long, default_value = "lenet")]
    model: String,
    /// Folder with MNIST; the embedded set without it
    #[arg(long)]
    data: Option<PathBuf>,
    #[arg(long, default_value_t = 5000)]
    iterations: usize,
    /// Sums in float64 throughout
    #[arg(long)]
    double: bool,
    /// Writes the eigenvalues of (1/T) GᵀG there, as a JSON list
    #[arg(long)]
    values: Option<PathBuf>,
    /// Writes G there (lenet)
    #[arg(long)]
    gradients: Option<PathBuf>,
    /// Writes θ there
    #[arg(long)]
    theta: Option<PathBuf>,
}

static NEVER: AtomicBool = AtomicBool::new(false);
const SILENT: Monitor<'static> = Monitor {
    progress: &|_| {},
    cancel: &NEVER,
};

fn args<const N: usize>(values: [(&str, Value); N]) -> Args {
    let values = values.into_iter();
    Args(values.map(|(name, value)| (name.to_string(), value)).collect())
}

fn main() -> miette::Result<()> {
    let options = Options::parse();
    let name = if options.data.is_some() {
        "mnist"
    } else {
        "fashion_mnist_5k"
    };
    let folders = options.data.iter().map(|dir| ("--data".to_string(), dir.clone()));
    let settings = args([
        ("split", Value::Text("train".into())),
        ("normalize", Value::Text("global".into())),
    ]);
    let search = SearchPath::new(folders.collect());
    let data = data::dataset(name).expect("built in").load(&settings, &search)?;
    let settings = match options.model.as_str() {
        "lenet" => args([("padding", Value::Integer(0)), ("logits", Value::Integer(10))]),
        _ => args([
            ("depth", Value::Integer(2)),
            ("width", Value::Integer(70)),
            ("batchnorm", Value::Boolean(false)),
            ("activation", Value::Text("relu".into())),
            ("logits", Value::Integer(10)),
        ]),
    };
    let kind = models::find(&options.model).ok_or_else(|| miette::miette!("no such model"))?;
    let network = kind.build(&settings, data.shape)?;
    let theta = weights::initial(&network, 0);
    write(options.theta.as_deref(), &theta)?;
    let precision = match options.double {
        true => Precision::Double,
        false => Precision::Single,
    };
    let (t, n) = (options.iterations, network.parameter_count());
    let indices: Vec<u32> = (0..t as u32).collect();
    let (start, moments) = match options.model.as_str() {
        "lenet" => {
            let mut history = GradientHistory::in_memory(n, t)?;
            let (mode, g) = (BatchNormMode::Batch, history.values_mut());
            record(&network, &theta, &data, &indices, 1, mode, g, &|_| ());
            write(options.gradients.as_deref(), g)?;
            let start = Instant::now();
            let moments = gram::moments(history.view(), None, precision, &SILENT)?;
            tell("products of rows", start, t as f64 * t as f64 * n as f64);
            (start, moments.expect("nobody cancels"))
        }
        _ => {
            let start = Instant::now();
            (start, by_parts(&network, &theta, &data, &indices)?)
        }
    };
    let solving = Instant::now();
    let matrix = moments.second_moment();
    tell("matrix", solving, 0.0);
    let values = top_eigenvalues(matrix, t)?;
    tell("eigenvalues", solving, 4.0 / 3.0 * (t as f64).powi(3));
    let seconds = start.elapsed().as_secs_f64();
    rayon::scope(|_| parts_of_eigenvalues(&moments, t));
    if let Some(path) = &options.values {
        std::fs::write(path, serde_json::to_vec(&values).into_diagnostic()?).into_diagnostic()?;
    }
    println!("seconds: {seconds:.4}");
    Ok(())
}

/// Tells how long each part of the eigenvalue computation takes.
fn parts_of_eigenvalues(moments: &Moments, t: usize) {
    let matrix = moments.second_moment();
    let start = Instant::now();
    let (band, _) = band::reduce_to_band(matrix, false);
    tell("to a band", start, 4.0 / 3.0 * (t as f64).powi(3));
    let start = Instant::now();
    let (tridiagonal, _) = chase::tridiagonalise(band, false);
    tell("to tridiagonal form", start, 6.0 * 32.0 * (t as f64).powi(2));
    let start = Instant::now();
    tridiagonal.top_eigenvalues(t);
    tell("bisection", start, 0.0);
}

/// Inner products of the gradients of a fully-connected network, without the gradients.
fn by_parts(network: &Network, theta: &[f32], data: &Dataset, indices: &[u32]) -> miette::Result<Moments> {
    let t = indices.len();
    let parts = network.layers.iter().map(|placed| match placed.range.is_empty() {
        true => Part::Absent,
        false => Part::Factors,
    });
    let layout = Layout::new(network, parts.collect(), 1);
    let mut columns = vec![0.0; layout.stride * t];
    let start = Instant::now();
    record_parts(network, theta, data, indices, &layout, &mut columns, &|_| ());
    tell("recording", start, t as f64 * network.gradient_flops() as f64);
    let mut sums = GramAccumulator::new(t, false, Precision::Single);
    let start = Instant::now();
    let mut operations = 0.0;
    for (i, placed) in network.layers.iter().enumerate() {
        let Some((inputs, outputs)) = placed.layer.outer_product().filter(|_| !placed.range.is_empty())
        else {
            continue;
        };
        operations += t as f64 * t as f64 * (inputs + outputs) as f64;
        let factors = Factors {
            columns: &columns,
            stride: layout.stride,
            offset: layout.offsets[i],
            batch: 1,
            inputs,
            outputs,
            parameter: placed.range.start,
        };
        sums.add_factors(factors, None, &SILENT)?;
    }
    tell("products of factors", start, operations);
    Ok(sums.finish()?)
}

/// Seconds and the rate per core, counted as src/plan/route.rs counts.
fn tell(what: &str, start: Instant, operations: f64) {
    let seconds = start.elapsed().as_secs_f64();
    let cores = rayon::current_num_threads() as f64;
    eprintln!(
        "{what}: {seconds:.3} s, {:.1} GFLOP/s a core",
        operations / seconds / cores / 1e9
    );
}

fn write(path: Option<&Path>, values: &[f32]) -> miette::Result<()> {
    match path {
        Some(path) => std::fs::write(path, bytemuck::cast_slice(values)).into_diagnostic(),
        None => Ok(()),
    }
}
