//! Pearson's χ² test against a fitted normal distribution, in cells that are equally likely under it.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

use statrs::distribution::{ContinuousCDF, Normal};
use statrs::function::erf::erfc;
use statrs::function::gamma::gamma_ur;

use super::{Gaussianity, MISSING, OF, POINTS, Scores, checked, standardised};
use crate::degenerate::Cause;
use crate::normality::Significance;
use crate::power_law::{ALONG, ALPHA};
use gradstudy_base::signature::{Default, Param, ParamType, Signature};

/// `chi_square(g, points: 100, bins: 10, statistic: pearson, alpha: 0.05, along: [dimension, iteration])`
pub static SIGNATURE: Signature = Signature {
    name: "chi_square",
    summary: "Pearson's χ² test of a fitted normal distribution in equally likely bins, on points drawn from each sample",
    params: &[
        OF,
        POINTS,
        Param {
            name: "bins",
            ty: ParamType::Integer { min: 4, max: 1000 },
            default: Default::Text("10"),
            doc: "bins that are equally likely under the fitted normal distribution",
        },
        Param {
            name: "statistic",
            ty: ParamType::Word(&["pearson", "rao_robson"]),
            default: Default::Text("pearson"),
            doc: "`pearson`: X² with bins − 3 degrees of freedom; `rao_robson`: corrected for the fit, bins − 1",
        },
        ALPHA,
        ALONG,
        MISSING,
    ],
    version: 2,
};

/// The test as a study names it.
pub static TEST: Gaussianity = Gaussianity {
    signature: &SIGNATURE,
    title: |args| {
        let kind = match args.text("statistic") {
            "rao_robson" => "Rao–Robson–Nikulin",
            _ => "Pearson",
        };
        format!("{kind} χ² test in {} equally likely bins", args.integer("bins"))
    },
    test: |sample, args| {
        let statistic = match args.text("statistic") {
            "rao_robson" => Statistic::RaoRobson,
            _ => Statistic::Pearson,
        };
        chi_square(sample, args.integer("bins") as usize, statistic)
    },
    seconds: |points| 3e-6 + points * 6e-8,
};

/// What is compared with χ².
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Statistic {
    /// X² = Σ (N − n/k)²/(n/k) with k − 3 degrees of freedom, the textbook's rule. As mean and variance are fitted to the
    /// values and not to the counts, the true distribution lies between those of k − 3 and k − 1 degrees (H. Chernoff
    /// and E. L. Lehmann, Ann. Math. Statist. 25 (1954)): the test rejects somewhat too often.
    Pearson,
    /// X² and a quadratic form that makes up for the fit: χ² with k − 1 degrees (M. S. Nikulin, Theory Probab. Appl.
    /// 18 (1973); K. C. Rao and D. S. Robson, Comm. Statist. 3 (1974)).
    RaoRobson,
}

/// The χ² test of `sample` in `bins` ≥ 4 cells of equal probability under the normal distribution with the sample's mean
/// and standard deviation (over n).
pub fn chi_square(sample: &[f64], bins: usize, statistic: Statistic) -> Result<Significance, Cause> {
    checked(sample, 8)?;
    let Scores {
        values: scores,
        near_rounding,
    } = standardised(sample, 0.0)?;
    let mut counts = vec![0u64; bins];
    for z in &scores {
        let cell = (0.5 * erfc(-z * FRAC_1_SQRT_2) * bins as f64) as usize;
        counts[cell.min(bins - 1)] += 1;
    }
    let expected = scores.len() as f64 / bins as f64;
    let excess: Vec<f64> = counts
        .iter()
        .map(|&count| (count as f64 - expected) / expected.sqrt())
        .collect();
    let pearson: f64 = excess.iter().map(|v| v * v).sum();
    let (statistic, freedom) = match statistic {
        Statistic::Pearson => (pearson, bins as f64 - 3.0),
        Statistic::RaoRobson => (pearson + made_up(&excess), bins as f64 - 1.0),
    };
    let p_value = if statistic > 0.0 {
        gamma_ur(freedom / 2.0, statistic / 2.0)
    } else {
        1.0
    };
    Ok(Significance {
        statistic,
        p_value,
        near_rounding,
    })
}

/// VᵀB(J − BᵀB)⁻¹BᵀV, where B holds the derivatives of the cells' probabilities by mean and standard deviation over
/// √p, and J = diag(1, 2) is Fisher's information; as the cells lie symmetrically, BᵀB is diagonal.
fn made_up(excess: &[f64]) -> f64 {
    let bins = excess.len();
    let normal = Normal::standard();
    let density = |z: f64| (-0.5 * z * z).exp() / (2.0 * PI).sqrt();
    // φ and zφ at the cells' ends; both vanish at ±∞.
    let ends: Vec<(f64, f64)> = (0..=bins)
        .map(|i| match i {
            0 => (0.0, 0.0),
            i if i == bins => (0.0, 0.0),
            i => {
                let z = normal.inverse_cdf(i as f64 / bins as f64);
                (density(z), z * density(z))
            }
        })
        .collect();
    let root = (bins as f64).sqrt();
    let (mut mean, mut sd) = ((0.0, 1.0), (0.0, 2.0));
    for (pair, v) in ends.windows(2).zip(excess) {
        let by_mean = root * (pair[0].0 - pair[1].0);
        let by_sd = root * (pair[0].1 - pair[1].1);
        mean = (mean.0 + v * by_mean, mean.1 - by_mean * by_mean);
        sd = (sd.0 + v * by_sd, sd.1 - by_sd * by_sd);
    }
    mean.0 * mean.0 / mean.1 + sd.0 * sd.0 / sd.1
}
