//! Times all eigenvalues of a symmetric matrix in f64: ours, faer's, and nalgebra's up to `--nalgebra` rows (one thread,
//! unblocked). NumPy's `eigvalsh`, which is LAPACK's, is timed by benches/peers/spectra.py.
//!
//! With `--top K` the K largest with their eigenvectors, beside faer's of all of them, on all threads and on one.
//!
//! `cargo run --release --example bench_eigen -- [--order 5000] [--repeats 3] [--nalgebra 1000] [--top 0]`

use std::time::Instant;

use clap::Parser;
use faer::{Mat, Par, Side};
use gradstudy::seed;
use gradstudy::spectra::eigen::{top_eigenpairs, top_eigenvalues};
use gradstudy::spectra::symmetric::Symmetric;
use rand::RngExt;

#[derive(Parser)]
struct Options {
    #[arg(long, default_value_t = 5000)]
    order: usize,
    #[arg(long, default_value_t = 3)]
    repeats: usize,
    /// Largest order that nalgebra gets
    #[arg(long, default_value_t = 1000)]
    nalgebra: usize,
    /// Eigenvectors
    #[arg(long, default_value_t = 0)]
    top: usize,
}

/// The median time of `work`, and what it gives, largest first.
fn timed(name: &str, repeats: usize, work: impl Fn() -> Vec<f64>) -> Vec<f64> {
    let mut times = Vec::new();
    let mut values = Vec::new();
    for _ in 0..repeats {
        let start = Instant::now();
        values = work();
        times.push(start.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    values.sort_by(|a, b| b.total_cmp(a));
    println!("{name}: {:.3} s", times[times.len() / 2]);
    values
}

fn main() {
    let options = Options::parse();
    let n = options.order;
    let mut rng = seed::rng(0, "a symmetric matrix");
    let mut matrix = Mat::<f64>::zeros(n, n);
    for j in 0..n {
        for i in j..n {
            let value = rng.random_range(-0.5..0.5);
            matrix[(i, j)] = value;
            matrix[(j, i)] = value;
        }
    }
    if options.top > 0 {
        return with_vectors(&options, &matrix);
    }
    let ours = timed("gradstudy", options.repeats, || {
        top_eigenvalues(Symmetric::of_lower(matrix.as_ref()), n).expect("finite numbers")
    });
    let faer = timed("faer", options.repeats, || {
        matrix
            .self_adjoint_eigenvalues(Side::Lower)
            .expect("finite numbers")
    });
    tell(&ours, &faer);
    if n <= options.nalgebra {
        let same = nalgebra::DMatrix::from_fn(n, n, |i, j| matrix[(i, j)]);
        let theirs = timed("nalgebra", options.repeats, || {
            same.symmetric_eigenvalues().iter().copied().collect()
        });
        tell(&ours, &theirs);
    }
}

fn with_vectors(options: &Options, matrix: &Mat<f64>) {
    let symmetric = Symmetric::of_lower(matrix.as_ref());
    let ours = timed("gradstudy", options.repeats, || {
        let pairs = top_eigenpairs(&symmetric, options.top).expect("finite numbers");
        let largest = pairs.residuals.iter().fold(0.0f64, |a, &b| a.max(b));
        println!("  largest residual {largest:.1e}");
        pairs.values
    });
    for (name, par) in [("faer", Par::rayon(0)), ("faer, one thread", Par::Seq)] {
        faer::set_global_parallelism(par);
        let theirs = timed(name, options.repeats, || {
            let solved = matrix.self_adjoint_eigen(Side::Lower).expect("finite numbers");
            solved.S().column_vector().iter().copied().collect()
        });
        tell(&ours, &theirs);
    }
}

fn tell(ours: &[f64], theirs: &[f64]) {
    let largest = ours[0].abs();
    let differences = ours.iter().zip(theirs).map(|(a, b)| (a - b).abs() / largest);
    println!(
        "  differ by {:.1e} of the largest",
        differences.fold(0.0, f64::max)
    );
}
