//! Whether two means differ: Student's paired t and Welch's t.
//!
//! A difference is always that of the second to the first; p-values are two-sided. The values are one for each seed:
//! rows and columns of one gradient history are no repeats of the study, so nothing here counts them.

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::interval::Interval;

/// A difference with its interval and p-value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    pub value: f64,
    pub interval: Interval,
    pub p_value: f64,
}

/// Student's paired t-test of right − left, with the interval of the mean difference at confidence `level`
/// (`scipy.stats.ttest_rel`). `None` for fewer than two pairs, or where all differences are equal but for rounding.
pub fn paired_t(left: &[f64], right: &[f64], level: f64) -> Option<Difference> {
    let differences: Vec<f64> = left.iter().zip(right).map(|(left, right)| right - left).collect();
    let (mean, variance) = moments(&differences)?;
    let squared_error = variance / differences.len() as f64;
    let freedom = differences.len() as f64 - 1.0;
    t_test(mean, squared_error, freedom, level).filter(|_| squared_error > rounding(left, right).powi(2))
}

/// A standard error of differences up to which it is rounding: 0.02 − 0.01 and 0.35 − 0.34 are not the same number.
fn rounding(left: &[f64], right: &[f64]) -> f64 {
    let largest = left
        .iter()
        .chain(right)
        .fold(0.0f64, |largest, value| largest.max(value.abs()));
    16.0 * f64::EPSILON * largest
}

/// Welch's t of two independent samples, with min(n₁, n₂) − 1 degrees of freedom.
///
/// With these the test keeps its level for normal values whatever their variances and numbers (Mickey and Brown, Ann.
/// Math. Statist. 37 (1966)). Satterthwaite's approximate degrees of freedom (`scipy.stats.ttest_ind` with
/// `equal_var=False`) do not: 2 against 10 values of equal variance are then called different in 10 % of cases at the
/// level of 5 %. `None` where a side has fewer than two values, or neither side varies by
/// more than rounding.
pub fn welch_t(left: &[f64], right: &[f64], level: f64) -> Option<Difference> {
    let ((a, va), (b, vb)) = (moments(left)?, moments(right)?);
    let freedom = left.len().min(right.len()) as f64 - 1.0;
    let squared_error = va / left.len() as f64 + vb / right.len() as f64;
    t_test(b - a, squared_error, freedom, level).filter(|_| squared_error > rounding(left, right).powi(2))
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

#[cfg(test)]
mod tests {
    use super::*;

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
    fn what_cannot_be_tested_is_not() {
        assert_eq!(paired_t(&[1.0], &[2.0], 0.95), None);
        assert_eq!(
            paired_t(&[1.0, 2.0], &[2.0, 3.0], 0.95),
            None,
            "equal differences"
        );
        assert_eq!(
            paired_t(&[0.01, 0.34], &[0.02, 0.35], 0.95),
            None,
            "equal differences but for rounding"
        );
        assert_eq!(welch_t(&[1.0, 1.0], &[2.0, 2.0], 0.95), None);
        assert_eq!(prediction(1.0, 0.0, 3, 2.0, 0.95), None);
    }
}
