//! Hill's estimator (B. M. Hill, Ann. Statist. 3 (1975)).

use super::{ALONG, Estimator, MISSING, OF, TailIndex, k};
use crate::degenerate::Cause;
use gradstudy_base::signature::Signature;

/// `hill(g, k: 1000, along: [dimension, iteration])`
pub static SIGNATURE: Signature = Signature {
    name: "hill",
    summary: "Hill's estimator of the tail index from the k largest absolute values",
    params: &[OF, k(1), ALONG, MISSING],
    version: 1,
};

/// The estimator as a study names it.
pub static ESTIMATOR: Estimator = Estimator {
    signature: &SIGNATURE,
    title: "Hill's estimator",
    estimate: hill,
    spare: 1,
};

/// ξ̂ = mean of ln(x₍ᵢ₎/x₍ₖ₊₁₎) over the k largest, x₍₁₎ ≥ x₍₂₎ ≥ …; standard error ξ̂/√k. Only for ξ > 0. The power-law
/// fit to `top(k + 1)` is the same up to its own x_min counting as a point.
fn hill(descending: &[f64], k: usize) -> Result<TailIndex, Cause> {
    let xi = descending[..k]
        .iter()
        .map(|x| (x / descending[k]).ln())
        .sum::<f64>()
        / k as f64;
    if xi > 0.0 {
        Ok(TailIndex {
            xi,
            standard_error: xi / (k as f64).sqrt(),
        })
    } else {
        Err(Cause::TooFew)
    }
}
