//! The moment matrices of a gradient history, on the smaller of its two sides.

use super::error::SpectrumError;
use super::products::{Precision, Products};
use super::products_kernel::RUN;
use super::symmetric::Symmetric;

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
    products: Products,
    mean: Vec<f64>,
    /// √Σ e² / Σ e over the energies e of the runs that are summed in f32.
    concentration: f64,
    samples: usize,
    device: Option<usize>,
}

impl Moments {
    pub(super) fn new(
        side: Side,
        mut products: Products,
        mean: Vec<f64>,
        concentration: f64,
        samples: usize,
    ) -> Result<Self, SpectrumError> {
        let device = products.device();
        products.finish()?;
        if !products.finite() {
            return Err(SpectrumError::MatrixNotFinite);
        }
        Ok(Moments {
            side,
            products,
            mean,
            concentration,
            samples,
            device,
        })
    }

    /// The CUDA device that made the products, if one did.
    pub fn device(&self) -> Option<usize> {
        self.device
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
        self.products.order()
    }

    /// What the products were summed in.
    pub fn precision(&self) -> Precision {
        self.products.precision()
    }

    /// The mean gradient ḡ.
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// ‖ḡ‖.
    pub fn mean_norm(&self) -> f64 {
        self.mean.iter().map(|g| g * g).sum::<f64>().sqrt()
    }

    /// Estimated norm of what rounding in the products adds to the matrices; see `docs/statistics.md`, "Spectra".
    ///
    /// A sum of RUN terms is off by about 2⁻²⁴ √(RUN/3) of the energy that passes through it, and independent errors
    /// of σ√(d_i d_j) have norm 2σ√Σd².
    pub fn rounding(&self) -> f64 {
        match self.products.precision() {
            Precision::Single => {
                let unit = f64::from(f32::EPSILON) / 2.0 * (RUN as f64 / 3.0).sqrt();
                let squares: f64 = self.products.diagonal().map(|d| d * d).sum();
                2.0 * unit * squares.sqrt() * self.concentration / self.samples as f64
            }
            // Each of n exact products is added with a relative error of 2⁻⁵³.
            Precision::Double => f64::EPSILON * self.products.diagonal().sum::<f64>() / self.samples as f64,
        }
    }

    /// The matrix with the non-zero eigenvalues of C_m = (1/T) G Gᵀ: (1/T) GᵀG, or C_m itself when n < T.
    pub fn second_moment(&self) -> Symmetric {
        let t = self.samples as f64;
        match &self.side {
            Side::Samples {
                along_shift: a,
                shift_square,
                ..
            } => self.products.map(|i, j, p| (p + a[i] + a[j] + shift_square) / t),
            // The shift is the mean up to its rounding to f32.
            Side::Parameters { shift, .. } => {
                let r: Vec<f64> = shift.iter().map(|&r| f64::from(r)).collect();
                let m = &self.mean;
                self.products
                    .map(|i, j, p| p / t + (m[i] - r[i]) * r[j] + r[i] * (m[j] - r[j]) + r[i] * r[j])
            }
        }
    }

    /// The same for C = (1/T)(G − ḡ1ᵀ)(G − ḡ1ᵀ)ᵀ with ḡ the mean over the history.
    pub fn covariance(&self) -> Symmetric {
        let t = self.samples as f64;
        match &self.side {
            Side::Samples { .. } => {
                let rows: Vec<f64> = self.products.row_sums().iter().map(|sum| sum / t).collect();
                let all = rows.iter().sum::<f64>() / t;
                self.products.map(|i, j, p| (p - rows[i] - rows[j] + all) / t)
            }
            Side::Parameters { shift, .. } => {
                let m: Vec<f64> = self
                    .mean
                    .iter()
                    .zip(shift)
                    .map(|(m, &r)| m - f64::from(r))
                    .collect();
                self.products.map(|i, j, p| p / t - m[i] * m[j])
            }
        }
    }

    /// The same for (1/T)(G − c1ᵀ)(G − c1ᵀ)ᵀ; `None` if no centre c was given with the history.
    pub fn around_centre(&self) -> Option<Symmetric> {
        let t = self.samples as f64;
        match &self.side {
            Side::Samples { along_centre, .. } => {
                let (a, square) = along_centre.as_ref()?;
                Some(self.products.map(|i, j, p| (p + a[i] + a[j] + square) / t))
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
                Some(
                    self.products
                        .map(|i, j, p| p / t + m[i] * d[j] + d[i] * m[j] + d[i] * d[j]),
                )
            }
        }
    }
}
