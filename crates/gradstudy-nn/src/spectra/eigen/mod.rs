//! Eigenvalues of symmetric matrices in f64: to a band by matrix products, to tridiagonal form by chasing bulges in
//! cache, then bisection for those that are wanted.

pub mod band;
mod band_kernel;
pub mod chase;
mod chase_kernel;
#[cfg(feature = "cuda")]
mod cusolver;
mod panel;
mod panel_products;
pub mod reflections;
pub mod tridiagonal;
pub mod vectors;

pub use vectors::{Eigenpairs, top_eigenpairs};

use super::error::SpectrumError;
use super::symmetric::Symmetric;

/// Half-width of the band between the two stages: wider ones cost more in the second than they save in the first.
const WIDTH: usize = 32;

/// The `top` largest eigenvalues, descending.
///
/// Each is exact to a few tens of units in the last place of the largest; the same bits on any number of threads.
pub fn top_eigenvalues(matrix: Symmetric, top: usize) -> Result<Vec<f64>, SpectrumError> {
    let (matrix, scale) = normalise(matrix)?;
    let top = top.min(matrix.order());
    // From within the pool its thousands of short rounds need not wake it.
    let mut values = in_pool(|| {
        let (band, _) = band::reduce_to_band(matrix, false);
        let (tridiagonal, _) = chase::tridiagonalise(band, false);
        tridiagonal.top_eigenvalues(top)
    });
    for value in &mut values {
        *value *= scale;
    }
    Ok(values)
}

/// Matrices of fewer rows are done on the processor before a GPU has started.
#[cfg(feature = "cuda")]
const FOR_A_GPU: usize = 1500;

/// The same by cuSOLVER on CUDA device `device`, if there is one and cuSOLVER is installed, and the matrix is large.
pub fn top_eigenvalues_on(
    device: Option<usize>,
    matrix: Symmetric,
    top: usize,
) -> Result<Vec<f64>, SpectrumError> {
    #[cfg(feature = "cuda")]
    if let Some(device) = device.filter(|_| matrix.order() >= FOR_A_GPU) {
        let (matrix, scale) = normalise(matrix.scaled(1.0))?;
        if let Some(mut values) = cusolver::eigenvalues(&matrix, device) {
            values.truncate(top);
            values.iter_mut().for_each(|value| *value *= scale);
            return Ok(values);
        }
    }
    let _ = device;
    top_eigenvalues(matrix, top)
}

/// Runs `work` on a thread of the current pool.
fn in_pool<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    rayon::scope(|_| work())
}

/// Brings the matrix to where neither squares overflow nor sums of squares vanish; with the power of two that undoes it.
fn normalise(matrix: Symmetric) -> Result<(Symmetric, f64), SpectrumError> {
    let largest = matrix.largest().ok_or(SpectrumError::MatrixNotFinite)?;
    if largest == 0.0 || (1e-100..1e100).contains(&largest) {
        return Ok((matrix, 1.0));
    }
    // Below 2⁻¹⁰²² the inverse of a power of two is not finite.
    let scale = 2f64.powi((largest.log2().floor() as i32).clamp(-1000, 1000));
    Ok((matrix.scaled(1.0 / scale), scale))
}
