//! Statistics of the tests of normality (the paper's χ² test).

use super::{ColumnKind, from_percent, verdict};
use crate::report::number::Format;
use gradstudy_stats::outcome::{NormalityOutcome, Outcome};

fn normality(outcome: &Outcome) -> Option<&NormalityOutcome> {
    match outcome {
        Outcome::Normality(outcome) => Some(outcome),
        _ => None,
    }
}

pub(super) const P_VALUE: ColumnKind = ColumnKind {
    name: "p_value",
    summary: "mean p-value of the normality test; a degenerate sample counts as 0",
    heading: "p̄-value",
    heading_tex: r"$\bar{p}$-value",
    format: Format::PValue(3),
    value: |outcome| Some(normality(outcome)?.mean_p_value),
    training: None,
    counts: None,
    paper: Some(|row| row.p),
};

pub(super) const GAUSSIAN_RATE: ColumnKind = ColumnKind {
    name: "gaussian_rate",
    summary: "percent of samples whose normality is not rejected",
    heading: "Gaussian rate",
    heading_tex: "Gaussian rate",
    format: Format::Percent(3),
    value: |outcome| Some(normality(outcome)?.acceptance.rate),
    training: None,
    counts: Some(|outcome| Some(&normality(outcome)?.acceptance)),
    paper: Some(|row| Some(from_percent(row.gaussian_rate?))),
};

pub(super) const POINTS: ColumnKind = ColumnKind {
    name: "points",
    summary: "points of each sample that a test of normality draws, or an estimator of the tail index looks at",
    heading: "Points",
    heading_tex: "Points",
    format: Format::Count,
    value: |outcome| match outcome {
        Outcome::Normality(outcome) => Some(outcome.points as f64),
        Outcome::TailIndex(outcome) => Some(outcome.points as f64),
        _ => None,
    },
    training: None,
    counts: None,
    paper: None,
};

pub(super) const VERDICT: ColumnKind = ColumnKind {
    name: "gaussian",
    summary: "whether the normality of a single sample, such as a spectrum, is not rejected",
    heading: "Gaussian",
    heading_tex: "Gaussian",
    format: Format::Verdict,
    value: |outcome| verdict(&normality(outcome)?.acceptance),
    training: None,
    counts: None,
    paper: None,
};

pub(super) const STATISTIC: ColumnKind = ColumnKind {
    name: "statistic",
    summary: "mean statistic of the test of normality (K², W, A², …), degenerate samples left out",
    heading: "Statistic",
    heading_tex: "Statistic",
    format: Format::Significant(4),
    value: |outcome| normality(outcome)?.mean_statistic,
    training: None,
    counts: None,
    paper: None,
};
