//! What every test over many samples has: how many there were, and at which level they were tested.

use super::ColumnKind;
use crate::report::number::Format;
use crate::stats::outcome::{Acceptance, Outcome};

/// The counts of a test, whichever it is.
pub(crate) fn acceptance(outcome: &Outcome) -> &Acceptance {
    match outcome {
        Outcome::PowerLaw(outcome) => &outcome.acceptance,
        Outcome::Normality(outcome) => &outcome.acceptance,
    }
}

const COUNT: ColumnKind = ColumnKind {
    name: "",
    summary: "",
    heading: "",
    heading_tex: "",
    format: Format::Count,
    value: |_| None,
    counts: None,
    paper: None,
};

pub(super) const TESTED: ColumnKind = ColumnKind {
    name: "tested",
    summary: "samples tested, degenerate ones included",
    heading: "Tested",
    heading_tex: "Tested",
    value: |outcome| Some(acceptance(outcome).tested as f64),
    ..COUNT
};

pub(super) const ACCEPTED: ColumnKind = ColumnKind {
    name: "accepted",
    summary: "samples whose hypothesis is not rejected",
    heading: "Accepted",
    heading_tex: "Accepted",
    value: |outcome| Some(acceptance(outcome).accepted as f64),
    ..COUNT
};

pub(super) const DEGENERATE: ColumnKind = ColumnKind {
    name: "degenerate",
    summary: "samples that the test cannot be applied to; they count as rejected",
    heading: "Degenerate",
    heading_tex: "Degenerate",
    value: |outcome| Some(acceptance(outcome).degenerate.total() as f64),
    ..COUNT
};

pub(super) const CONSTANT: ColumnKind = ColumnKind {
    name: "constant",
    summary: "degenerate samples whose values are all equal",
    heading: "Constant",
    heading_tex: "Constant",
    value: |outcome| Some(acceptance(outcome).degenerate.constant as f64),
    ..COUNT
};

pub(super) const TOO_FEW: ColumnKind = ColumnKind {
    name: "too_few",
    summary: "degenerate samples with fewer values above zero than the tail asks for",
    heading: "Too few",
    heading_tex: "Too few",
    value: |outcome| Some(acceptance(outcome).degenerate.too_few as f64),
    ..COUNT
};

pub(super) const NOT_FINITE: ColumnKind = ColumnKind {
    name: "not_finite",
    summary: "degenerate samples that hold a NaN or an infinity",
    heading: "Not finite",
    heading_tex: "Not finite",
    value: |outcome| Some(acceptance(outcome).degenerate.not_finite as f64),
    ..COUNT
};

pub(super) const ALPHA: ColumnKind = ColumnKind {
    name: "alpha",
    summary: "significance level α of the test",
    heading: "α",
    heading_tex: r"$\alpha$",
    format: Format::Significant(2),
    value: |outcome| {
        Some(match outcome {
            Outcome::PowerLaw(outcome) => outcome.alpha,
            Outcome::Normality(outcome) => outcome.alpha,
        })
    },
    ..COUNT
};
