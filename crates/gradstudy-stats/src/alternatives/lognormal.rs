//! The lognormal law from x_min on: a normal distribution of ln x, cut off below.

use std::f64::consts::{PI, SQRT_2};

use statrs::function::erf::erfc;

use super::Fit;
use crate::roots::bisect;

/// Beyond this many standard deviations below the cut the law is a power law to eight digits.
const FARTHEST: f64 = -1e4;

/// Fits ln(x/x_min) ~ N(μ, σ²) given that it is not negative, by maximum likelihood; `None` where the likelihood grows
/// on towards μ → −∞, which is the power law.
///
/// Mean and mean square of the logarithms decide: their ratio gives h = μ/σ, the one unknown of one equation
/// (A. C. Cohen, Ann. Math. Statist. 21 (1950)). The ratio is 2 for the power law.
pub(super) fn fit(logs: &[f64]) -> Option<Fit> {
    let n = logs.len() as f64;
    let mean = logs.iter().sum::<f64>() / n;
    let ratio = logs.iter().map(|t| t * t).sum::<f64>() / n / (mean * mean);
    // Written so that NaN is refused too.
    if !(ratio > 1.0 && ratio < moments(FARTHEST).1) {
        return None;
    }
    let h = bisect(FARTHEST, 10.0 + 1.0 / (ratio - 1.0).sqrt(), |h| {
        ratio - moments(h).1
    });
    let sd = mean / moments(h).0;
    let constant = -sd.ln() - log_mills(-h);
    Some(Fit {
        parameters: [("mu", h * sd), ("sigma", sd)].into(),
        log_densities: logs
            .iter()
            .map(|t| {
                let scaled = t / sd;
                constant + scaled * (h - scaled / 2.0) - t
            })
            .collect(),
    })
}

/// E[Y] and E[Y²]/E[Y]² of Y ~ N(h, 1) given Y ≥ 0.
fn moments(h: f64) -> (f64, f64) {
    let u = -h;
    if u > 4.0 {
        // E[Y] = 1/M(u) − u = 1/(u + w), w = 2/(u + 3/(u + …)): nothing cancels.
        let w = 2.0 / fraction(u, 3);
        return (1.0 / (u + w), w * (u + w));
    }
    let mean = h + (-log_mills(u)).exp();
    (mean, (1.0 + h * mean) / (mean * mean))
}

/// ln M(u), Mills's ratio M(u) = (1 − Φ(u))/φ(u).
fn log_mills(u: f64) -> f64 {
    if u > 4.0 {
        -(u + 1.0 / (u + 2.0 / fraction(u, 3))).ln()
    } else {
        (0.5 * erfc(u / SQRT_2)).ln() + 0.5 * u * u + 0.5 * (2.0 * PI).ln()
    }
}

/// u + j/(u + (j + 1)/(u + …)), Laplace's continued fraction, for u > 4.
fn fraction(u: f64, j: u32) -> f64 {
    (j..j + 120).rev().fold(u, |tail, j| u + f64::from(j) / tail)
}
