//! What a spectrum says of itself: its trace, how concentrated it is, its log–log slope, its outliers.

use super::{Measure, Method};
use crate::spectra::Spectrum;
use gradstudy_base::signature::{Args, Default, Param, ParamType, Signature};
use gradstudy_stats::degenerate::Cause;
use gradstudy_stats::outcome::{Degenerate, Outcome, ShapeOutcome};

/// `spectrum_shape(c, head: 30, deviations: 3, factor: 1.5)`
static SIGNATURE: Signature = Signature {
    name: "spectrum_shape",
    summary: "trace, effective ranks, condition, log–log slope and outliers of a spectrum",
    params: &[
        Param {
            name: "of",
            ty: ParamType::Reference(&["spectrum"]),
            default: Default::Required,
            doc: "the spectrum",
        },
        Param {
            name: "head",
            ty: ParamType::Integer { min: 1, max: 100_000 },
            default: Default::Text("30"),
            doc: "ranks among which outliers are looked for, at most a quarter of the values; more than classes − 1",
        },
        Param {
            name: "deviations",
            ty: ParamType::Number {
                min: 0.1,
                max: 1000.0,
            },
            default: Default::Text("3"),
            doc: "an outlier lies so many robust standard deviations above the line fitted to the rest",
        },
        Param {
            name: "factor",
            ty: ParamType::Number { min: 1.0, max: 1e6 },
            default: Default::Text("1.5"),
            doc: "and at least by this factor: spectra are smooth, so that σ alone may be tiny",
        },
    ],
    version: 1,
};

/// The measurement as a study names it.
pub static SHAPE: Measure = Measure {
    signature: &SIGNATURE,
    convention: |args| {
        format!(
            "Outliers of a spectrum: ranks up to the last of the first {} whose eigenvalue lies more than {} robust \
             standard deviations, and a factor of {}, above the log–log line fitted to those behind it, each factor of \
             rank counting alike. The effective rank and ŝ (least squares) are of the eigenvalues kept.",
            args.integer("head"),
            args.number("deviations"),
            args.number("factor")
        )
    },
    rank_bound: |parameters, _| parameters,
    method: Method::OfSpectrum(|spectrum, args| {
        Outcome::Shape(shape(spectrum, &OutlierRule::from_args(args)))
    }),
};

/// What counts as an outlier.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OutlierRule {
    /// Ranks among which outliers are looked for.
    pub head: usize,
    /// Robust standard deviations above the line of the rest.
    pub deviations: f64,
    /// Least factor above it.
    pub factor: f64,
}

impl OutlierRule {
    /// The settings of a study.
    pub fn from_args(args: &Args) -> Self {
        OutlierRule {
            head: args.integer("head") as usize,
            deviations: args.number("deviations"),
            factor: args.number("factor"),
        }
    }
}

/// Everything at once; NaN where the spectrum does not say.
pub fn shape(spectrum: &Spectrum, rule: &OutlierRule) -> ShapeOutcome {
    let mut values = spectrum.values.clone();
    values.sort_unstable_by(|a, b| b.total_cmp(a));
    let finite = values.iter().all(|value| value.is_finite());
    // What is not above rounding is zero.
    let positive: Vec<f64> = match finite {
        true => values
            .iter()
            .copied()
            .filter(|value| *value > spectrum.accuracy.max(0.0))
            .collect(),
        false => Vec::new(),
    };
    let cause = match (finite, positive.len()) {
        (false, _) => Some(Cause::NotFinite),
        (true, 0) => Some(Cause::TooFew),
        _ => None,
    };
    let largest = positive.first().copied().unwrap_or(f64::NAN);
    let smallest = positive.last().copied().unwrap_or(f64::NAN);
    let sum: f64 = positive.iter().sum();
    let entropy: f64 = positive
        .iter()
        .map(|value| value / sum)
        .map(|share| -share * share.ln())
        .sum();
    let line = Line::fit(&positive, 0, |_| 1.0);
    let outliers = outliers(&positive, rule);
    let square = spectrum.trace * spectrum.trace / spectrum.square_trace;
    let relative = |residuals: &Vec<f64>| {
        let pairs = residuals.iter().zip(&spectrum.values);
        pairs
            .map(|(residual, value)| residual / value.abs())
            .fold(0.0, f64::max)
    };
    ShapeOutcome {
        degenerate: Degenerate::of(cause),
        values: values.len() as u64,
        above_rounding: positive.len() as u64,
        trace: spectrum.trace,
        largest,
        largest_share: largest / spectrum.trace,
        kept_share: sum / spectrum.trace,
        stable_rank: spectrum.trace / largest,
        participation_ratio: square,
        effective_rank: if positive.is_empty() {
            f64::NAN
        } else {
            entropy.exp()
        },
        condition: largest / smallest,
        slope: line.map_or(f64::NAN, |line| -line.slope),
        slope_r_squared: line.map_or(f64::NAN, |line| line.r_squared),
        outliers: outliers.map(|it| it.count as u64),
        outlier_gap: match outliers {
            Some(it) if it.count > 0 => positive[it.count - 1] / positive[it.count],
            _ => f64::NAN,
        },
        bulk_slope: outliers.map_or(f64::NAN, |it| -it.line.slope),
        converged: spectrum.converged,
        worst_residual: spectrum.residuals.as_ref().map_or(f64::NAN, relative),
    }
}

