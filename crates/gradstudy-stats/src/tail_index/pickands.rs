//! Pickands's estimator (J. Pickands, Ann. Statist. 3 (1975)).

use std::f64::consts::LN_2;

use super::{ALONG, Estimator, MISSING, OF, TailIndex, k};
use crate::degenerate::Cause;
use gradstudy_base::signature::Signature;

/// `pickands(g, k: 1000, along: [dimension, iteration])`
pub static SIGNATURE: Signature = Signature {
    name: "pickands",
    summary: "Pickands's estimator of the extreme-value index from three order statistics",
    params: &[OF, k(4), ALONG, MISSING],
    version: 1,
};

/// The estimator as a study names it.
pub static ESTIMATOR: Estimator = Estimator {
    signature: &SIGNATURE,
    title: "Pickands's estimator",
    estimate: pickands,
    spare: 0,
};

/// ξ̂ = log₂((x₍ₘ₎ − x₍₂ₘ₎)/(x₍₂ₘ₎ − x₍₄ₘ₎)), x₍₁₎ ≥ x₍₂₎ ≥ … and m = ⌊k/4⌋: for every ξ, unchanged by shifts, but of large
/// variance (Dekkers and de Haan, Ann. Statist. 17 (1989)).
fn pickands(descending: &[f64], k: usize) -> Result<TailIndex, Cause> {
    let m = k / 4;
    let at = |rank: usize| descending[rank - 1];
    let (upper, lower) = (at(m) - at(2 * m), at(2 * m) - at(4 * m));
    if !(upper > 0.0 && lower > 0.0) {
        return Err(Cause::TooFew);
    }
    let xi = (upper / lower).log2();
    Ok(TailIndex {
        xi,
        standard_error: (variance(xi) / m as f64).sqrt(),
    })
}

/// ξ²(2^(2ξ+1) + 1)/(2(2^ξ − 1) ln 2)², which is 3/(4 ln⁴ 2) at ξ = 0.
fn variance(xi: f64) -> f64 {
    let slope = if xi.abs() < 1e-6 {
        LN_2
    } else {
        (xi * LN_2).exp_m1() / xi
    };
    ((2.0 * xi + 1.0).exp2() + 1.0) / (2.0 * slope * LN_2).powi(2)
}
