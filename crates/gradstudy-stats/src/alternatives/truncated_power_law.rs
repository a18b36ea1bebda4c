//! The power law with an exponential cut-off from x_min on, of which the power law is a special case.

use super::Fit;

/// f(x) ∝ z^(−α) exp(−λz) with z = x/x_min and λ ≥ 0, by maximum likelihood; `None` where λ = 0, the power law itself,
/// is best.
///
/// An exponential family in (ln z, z): the likelihood is concave in (α, λ), so Newton's steps, halved until they climb,
/// reach its only maximum.
pub(super) fn fit(logs: &[f64]) -> Option<Fit> {
    let n = logs.len() as f64;
    let mean_log = logs.iter().sum::<f64>() / n;
    let mean = logs.iter().map(|t| t.exp()).sum::<f64>() / n;
    if !mean.is_finite() {
        return None;
    }
    // At λ = 0 more cut-off is better only if the power law's mean exceeds the sample's.
    let exponent = 1.0 + 1.0 / mean_log;
    if exponent > 2.0 && (exponent - 1.0) / (exponent - 2.0) <= mean {
        return None;
    }
    let largest = logs.iter().copied().fold(0.0, f64::max).exp();
    let (mut alpha, mut lambda) = (exponent, 0.1 / largest);
    let likelihood = |m: &Moments, alpha: f64, lambda: f64| -m.log_total - alpha * mean_log - lambda * mean;
    let mut at = Moments::of(alpha, lambda);
    for _ in 0..200 {
        // Gradient and (minus) Hessian of the mean log-likelihood.
        let (g1, g2) = (at.log - mean_log, at.z - mean);
        let (h11, h12, h22) = (
            at.log_log - at.log * at.log,
            at.log_z - at.log * at.z,
            at.z_z - at.z * at.z,
        );
        let determinant = h11 * h22 - h12 * h12;
        let (mut d1, mut d2) = (
            (h22 * g1 - h12 * g2) / determinant,
            (h11 * g2 - h12 * g1) / determinant,
        );
        let gain = g1 * d1 + g2 * d2;
        if !gain.is_finite() {
            return None;
        }
        let before = likelihood(&at, alpha, lambda);
        let mut climbed = false;
        for _ in 0..60 {
            let (next_alpha, next_lambda) = (alpha + d1, lambda + d2);
            if next_lambda > lambda / 20.0 {
                let next = Moments::of(next_alpha, next_lambda);
                if likelihood(&next, next_alpha, next_lambda) >= before {
                    (alpha, lambda, at, climbed) = (next_alpha, next_lambda, next, true);
                    break;
                }
            }
            (d1, d2) = (d1 / 2.0, d2 / 2.0);
        }
        if !climbed || gain < 1e-24 {
            break;
        }
    }
    let constant = -at.log_total;
    Some(Fit {
        parameters: [("alpha", alpha), ("lambda", lambda)].into(),
        log_densities: logs
            .iter()
            .map(|t| constant - alpha * t - lambda * t.exp())
            .collect(),
    })
}

/// The law's normaliser and moments.
struct Moments {
    /// ln ∫₁^∞ z^(−α) exp(−λz) dz.
    log_total: f64,
    log: f64,
    z: f64,
    log_log: f64,
    log_z: f64,
    z_z: f64,
}

/// Panels that the integral is cut into.
const PANELS: usize = 48;

impl Moments {
    /// By Gauss's rule in t = ln z, where the integrand exp((1 − α)t − λeᵗ) is smooth and in the end falls faster than any
    /// exponential.
    fn of(alpha: f64, lambda: f64) -> Self {
        let slope = 1.0 - alpha;
        let log_integrand = |t: f64| slope * t - lambda * t.exp();
        // The integrand's largest value lies at eᵗ = slope/λ, or at the cut.
        let peak = (slope / lambda).max(1.0).ln();
        let top = log_integrand(peak);
        // From here on it is below e^−45 of that: found by doubling and halving.
        let mut far = 1.0;
        while log_integrand(peak + far) > top - 45.0 {
            far *= 2.0;
        }
        let mut near = 0.0;
        for _ in 0..30 {
            let middle = (near + far) / 2.0;
            if log_integrand(peak + middle) > top - 45.0 {
                near = middle;
            } else {
                far = middle;
            }
        }
        let from = if log_integrand(0.0) > top - 45.0 {
            0.0
        } else {
            lower_end(peak, &log_integrand, top)
        };
        let width = (peak + far - from) / PANELS as f64;
        let mut sums = [0.0; 6];
        for panel in 0..PANELS {
            let middle = from + (panel as f64 + 0.5) * width;
            for (node, weight) in GAUSS {
                for t in [middle - node * width / 2.0, middle + node * width / 2.0] {
                    let density = weight * (log_integrand(t) - top).exp();
                    let z = t.exp();
                    for (sum, value) in sums.iter_mut().zip([1.0, t, z, t * t, t * z, z * z]) {
                        *sum += density * value;
                    }
                }
            }
        }
        let [total, log, z, log_log, log_z, z_z] = sums;
        Moments {
            log_total: top + (total * width / 2.0).ln(),
            log: log / total,
            z: z / total,
            log_log: log_log / total,
            log_z: log_z / total,
            z_z: z_z / total,
        }
    }
}

/// Where below its peak the integrand falls under e^−45 of it.
fn lower_end(peak: f64, log_integrand: &impl Fn(f64) -> f64, top: f64) -> f64 {
    let (mut low, mut high) = (0.0, peak);
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if log_integrand(middle) > top - 45.0 {
            high = middle;
        } else {
            low = middle;
        }
    }
    low
}

/// Positive nodes and weights of Gauss's and Legendre's rule with ten points.
const GAUSS: [(f64, f64); 5] = [
    (0.148_874_338_981_631_22, 0.295_524_224_714_752_9),
    (0.433_395_394_129_247_2, 0.269_266_719_309_996_35),
    (0.679_409_568_299_024_4, 0.219_086_362_515_982_04),
    (0.865_063_366_688_984_5, 0.149_451_349_150_580_6),
    (0.973_906_528_517_171_7, 0.066_671_344_308_688_14),
];
