//! The stretched exponential (Weibull) law from x_min on.

use super::Fit;
use crate::roots::bisect;

/// P(X > x) = exp(−λ(z^β − 1)) with z = x/x_min, by maximum likelihood; `None` where the likelihood grows on towards
/// β → 0, which is the power law.
///
/// For given β λ̂ = n/Σ(z^β − 1), which leaves 1/β + mean ln z = Σ z^β ln z / Σ(z^β − 1). At β → 0 the left side exceeds
/// the right as long as the mean square of ln z is below twice the square of its mean, as for the lognormal law.
pub(super) fn fit(logs: &[f64]) -> Option<Fit> {
    let n = logs.len() as f64;
    let mean = logs.iter().sum::<f64>() / n;
    let largest = logs.iter().copied().fold(0.0, f64::max);
    let ratio = logs.iter().map(|t| t * t).sum::<f64>() / n / (mean * mean);
    let score = |beta: f64| {
        // Both sums over exp(β t_max), which would overflow.
        let (mut weighted, mut plain) = (0.0, 0.0);
        for t in logs {
            let power = (beta * (t - largest)).exp();
            weighted += t * power;
            plain += power * -(-beta * t).exp_m1();
        }
        1.0 / beta + mean - weighted / plain
    };
    let low = 1e-5 / mean;
    if !(ratio > 1.0 && ratio < 2.0 && score(low) > 0.0) {
        return None;
    }
    let mut high = 1.0 / mean;
    while score(high) > 0.0 {
        high *= 2.0;
        if !high.is_finite() {
            return None;
        }
    }
    let beta = bisect(low, high, score);
    let rate = n / logs.iter().map(|t| (beta * t).exp_m1()).sum::<f64>();
    (rate > 0.0 && rate.is_finite()).then(|| Fit {
        parameters: [("beta", beta), ("lambda", rate)].into(),
        log_densities: logs
            .iter()
            .map(|t| (rate * beta).ln() + (beta - 1.0) * t - rate * (beta * t).exp_m1())
            .collect(),
    })
}