/// ln λ_k = intercept + slope · ln k.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    pub intercept: f64,
    pub slope: f64,
    /// 1 − (weighted) squares of residuals / squares around the mean; 1 for a constant.
    pub r_squared: f64,
}

impl Line {
    /// Least squares over the ranks k beyond the first `skip` (k counts from 1), with weights; `None` for fewer than
    /// two of them.
    pub fn fit(descending: &[f64], skip: usize, weight: impl Fn(f64) -> f64) -> Option<Line> {
        if descending.len() < skip + 2 {
            return None;
        }
        let points = descending.iter().enumerate().skip(skip).map(|(i, value)| {
            let rank = i as f64 + 1.0;
            (rank.ln(), value.ln(), weight(rank))
        });
        let total: f64 = points.clone().map(|(_, _, w)| w).sum();
        let x_mean = points.clone().map(|(x, _, w)| w * x).sum::<f64>() / total;
        let y_mean = points.clone().map(|(_, y, w)| w * y).sum::<f64>() / total;
        let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
        for (x, y, w) in points {
            let (x, y) = (x - x_mean, y - y_mean);
            xx += w * x * x;
            xy += w * x * y;
            yy += w * y * y;
        }
        let slope = xy / xx;
        Some(Line {
            intercept: y_mean - slope * x_mean,
            slope,
            r_squared: if yy > 0.0 { xy * xy / (xx * yy) } else { 1.0 },
        })
    }

    fn residual(&self, rank: usize, value: f64) -> f64 {
        value.ln() - self.intercept - self.slope * (rank as f64).ln()
    }
}

/// The leading eigenvalues that stand out, and the line of the others.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outliers {
    pub count: usize,
    pub line: Line,
}

/// Ranks 1…m, where m is found by shrinking: at first the `head` largest values (at most a quarter) are set aside and
/// a line is fitted to the others with weights 1/k; m becomes the last of those set aside that lies more than
/// `deviations` robust standard deviations (1.4826 times the median absolute residual of the others), and more than
/// `factor`, above the line, 0 if none does; and again with m in place of `head`, until it stays. `None` for fewer than eight values.
///
/// Why 1/k: without it the many values of high rank decide, where spectra bend downwards. Why from the outside in:
/// outliers that take part in the fit pull the line up and hide each other.
pub fn outliers(descending: &[f64], rule: &OutlierRule) -> Option<Outliers> {
    if descending.len() < 8 {
        return None;
    }
    let mut count = rule.head.min(descending.len() / 4);
    loop {
        let line = Line::fit(descending, count, |rank| 1.0 / rank)?;
        let residual = |i: usize| line.residual(i + 1, descending[i]);
        let mut sizes: Vec<f64> = (count..descending.len()).map(|i| residual(i).abs()).collect();
        sizes.sort_unstable_by(f64::total_cmp);
        let middle = sizes.len() / 2;
        let median = match sizes.len() % 2 {
            1 => sizes[middle],
            _ => 0.5 * (sizes[middle - 1] + sizes[middle]),
        };
        // A line through every point still leaves the rounding of logarithms.
        let bound = (rule.deviations * 1.4826 * median)
            .max(rule.factor.ln())
            .max(1e-9);
        let last = (0..count).rev().find(|i| residual(*i) > bound);
        let left = last.map_or(0, |i| i + 1);
        if left == count {
            return Some(Outliers { count, line });
        }
        count = left;
    }
}
