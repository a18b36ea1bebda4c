//! What a test over many samples found: counts first, rates and means derived from them.

use serde::{Deserialize, Serialize};

use super::interval::Interval;

/// Which vectors were tested (the paper's "SG Type"), or that it was one sample such as a spectrum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Columns of G: one iteration's gradient over all parameters.
    Dimension,
    /// Rows of G: one parameter's gradient over all iterations.
    Iteration,
    /// One sample of its own, such as the eigenvalues of a covariance; as a history, its only column.
    Spectrum,
}

impl Direction {
    /// The word that a study and a result write for it.
    pub fn word(self) -> &'static str {
        match self {
            Direction::Dimension => "dimension",
            Direction::Iteration => "iteration",
            Direction::Spectrum => "spectrum",
        }
    }
}

/// Samples that a test cannot be applied to. They count as rejected (d_ks = 1, p = 0).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Degenerate {
    /// All values equal.
    pub constant: u64,
    /// Fewer values above zero than the tail asks for, or a tail of equal values.
    pub too_few: u64,
    /// At least one NaN or infinity.
    pub not_finite: u64,
}

impl Degenerate {
    /// How many in all.
    pub fn total(&self) -> u64 {
        self.constant + self.too_few + self.not_finite
    }
}

/// Counts and rate common to every test over many samples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Acceptance {
    /// Samples, degenerate ones included.
    pub tested: u64,
    /// Samples whose hypothesis (power law, Gaussian) was not rejected.
    pub accepted: u64,
    /// The degenerate ones among `tested`, by cause.
    pub degenerate: Degenerate,
    /// accepted / tested, in \[0, 1\].
    pub rate: f64,
    /// Wilson 95 % interval of the rate.
    pub rate_interval: Interval,
}

/// The power-law KS test over many samples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PowerLawOutcome {
    pub acceptance: Acceptance,
    /// Significance level α.
    pub alpha: f64,
    /// Mean KS distance; a degenerate sample counts as 1.
    pub mean_ks_distance: f64,
    /// Critical distance d_c at α for the tail size.
    pub critical_distance: f64,
    /// Points in the tail of each sample (K).
    pub tail_points: u64,
    /// Mean β̂ over the samples that are not degenerate; NaN if there is none.
    #[serde(with = "super::finite_or_null")]
    pub mean_exponent: f64,
    /// Mean ŝ = 1/(β̂ − 1) over the same samples.
    #[serde(with = "super::finite_or_null")]
    pub mean_zipf_exponent: f64,
    /// Median x_min over the same samples.
    #[serde(with = "super::finite_or_null")]
    pub median_x_min: f64,
}

/// The D'Agostino–Pearson normality test over many samples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NormalityOutcome {
    pub acceptance: Acceptance,
    /// Significance level α.
    pub alpha: f64,
    /// Points drawn from each sample (K).
    pub points: u64,
    /// Mean p-value; a degenerate sample counts as 0.
    pub mean_p_value: f64,
}

/// What one test statement found along one direction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "test", rename_all = "snake_case")]
pub enum Outcome {
    PowerLaw(PowerLawOutcome),
    Normality(NormalityOutcome),
}
