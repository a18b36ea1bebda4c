//! Confidence intervals of a rate.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Normal};

/// A closed interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    pub low: f64,
    pub high: f64,
}

/// Wilson's score interval of the rate accepted / tested at the confidence `level`, such as 0.95, of independent samples.
///
/// E. B. Wilson, "Probable inference, the law of succession, and statistical inference", J. Amer. Statist.
/// Assoc. 22 (1927). Nothing tested says nothing: the interval is then \[0, 1\].
pub fn wilson(accepted: u64, tested: u64, level: f64) -> Interval {
    wilson_of_effective(accepted, tested, tested as f64, level)
}

/// Wilson's score interval of the rate accepted / tested of samples that are worth `effective` independent ones: the
/// formula of [`wilson`] with that number in place of `tested`, as surveys do it for clustered samples (Dean and Pagano,
/// J. Surv. Statist. Methodol. 3 (2015)). No effective sample says nothing: the interval is then \[0, 1\].
pub fn wilson_of_effective(accepted: u64, tested: u64, effective: f64, level: f64) -> Interval {
    if tested == 0 || effective.is_nan() || effective <= 0.0 {
        return Interval { low: 0.0, high: 1.0 };
    }
    let n = effective;
    let rate = accepted as f64 / tested as f64;
    let z = Normal::standard().inverse_cdf(0.5 + level / 2.0);
    let z2 = z * z;
    let centre = (rate + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = z / (1.0 + z2 / n) * (rate * (1.0 - rate) / n + z2 / (4.0 * n * n)).sqrt();
    // At 0 and 1 the ends are exact; rounding must not move them.
    let low = if accepted == 0 {
        0.0
    } else {
        (centre - half).max(0.0)
    };
    let high = if accepted == tested {
        1.0
    } else {
        (centre + half).min(1.0)
    };
    Interval { low, high }
}
