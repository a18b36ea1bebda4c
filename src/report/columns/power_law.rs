//! Statistics of the power-law test (the paper's Eqs. 7 and 8).

use super::{ColumnKind, from_percent};
use crate::report::number::Format;
use crate::stats::outcome::{Outcome, PowerLawOutcome};

fn power_law(outcome: &Outcome) -> Option<&PowerLawOutcome> {
    match outcome {
        Outcome::PowerLaw(outcome) => Some(outcome),
        Outcome::Normality(_) => None,
    }
}

pub(super) const D_KS: ColumnKind = ColumnKind {
    name: "d_ks",
    summary: "mean Kolmogorov–Smirnov distance to the fitted power law; a degenerate sample counts as 1",
    heading: "d̄_ks",
    heading_tex: r"$\bar{d}_{\mathrm{ks}}$",
    format: Format::Significant(3),
    value: |outcome| Some(power_law(outcome)?.mean_ks_distance),
    counts: None,
    paper: Some(|row| row.dks),
};

pub(super) const D_C: ColumnKind = ColumnKind {
    name: "d_c",
    summary: "critical distance: below it the power law is not rejected",
    heading: "d_c",
    heading_tex: r"$d_{\mathrm{c}}$",
    format: Format::Significant(3),
    value: |outcome| Some(power_law(outcome)?.critical_distance),
    counts: None,
    paper: Some(|row| row.dc),
};

pub(super) const POWER_LAW_RATE: ColumnKind = ColumnKind {
    name: "power_law_rate",
    summary: "percent of samples whose power law is not rejected",
    heading: "Power-law rate",
    heading_tex: "Power-law rate",
    format: Format::Percent(3),
    value: |outcome| Some(power_law(outcome)?.acceptance.rate),
    counts: Some(|outcome| Some(&power_law(outcome)?.acceptance)),
    paper: Some(|row| Some(from_percent(row.power_law_rate?))),
};

pub(super) const BETA: ColumnKind = ColumnKind {
    name: "beta",
    summary: "mean maximum-likelihood exponent β̂ of the density, degenerate samples left out",
    heading: "β̂",
    heading_tex: r"$\hat{\beta}$",
    format: Format::Significant(4),
    value: |outcome| Some(power_law(outcome)?.mean_exponent),
    counts: None,
    paper: None,
};

pub(super) const ZIPF_EXPONENT: ColumnKind = ColumnKind {
    name: "s",
    summary: "mean Zipf exponent ŝ = 1/(β̂ − 1), degenerate samples left out",
    heading: "ŝ",
    heading_tex: r"$\hat{s}$",
    format: Format::Significant(4),
    value: |outcome| Some(power_law(outcome)?.mean_zipf_exponent),
    counts: None,
    paper: Some(|row| row.s),
};

pub(super) const N_TAIL: ColumnKind = ColumnKind {
    name: "n_tail",
    summary: "points in the tail of each sample",
    heading: "n_tail",
    heading_tex: r"$n_{\mathrm{tail}}$",
    format: Format::Count,
    value: |outcome| Some(power_law(outcome)?.tail_points as f64),
    counts: None,
    paper: None,
};

pub(super) const X_MIN: ColumnKind = ColumnKind {
    name: "x_min",
    summary: "median smallest value of the tail, degenerate samples left out",
    heading: "x_min",
    heading_tex: r"$x_{\min}$",
    format: Format::Significant(3),
    value: |outcome| Some(power_law(outcome)?.median_x_min),
    counts: None,
    paper: None,
};
