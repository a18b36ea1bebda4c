//! What spectra say of themselves, and how far eigenvectors and eigenspaces turn.

use super::ColumnKind;
use crate::report::number::Format;
use gradstudy_stats::outcome::{DavisKahanOutcome, Outcome, ShapeOutcome};

fn shape(outcome: &Outcome) -> Option<&ShapeOutcome> {
    match outcome {
        Outcome::Shape(outcome) => Some(outcome),
        _ => None,
    }
}

fn davis_kahan(outcome: &Outcome) -> Option<&DavisKahanOutcome> {
    match outcome {
        Outcome::DavisKahan(outcome) => Some(outcome),
        _ => None,
    }
}

fn overlap(outcome: &Outcome) -> Option<&[f64]> {
    match outcome {
        Outcome::Overlap(outcome) => Some(&outcome.by_rank),
        _ => None,
    }
}

fn sines(outcome: &Outcome) -> Option<Vec<f64>> {
    Some(
        davis_kahan(outcome)?
            .eigenvectors
            .iter()
            .map(|it| it.sine)
            .collect(),
    )
}

/// A bound that was written as null is infinite.
fn bounds(outcome: &Outcome) -> Option<Vec<f64>> {
    let bounds = davis_kahan(outcome)?.eigenvectors.iter().map(|it| it.bound);
    Some(
        bounds
            .map(|bound| if bound.is_nan() { f64::INFINITY } else { bound })
            .collect(),
    )
}

fn greatest(values: Vec<f64>) -> f64 {
    values.into_iter().fold(f64::NAN, f64::max)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => values[middle],
        _ => 0.5 * (values[middle - 1] + values[middle]),
    }
}

