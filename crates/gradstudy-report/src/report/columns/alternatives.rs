//! Statistics of the comparison of the power law with other laws.

use super::ColumnKind;
use crate::report::number::Format;
use gradstudy_stats::outcome::{AlternativeOutcome, AlternativesOutcome, Outcome};

fn alternatives(outcome: &Outcome) -> Option<&AlternativesOutcome> {
    match outcome {
        Outcome::Alternatives(outcome) => Some(outcome),
        _ => None,
    }
}

fn against<'a>(outcome: &'a Outcome, law: &str) -> Option<&'a AlternativeOutcome> {
    let all = &alternatives(outcome)?.against;
    all.iter().find(|comparison| comparison.alternative == law)
}

pub(super) const UNBEATEN_RATE: ColumnKind = ColumnKind {
    name: "unbeaten_rate",
    summary: "percent of samples for which no alternative is significantly better than the power law",
    heading: "Unbeaten rate",
    heading_tex: "Unbeaten rate",
    format: Format::Percent(3),
    value: |outcome| Some(alternatives(outcome)?.acceptance.rate),
    training: None,
    counts: Some(|outcome| Some(&alternatives(outcome)?.acceptance)),
    paper: None,
};

/// The three columns of one law: mean normalised log-likelihood ratio, mean p-value, rate of samples that prefer it.
macro_rules! columns {
    ($llr:ident, $p:ident, $rate:ident, $law:literal, $title:literal) => {
        pub(super) const $llr: ColumnKind = ColumnKind {
            name: concat!("llr_", $law),
            summary: concat!(
                "mean normalised log-likelihood ratio of the power law and the ",
                $title,
                " law; positive favours the power law"
            ),
            heading: concat!("R (", $title, ")"),
            heading_tex: concat!("$R$ (", $title, ")"),
            format: Format::Significant(3),
            value: |outcome| Some(against(outcome, $law)?.mean_normalised),
            training: None,
            counts: None,
            paper: None,
        };

        pub(super) const $p: ColumnKind = ColumnKind {
            name: concat!("p_", $law),
            summary: concat!(
                "mean p-value of the sign of that ratio for the ",
                $title,
                " law"
            ),
            heading: concat!("p (", $title, ")"),
            heading_tex: concat!("$p$ (", $title, ")"),
            format: Format::PValue(2),
            value: |outcome| Some(against(outcome, $law)?.mean_p_value),
            training: None,
            counts: None,
            paper: None,
        };

        pub(super) const $rate: ColumnKind = ColumnKind {
            name: concat!("prefers_", $law),
            summary: concat!(
                "percent of samples for which the ",
                $title,
                " law is significantly better than the power law"
            ),
            heading: concat!("Prefers ", $title),
            heading_tex: concat!("Prefers ", $title),
            format: Format::Percent(3),
            value: |outcome| Some(against(outcome, $law)?.preferred.rate),
            training: None,
            counts: Some(|outcome| Some(&against(outcome, $law)?.preferred)),
            paper: None,
        };
    };
}

columns!(
    LLR_LOGNORMAL,
    P_LOGNORMAL,
    PREFERS_LOGNORMAL,
    "lognormal",
    "lognormal"
);
columns!(
    LLR_EXPONENTIAL,
    P_EXPONENTIAL,
    PREFERS_EXPONENTIAL,
    "exponential",
    "exponential"
);
columns!(
    LLR_STRETCHED,
    P_STRETCHED,
    PREFERS_STRETCHED,
    "stretched_exponential",
    "stretched exponential"
);
columns!(
    LLR_TRUNCATED,
    P_TRUNCATED,
    PREFERS_TRUNCATED,
    "truncated_power_law",
    "truncated power"
);
