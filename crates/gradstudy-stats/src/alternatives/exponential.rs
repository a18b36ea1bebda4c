//! The exponential law from x_min on.

use super::Fit;

/// f(x) = λ exp(−λ(x − x_min)), λ̂ = 1/(mean − x_min), in units of x_min; `None` if the largest value exceeds x_min by a
/// factor above `f64::MAX`.
pub(super) fn fit(logs: &[f64]) -> Option<Fit> {
    let excess: Vec<f64> = logs.iter().map(|t| t.exp_m1()).collect();
    let rate = logs.len() as f64 / excess.iter().sum::<f64>();
    (rate > 0.0 && rate.is_finite()).then(|| Fit {
        parameters: [("lambda", rate)].into(),
        log_densities: excess.iter().map(|z| rate.ln() - rate * z).collect(),
    })
}
