//! Lilliefors's test of normality: the Kolmogorov–Smirnov distance with mean and variance fitted (H. W. Lilliefors,
//! J. Amer. Statist. Assoc. 62 (1967)).

use std::f64::consts::FRAC_1_SQRT_2;

use statrs::function::erf::erfc;

use super::{Gaussianity, MISSING, OF, POINTS, checked, standardised};
use crate::critical::LILLIEFORS;
use crate::degenerate::Cause;
use crate::ks::{Ecdf, ks_distance};
use crate::normality::Significance;
use crate::power_law::{ALONG, ALPHA};
use gradstudy_base::signature::Signature;

/// `lilliefors(g, points: 100, alpha: 0.05, along: [dimension, iteration])`
pub static SIGNATURE: Signature = Signature {
    name: "lilliefors",
    summary: "Lilliefors test of normality: the KS distance, mean and variance fitted, on points drawn from each sample",
    params: &[OF, POINTS, ALPHA, ALONG, MISSING],
    version: 2,
};

/// The test as a study names it.
pub static TEST: Gaussianity = Gaussianity {
    signature: &SIGNATURE,
    title: |_| "Lilliefors test (KS distance, mean and variance fitted)".to_string(),
    test: |sample, _| lilliefors(sample),
    seconds: |points| 1.5e-6 + points * 6e-8,
};

/// D = sup |Φ((x − x̄)/s) − F̂|, both sides of each step, s over n − 1; the p-value is simulated
/// ([`crate::critical`]).
pub fn lilliefors(sample: &[f64]) -> Result<Significance, Cause> {
    checked(sample, 8)?;
    let scores = standardised(sample, 1.0)?;
    let cdf: Vec<f64> = scores
        .values
        .iter()
        .map(|z| 0.5 * erfc(-z * FRAC_1_SQRT_2))
        .collect();
    let distance = ks_distance(&cdf, Ecdf::TwoSided);
    Ok(Significance {
        statistic: distance,
        p_value: LILLIEFORS.p_value(distance, cdf.len()),
        near_rounding: scores.near_rounding,
    })
}
