//! Statistics of the power-law test (the paper's Eqs. 7 and 8).

use super::{ColumnKind, from_percent, verdict};
use crate::report::number::Format;
use gradstudy_stats::outcome::{BootstrapOutcome, Outcome, PowerLawOutcome};

fn power_law(outcome: &Outcome) -> Option<&PowerLawOutcome> {
    match outcome {
        Outcome::PowerLaw(outcome) => Some(outcome),
        _ => None,
    }
}

fn bootstrap(outcome: &Outcome) -> Option<&BootstrapOutcome> {
    power_law(outcome)?.bootstrap.as_ref()
}

pub(super) const D_KS: ColumnKind = ColumnKind {
    name: "d_ks",
    summary: "mean Kolmogorov–Smirnov distance to the fitted power law; a degenerate sample counts as 1",
    heading: "d̄_ks",
    heading_tex: r"$\bar{d}_{\mathrm{ks}}$",
    format: Format::Significant(3),
    value: |outcome| Some(power_law(outcome)?.mean_ks_distance),
    training: None,
    counts: None,
    paper: Some(|row| row.dks),
};

pub(super) const D_C: ColumnKind = ColumnKind {
    name: "d_c",
    summary: "critical distance of a tail of n_tail points: below its own a sample's power law is not rejected",
    heading: "d_c",
    heading_tex: r"$d_{\mathrm{c}}$",
    format: Format::Significant(3),
    value: |outcome| Some(power_law(outcome)?.critical_distance),
    training: None,
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
    training: None,
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
    training: None,
    counts: None,
    paper: None,
};

pub(super) const ZIPF_EXPONENT: ColumnKind = ColumnKind {
    name: "s",
    summary: "mean Zipf exponent ŝ = 1/(β̂ − 1), degenerate samples left out",
    heading: "ŝ",
    heading_tex: r"$\hat{s}$",
    format: Format::Decimals(3),
    value: |outcome| Some(power_law(outcome)?.mean_zipf_exponent),
    training: None,
    counts: None,
    paper: Some(|row| row.s),
};

pub(super) const N_TAIL: ColumnKind = ColumnKind {
    name: "n_tail",
    summary: "points in the tail of each sample; where they differ the lower median, degenerate samples left out",
    heading: "n_tail",
    heading_tex: r"$n_{\mathrm{tail}}$",
    format: Format::Count,
    value: |outcome| Some(power_law(outcome)?.tail_points as f64),
    training: None,
    counts: None,
    paper: None,
};

pub(super) const X_MIN: ColumnKind = ColumnKind {
    name: "x_min",
    summary: "median smallest value of the tail, degenerate samples left out",
    heading: "x_min",
    heading_tex: r"$x_{\min}$",
    format: Format::PValue(3),
    value: |outcome| Some(power_law(outcome)?.median_x_min),
    training: None,
    counts: None,
    paper: None,
};

pub(super) const VERDICT: ColumnKind = ColumnKind {
    name: "power_law",
    summary: "whether the power law of a single sample, such as a spectrum, is not rejected",
    heading: "Power law",
    heading_tex: "Power law",
    format: Format::Verdict,
    value: |outcome| verdict(&power_law(outcome)?.acceptance),
    training: None,
    counts: None,
    paper: Some(|row| row.power_law.map(|accepted| f64::from(u8::from(accepted)))),
};

pub(super) const BETA_SE: ColumnKind = ColumnKind {
    name: "beta_se",
    summary: "mean standard error of β̂, (β̂ − 1)/√K, degenerate samples left out",
    heading: "SE(β̂)",
    heading_tex: r"$\mathrm{SE}(\hat{\beta})$",
    format: Format::Significant(2),
    value: |outcome| Some(power_law(outcome)?.mean_standard_error),
    training: None,
    counts: None,
    paper: None,
};

pub(super) const BETA_CORRECTED: ColumnKind = ColumnKind {
    name: "beta_corrected",
    summary: "mean of 1 + (β̂ − 1)(K − 1)/K: β̂ without its bias in a small tail, degenerate samples left out",
    heading: "β̂ (corrected)",
    heading_tex: r"$\hat{\beta}$ (corrected)",
    format: Format::Significant(4),
    value: |outcome| Some(power_law(outcome)?.mean_corrected_exponent),
    training: None,
    counts: None,
    paper: None,
};

pub(super) const BOOTSTRAP_P: ColumnKind = ColumnKind {
    name: "bootstrap_p",
    summary: "mean bootstrap p-value of the power law (small speaks against it); a degenerate sample counts as 0",
    heading: "Bootstrap p",
    heading_tex: "Bootstrap $p$",
    format: Format::PValue(2),
    value: |outcome| Some(bootstrap(outcome)?.mean_p_value),
    training: None,
    counts: None,
    paper: None,
};

pub(super) const BOOTSTRAP_P_SE: ColumnKind = ColumnKind {
    name: "bootstrap_p_se",
    summary: "Monte-Carlo standard error of bootstrap_p",
    heading: "SE(bootstrap p)",
    heading_tex: "SE(bootstrap $p$)",
    format: Format::PValue(2),
    value: |outcome| Some(bootstrap(outcome)?.standard_error),
    training: None,
    counts: None,
    paper: None,
};

pub(super) const BOOTSTRAP_RATE: ColumnKind = ColumnKind {
    name: "bootstrap_rate",
    summary: "percent of samples whose bootstrap p-value of the power law exceeds α",
    heading: "Bootstrap rate",
    heading_tex: "Bootstrap rate",
    format: Format::Percent(3),
    value: |outcome| Some(bootstrap(outcome)?.acceptance.rate),
    training: None,
    counts: Some(|outcome| Some(&bootstrap(outcome)?.acceptance)),
    paper: None,
};

pub(super) const REPLICATES: ColumnKind = ColumnKind {
    name: "replicates",
    summary: "mean number of bootstrap replicates that a sample's p-value rests on",
    heading: "Replicates",
    heading_tex: "Replicates",
    format: Format::Count,
    value: |outcome| Some(bootstrap(outcome)?.mean_replicates),
    training: None,
    counts: None,
    paper: None,
};

pub(super) const KUIPER: ColumnKind = ColumnKind {
    name: "kuiper",
    summary: "mean of Kuiper's distance to the fitted power law, degenerate samples left out",
    heading: "V̄",
    heading_tex: r"$\bar{V}$",
    format: Format::Significant(3),
    value: |outcome| Some(power_law(outcome)?.distances.as_ref()?.mean_kuiper),
    training: None,
    counts: None,
    paper: None,
};

pub(super) const A_SQUARED: ColumnKind = ColumnKind {
    name: "a_squared",
    summary: "mean of Anderson's and Darling's A² to the fitted power law, degenerate samples left out",
    heading: "Ā²",
    heading_tex: r"$\bar{A}^2$",
    format: Format::Significant(3),
    value: |outcome| Some(power_law(outcome)?.distances.as_ref()?.mean_anderson_darling),
    training: None,
    counts: None,
    paper: None,
};
