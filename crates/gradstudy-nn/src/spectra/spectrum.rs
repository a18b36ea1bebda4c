//! A spectrum: the largest eigenvalues of one matrix and what is known of the rest.

use super::sketch::Sketched;
use serde::{Deserialize, Serialize};

/// Which matrix (or what of it) the values belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpectrumKind {
    /// C = (1/T) Σ (g − ḡ)(g − ḡ)ᵀ.
    Covariance,
    /// C_m = (1/T) Σ g gᵀ.
    SecondMoment,
    /// ∇² of the mean loss.
    Hessian,
    /// Jᵀ H_out J.
    GaussNewton,
    /// 1/N Σ g gᵀ over single samples.
    Fisher,
    /// Differences of neighbouring eigenvalues of another spectrum.
    Eigengaps,
    /// Absolute values of one column or row of G.
    Magnitudes,
}

/// The top of a spectrum.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Spectrum {
    pub kind: SpectrumKind,
    /// The largest eigenvalues, descending (eigengaps in rank order: as the ranks give them).
    pub values: Vec<f64>,
    /// Order of the matrix that was solved: min(n, T) for moments of a history.
    pub order: u64,
    /// Most eigenvalues that can be other than zero: min(n, T), or min(n, T − 1) around the history's mean.
    pub rank_bound: u64,
    /// Parameters (n).
    pub parameters: u64,
    /// Iterations (T) or samples that the matrix is a mean over.
    pub samples: u64,
    /// Σ λ over the whole spectrum, from the matrix's diagonal; NaN where the matrix is never formed.
    #[serde(with = "gradstudy_stats::finite_or_null")]
    pub trace: f64,
    /// Σ λ² over the whole spectrum, from the matrix's entries; NaN where the matrix is never formed.
    #[serde(with = "gradstudy_stats::finite_or_null")]
    pub square_trace: f64,
    /// Absolute accuracy of the values: below it they are rounding. See `docs/statistics.md`, "Spectra".
    pub accuracy: f64,
    /// ‖A v − λ v‖ for each value, where eigenvectors were made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub residuals: Option<Vec<f64>>,
    /// How many of the values have a residual within the tolerance that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub converged: Option<u64>,
    /// How far the values may be off where they are of sketched gradients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sketch: Option<Sketched>,
}

impl Spectrum {
    /// How many of the values stand above rounding.
    pub fn above_rounding(&self) -> usize {
        self.values.iter().filter(|&&value| value > self.accuracy).count()
    }

    /// Whether every value is right to three digits.
    pub fn has_three_digits(&self) -> bool {
        self.values
            .iter()
            .all(|&value| value > super::THREE_DIGITS * self.accuracy || self.accuracy == 0.0)
    }
}
