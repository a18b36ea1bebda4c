//! Eigenvectors: inverse iteration on the tridiagonal matrix, made orthogonal all at once by a Rayleigh–Ritz step
//! (so that close and repeated eigenvalues need no special care), then turned back through both stages.

use faer::{Mat, Side};
use rayon::prelude::*;

use super::super::error::SpectrumError;
use super::super::symmetric::Symmetric;
use super::tridiagonal::Tridiagonal;
use super::{band, chase, in_pool, normalise};
use gradstudy_base::seed;

/// Eigenvalues with their vectors.
pub struct Eigenpairs {
    /// Descending.
    pub values: Vec<f64>,
    /// One orthonormal column for each.
    pub vectors: Mat<f64>,
    /// ‖A v − λ v‖ for each.
    pub residuals: Vec<f64>,
}

/// The `top` largest eigenvalues with their eigenvectors.
///
/// Only the space of an eigenvalue repeated to rounding is defined, not the vectors in it.
pub fn top_eigenpairs(matrix: &Symmetric, top: usize) -> Result<Eigenpairs, SpectrumError> {
    let top = top.min(matrix.order());
    let (copy, scale) = normalise(matrix.scaled(1.0))?;
    let (panels, tridiagonal, reflections) = in_pool(|| {
        let (band, panels) = band::reduce_to_band(copy, true);
        let (tridiagonal, reflections) = chase::tridiagonalise(band, true);
        (panels, tridiagonal, reflections)
    });
    let values = tridiagonal.top_eigenvalues(top);
    let (values, mut vectors) = ritz(&tridiagonal, inverse_iteration(&tridiagonal, &values))?;
    reflections.apply(&mut vectors);
    band::apply_panels(&panels, &mut vectors);
    let values: Vec<f64> = values.iter().map(|value| value * scale).collect();
    let residuals = residuals(matrix, &values, &vectors);
    Ok(Eigenpairs {
        values,
        vectors,
        residuals,
    })
}

/// A unit vector for each value, close to that value's eigenspace.
fn inverse_iteration(t: &Tridiagonal, values: &[f64]) -> Mat<f64> {
    let n = t.diagonal.len();
    let (low, high) = t.bounds();
    let least = (f64::EPSILON * low.abs().max(high.abs())).max(f64::MIN_POSITIVE);
    let columns: Vec<Vec<f64>> = values
        .par_iter()
        .enumerate()
        .map(|(k, &value)| {
            let factors = Factors::new(t, value, least);
            let start = seed::derive(k as u64, "start of an inverse iteration");
            let mut x: Vec<f64> = (0..n as u64).map(|i| noise(start, i)).collect();
            for _ in 0..3 {
                factors.solve(&mut x);
                let norm = x.iter().fold(0.0f64, |norm, x| norm.max(x.abs()));
                x.iter_mut().for_each(|x| *x /= norm);
                let norm = x.iter().map(|x| x * x).sum::<f64>().sqrt();
                x.iter_mut().for_each(|x| *x /= norm);
            }
            x
        })
        .collect();
    Mat::from_fn(n, values.len(), |i, j| columns[j][i])
}

/// In [−0.5, 0.5) with a fixed scramble of the index (splitmix64).
fn noise(start: u64, index: u64) -> f64 {
    let mut z = start.wrapping_add((index + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64 - 0.5
}

/// P(T − λ) = L U with rows exchanged where that makes pivots larger.
struct Factors {
    /// The three diagonals of U.
    u: Vec<[f64; 3]>,
    /// Multiplier of each step, and whether its two rows were exchanged.
    l: Vec<(f64, bool)>,
}

impl Factors {
    /// Pivots below `least` are taken for it: λ is an eigenvalue to rounding.
    fn new(t: &Tridiagonal, value: f64, least: f64) -> Self {
        let n = t.diagonal.len();
        let mut u = Vec::with_capacity(n);
        let mut l = Vec::with_capacity(n);
        let off = |i: usize| t.below.get(i).copied().unwrap_or(0.0);
        let guarded = |pivot: f64| {
            if pivot.abs() < least {
                least.copysign(pivot)
            } else {
                pivot
            }
        };
        let mut row = [t.diagonal[0] - value, off(0), 0.0];
        for i in 0..n - 1 {
            let next = [off(i), t.diagonal[i + 1] - value, off(i + 1)];
            let exchange = next[0].abs() > row[0].abs();
            let (mut pivot, other) = if exchange { (next, row) } else { (row, next) };
            pivot[0] = guarded(pivot[0]);
            let factor = other[0] / pivot[0];
            row = [other[1] - factor * pivot[1], other[2] - factor * pivot[2], 0.0];
            u.push(pivot);
            l.push((factor, exchange));
        }
        row[0] = guarded(row[0]);
        u.push(row);
        Factors { u, l }
    }

    fn solve(&self, x: &mut [f64]) {
        for (i, &(factor, exchange)) in self.l.iter().enumerate() {
            if exchange {
                x.swap(i, i + 1);
            }
            x[i + 1] -= factor * x[i];
        }
        let n = x.len();
        for i in (0..n).rev() {
            let one = if i + 1 < n { self.u[i][1] * x[i + 1] } else { 0.0 };
            let two = if i + 2 < n { self.u[i][2] * x[i + 2] } else { 0.0 };
            x[i] = (x[i] - one - two) / self.u[i][0];
        }
    }
}

/// Eigenvalues and orthonormal eigenvectors of T in the space of the columns of `x`.
fn ritz(t: &Tridiagonal, x: Mat<f64>) -> Result<(Vec<f64>, Mat<f64>), SpectrumError> {
    let (n, top) = (x.nrows(), x.ncols());
    let q = x.qr().compute_thin_Q();
    let tq = Mat::from_fn(n, top, |i, j| {
        let above = if i > 0 {
            t.below[i - 1] * q[(i - 1, j)]
        } else {
            0.0
        };
        let below = if i + 1 < n {
            t.below[i] * q[(i + 1, j)]
        } else {
            0.0
        };
        t.diagonal[i] * q[(i, j)] + above + below
    });
    let small = q.transpose() * tq;
    let solved = small
        .self_adjoint_eigen(Side::Lower)
        .map_err(|_| SpectrumError::NoConvergence)?;
    let mut values: Vec<f64> = solved.S().column_vector().iter().copied().collect();
    values.reverse();
    let turned = q * solved.U();
    Ok((values, Mat::from_fn(n, top, |i, j| turned[(i, top - 1 - j)])))
}

/// ‖A v − λ v‖ for each pair.
fn residuals(matrix: &Symmetric, values: &[f64], vectors: &Mat<f64>) -> Vec<f64> {
    let n = matrix.order();
    let product = matrix.whole() * vectors;
    let residual = |(k, value): (usize, &f64)| {
        let square = |i: usize| (product[(i, k)] - value * vectors[(i, k)]).powi(2);
        (0..n).map(square).sum::<f64>().sqrt()
    };
    values.iter().enumerate().map(residual).collect()
}
