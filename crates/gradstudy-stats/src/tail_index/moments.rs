//! The moment estimator of Dekkers, Einmahl and de Haan (Ann. Statist. 17 (1989)).

use super::{ALONG, Estimator, MISSING, OF, TailIndex, k};
use crate::degenerate::Cause;
use gradstudy_base::signature::Signature;

/// `moments(g, k: 1000, along: [dimension, iteration])`
pub static SIGNATURE: Signature = Signature {
    name: "moments",
    summary: "the moment estimator (Dekkers, Einmahl, de Haan 1989) of the extreme-value index, light tails included",
    params: &[OF, k(2), ALONG, MISSING],
    version: 1,
};

/// The estimator as a study names it.
pub static ESTIMATOR: Estimator = Estimator {
    signature: &SIGNATURE,
    title: "the moment estimator of Dekkers, Einmahl and de Haan",
    estimate: moments,
    spare: 1,
};

/// ξ̂ = M₁ + 1 − ½/(1 − M₁²/M₂), Mⱼ the mean of ln(x₍ᵢ₎/x₍ₖ₊₁₎)ʲ over the k largest: for every ξ, also of tails that end.
fn moments(descending: &[f64], k: usize) -> Result<TailIndex, Cause> {
    let logs = descending[..k].iter().map(|x| (x / descending[k]).ln());
    let (first, second) = logs.fold((0.0, 0.0), |(first, second), t| (first + t, second + t * t));
    let (first, second) = (first / k as f64, second / k as f64);
    let rest = 1.0 - first * first / second;
    // Equal values have no spread; nor have any that rounding leaves without.
    if !(first > 0.0 && rest > 1e-12) {
        return Err(Cause::TooFew);
    }
    let xi = first + 1.0 - 0.5 / rest;
    Ok(TailIndex {
        xi,
        standard_error: (variance(xi) / k as f64).sqrt(),
    })
}

/// The estimator's asymptotic variance for one point (their Corollary 3.2).
fn variance(xi: f64) -> f64 {
    if xi >= 0.0 {
        return 1.0 + xi * xi;
    }
    let (once, twice, thrice, four) = (1.0 - xi, 1.0 - 2.0 * xi, 1.0 - 3.0 * xi, 1.0 - 4.0 * xi);
    once * once * twice * (4.0 - 8.0 * twice / thrice + (5.0 - 11.0 * xi) * twice / (thrice * four))
}
