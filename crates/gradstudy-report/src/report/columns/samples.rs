//! What every test over many samples has: how many there were, and at which level they were tested.

use super::ColumnKind;
use crate::report::number::Format;
use gradstudy_stats::multiple::Rejections;
use gradstudy_stats::outcome::{AlternativesOutcome, Degenerate, NormalityOutcome, Outcome, PowerLawOutcome};

/// Samples that a test or an estimator met, and those it cannot be applied to.
pub fn samples(outcome: &Outcome) -> (u64, Degenerate) {
    match outcome {
        Outcome::PowerLaw(PowerLawOutcome { acceptance, .. })
        | Outcome::Normality(NormalityOutcome { acceptance, .. })
        | Outcome::Alternatives(AlternativesOutcome { acceptance, .. }) => {
            (acceptance.tested, acceptance.degenerate)
        }
        Outcome::TailIndex(outcome) => (outcome.tested, outcome.degenerate),
        Outcome::Correlation(outcome) => (outcome.tested, outcome.degenerate),
        Outcome::Shape(outcome) => (1, outcome.degenerate),
        Outcome::DavisKahan(outcome) => (1, outcome.degenerate),
        Outcome::Overlap(_) => (1, Degenerate::default()),
        Outcome::Failed(_) => (0, Degenerate::default()),
    }
}

const COUNT: ColumnKind = ColumnKind {
    name: "",
    summary: "",
    heading: "",
    heading_tex: "",
    format: Format::Count,
    value: |_| None,
    training: None,
    counts: None,
    paper: None,
};

pub(super) const TESTED: ColumnKind = ColumnKind {
    name: "tested",
    summary: "samples tested, degenerate ones included",
    heading: "Tested",
    heading_tex: "Tested",
    value: |outcome| Some(samples(outcome).0 as f64),
    ..COUNT
};

pub(super) const ACCEPTED: ColumnKind = ColumnKind {
    name: "accepted",
    summary: "samples whose hypothesis is not rejected",
    heading: "Accepted",
    heading_tex: "Accepted",
    value: |outcome| Some(outcome.acceptance()?.accepted as f64),
    ..COUNT
};

pub(super) const DEGENERATE: ColumnKind = ColumnKind {
    name: "degenerate",
    summary: "samples that the test cannot be applied to; they count as rejected",
    heading: "Degenerate",
    heading_tex: "Degenerate",
    value: |outcome| Some(samples(outcome).1.total() as f64),
    ..COUNT
};

pub(super) const CONSTANT: ColumnKind = ColumnKind {
    name: "constant",
    summary: "degenerate samples whose values are all equal",
    heading: "Constant",
    heading_tex: "Constant",
    value: |outcome| Some(samples(outcome).1.constant as f64),
    ..COUNT
};

pub(super) const ROUNDING: ColumnKind = ColumnKind {
    name: "rounding",
    summary: "degenerate samples of a test of normality: standard deviation within the rounding of the mean",
    heading: "Rounding",
    heading_tex: "Rounding",
    value: |outcome| match outcome {
        Outcome::Normality(outcome) => Some(outcome.acceptance.degenerate.rounding as f64),
        _ => None,
    },
    ..COUNT
};

pub(super) const NEAR_ROUNDING: ColumnKind = ColumnKind {
    name: "near_rounding",
    summary: "samples tested for normality whose values all lie within ten units of rounding of their mean",
    heading: "Near rounding",
    heading_tex: "Near rounding",
    value: |outcome| match outcome {
        Outcome::Normality(outcome) => Some(outcome.near_rounding as f64),
        _ => None,
    },
    ..COUNT
};

pub(super) const LEFT_OUT: ColumnKind = ColumnKind {
    name: "left_out",
    summary: "values that `missing: drop` left out of the samples, as they are no finite numbers",
    heading: "Left out",
    heading_tex: "Left out",
    value: |outcome| Some(outcome.left_out()?.values as f64),
    ..COUNT
};

pub(super) const TOO_FEW: ColumnKind = ColumnKind {
    name: "too_few",
    summary: "degenerate samples with fewer values (of a tail: above zero) than the test asks for, or a tail of equal ones",
    heading: "Too few",
    heading_tex: "Too few",
    value: |outcome| Some(samples(outcome).1.too_few as f64),
    ..COUNT
};

pub(super) const NOT_FINITE: ColumnKind = ColumnKind {
    name: "not_finite",
    summary: "degenerate samples that hold a NaN or an infinity",
    heading: "Not finite",
    heading_tex: "Not finite",
    value: |outcome| Some(samples(outcome).1.not_finite as f64),
    ..COUNT
};

/// Rejections by p-values: those of a test of normality, or of the bootstrap.
fn rejections(outcome: &Outcome) -> Option<&Rejections> {
    match outcome {
        Outcome::PowerLaw(outcome) => Some(&outcome.bootstrap.as_ref()?.rejections),
        Outcome::Normality(outcome) => outcome.rejections.as_ref(),
        _ => None,
    }
}

pub(super) const NOT_WHOLE: ColumnKind = ColumnKind {
    name: "not_whole",
    summary: "degenerate samples of a test of whole numbers that hold another number",
    heading: "Not whole",
    heading_tex: "Not whole",
    value: |outcome| Some(samples(outcome).1.not_whole as f64),
    ..COUNT
};

pub(super) const REJECTED: ColumnKind = ColumnKind {
    name: "rejected",
    summary: "samples with p ≤ α, degenerate ones left out (power law: by the bootstrap)",
    heading: "Rejected",
    heading_tex: "Rejected",
    value: |outcome| Some(rejections(outcome)?.single as f64),
    ..COUNT
};

pub(super) const REJECTED_BH: ColumnKind = ColumnKind {
    name: "rejected_bh",
    summary: "samples rejected after Benjamini's and Hochberg's adjustment for many tests, degenerate ones left out",
    heading: "Rejected (BH)",
    heading_tex: "Rejected (BH)",
    value: |outcome| Some(rejections(outcome)?.benjamini_hochberg as f64),
    ..COUNT
};

pub(super) const REJECTED_HOLM: ColumnKind = ColumnKind {
    name: "rejected_holm",
    summary: "samples rejected after Holm's adjustment for many tests, degenerate ones left out",
    heading: "Rejected (Holm)",
    heading_tex: "Rejected (Holm)",
    value: |outcome| Some(rejections(outcome)?.holm as f64),
    ..COUNT
};

pub(super) const ALPHA: ColumnKind = ColumnKind {
    name: "alpha",
    summary: "significance level α of the test",
    heading: "α",
    heading_tex: r"$\alpha$",
    format: Format::Significant(2),
    value: |outcome| match outcome {
        Outcome::PowerLaw(outcome) => Some(outcome.alpha),
        Outcome::Normality(outcome) => Some(outcome.alpha),
        Outcome::Alternatives(outcome) => Some(outcome.alpha),
        _ => None,
    },
    ..COUNT
};
