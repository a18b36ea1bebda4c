//! Shapiro's and Wilk's W (Biometrika 52 (1965)) with Royston's approximations of its weights and its distribution
//! (J. P. Royston, Statist. Computing 2 (1992); Appl. Statist. 44 (1995), AS R94).

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_PI_3, PI};

use statrs::distribution::{ContinuousCDF, Normal};
use statrs::function::erf::erfc;

use super::{Gaussianity, MISSING, OF, Scores, checked, points, standardised};
use crate::degenerate::Cause;
use crate::normality::Significance;
use crate::power_law::{ALONG, ALPHA};
use gradstudy_base::signature::Signature;

/// `shapiro_wilk(g, points: 100, alpha: 0.05, along: [dimension, iteration])`
pub static SIGNATURE: Signature = Signature {
    name: "shapiro_wilk",
    summary: "Shapiro–Wilk test of normality on points drawn from each sample (Royston 1995, SciPy's shapiro)",
    // Royston's fit of the null distribution ends at 5000.
    params: &[OF, points(8, 5000), ALPHA, ALONG, MISSING],
    version: 2,
};

/// The test as a study names it.
pub static TEST: Gaussianity = Gaussianity {
    signature: &SIGNATURE,
    title: |_| "Shapiro–Wilk test (Royston 1995)".to_string(),
    test: |sample, _| shapiro_wilk(sample),
    seconds: |points| 1.5e-6 + points * 6e-8,
};

/// W = (Σ aᵢ x₍ᵢ₎)² / Σ (xᵢ − x̄)² and its p-value, small where W is; SciPy's `shapiro`. From 3 to 5000 values; more
/// are too many for Royston's p-value, which is then only roughly right.
pub fn shapiro_wilk(sample: &[f64]) -> Result<Significance, Cause> {
    checked(sample, 3)?;
    let Scores {
        values: scores,
        near_rounding,
    } = standardised(sample, 0.0)?;
    let n = scores.len();
    let weights = weights(n);
    let spread: f64 = (0..n / 2)
        .map(|i| weights[i] * (scores[n - 1 - i] - scores[i]))
        .sum();
    let squares: f64 = scores.iter().map(|score| score * score).sum();
    let w = (spread * spread / squares).min(1.0);
    Ok(Significance {
        statistic: w,
        p_value: p_value(w, n),
        near_rounding,
    })
}

/// aₙ, aₙ₋₁, … down to the middle: the expected order statistics of a normal sample (G. Blom's approximation), scaled,
/// the outer two corrected by Royston's polynomials in 1/√n.
fn weights(n: usize) -> Vec<f64> {
    if n == 3 {
        return vec![FRAC_1_SQRT_2];
    }
    let normal = Normal::standard();
    let size = n as f64;
    let expected: Vec<f64> = (1..=n / 2)
        .map(|i| -normal.inverse_cdf((i as f64 - 0.375) / (size + 0.25)))
        .collect();
    let total = 2.0 * expected.iter().map(|m| m * m).sum::<f64>();
    let u = size.sqrt().recip();
    let outer = |polynomial: &[f64], m: f64| horner(polynomial, u) + m / total.sqrt();
    let last = outer(
        &[0.0, 0.221157, -0.147981, -2.071190, 4.434685, -2.706056],
        expected[0],
    );
    let mut corrected = vec![last];
    if n > 5 {
        corrected.push(outer(
            &[0.0, 0.042981, -0.293762, -1.752461, 5.682633, -3.582633],
            expected[1],
        ));
    }
    let squares = |values: &[f64]| 2.0 * values.iter().map(|value| value * value).sum::<f64>();
    let scale = ((total - squares(&expected[..corrected.len()])) / (1.0 - squares(&corrected))).sqrt();
    let rest = expected[corrected.len()..].iter().map(|m| m / scale);
    corrected.iter().copied().chain(rest).collect()
}

/// P(W ≤ w): exact for n = 3, else by a normal approximation of a function of ln(1 − W).
fn p_value(w: f64, n: usize) -> f64 {
    let size = n as f64;
    if n == 3 {
        return (6.0 / PI * (w.sqrt().asin() - FRAC_PI_3)).max(0.0);
    }
    if w >= 1.0 {
        return 1.0;
    }
    let y = (-w).ln_1p();
    let (y, mean, sd) = if n <= 11 {
        let gamma = horner(&[-2.273, 0.459], size);
        if y >= gamma {
            return 0.0;
        }
        (
            -(gamma - y).ln(),
            horner(&[0.5440, -0.39978, 0.025054, -6.714e-4], size),
            horner(&[1.3822, -0.77857, 0.062767, -0.0020322], size).exp(),
        )
    } else {
        let log = size.ln();
        (
            y,
            horner(&[-1.5861, -0.31082, -0.083751, 0.0038915], log),
            horner(&[-0.4803, -0.082676, 0.0030302], log).exp(),
        )
    };
    0.5 * erfc((y - mean) / sd * FRAC_1_SQRT_2)
}

/// Σ cᵢ xⁱ.
fn horner(coefficients: &[f64], x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c)
}
