//! Whether two means or two rates differ: Student's and Welch's t, two proportions, McNemar.
//!
//! A difference is always that of the second to the first; p-values are two-sided.

use statrs::distribution::{Binomial, ContinuousCDF, Discrete, DiscreteCDF, Normal, StudentsT};

use super::interval::{Interval, wilson};

/// A difference with its interval and p-value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    pub value: f64,
    pub interval: Interval,
    pub p_value: f64,
}

/// Student's paired t-test of right − left, with the interval of the mean difference at confidence `level`
/// (`scipy.stats.ttest_rel`). `None` for fewer than two pairs, or where all differences are equal.
pub fn paired_t(left: &[f64], right: &[f64], level: f64) -> Option<Difference> {
    let differences: Vec<f64> = left.iter().zip(right).map(|(left, right)| right - left).collect();
    let (mean, variance) = moments(&differences)?;
    t_test(
        mean,
        variance / differences.len() as f64,
        differences.len() as f64 - 1.0,
        level,
    )
}

/// Welch's t-test of two independent samples (`scipy.stats.ttest_ind(right, left, equal_var=False)`). `None` where a
/// side has fewer than two values, or neither side varies.
pub fn welch_t(left: &[f64], right: &[f64], level: f64) -> Option<Difference> {
    let ((a, va), (b, vb)) = (moments(left)?, moments(right)?);
    let (na, nb) = (left.len() as f64, right.len() as f64);
    let (ea, eb) = (va / na, vb / nb);
    let freedom = (ea + eb).powi(2) / (ea * ea / (na - 1.0) + eb * eb / (nb - 1.0));
    t_test(b - a, ea + eb, freedom, level)
}

/// How likely a further value of the sample lies as far from its mean as `value` does, under a normal law with
/// unknown mean and variance: t = (value − x̄) / (s √(1 + 1/n)) with n − 1 degrees of freedom. `None` for fewer than
/// two values or no spread.
pub fn prediction(mean: f64, sd: f64, count: u64, value: f64, level: f64) -> Option<Difference> {
    let n = count as f64;
    (count > 1).then(|| t_test(value - mean, sd * sd * (1.0 + 1.0 / n), n - 1.0, level))?
}

/// Half the width of the confidence interval of a mean over `count` values with the sample standard deviation `sd`, by
/// Student's t with count − 1 degrees of freedom: t s/√n. `None` for fewer than two values.
pub fn half_width(sd: f64, count: u64, level: f64) -> Option<f64> {
    if count < 2 || !sd.is_finite() {
        return None;
    }
    let law = StudentsT::new(0.0, 1.0, count as f64 - 1.0).ok()?;
    Some(law.inverse_cdf((1.0 + level) / 2.0) * sd / (count as f64).sqrt())
}

fn t_test(value: f64, squared_error: f64, freedom: f64, level: f64) -> Option<Difference> {
    let error = squared_error.sqrt();
    if !(error > 0.0 && error.is_finite() && value.is_finite()) {
        return None;
    }
    let law = StudentsT::new(0.0, 1.0, freedom).ok()?;
    let half = law.inverse_cdf(0.5 + level / 2.0) * error;
    Some(Difference {
        value,
        interval: around(value, half),
        p_value: 2.0 * law.cdf(-(value / error).abs()),
    })
}

fn around(value: f64, half: f64) -> Interval {
    Interval {
        low: value - half,
        high: value + half,
    }
}

/// Mean and variance (n − 1); `None` for fewer than two values.
fn moments(values: &[f64]) -> Option<(f64, f64)> {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (values.len() > 1).then(|| (mean, squares / (n - 1.0)))
}

/// Two independent rates, each accepted of tested: the z-test with the pooled rate (χ² of the 2×2 table without
/// Yates' correction), and Newcombe's interval from two Wilson intervals.
///
/// R. G. Newcombe, "Interval estimation for the difference between independent proportions", Statist. Med. 17 (1998),
/// method 10. `None` where a side has no sample. Equal pooled rates of 0 or 1 give p = 1.
pub fn two_proportions(left: (u64, u64), right: (u64, u64), level: f64) -> Option<Difference> {
    if left.1 == 0 || right.1 == 0 {
        return None;
    }
    let rate = |(accepted, tested): (u64, u64)| accepted as f64 / tested as f64;
    let (a, b) = (rate(left), rate(right));
    let (na, nb) = (left.1 as f64, right.1 as f64);
    let pooled = (left.0 + right.0) as f64 / (na + nb);
    let error = (pooled * (1.0 - pooled) * (1.0 / na + 1.0 / nb)).sqrt();
    let p_value = match error > 0.0 {
        true => 2.0 * Normal::standard().cdf(-((b - a) / error).abs()),
        false => 1.0,
    };
    let (wa, wb) = (wilson(left.0, left.1, level), wilson(right.0, right.1, level));
    let value = b - a;
    Some(Difference {
        value,
        interval: Interval {
            low: value - (b - wb.low).hypot(wa.high - a),
            high: value + (wb.high - b).hypot(a - wa.low),
        },
        p_value,
    })
}

