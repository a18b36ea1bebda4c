//! The Gaussianity test ("χ² test" in the paper): D'Agostino's and Pearson's K², as SciPy's `normaltest`, on
//! points drawn at random from each sample.

use statrs::function::erf::erfc;

use super::centre::{Centre, sums};
use super::degenerate::Cause;
use super::gaussianity::{Gaussianity, MISSING, OF, POINTS, checked, drawn};
use super::power_law::{ALONG, ALPHA};
use gradstudy_base::signature::{Args, Signature};

/// `normality(g, points: 100, alpha: 0.05, along: [dimension, iteration])`
pub static SIGNATURE: Signature = Signature {
    name: "normality",
    summary: "D'Agostino–Pearson test of normality (SciPy's normaltest) on points drawn from each sample",
    params: &[OF, POINTS, ALPHA, ALONG, MISSING],
    version: 2,
};

/// The normality test as a study names it.
pub static TEST: Gaussianity = Gaussianity {
    signature: &SIGNATURE,
    title: |_| "D'Agostino–Pearson test (SciPy's normaltest)".to_string(),
    test: |sample, _| normaltest(sample),
    // Measured on one core of an Intel Xeon with AVX-512: drawing and reading 100 points.
    seconds: |points| 1.2e-6 + points * 1e-8,
};

/// Every point of each sample, in place of a number of points to draw.
pub const ALL_POINTS: usize = 0;

/// Settings of every test of normality.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NormalitySettings {
    /// Points drawn from each sample (K), at least 8; [`ALL_POINTS`]: none is drawn.
    pub points: usize,
    /// Significance level α.
    pub alpha: f64,
    /// Decides which points are drawn.
    pub seed: u64,
}

impl NormalitySettings {
    /// Reads arguments checked against [`SIGNATURE`].
    pub fn from_args(args: &Args, seed: u64) -> Self {
        NormalitySettings {
            points: drawn(args).unwrap_or(ALL_POINTS),
            alpha: args.number("alpha"),
            seed,
        }
    }
}

/// A statistic and the probability of one at least as far out under normality.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Significance {
    pub statistic: f64,
    pub p_value: f64,
    /// Whether every value lies within ten units of rounding of the mean ([`Centre::near_rounding`]).
    pub near_rounding: bool,
}

/// Biased skewness g₁ and kurtosis b₂ of a sample of n.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub n: f64,
    pub skewness: f64,
    pub kurtosis: f64,
    pub near_rounding: bool,
}

impl Shape {
    /// The moments about the mean; of a sample that is neither empty nor constant, without NaN and infinity.
    ///
    /// # Errors
    /// [`Cause::Rounding`] where SciPy gives NaN: a spread within rounding of the mean.
    pub fn of(sample: &[f64]) -> Result<Self, Cause> {
        let n = sample.len() as f64;
        let centre = Centre::of(sample);
        let [squares, m3, m4] = sums(sample, |x| {
            let d = centre.deviation(x);
            let d2 = d * d;
            [d2, d2 * d, d2 * d2]
        });
        let near_rounding = centre.near_rounding(sample, squares)?;
        let m2 = squares / n;
        Ok(Shape {
            n,
            skewness: m3 / n / (m2 * m2.sqrt()),
            kurtosis: m4 / n / (m2 * m2),
            near_rounding,
        })
    }

    /// Z₁: R. B. D'Agostino, Biometrika 57 (1970); SciPy's `skewtest`, which takes a skewness of exactly 0
    /// for 1 after scaling.
    fn skewness_z(&self) -> Option<f64> {
        let n = self.n;
        if n < 8.0 {
            return None;
        }
        let y = self.skewness * ((n + 1.0) * (n + 3.0) / (6.0 * (n - 2.0))).sqrt();
        let beta2 = 3.0 * (n * n + 27.0 * n - 70.0) * (n + 1.0) * (n + 3.0)
            / ((n - 2.0) * (n + 5.0) * (n + 7.0) * (n + 9.0));
        let w2 = (2.0 * (beta2 - 1.0)).sqrt() - 1.0;
        let delta = 1.0 / (0.5 * w2.ln()).sqrt();
        let alpha = (2.0 / (w2 - 1.0)).sqrt();
        let y = if y == 0.0 { 1.0 } else { y } / alpha;
        Some(delta * (y + (y * y + 1.0).sqrt()).ln())
    }

    /// Z₂: F. J. Anscombe and W. J. Glynn, Biometrika 70 (1983); SciPy's `kurtosistest`.
    fn kurtosis_z(&self) -> Option<f64> {
        let n = self.n;
        if n < 5.0 {
            return None;
        }
        let expected = 3.0 * (n - 1.0) / (n + 1.0);
        let variance = 24.0 * n * (n - 2.0) * (n - 3.0) / ((n + 1.0) * (n + 1.0) * (n + 3.0) * (n + 5.0));
        let x = (self.kurtosis - expected) / variance.sqrt();
        let root_beta1 = 6.0 * (n * n - 5.0 * n + 2.0) / ((n + 7.0) * (n + 9.0))
            * (6.0 * (n + 3.0) * (n + 5.0) / (n * (n - 2.0) * (n - 3.0))).sqrt();
        let a = 6.0 + 8.0 / root_beta1 * (2.0 / root_beta1 + (1.0 + 4.0 / (root_beta1 * root_beta1)).sqrt());
        let denominator = 1.0 + x * (2.0 / (a - 4.0)).sqrt();
        if denominator == 0.0 {
            return None;
        }
        let cube_root = ((1.0 - 2.0 / a) / denominator).cbrt();
        let unit = 2.0 / (9.0 * a);
        Some((1.0 - unit - cube_root) / unit.sqrt())
    }
}

/// Two-sided significance of a standard normal statistic.
fn two_sided(z: f64, shape: &Shape) -> Significance {
    Significance {
        statistic: z,
        p_value: erfc(z.abs() / std::f64::consts::SQRT_2),
        near_rounding: shape.near_rounding,
    }
}

/// SciPy's `skewtest`, for 8 values or more.
pub fn skewtest(sample: &[f64]) -> Result<Significance, Cause> {
    checked(sample, 8)?;
    let shape = Shape::of(sample)?;
    let z = shape.skewness_z().ok_or(Cause::TooFew)?;
    Ok(two_sided(z, &shape))
}

/// SciPy's `kurtosistest`, for 5 values or more. There is one kurtosis at which Anscombe's and Glynn's formula divides by
/// zero; SciPy gives NaN there, and here it is [`Cause::Rounding`].
pub fn kurtosistest(sample: &[f64]) -> Result<Significance, Cause> {
    checked(sample, 5)?;
    let shape = Shape::of(sample)?;
    let z = shape.kurtosis_z().ok_or(Cause::Rounding)?;
    Ok(two_sided(z, &shape))
}

/// SciPy's `normaltest`, for 8 values or more: K² = Z₁² + Z₂², χ² with two degrees of freedom, so p = exp(−K²/2).
pub fn normaltest(sample: &[f64]) -> Result<Significance, Cause> {
    checked(sample, 8)?;
    let shape = Shape::of(sample)?;
    let skewness = shape.skewness_z().ok_or(Cause::TooFew)?;
    let k2 = skewness.powi(2) + shape.kurtosis_z().ok_or(Cause::Rounding)?.powi(2);
    Ok(Significance {
        statistic: k2,
        p_value: (-k2 / 2.0).exp(),
        near_rounding: shape.near_rounding,
    })
}
