//! Statistics of the D'Agostino–Pearson normality test (the paper's χ² test).

use super::{ColumnKind, from_percent};
use crate::report::number::Format;
use crate::stats::outcome::{NormalityOutcome, Outcome};

fn normality(outcome: &Outcome) -> Option<&NormalityOutcome> {
    match outcome {
        Outcome::Normality(outcome) => Some(outcome),
        Outcome::PowerLaw(_) => None,
    }
}

pub(super) const P_VALUE: ColumnKind = ColumnKind {
    name: "p_value",
    summary: "mean p-value of the normality test; a degenerate sample counts as 0",
    heading: "p̄-value",
    heading_tex: r"$\bar{p}$-value",
    format: Format::PValue(3),
    value: |outcome| Some(normality(outcome)?.mean_p_value),
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
    counts: Some(|outcome| Some(&normality(outcome)?.acceptance)),
    paper: Some(|row| Some(from_percent(row.gaussian_rate?))),
};

pub(super) const POINTS: ColumnKind = ColumnKind {
    name: "points",
    summary: "points drawn from each sample for the normality test",
    heading: "Points",
    heading_tex: "Points",
    format: Format::Count,
    value: |outcome| Some(normality(outcome)?.points as f64),
    counts: None,
    paper: None,
};
