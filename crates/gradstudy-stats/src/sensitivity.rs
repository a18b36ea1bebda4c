//! How far a power law's verdict and exponent hang on what was chosen: the tail rule, the side of the steps, the
//! critical distance; and how both change with x_min.

use serde::Serialize;

use super::critical::Critical;
use super::degenerate::Cause;
use super::ks::Ecdf;
use super::power_law::{PowerLawSettings, PowerLawTest};
use super::tail::TailRule;
use super::tail_index::{hill, moments, pickands};

/// The tail rules that are compared, as a study writes them. Of `top` those that the sample is long enough for.
pub fn rules(size: usize) -> Vec<(String, TailRule)> {
    let tops = [100, 200, 500, 1000, 5000].into_iter().filter(|k| *k <= size);
    let tops = tops.map(|k| (format!("top({k})"), TailRule::Top(k)));
    let quantiles = [50, 90, 99].map(|q| {
        (
            format!("quantile({q}%)"),
            TailRule::Quantile(f64::from(q) / 100.0),
        )
    });
    tops.chain([("minimum".to_string(), TailRule::Minimum)])
        .chain(quantiles)
        .chain([("scan(at_least: 10)".to_string(), TailRule::Scan { at_least: 10 })])
        .collect()
}

/// One tail rule and side.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// The rule as a study writes it.
    pub tail: String,
    /// `left` or `two_sided`.
    pub ecdf: &'static str,
    /// Absent where the rule leaves no tail.
    pub found: Option<Found>,
}

/// What the rule gives.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Found {
    pub n_tail: usize,
    pub x_min: f64,
    pub beta: f64,
    pub beta_se: f64,
    pub d_ks: f64,
    /// The paper's critical distance, and whether d_ks is below it.
    pub d_c_fixed: f64,
    pub power_law_fixed: bool,
    /// The critical distance that knows of the fitted β; both are too lenient for `scan`.
    pub d_c_fitted: f64,
    pub power_law_fitted: bool,
}

/// Every rule of [`rules`] on both sides.
///
/// # Errors
/// The cause that no rule could change: a NaN, an infinity, or equal values.
pub fn sensitivity(sample: &[f64], alpha: f64) -> Result<Vec<Row>, Cause> {
    let mut rows = Vec::new();
    for (name, tail) in rules(sample.len()) {
        for (word, ecdf) in [("left", Ecdf::Left), ("two_sided", Ecdf::TwoSided)] {
            let settings = PowerLawSettings {
                tail,
                ecdf,
                alpha,
                critical: Critical::Fixed,
            };
            let found = match PowerLawTest::of(sample, &settings) {
                Ok(test) => {
                    let d_c_fitted = Critical::Fitted.distance(alpha, test.fit.n_tail, ecdf);
                    Some(Found {
                        n_tail: test.fit.n_tail,
                        x_min: test.fit.x_min,
                        beta: test.fit.exponent,
                        beta_se: test.fit.standard_error,
                        d_ks: test.ks_distance,
                        d_c_fixed: test.critical_distance,
                        power_law_fixed: test.accepted(),
                        d_c_fitted,
                        power_law_fitted: test.ks_distance < d_c_fitted,
                    })
                }
                Err(Cause::TooFew) => None,
                Err(cause) => return Err(cause),
            };
            rows.push(Row {
                tail: name.clone(),
                ecdf: word,
                found,
            });
        }
    }
    Ok(rows)
}

/// The fit of one tail of [`stability`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct TailPoint {
    /// Points in the tail (K).
    pub k: usize,
    pub x_min: f64,
    pub beta: f64,
    pub beta_se: f64,
    pub d_ks: f64,
    pub d_c_fixed: f64,
    pub d_c_fitted: f64,
    /// ξ̂ from the K − 1 values above x_min; absent where it does not apply.
    pub hill: Option<f64>,
    pub moments: Option<f64>,
    /// ξ̂ from the K largest values.
    pub pickands: Option<f64>,
}

/// Fits to about `points` tails, from `least` points to all values above zero, evenly spaced in ln K: for a Hill plot and
/// for seeing whether β̂ settles.
pub fn stability(
    sample: &[f64],
    points: usize,
    least: usize,
    settings: &PowerLawSettings,
) -> Result<Vec<TailPoint>, Cause> {
    if sample.iter().any(|x| !x.is_finite()) {
        return Err(Cause::NotFinite);
    }
    let most = sample.iter().filter(|x| **x != 0.0).count();
    let least = least.max(4);
    if most < least {
        return Err(Cause::TooFew);
    }
    let ratio = (most as f64 / least as f64).ln();
    let mut sizes: Vec<usize> = (0..points)
        .map(|i| (least as f64 * (ratio * i as f64 / (points.max(2) - 1) as f64).exp()).round() as usize)
        .map(|k| k.clamp(least, most))
        .collect();
    sizes.dedup();
    let at = |k: usize| {
        let settings = PowerLawSettings {
            tail: TailRule::Top(k),
            ..*settings
        };
        let test = match PowerLawTest::of(sample, &settings) {
            Ok(test) => test,
            Err(Cause::TooFew) => return Ok(None),
            Err(cause) => return Err(cause),
        };
        let d_c = |critical: Critical| critical.distance(settings.alpha, k, settings.ecdf);
        Ok(Some(TailPoint {
            k,
            x_min: test.fit.x_min,
            beta: test.fit.exponent,
            beta_se: test.fit.standard_error,
            d_ks: test.ks_distance,
            d_c_fixed: d_c(Critical::Fixed),
            d_c_fitted: d_c(Critical::Fitted),
            hill: hill::ESTIMATOR.of(sample, k - 1).ok().map(|found| found.xi),
            moments: moments::ESTIMATOR.of(sample, k - 1).ok().map(|found| found.xi),
            pickands: pickands::ESTIMATOR.of(sample, k).ok().map(|found| found.xi),
        }))
    };
    let found: Result<Vec<Option<TailPoint>>, Cause> = sizes.into_iter().map(at).collect();
    Ok(found?.into_iter().flatten().collect())
}
