//! Eigenvalues of symmetric matrices in f64: to a band by matrix products, to tridiagonal form by chasing bulges in
//! cache, then bisection for those that are wanted.

pub mod band;
mod band_kernel;
pub mod chase;
#[cfg(feature = "cuda")]
mod cusolver;
pub mod reflections;
pub mod tridiagonal;
pub mod vectors;

pub use vectors::{Eigenpairs, top_eigenpairs};

use faer::Mat;

use super::error::SpectrumError;
/// Half-width of the band between the two stages: wider ones cost more in the second than they save in the first.
const WIDTH: usize = 32;

/// The `top` largest eigenvalues, descending, of a symmetric matrix (its lower triangle is read).
///
/// Each is exact to a few tens of units in the last place of the largest; the same bits on any number of threads.
pub fn top_eigenvalues(mut matrix: Mat<f64>, top: usize) -> Result<Vec<f64>, SpectrumError> {
    let scale = normalise(&mut matrix)?;
    band::reduce_to_band::<WIDTH>(&mut matrix, false);
    let (tridiagonal, _) = chase::tridiagonalise::<WIDTH>(matrix.as_ref(), false);
    let mut values = tridiagonal.top_eigenvalues(top.min(matrix.nrows()));
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
    matrix: Mat<f64>,
    top: usize,
) -> Result<Vec<f64>, SpectrumError> {
    #[cfg(feature = "cuda")]
    if let Some(device) = device.filter(|_| matrix.nrows() >= FOR_A_GPU) {
        let mut scaled = matrix.clone();
        let scale = normalise(&mut scaled)?;
        if let Some(mut values) = cusolver::eigenvalues(&scaled, device) {
            values.truncate(top);
            values.iter_mut().for_each(|value| *value *= scale);
            return Ok(values);
        }
    }
    let _ = device;
    top_eigenvalues(matrix, top)
}

/// Brings the matrix to where neither squares overflow nor sums of squares vanish; the power of two that undoes it.
fn normalise(matrix: &mut Mat<f64>) -> Result<f64, SpectrumError> {
    let mut largest = 0.0f64;
    for j in 0..matrix.ncols() {
        for i in j..matrix.nrows() {
            let size = matrix[(i, j)].abs();
            if !size.is_finite() {
                return Err(SpectrumError::MatrixNotFinite);
            }
            largest = largest.max(size);
        }
    }
    if largest == 0.0 || (1e-100..1e100).contains(&largest) {
        return Ok(1.0);
    }
    // Below 2⁻¹⁰²² the inverse of a power of two is not finite.
    let scale = 2f64.powi((largest.log2().floor() as i32).clamp(-1000, 1000));
    *matrix *= faer::Scale(1.0 / scale);
    Ok(scale)
}
