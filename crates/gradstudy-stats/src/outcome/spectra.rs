//! What spectra and eigenspaces say.

use serde::{Deserialize, Serialize};

use super::Degenerate;

/// What a spectrum says of itself; NaN where it does not say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShapeOutcome {
    /// Not finite, or nothing above rounding.
    pub degenerate: Degenerate,
    /// Eigenvalues kept.
    pub values: u64,
    /// Those above rounding: what the ranks, the slope and the outliers are of.
    pub above_rounding: u64,
    /// Σ λ over the whole matrix.
    #[serde(with = "crate::finite_or_null")]
    pub trace: f64,
    /// λ_1.
    #[serde(with = "crate::finite_or_null")]
    pub largest: f64,
    /// λ_1/trace.
    #[serde(with = "crate::finite_or_null")]
    pub largest_share: f64,
    /// The kept eigenvalues' share of the trace.
    #[serde(with = "crate::finite_or_null")]
    pub kept_share: f64,
    /// trace/λ_1.
    #[serde(with = "crate::finite_or_null")]
    pub stable_rank: f64,
    /// trace²/Σ λ² over the whole matrix.
    #[serde(with = "crate::finite_or_null")]
    pub participation_ratio: f64,
    /// exp of the entropy of λ/Σ λ.
    #[serde(with = "crate::finite_or_null")]
    pub effective_rank: f64,
    /// Largest over smallest eigenvalue above rounding.
    #[serde(with = "crate::finite_or_null")]
    pub condition: f64,
    /// −d ln λ_k/d ln k by least squares.
    #[serde(with = "crate::finite_or_null")]
    pub slope: f64,
    #[serde(with = "crate::finite_or_null")]
    pub slope_r_squared: f64,
    /// Eigenvalues above the line of the rest; `None` for fewer than eight eigenvalues.
    pub outliers: Option<u64>,
    /// The last outlier over the next eigenvalue.
    #[serde(with = "crate::finite_or_null")]
    pub outlier_gap: f64,
    /// The slope of the line of the rest.
    #[serde(with = "crate::finite_or_null")]
    pub bulk_slope: f64,
    /// Of an iteration: eigenpairs whose residual is within the tolerance.
    pub converged: Option<u64>,
    /// Of an iteration: the largest residual over its eigenvalue.
    #[serde(with = "crate::finite_or_null")]
    pub worst_residual: f64,
}

/// How far eigenvectors turn under a perturbation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DavisKahanOutcome {
    /// No eigenvalue above rounding.
    pub degenerate: Degenerate,
    /// Eigenvectors asked for.
    pub top: u64,
    /// Iterations in each half.
    pub half: u64,
    /// ‖εM‖ = ‖C₂ − C₁‖.
    pub perturbation: f64,
    /// ŝ of C₁.
    #[serde(with = "crate::finite_or_null")]
    pub zipf_exponent: f64,
    /// Those above rounding, from the first.
    pub eigenvectors: Vec<TurnedEigenvector>,
}

/// One eigenvector of C₁.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TurnedEigenvector {
    pub eigenvalue: f64,
    /// min(λ_{k−1} − λ_k, λ_k − λ_{k+1}).
    pub gap: f64,
    /// 2‖εM‖/gap; infinite (null) where two eigenvalues are equal.
    #[serde(with = "crate::finite_or_null")]
    pub bound: f64,
    /// 2‖εM‖(k + 1)^(ŝ + 1)/λ_1, the paper's Eq. 6.
    #[serde(with = "crate::finite_or_null")]
    pub power_law_bound: f64,
    /// Sine of the angle to the eigenvector of C₂ of the same rank.
    pub sine: f64,
}

/// How much two spaces have in common.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OverlapOutcome {
    /// n.
    pub parameters: u64,
    /// ‖V_kᵀW_k‖²_F/k for k = 1, 2, ….
    pub by_rank: Vec<f64>,
}
