//! The goodness of fit of a discrete power law by the semi-parametric bootstrap (Clauset, Shalizi and Newman, SIAM Review
//! 51 (2009), section 4.1).

use rand_chacha::ChaCha8Rng;

use super::discrete_power_law;
use super::zeta::log_zeta;
use crate::bootstrap::{Bootstrap, BootstrapSettings, count_exceedances, unit};
use crate::monitor::Monitor;
use crate::power_law::{PowerLawFit, PowerLawSettings, PowerLawTest};
use crate::sampling::below;

/// Values from x_min on whose probabilities are tabulated; larger ones are rare.
const TABLE: usize = 4096;

/// Largest whole number that is drawn, far beyond any count: a law with β near 1 has values beyond float64.
const LARGEST: f64 = 1e300;

/// The bootstrap p-value of a sample whose own test is known; `None` if cancelled.
///
/// A replicate has as many values above zero as the sample: each comes with probability n_tail/n from the fitted law,
/// else from the sample's values below x_min, drawn with replacement. It is fitted by the same rule, x_min and all; one
/// that cannot be fitted counts as d_ks = 1. Replicate i depends on the seed and on i alone.
pub(crate) fn resample(
    sample: &[f64],
    test: PowerLawTest,
    settings: &PowerLawSettings,
    bootstrap: &BootstrapSettings,
    monitor: &Monitor,
) -> Option<Bootstrap> {
    let values = sample.iter().map(|x| x.abs());
    let body: Vec<f64> = values.filter(|&x| x > 0.0 && x < test.fit.x_min).collect();
    let law = ZetaLaw::new(&test.fit);
    let n = body.len() + test.fit.n_tail;
    let distance = |rng: &mut ChaCha8Rng| {
        let draw = |_| match below(rng, n as u64) < body.len() as u64 {
            true => body[below(rng, body.len() as u64) as usize],
            false => law.draw(unit(rng)),
        };
        let replicate: Vec<f64> = (0..n).map(draw).collect();
        discrete_power_law(&replicate, settings).map_or(1.0, |found| found.ks_distance)
    };
    count_exceedances(test, bootstrap, monitor, distance)
}

/// p(x) = x^(−β)/ζ(β, x_min) on the whole numbers from x_min on.
#[derive(Debug)]
struct ZetaLaw {
    beta: f64,
    x_min: f64,
    /// ln ζ(β, x_min) + β ln x_min.
    log_total: f64,
    /// P(X ≥ x_min + i), i = 0, 1, …
    table: Vec<f64>,
}

impl ZetaLaw {
    fn new(fit: &PowerLawFit) -> Self {
        let mut law = ZetaLaw {
            beta: fit.exponent,
            x_min: fit.x_min,
            log_total: log_zeta(fit.exponent, fit.x_min).0,
            table: Vec::new(),
        };
        let probabilities = (0..TABLE).map(|i| law.survival(law.x_min + i as f64));
        law.table = probabilities.take_while(|p| *p > 0.0).collect();
        law
    }

    /// P(X ≥ x).
    fn survival(&self, x: f64) -> f64 {
        let log = log_zeta(self.beta, x).0 - self.beta * (x / self.x_min).ln();
        (log - self.log_total).exp()
    }

    /// The largest x with P(X ≥ x) ≥ `level`: distributed by the law for a level uniform in (0, 1].
    fn draw(&self, level: f64) -> f64 {
        let reached = self.table.partition_point(|p| *p >= level).max(1);
        let mut low = self.x_min + (reached - 1) as f64;
        if reached < self.table.len() || self.table.len() < TABLE {
            return low;
        }
        let mut high = 2.0 * low;
        while self.survival(high) >= level {
            if high >= LARGEST {
                return low.floor();
            }
            (low, high) = (high, 2.0 * high);
        }
        loop {
            let middle = (low + (high - low) / 2.0).floor();
            if middle <= low || middle >= high {
                return low;
            }
            match self.survival(middle) >= level {
                true => low = middle,
                false => high = middle,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// At every level the next whole number is out of reach, in the table and far beyond it.
    #[test]
    fn draws_are_quantiles() {
        for (exponent, x_min) in [(1.5, 1.0), (2.5, 7.0), (1.1, 3.0), (60.0, 2.0), (3.0, 1e6)] {
            let law = ZetaLaw::new(&PowerLawFit {
                exponent,
                zipf_exponent: 1.0 / (exponent - 1.0),
                standard_error: 0.1,
                x_min,
                n_tail: 100,
            });
            for i in 1..=200 {
                let level = f64::from(i) / 200.0;
                let x = law.draw(level);
                assert_eq!(x.fract(), 0.0);
                assert!(x >= x_min);
                let (here, next) = (law.survival(x), law.survival(x + 1.0));
                // Beyond 2⁵³ the next whole number is none.
                let last = next < level || x >= 2f64.powi(53);
                assert!(
                    here >= level * (1.0 - 1e-12) && last,
                    "{exponent} {x_min} {level}: {x}"
                );
            }
        }
    }

    #[test]
    fn probabilities_are_those_of_the_law() {
        // ζ(2) = π²/6, so P(X = x) = 6/(πx)².
        let law = ZetaLaw::new(&PowerLawFit {
            exponent: 2.0,
            zipf_exponent: 1.0,
            standard_error: 0.1,
            x_min: 1.0,
            n_tail: 100,
        });
        for x in [1.0, 2.0, 10.0, 1000.0, 1e5] {
            let found = law.survival(x) - law.survival(x + 1.0);
            let expected = 6.0 / (std::f64::consts::PI * x).powi(2);
            assert!((found / expected - 1.0).abs() < 1e-9, "{x}: {found} {expected}");
        }
    }
}
