//! The moment matrices of a gradient history, on the smaller of its two sides.

use faer::Mat;
use rayon::prelude::*;

use super::error::SpectrumError;
use super::products::Products;

/// Which of the two matrices with the same non-zero eigenvalues is kept, with what the shift r took from it.
pub(super) enum Side {
    /// (g_i − r)·(g_j − r), T × T.
    Samples {
        /// (g_t − r)·r
        along_shift: Vec<f64>,
        /// ‖r‖²
        shift_square: f64,
        /// (g_t − r)·(r − c) and ‖r − c‖² for a given centre c.
        along_centre: Option<(Vec<f64>, f64)>,
    },
    /// Σ (g_t − r)(g_t − r)ᵀ, n × n.
    Parameters {
        shift: Vec<f32>,
        centre: Option<Vec<f64>>,
    },
}

/// Sums over a whole history from which covariance and second moment follow.
pub struct Moments {
    side: Side,
    /// Symmetric.
    products: Mat<f64>,
    mean: Vec<f64>,
    samples: usize,
}

impl Moments {
    pub(super) fn new(
        side: Side,
        products: Products,
        mean: Vec<f64>,
        samples: usize,
    ) -> Result<Self, SpectrumError> {
        let products = products.into_matrix();
        let finite = (0..products.ncols()).all(|j| products.col(j).iter().all(|value| value.is_finite()));
        if !finite {
            return Err(SpectrumError::MatrixNotFinite);
        }
        Ok(Moments {
            side,
            products,
            mean,
            samples,
        })
    }

    /// n.
    pub fn parameters(&self) -> usize {
        self.mean.len()
    }

    /// T.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// Order of the matrices: min(n, T), or T for a history that came in blocks.
    pub fn order(&self) -> usize {
        self.products.nrows()
    }

    /// The mean gradient ḡ.
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// ‖ḡ‖.
    pub fn mean_norm(&self) -> f64 {
        self.mean.iter().map(|g| g * g).sum::<f64>().sqrt()
    }

    /// Size of the f32 products' rounding in the eigenvalues.
    pub fn rounding(&self) -> f64 {
        let trace: f64 = (0..self.order()).map(|j| self.products[(j, j)]).sum::<f64>() / self.samples as f64;
        trace * f64::from(f32::EPSILON) / 2.0 / (self.order() as f64).sqrt()
    }

    /// The matrix with the non-zero eigenvalues of C_m = (1/T) G Gᵀ: (1/T) GᵀG, or C_m itself when n < T.
    pub fn second_moment(&self) -> Mat<f64> {
        let t = self.samples as f64;
        match &self.side {
            Side::Samples {
                along_shift: a,
                shift_square,
                ..
            } => self.map(|i, j, p| (p + a[i] + a[j] + shift_square) / t),
            // The shift is the mean up to its rounding to f32.
            Side::Parameters { shift, .. } => {
                let r: Vec<f64> = shift.iter().map(|&r| f64::from(r)).collect();
                let m = &self.mean;
                self.map(|i, j, p| p / t + (m[i] - r[i]) * r[j] + r[i] * (m[j] - r[j]) + r[i] * r[j])
            }
        }
    }

    /// The same for C = (1/T)(G − ḡ1ᵀ)(G − ḡ1ᵀ)ᵀ with ḡ the mean over the history.
    pub fn covariance(&self) -> Mat<f64> {
        let t = self.samples as f64;
        match &self.side {
            Side::Samples { .. } => {
                let rows: Vec<f64> = (0..self.order())
                    .into_par_iter()
                    .map(|j| self.products.col(j).iter().sum::<f64>() / t)
                    .collect();
                let all = rows.iter().sum::<f64>() / t;
                self.map(|i, j, p| (p - rows[i] - rows[j] + all) / t)
            }
            Side::Parameters { shift, .. } => {
                let m: Vec<f64> = self
                    .mean
                    .iter()
                    .zip(shift)
                    .map(|(m, &r)| m - f64::from(r))
                    .collect();
                self.map(|i, j, p| p / t - m[i] * m[j])
            }
        }
    }

    /// The same for (1/T)(G − c1ᵀ)(G − c1ᵀ)ᵀ; `None` if no centre c was given with the history.
    pub fn around_centre(&self) -> Option<Mat<f64>> {
        let t = self.samples as f64;
        match &self.side {
            Side::Samples { along_centre, .. } => {
                let (a, square) = along_centre.as_ref()?;
                Some(self.map(|i, j, p| (p + a[i] + a[j] + square) / t))
            }
            Side::Parameters { shift, centre } => {
                let centre = centre.as_ref()?;
                let m: Vec<f64> = self
                    .mean
                    .iter()
                    .zip(shift)
                    .map(|(m, &r)| m - f64::from(r))
                    .collect();
                let d: Vec<f64> = shift.iter().zip(centre).map(|(&r, c)| f64::from(r) - c).collect();
                Some(self.map(|i, j, p| p / t + m[i] * d[j] + d[i] * m[j] + d[i] * d[j]))
            }
        }
    }

    fn map(&self, entry: impl Fn(usize, usize, f64) -> f64 + Sync) -> Mat<f64> {
        let n = self.order();
        let mut matrix = Mat::zeros(n, n);
        matrix
            .as_mut()
            .par_col_chunks_mut(64)
            .enumerate()
            .for_each(|(chunk, mut columns)| {
                for offset in 0..columns.ncols() {
                    let j = chunk * 64 + offset;
                    for i in 0..n {
                        // Entries (i, j) and (j, i) are the same sum in the same order.
                        let (low, high) = (i.max(j), i.min(j));
                        columns[(i, offset)] = entry(low, high, self.products[(i, j)]);
                    }
                }
            });
        matrix
    }
}
