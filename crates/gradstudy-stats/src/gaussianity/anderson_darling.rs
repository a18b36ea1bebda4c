//! Anderson's and Darling's test of normality with mean and variance fitted (T. W. Anderson and D. A. Darling,
//! J. Amer. Statist. Assoc. 49 (1954)); the p-value is that of M. A. Stephens in R. B. D'Agostino and M. A. Stephens,
//! Goodness-of-Fit Techniques (1986), Table 4.9.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

use statrs::function::erf::erfc;

use super::{Gaussianity, MISSING, OF, POINTS, Scores, checked, standardised};
use crate::degenerate::Cause;
use crate::normality::Significance;
use crate::power_law::{ALONG, ALPHA};
use gradstudy_base::signature::Signature;

/// `anderson_darling(g, points: 100, alpha: 0.05, along: [dimension, iteration])`
pub static SIGNATURE: Signature = Signature {
    name: "anderson_darling",
    summary: "Anderson–Darling test of normality, mean and variance fitted, on points drawn from each sample",
    params: &[OF, POINTS, ALPHA, ALONG, MISSING],
    version: 2,
};

/// The test as a study names it.
pub static TEST: Gaussianity = Gaussianity {
    signature: &SIGNATURE,
    title: |_| "Anderson–Darling test (mean and variance fitted)".to_string(),
    test: |sample, _| anderson_darling(sample),
    seconds: |points| 1.5e-6 + points * 1e-7,
};

/// A² = −n − Σ (2i − 1)/n (ln Φ(z₍ᵢ₎) + ln Φ(−z₍ₙ₊₁₋ᵢ₎)), SciPy's `anderson`, and Stephens's p-value of
/// A²(1 + 0.75/n + 2.25/n²).
pub fn anderson_darling(sample: &[f64]) -> Result<Significance, Cause> {
    checked(sample, 8)?;
    let Scores {
        values: scores,
        near_rounding,
    } = standardised(sample, 1.0)?;
    let n = scores.len();
    let sum: f64 = (0..n)
        .map(|i| (2 * i + 1) as f64 * (log_normal_cdf(scores[i]) + log_normal_cdf(-scores[n - 1 - i])))
        .sum();
    let size = n as f64;
    let statistic = -size - sum / size;
    Ok(Significance {
        statistic,
        p_value: p_value(statistic * (1.0 + 0.75 / size + 2.25 / (size * size))),
        near_rounding,
    })
}

/// ln Φ(z), also where Φ(z) itself is zero to the computer.
fn log_normal_cdf(z: f64) -> f64 {
    if z > -37.0 {
        (0.5 * erfc(-z * FRAC_1_SQRT_2)).ln()
    } else {
        let inverse = 1.0 / (z * z);
        -0.5 * z * z - (-z * (2.0 * PI).sqrt()).ln() + (-inverse + 3.0 * inverse * inverse).ln_1p()
    }
}

/// Stephens's four pieces. The last is a parabola fitted up to 10 or so; from there on its tangent goes on.
fn p_value(a: f64) -> f64 {
    const FAR: f64 = 10.0;
    let upper = |a: f64| 1.2937 - 5.709 * a + 0.0186 * a * a;
    if a <= 0.2 {
        1.0 - (-13.436 + 101.14 * a - 223.73 * a * a).exp()
    } else if a <= 0.34 {
        1.0 - (-8.318 + 42.796 * a - 59.938 * a * a).exp()
    } else if a < 0.6 {
        (0.9177 - 4.279 * a - 1.38 * a * a).exp()
    } else if a < FAR {
        upper(a).exp()
    } else {
        (upper(FAR) + (2.0 * 0.0186 * FAR - 5.709) * (a - FAR)).exp()
    }
}
