//! Many tests at once: p-values adjusted for how many there are.
//!
//! An adjusted p-value is the least level at which the procedure, applied to all of them, rejects that hypothesis.

use serde::{Deserialize, Serialize};

/// Benjamini's and Hochberg's adjusted p-values (J. R. Statist. Soc. B 57 (1995)): rejecting those of at most α keeps
/// the expected share of false rejections among all rejections at most α, for independent or positively dependent
/// tests. NaN stays NaN and counts as no test.
pub fn benjamini_hochberg(p_values: &[f64]) -> Vec<f64> {
    step_up(p_values, 1.0)
}

/// Benjamini's and Yekutieli's adjusted p-values (Ann. Statist. 29 (2001)): the same bound whatever the tests'
/// dependence, at the price of a factor 1 + 1/2 + … + 1/m.
pub fn benjamini_yekutieli(p_values: &[f64]) -> Vec<f64> {
    let tests = p_values.iter().filter(|p| !p.is_nan()).count();
    step_up(p_values, (1..=tests).map(|i| 1.0 / i as f64).sum())
}

/// Holm's adjusted p-values (Scand. J. Statist. 6 (1979)): rejecting those of at most α keeps the probability of any
/// false rejection at most α, whatever the tests' dependence.
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let order = ascending(p_values);
    let mut adjusted = p_values.to_vec();
    let mut largest = 0.0f64;
    for (rank, &index) in order.iter().enumerate() {
        largest = largest
            .max((order.len() - rank) as f64 * p_values[index])
            .min(1.0);
        adjusted[index] = largest;
    }
    adjusted
}

/// p₍ᵢ₎ · factor · m/i, made monotone from the largest down.
fn step_up(p_values: &[f64], factor: f64) -> Vec<f64> {
    let order = ascending(p_values);
    let mut adjusted = p_values.to_vec();
    let mut least = 1.0f64;
    for (rank, &index) in order.iter().enumerate().rev() {
        least = least.min(factor * order.len() as f64 / (rank + 1) as f64 * p_values[index]);
        adjusted[index] = least;
    }
    adjusted
}

/// Indices of the p-values that are not NaN, the smallest first.
fn ascending(p_values: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..p_values.len()).filter(|&i| !p_values[i].is_nan()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    order
}

/// Rejections among the samples that are not degenerate, at the test's level.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejections {
    /// p ≤ α, each sample for itself.
    pub single: u64,
    /// After [`benjamini_hochberg`].
    pub benjamini_hochberg: u64,
    /// After [`holm`].
    pub holm: u64,
}

impl Rejections {
    /// Counts the rejections of `p_values` at level `alpha`.
    pub fn of(p_values: &[f64], alpha: f64) -> Self {
        let count = |p: &[f64]| p.iter().filter(|&&p| p <= alpha).count() as u64;
        Rejections {
            single: count(p_values),
            benjamini_hochberg: count(&benjamini_hochberg(p_values)),
            holm: count(&holm(p_values)),
        }
    }
}
