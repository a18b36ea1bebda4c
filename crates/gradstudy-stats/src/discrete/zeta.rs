//! Hurwitz's zeta function ζ(s, q) = Σ (k + q)^(−s), k = 0, 1, …, and what its logarithm changes by.

/// B₂ⱼ/(2j)!, j = 1…8.
const BERNOULLI: [f64; 8] = [
    1.0 / 12.0,
    -1.0 / 720.0,
    1.0 / 30_240.0,
    -1.0 / 1_209_600.0,
    1.0 / 47_900_160.0,
    -691.0 / 1_307_674_368_000.0,
    1.0 / 74_724_249_600.0,
    -3617.0 / 10_670_622_842_880_000.0,
];

/// ln ζ(s, q) + s ln q and −∂/∂s ln ζ(s, q) − ln q for s > 1, q ≥ 1, by Euler's and Maclaurin's formula. Taking q^(−s) out
/// keeps every term within the range of floats.
pub(super) fn log_zeta(s: f64, q: f64) -> (f64, f64) {
    // Terms summed one by one: the asymptotic series needs (N + q) well above s.
    let direct = 12 + (s / 2.0) as u32;
    let (mut sum, mut slope) = (0.0, 0.0);
    for k in 0..direct {
        let log = (f64::from(k) / q).ln_1p();
        let term = (-s * log).exp();
        sum += term;
        slope += log * term;
    }
    let log = (f64::from(direct) / q).ln_1p();
    let end = (-s * log).exp();
    let width = f64::from(direct) + q;
    let integral = end * width / (s - 1.0);
    sum += integral + end / 2.0;
    slope += integral * (log + 1.0 / (s - 1.0)) + end * log / 2.0;
    // c s (s + 1) … (s + 2j − 2) (N + q)^(−s − 2j + 1), and its derivative by s.
    let (mut product, mut inverses) = (s / width, 1.0 / s);
    for (j, bernoulli) in BERNOULLI.iter().enumerate() {
        let term = bernoulli * product * end;
        sum += term;
        slope += term * (log - inverses);
        let next = s + (2 * j + 1) as f64;
        product *= next * (next + 1.0) / (width * width);
        inverses += 1.0 / next + 1.0 / (next + 1.0);
    }
    (sum.ln(), slope / sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::PI;

    #[test]
    fn values_of_the_zeta_function() {
        for (s, q, value) in [
            (2.0, 1.0, PI * PI / 6.0),
            (4.0, 1.0, PI.powi(4) / 90.0),
            (2.0, 3.0, PI * PI / 6.0 - 1.25),
            (3.0, 1.0, 1.202_056_903_159_594_2),
        ] {
            let (found, _) = log_zeta(s, q);
            let found = (found - s * f64::ln(q)).exp();
            assert!((found / value - 1.0).abs() < 1e-14, "{s} {q}: {found}");
        }
        // Far out and steep only the first terms count.
        let (found, _) = log_zeta(60.0, 2.0);
        let expected = (1.0 + (2.0f64 / 3.0).powi(60) + 0.5f64.powi(60)).ln();
        assert!((found - expected).abs() < 1e-15, "{found}");
    }

    #[test]
    fn the_slope_is_the_derivative() {
        for s in [1.05, 1.7, 2.5, 6.0, 30.0] {
            for q in [1.0, 7.0, 1000.0] {
                let step = 1e-5;
                let by_difference = (log_zeta(s - step, q).0 - log_zeta(s + step, q).0) / (2.0 * step);
                let found = log_zeta(s, q).1;
                assert!(
                    (found - by_difference).abs() < 1e-7 * found.abs().max(1e-2),
                    "{s} {q}: {found} {by_difference}"
                );
            }
        }
    }
}
