//! Times the largest eigenvalues of LeNet's Hessian on MNIST and prints `seconds: X`: our side of
//! benches/peers/hessian.py.
//!
//! `cargo run --release --example bench_hessian -- --data DIR [--samples 2000] [--top 200] [--values FILE]
//! [--device cuda]`

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use clap::Parser;
use gradstudy::data::{self, SearchPath};
use gradstudy::device::nvidia::Installation;
use gradstudy::device::{Choice, Precision, select};
use gradstudy::hessian::{Curvature, Operator, Request, spectrum};
use gradstudy::models::{self, weights};
use gradstudy::signature::{Args, Value};
use gradstudy::stats::monitor::Monitor;
use miette::IntoDiagnostic;

#[derive(Parser)]
struct Options {
    /// Folder with MNIST; the embedded set without it
    #[arg(long)]
    data: Option<PathBuf>,
    /// The first samples of the training set
    #[arg(long, default_value_t = 2000)]
    samples: u32,
    /// Eigenvalues
    #[arg(long, default_value_t = 200)]
    top: usize,
    /// ‖Hv − λv‖ / |λ|
    #[arg(long, default_value_t = 1e-4)]
    tolerance: f64,
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// auto, cpu or cuda[:i]
    #[arg(long, default_value = "cpu")]
    device: Choice,
    /// Writes the eigenvalues there, as a JSON list
    #[arg(long)]
    values: Option<PathBuf>,
}

fn args<const N: usize>(values: [(&str, Value); N]) -> Args {
    Args(
        values
            .into_iter()
            .map(|(name, value)| (name.to_string(), value))
            .collect(),
    )
}

fn main() -> miette::Result<()> {
    let options = Options::parse();
    let name = if options.data.is_some() {
        "mnist"
    } else {
        "fashion_mnist_5k"
    };
    let search = SearchPath::new(
        options
            .data
            .iter()
            .map(|dir| ("--data".to_string(), dir.clone()))
            .collect(),
    );
    let settings = args([
        ("split", Value::Text("train".into())),
        ("normalize", Value::Text("global".into())),
    ]);
    let data = data::dataset(name).expect("built in").load(&settings, &search)?;
    let network = models::find("lenet")
        .expect("built in")
        .build(&args([("logits", Value::Integer(10))]), data.shape)?;
    let path = "tests/reference/gradients/lenet_weights.safetensors";
    let theta = weights::read(&network, &Path::new(env!("CARGO_MANIFEST_DIR")).join(path))?;

    let device = select(
        options.device,
        Precision::F32,
        &Installation::look(|name| std::env::var_os(name)),
    )?;
    eprintln!("{}", device.description);
    let start = Instant::now();
    let samples: Vec<u32> = (0..options.samples).collect();
    let operator = Operator::new(&network, &theta, &data, &samples, Curvature::Hessian)?;
    #[cfg(feature = "kernels")]
    let operator = operator.on(&device.engine);
    let request = Request {
        tolerance: options.tolerance,
        seed: options.seed,
        ..Request::new(options.top)
    };
    let monitor = Monitor {
        progress: &|_| {},
        cancel: &AtomicBool::new(false),
    };
    let found = spectrum(&operator, &request, &monitor).expect("nobody cancels")?;
    let seconds = start.elapsed().as_secs_f64();

    let worst = found
        .residuals
        .iter()
        .zip(&found.values)
        .map(|(r, v)| r / v.abs());
    eprintln!(
        "{} products, {} of {} within the tolerance, largest relative residual {:.1e}",
        found.products,
        found.converged,
        options.top,
        worst.fold(0.0, f64::max)
    );
    if let Some(path) = &options.values {
        std::fs::write(path, serde_json::to_vec(&found.values).into_diagnostic()?).into_diagnostic()?;
    }
    println!("seconds: {seconds:.4}");
    Ok(())
}
