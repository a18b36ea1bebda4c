//! Eigenvalues of symmetric matrices in f64.

use faer::{Mat, Side};

use super::error::SpectrumError;

/// The `top` largest eigenvalues, descending, of a symmetric matrix (its lower triangle is read).
pub fn top_eigenvalues(matrix: Mat<f64>, top: usize) -> Result<Vec<f64>, SpectrumError> {
    let finite = (0..matrix.ncols()).all(|j| (j..matrix.nrows()).all(|i| matrix[(i, j)].is_finite()));
    if !finite {
        return Err(SpectrumError::MatrixNotFinite);
    }
    let mut values = matrix
        .self_adjoint_eigenvalues(Side::Lower)
        .map_err(|_| SpectrumError::NoConvergence)?;
    values.reverse();
    values.truncate(top);
    Ok(values)
}
