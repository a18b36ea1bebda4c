//! Inner products of gradients, and the norm of a difference of two covariances, without vectors of n numbers.

use faer::linalg::solvers::SelfAdjointEigen;
use faer::{Mat, Side};
use rand::RngExt;
use rayon::prelude::*;

use crate::spectra::SpectrumError;
use crate::spectra::gram::GramAccumulator;
use crate::spectra::moments::Moments;
use crate::spectra::products::Precision;
use crate::spectra::symmetric::Symmetric;
use gradstudy_base::seed;
use gradstudy_stats::history_view::HistoryView;
use gradstudy_stats::monitor::Monitor;

/// The T × T sums of a history; `None` if cancelled.
pub fn moments(view: HistoryView, monitor: &Monitor) -> Option<Result<Moments, SpectrumError>> {
    let mut sums = GramAccumulator::new(view.iterations, false, Precision::Single);
    match sums.add(view, 0..view.parameters, None, monitor) {
        Ok(true) => Some(sums.finish()),
        Ok(false) => None,
        Err(error) => Some(Err(error)),
    }
}

/// Inner products within and between two halves of a history, each centred on its own mean.
pub struct Halves {
    /// Iterations of each half, h.
    pub half: usize,
    /// 2h × 2h, all of it filled.
    products: Mat<f64>,
}

impl Halves {
    /// The first h and the next h iterations, h = ⌊T/2⌋.
    pub fn new(moments: &Moments) -> Self {
        let (t, half) = (moments.samples(), moments.samples() / 2);
        let whole = moments.covariance();
        let at = |i: usize, j: usize| t as f64 * whole[(i, j)];
        let of = |i: usize| i / half;
        let means: Vec<[f64; 2]> = (0..2 * half)
            .into_par_iter()
            .map(|i| {
                [0, half].map(|first| (first..first + half).map(|j| at(i, j)).sum::<f64>() / half as f64)
            })
            .collect();
        let grand = |a: usize, b: usize| {
            let rows = &means[a * half..(a + 1) * half];
            rows.iter().map(|row| row[b]).sum::<f64>() / half as f64
        };
        let grand = [[grand(0, 0), grand(0, 1)], [grand(1, 0), grand(1, 1)]];
        let centred = |i: usize, j: usize| at(i, j) - means[i][of(j)] - means[j][of(i)] + grand[of(i)][of(j)];
        Halves {
            half,
            products: Mat::from_fn(2 * half, 2 * half, centred),
        }
    }

    /// The matrix with the non-zero eigenvalues of the covariance of half 0 or 1.
    pub fn covariance(&self, which: usize) -> Symmetric {
        let first = which * self.half;
        let scale = 1.0 / self.half as f64;
        Symmetric::new(self.half, |i, j| scale * self.products[(first + i, first + j)])
    }

    /// The cosine between an eigenvector of each half's covariance, given by unit eigenvectors of the matrices of
    /// [`Halves::covariance`] and their eigenvalues: uᵀ(AᵀB)w/(h√(λμ)).
    pub fn cosine(&self, (u, lambda): (&[f64], f64), (w, mu): (&[f64], f64)) -> f64 {
        let row = |i: usize| -> f64 {
            let products = w.iter().enumerate();
            products.map(|(j, w)| self.products[(i, self.half + j)] * w).sum()
        };
        let sum: f64 = u.iter().enumerate().map(|(i, u)| u * row(i)).sum();
        (sum / (self.half as f64 * (lambda * mu).sqrt())).abs()
    }

    /// ‖C₂ − C₁‖, the largest eigenvalue in magnitude, by Lanczos's method in the span of all gradients: a vector there
    /// is known by its coefficients c, has the inner products cᵀKc, and (C₂ − C₁) takes c to D K c with D = ∓1/h.
    pub fn difference_norm(&self) -> Result<f64, SpectrumError> {
        let order = 2 * self.half;
        let mut rng = seed::rng(0, "start of a difference norm");
        let mut c: Vec<f64> = (0..order).map(|_| rng.random_range(-1.0..1.0)).collect();
        let mut w = self.times(&c);
        let norm = dot(&c, &w).max(0.0).sqrt();
        if norm == 0.0 {
            return Ok(0.0);
        }
        scale(&mut c, 1.0 / norm);
        scale(&mut w, 1.0 / norm);
        let (mut basis, mut images) = (vec![c], vec![w]);
        let (mut alphas, mut betas) = (Vec::new(), Vec::new());
        loop {
            let last = images.len() - 1;
            let share = 1.0 / self.half as f64;
            let signed = images[last].iter().enumerate();
            let mut z: Vec<f64> = signed
                .map(|(i, w)| if i < self.half { -share * w } else { share * w })
                .collect();
            let mut alpha = 0.0;
            for _ in 0..2 {
                for (i, (c, w)) in basis.iter().zip(&images).enumerate() {
                    let coefficient = dot(w, &z);
                    if i == last {
                        alpha += coefficient;
                    }
                    z.iter_mut().zip(c).for_each(|(z, c)| *z -= coefficient * c);
                }
            }
            alphas.push(alpha);
            let mut image = self.times(&z);
            let beta = dot(&z, &image).max(0.0).sqrt();
            let m = alphas.len();
            let spent = m == order || m == MOST_STEPS;
            if spent || m.is_multiple_of(5) || beta <= f64::EPSILON * alphas[0].abs() {
                let (value, truncation) = largest(&alphas, &betas, beta)?;
                if spent || truncation <= 1e-10 * value || beta <= 1e-14 * value {
                    return Ok(value);
                }
            }
            betas.push(beta);
            scale(&mut z, 1.0 / beta);
            scale(&mut image, 1.0 / beta);
            basis.push(z);
            images.push(image);
        }
    }

    /// K c.
    fn times(&self, c: &[f64]) -> Vec<f64> {
        // Symmetric: a column is a row.
        (0..c.len())
            .into_par_iter()
            .map(|i| {
                let column = self.products.col(i);
                column.iter().zip(c).map(|(k, c)| k * c).sum()
            })
            .collect()
    }
}

/// The extreme eigenvalue of a spectrum with a gap comes in a few dozen steps.
const MOST_STEPS: usize = 500;

/// The eigenvalue of largest magnitude of a symmetric tridiagonal matrix, as that magnitude, and its residual in the
/// matrix that it was projected from.
fn largest(diagonal: &[f64], below: &[f64], next: f64) -> Result<(f64, f64), SpectrumError> {
    let m = diagonal.len();
    let matrix = Mat::from_fn(m, m, |i, j| match i.abs_diff(j) {
        0 => diagonal[i],
        1 => below[i.min(j)],
        _ => 0.0,
    });
    let eigen =
        SelfAdjointEigen::new(matrix.as_ref(), Side::Lower).map_err(|_| SpectrumError::NoConvergence)?;
    let values = eigen.S().column_vector();
    let size = |k: usize| values[k].abs();
    let best = if size(0) > size(m - 1) { 0 } else { m - 1 };
    Ok((size(best), next * eigen.U()[(m - 1, best)].abs()))
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn scale(values: &mut [f64], by: f64) {
    values.iter_mut().for_each(|value| *value *= by);
}