const fn column(
    name: &'static str,
    summary: &'static str,
    [heading, heading_tex]: [&'static str; 2],
    format: Format,
    value: fn(&Outcome) -> Option<f64>,
) -> ColumnKind {
    ColumnKind {
        name,
        summary,
        heading,
        heading_tex,
        format,
        value,
        training: None,
        counts: None,
        paper: None,
    }
}

/// Columns that speak of the whole matrix, whose diagonal and entries must be known.
pub const NEED_TRACE: [&str; 5] = [
    "trace",
    "largest_share",
    "kept_share",
    "stable_rank",
    "participation_ratio",
];

pub(super) const TRACE: ColumnKind = column(
    "trace",
    "trace of the whole matrix of a spectrum, where it is formed",
    ["Trace", "Trace"],
    Format::Significant(4),
    |o| Some(shape(o)?.trace),
);

pub(super) const LARGEST: ColumnKind = column(
    "largest",
    "largest eigenvalue",
    ["λ_1", r"$\lambda_1$"],
    Format::Significant(4),
    |o| Some(shape(o)?.largest),
);

pub(super) const LARGEST_SHARE: ColumnKind = column(
    "largest_share",
    "the largest eigenvalue's share of the trace",
    ["λ_1/trace", r"$\lambda_1/\mathrm{tr}$"],
    Format::Percent(3),
    |o| Some(shape(o)?.largest_share),
);

pub(super) const KEPT_SHARE: ColumnKind = column(
    "kept_share",
    "the kept eigenvalues' share of the trace",
    ["Σλ/trace", r"$\sum\lambda/\mathrm{tr}$"],
    Format::Percent(4),
    |o| Some(shape(o)?.kept_share),
);

pub(super) const STABLE_RANK: ColumnKind = column(
    "stable_rank",
    "trace over largest eigenvalue",
    ["Stable rank", "Stable rank"],
    Format::Significant(4),
    |o| Some(shape(o)?.stable_rank),
);

pub(super) const PARTICIPATION: ColumnKind = column(
    "participation_ratio",
    "(Σλ)²/Σλ² over the whole matrix",
    ["Participation ratio", "Participation ratio"],
    Format::Significant(4),
    |o| Some(shape(o)?.participation_ratio),
);

pub(super) const EFFECTIVE_RANK: ColumnKind = column(
    "effective_rank",
    "exp of the entropy of λ/Σλ over the kept eigenvalues above rounding (Roy and Vetterli 2007)",
    ["Effective rank", "Effective rank"],
    Format::Significant(4),
    |o| Some(shape(o)?.effective_rank),
);

pub(super) const CONDITION: ColumnKind = column(
    "condition",
    "largest over smallest kept eigenvalue above rounding",
    ["λ_1/λ_K", r"$\lambda_1/\lambda_K$"],
    Format::Significant(3),
    |o| Some(shape(o)?.condition),
);

pub(super) const SLOPE: ColumnKind = column(
    "slope",
    "ŝ by least squares: minus the slope of ln λ_k against ln k",
    ["ŝ (least squares)", r"$\hat{s}$ (least squares)"],
    Format::Decimals(3),
    |o| Some(shape(o)?.slope),
);

pub(super) const SLOPE_R2: ColumnKind = column(
    "slope_r2",
    "R² of that line",
    ["R²", "$R^2$"],
    Format::Significant(4),
    |o| Some(shape(o)?.slope_r_squared),
);

pub(super) const OUTLIERS: ColumnKind = column(
    "outliers",
    "leading eigenvalues above the power-law line of the rest; the paper expects classes − 1",
    ["Outliers", "Outliers"],
    Format::Count,
    |o| shape(o)?.outliers.map(|count| count as f64),
);

pub(super) const OUTLIER_GAP: ColumnKind = column(
    "outlier_gap",
    "the last outlier over the next eigenvalue",
    ["Outlier gap", "Outlier gap"],
    Format::Significant(3),
    |o| Some(shape(o)?.outlier_gap),
);

pub(super) const BULK_SLOPE: ColumnKind = column(
    "bulk_slope",
    "minus the slope of the line that outliers stand above",
    ["ŝ (bulk)", r"$\hat{s}$ (bulk)"],
    Format::Decimals(3),
    |o| Some(shape(o)?.bulk_slope),
);

pub(super) const CONVERGED: ColumnKind = column(
    "converged",
    "eigenpairs of a Hessian, Gauss–Newton or Fisher spectrum whose residual is within its tolerance",
    ["Converged", "Converged"],
    Format::Count,
    |o| shape(o)?.converged.map(|count| count as f64),
);

pub(super) const WORST_RESIDUAL: ColumnKind = column(
    "worst_residual",
    "largest residual of an eigenpair over its eigenvalue",
    ["Residual", "Residual"],
    Format::Significant(2),
    |o| Some(shape(o)?.worst_residual),
);

pub(super) const PERTURBATION: ColumnKind = column(
    "perturbation",
    "‖εM‖, the norm of the difference of the covariances of two halves",
    ["‖εM‖", r"$\|\epsilon M\|$"],
    Format::Significant(4),
    |o| Some(davis_kahan(o)?.perturbation),
);

pub(super) const LARGEST_SINE: ColumnKind = column(
    "largest_sine",
    "largest sine of the angle between eigenvectors of two halves",
    ["max sin", r"$\max\sin$"],
    Format::Significant(3),
    |o| Some(greatest(sines(o)?)),
);

pub(super) const MEDIAN_SINE: ColumnKind = column(
    "median_sine",
    "median sine of the angle between eigenvectors of two halves",
    ["median sin", r"median $\sin$"],
    Format::Significant(3),
    |o| Some(median(sines(o)?)),
);

pub(super) const MEDIAN_BOUND: ColumnKind = column(
    "median_bound",
    "median Davis–Kahan bound on that sine; above 1 it says nothing",
    ["median bound", "median bound"],
    Format::Significant(3),
    |o| Some(median(bounds(o)?)),
);

pub(super) const BOUNDED: ColumnKind = column(
    "bounded",
    "eigenvectors whose Davis–Kahan bound is below 1",
    ["Bounded", "Bounded"],
    Format::Count,
    |o| Some(bounds(o)?.iter().filter(|bound| **bound < 1.0).count() as f64),
);

pub(super) const OVERLAP: ColumnKind = column(
    "overlap",
    "‖VᵀW‖²_F/k of the two spaces of k eigenvectors",
    ["Overlap", "Overlap"],
    Format::Significant(4),
    |o| overlap(o)?.last().copied(),
);

pub(super) const FIRST_OVERLAP: ColumnKind = column(
    "first_overlap",
    "squared cosine between the two first eigenvectors",
    ["Overlap of the first", "Overlap of the first"],
    Format::Significant(4),
    |o| overlap(o)?.first().copied(),
);
