//! Other distances of a tail from its fitted power law than that of Kolmogorov and Smirnov: they weigh the ends of the
//! tail differently and decide nothing here.

use super::degenerate::Cause;
use super::ks::Ecdf;
use super::power_law::{PowerLawFit, PowerLawSettings, fit_tail};

/// Distances of one tail.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Distances {
    /// Kuiper's V = max(F* − F̂) + max(F̂ − F*), N. H. Kuiper (Proc. Koninkl. Nederl. Akad. Wetensch. A 63 (1960)): as
    /// sensitive at the ends of the tail as in its middle.
    pub kuiper: f64,
    /// Anderson's and Darling's A² (J. Amer. Statist. Assoc. 49 (1954)) of the points above x_min, where F* = 0 would
    /// make it infinite: sensitive at the ends.
    pub anderson_darling: f64,
}

/// The distances of the tail of |x| that `settings` names from the power law fitted to it.
pub fn distances(sample: &[f64], settings: &PowerLawSettings) -> Result<Distances, Cause> {
    let (fit, tail) = fit_tail(sample, settings)?;
    let cdf: Vec<f64> = tail.iter().map(|&x| fit.cdf(x)).collect();
    Ok(Distances {
        kuiper: kuiper(&cdf, settings.ecdf),
        anderson_darling: anderson_darling(&tail, &fit),
    })
}

/// V from F* at the points of the tail, ascending. In the convention [`Ecdf::Left`] F̂ is i/K on both sides, as
/// `powerlaw` has it.
pub fn kuiper(cdf: &[f64], ecdf: Ecdf) -> f64 {
    let n = cdf.len() as f64;
    let shift = match ecdf {
        Ecdf::Left => 0.0,
        Ecdf::TwoSided => 1.0,
    };
    let (mut above, mut below) = (0.0f64, 0.0f64);
    for (i, &f) in cdf.iter().enumerate() {
        above = above.max(f - i as f64 / n);
        below = below.max((i as f64 + shift) / n - f);
    }
    above + below
}

/// A² = −m − Σ (2i − 1)/m (ln F*(xᵢ) + ln(1 − F*(xₘ₊₁₋ᵢ))), i = 1…m, over the m points above x_min.
fn anderson_darling(tail: &[f64], fit: &PowerLawFit) -> f64 {
    let above = &tail[tail.partition_point(|&x| x <= fit.x_min)..];
    let m = above.len();
    let log_survival = |x: f64| (1.0 - fit.exponent) * (x / fit.x_min).ln();
    let sum: f64 = (0..m)
        .map(|i| {
            let log_cdf = (-log_survival(above[i]).exp_m1()).ln();
            (2 * i + 1) as f64 * (log_cdf + log_survival(above[m - 1 - i]))
        })
        .sum();
    -(m as f64) - sum / m as f64
}