/// The same samples judged twice: `lost` accepted on the left only, `won` on the right only, of `samples`.
///
/// The p-value is McNemar's mid-p (Fagerland, Lydersen, Laake, BMC Med. Res. Methodol. 13 (2013)), which keeps its
/// level where the exact test is too shy; the interval is Agresti's and Min's (Statist. Med. 24 (2005)): half a sample
/// is added to each of the four cells, then Wald. `None` for no samples.
pub fn mcnemar(lost: u64, won: u64, samples: u64, level: f64) -> Option<Difference> {
    if samples == 0 {
        return None;
    }
    let (b, c, n) = (lost as f64 + 0.5, won as f64 + 0.5, samples as f64 + 2.0);
    let centre = (c - b) / n;
    let error = (b + c - (c - b).powi(2) / n).max(0.0).sqrt() / n;
    let z = Normal::standard().inverse_cdf(0.5 + level / 2.0);
    Some(Difference {
        value: (won as f64 - lost as f64) / samples as f64,
        interval: around(centre, z * error),
        p_value: mcnemar_mid_p(lost, won),
    })
}

/// McNemar's exact p-value: twice the smaller tail of the binomial law of b among b + c with probability 1/2
/// (`scipy.stats.binomtest(b, b + c)`).
pub fn mcnemar_exact_p(b: u64, c: u64) -> f64 {
    match tail(b, c) {
        Some((tail, _)) => (2.0 * tail).min(1.0),
        None => 1.0,
    }
}

/// McNemar's mid-p-value: the exact one less the probability of what was seen.
pub fn mcnemar_mid_p(b: u64, c: u64) -> f64 {
    match tail(b, c) {
        Some((tail, seen)) => (2.0 * tail - seen).clamp(0.0, 1.0),
        None => 1.0,
    }
}

/// P(X ≤ min(b, c)) and P(X = min(b, c)) for X binomial of b + c and 1/2; none of nothing.
fn tail(b: u64, c: u64) -> Option<(f64, f64)> {
    let law = Binomial::new(0.5, b + c).ok().filter(|_| b + c > 0)?;
    Some((law.cdf(b.min(c)), law.pmf(b.min(c))))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of every possible outcome of n pairs, the share of the law in which the interval holds the true difference.
    fn coverage(n: u64, lost: f64, won: f64) -> f64 {
        let ln_factorial = |n: u64| statrs::function::factorial::ln_factorial(n);
        let mut covered = 0.0;
        for b in 0..=n {
            for c in 0..=n - b {
                let rest = n - b - c;
                let ln = ln_factorial(n) - ln_factorial(b) - ln_factorial(c) - ln_factorial(rest)
                    + b as f64 * lost.ln()
                    + c as f64 * won.ln()
                    + rest as f64 * (1.0 - lost - won).ln();
                let interval = mcnemar(b, c, n, 0.95).expect("samples").interval;
                if interval.low <= won - lost && won - lost <= interval.high {
                    covered += ln.exp();
                }
            }
        }
        covered
    }

    #[test]
    fn the_paired_interval_covers_what_it_says() {
        for (n, lost, won) in [(30, 0.1, 0.1), (30, 0.3, 0.1), (50, 0.05, 0.2), (80, 0.2, 0.25)] {
            let covered = coverage(n, lost, won);
            assert!((0.93..0.985).contains(&covered), "{n} {lost} {won}: {covered}");
        }
    }

    /// Quantiles of printed tables: 12.706, 4.303, 2.262 for 1, 2, 9 degrees of freedom.
    #[test]
    fn intervals_of_means_are_students() {
        for (count, quantile) in [(2, 12.706_204_736), (3, 4.302_652_73), (10, 2.262_157_163)] {
            let half = half_width(3.0, count, 0.95).expect("two or more");
            let expected = quantile * 3.0 / (count as f64).sqrt();
            assert!((half / expected - 1.0).abs() < 1e-8, "{count}: {half}");
        }
        assert_eq!(half_width(3.0, 1, 0.95), None);
        assert_eq!(half_width(0.0, 5, 0.95), Some(0.0));
    }

    #[test]
    fn newcombes_own_example() {
        // 56/70 against 48/80: 0.2, (0.0524, 0.3339) in his Table II.
        let found = two_proportions((48, 80), (56, 70), 0.95).expect("samples");
        assert!((found.value - 0.2).abs() < 1e-12);
        assert!((found.interval.low - 0.0524).abs() < 5e-5, "{found:?}");
        assert!((found.interval.high - 0.3339).abs() < 5e-5, "{found:?}");
    }

    #[test]
    fn closed_forms_of_mcnemar() {
        assert_eq!(mcnemar_exact_p(0, 0), 1.0);
        assert_eq!(mcnemar_mid_p(0, 0), 1.0);
        // 2 · 2⁻¹⁰, and half of that.
        assert!((mcnemar_exact_p(0, 10) - 2f64.powi(-9)).abs() < 1e-15);
        assert!((mcnemar_mid_p(10, 0) - 2f64.powi(-10)).abs() < 1e-15);
        assert!((mcnemar_mid_p(7, 7) - 1.0).abs() < 1e-12);
        let found = mcnemar(3, 10, 100, 0.95).expect("samples");
        assert!((found.value - 0.07).abs() < 1e-15 && found.interval.low < 0.07);
    }

    #[test]
    fn what_cannot_be_tested_is_not() {
        assert_eq!(paired_t(&[1.0], &[2.0], 0.95), None);
        assert_eq!(
            paired_t(&[1.0, 2.0], &[2.0, 3.0], 0.95),
            None,
            "equal differences"
        );
        assert_eq!(welch_t(&[1.0, 1.0], &[2.0, 2.0], 0.95), None);
        assert_eq!(two_proportions((0, 0), (1, 2), 0.95), None);
        assert_eq!(prediction(1.0, 0.0, 3, 2.0, 0.95), None);
        assert_eq!(
            two_proportions((0, 5), (0, 7), 0.95).expect("samples").p_value,
            1.0
        );
    }
}
