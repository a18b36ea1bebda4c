//! Statistics of estimators of the tail index, and of the correlation between samples.

use super::ColumnKind;
use crate::report::number::Format;
use gradstudy_stats::outcome::{CorrelationOutcome, Outcome, TailIndexOutcome};

fn tail_index(outcome: &Outcome) -> Option<&TailIndexOutcome> {
    match outcome {
        Outcome::TailIndex(outcome) => Some(outcome),
        _ => None,
    }
}

fn correlation(outcome: &Outcome) -> Option<&CorrelationOutcome> {
    match outcome {
        Outcome::Correlation(outcome) => Some(outcome),
        _ => None,
    }
}

pub(super) const TAIL_INDEX: ColumnKind = ColumnKind {
    name: "tail_index",
    summary: "median tail index α̂ = 1/ξ̂, degenerate samples left out; no value where half of them have ξ̂ ≤ 0",
    heading: "α̂ (tail)",
    heading_tex: r"$\hat{\alpha}$ (tail)",
    format: Format::Significant(4),
    value: |outcome| Some(tail_index(outcome)?.median_tail_index),
    training: None,
    counts: None,
    paper: None,
};

pub(super) const XI: ColumnKind = ColumnKind {
    name: "xi",
    summary: "mean extreme-value index ξ̂ = 1/α̂, degenerate samples left out",
    heading: "ξ̂",
    heading_tex: r"$\hat{\xi}$",
    format: Format::Significant(4),
    value: |outcome| Some(tail_index(outcome)?.mean_xi),
    training: None,
    counts: None,
    paper: None,
};

pub(super) const XI_SD: ColumnKind = ColumnKind {
    name: "xi_sd",
    summary: "standard deviation of ξ̂ over the samples, degenerate ones left out",
    heading: "sd(ξ̂)",
    heading_tex: r"$\mathrm{sd}(\hat{\xi})$",
    format: Format::Significant(2),
    value: |outcome| Some(tail_index(outcome)?.sd_xi),
    training: None,
    counts: None,
    paper: None,
};

pub(super) const XI_SE: ColumnKind = ColumnKind {
    name: "xi_se",
    summary: "mean asymptotic standard error of one sample's ξ̂, degenerate samples left out",
    heading: "SE(ξ̂)",
    heading_tex: r"$\mathrm{SE}(\hat{\xi})$",
    format: Format::Significant(2),
    value: |outcome| Some(tail_index(outcome)?.mean_standard_error),
    training: None,
    counts: None,
    paper: None,
};

pub(super) const EFFECTIVE: ColumnKind = ColumnKind {
    name: "effective",
    summary: "independent samples that the correlated ones are worth, m/(1 + (m − 1)ρ²)",
    heading: "Effective",
    heading_tex: "Effective",
    format: Format::Significant(3),
    value: |outcome| Some(correlation(outcome)?.effective),
    training: None,
    counts: None,
    paper: None,
};

pub(super) const MEAN_CORRELATION: ColumnKind = ColumnKind {
    name: "mean_correlation",
    summary: "mean correlation of two different samples",
    heading: "r̄",
    heading_tex: r"$\bar{r}$",
    format: Format::Significant(3),
    value: |outcome| Some(correlation(outcome)?.mean),
    training: None,
    counts: None,
    paper: None,
};

pub(super) const SQUARED_CORRELATION: ColumnKind = ColumnKind {
    name: "squared_correlation",
    summary: "mean squared correlation ρ² of two different samples, less that of independent ones",
    heading: "ρ²",
    heading_tex: r"$\rho^2$",
    format: Format::Significant(3),
    value: |outcome| Some(correlation(outcome)?.mean_square),
    training: None,
    counts: None,
    paper: None,
};
