//! Jarque's and Bera's test (Int. Statist. Review 55 (1987)): skewness and kurtosis by their asymptotic variances.

use super::{Gaussianity, MISSING, OF, POINTS, checked};
use crate::degenerate::Cause;
use crate::normality::{Shape, Significance};
use crate::power_law::{ALONG, ALPHA};
use gradstudy_base::signature::Signature;

/// `jarque_bera(g, points: 100, alpha: 0.05, along: [dimension, iteration])`
pub static SIGNATURE: Signature = Signature {
    name: "jarque_bera",
    summary: "Jarque–Bera test of normality on points drawn from each sample; its p-value is asymptotic",
    params: &[OF, POINTS, ALPHA, ALONG, MISSING],
    version: 2,
};

/// The test as a study names it.
pub static TEST: Gaussianity = Gaussianity {
    signature: &SIGNATURE,
    title: |_| "Jarque–Bera test (asymptotic p-value)".to_string(),
    test: |sample, _| jarque_bera(sample),
    seconds: |points| 1.2e-6 + points * 1e-8,
};

/// JB = n/6 (g₁² + (b₂ − 3)²/4), χ² with two degrees of freedom as n grows, so p = exp(−JB/2); SciPy's `jarque_bera`.
pub fn jarque_bera(sample: &[f64]) -> Result<Significance, Cause> {
    checked(sample, 2)?;
    let shape = Shape::of(sample)?;
    let statistic = shape.n / 6.0 * (shape.skewness.powi(2) + (shape.kurtosis - 3.0).powi(2) / 4.0);
    Ok(Significance {
        statistic,
        p_value: (-statistic / 2.0).exp(),
        near_rounding: shape.near_rounding,
    })
}
