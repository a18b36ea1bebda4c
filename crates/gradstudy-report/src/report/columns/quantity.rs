//! Which statistics are of one quantity and unit, so that one axis serves them.

use super::ColumnKind;
use crate::report::number::Format;

/// Quantities that several columns are of, with those columns. A column that stands nowhere here is a quantity of its own.
const QUANTITIES: &[(&str, &[&str])] = &[
    ("distance", &["d_ks", "d_c", "kuiper"]),
    ("exponent β̂", &["beta", "beta_corrected", "beta_se"]),
    ("exponent ŝ", &["s", "slope", "bulk_slope"]),
    (
        "p-value",
        &[
            "p_value",
            "bootstrap_p",
            "bootstrap_p_se",
            "p_lognormal",
            "p_exponential",
            "p_stretched_exponential",
            "p_truncated_power_law",
            "alpha",
        ],
    ),
    (
        "normalised log-likelihood ratio R",
        &[
            "llr_lognormal",
            "llr_exponential",
            "llr_stretched_exponential",
            "llr_truncated_power_law",
        ],
    ),
    ("index ξ̂", &["xi", "xi_sd", "xi_se"]),
    ("eigenvalue", &["trace", "largest"]),
    ("share of the trace", &["largest_share", "kept_share"]),
    (
        "effective dimension",
        &["stable_rank", "participation_ratio", "effective_rank"],
    ),
    ("eigenvalues", &["outliers", "converged"]),
    ("sine", &["largest_sine", "median_sine", "median_bound"]),
    ("overlap", &["overlap", "first_overlap"]),
    ("points", &["points", "n_tail"]),
    (
        "loss",
        &["train_loss", "test_loss", "first_train_loss", "first_test_loss"],
    ),
    (
        "accuracy",
        &[
            "train_accuracy",
            "test_accuracy",
            "first_train_accuracy",
            "first_test_accuracy",
        ],
    ),
    (
        "samples",
        &[
            "tested",
            "accepted",
            "degenerate",
            "constant",
            "too_few",
            "not_finite",
            "not_whole",
            "rejected",
            "rejected_bh",
            "rejected_holm",
            "effective",
        ],
    ),
];

/// What `column` is a number of: columns of one quantity can share an axis, and its name stands there.
pub fn quantity(column: &ColumnKind) -> &'static str {
    let listed = QUANTITIES
        .iter()
        .find(|(_, columns)| columns.contains(&column.name));
    match (listed, column.format) {
        (Some((name, _)), _) => name,
        // Of samples, in percent.
        (None, Format::Percent(_)) => "rate",
        (None, Format::Verdict) => "verdict",
        (None, _) => column.heading,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{COLUMNS, find};
    use super::*;

    #[test]
    fn columns_of_one_quantity_are_printed_alike() {
        for (name, columns) in QUANTITIES {
            let percent = |column: &str| {
                let kind = find(column).unwrap_or_else(|| panic!("{name}: there is no column {column}"));
                matches!(kind.format, Format::Percent(_))
            };
            assert!(
                columns.iter().all(|it| percent(it) == percent(columns[0])),
                "{name}"
            );
        }
        let times = |name: &str| {
            let all = QUANTITIES.iter().flat_map(|(_, columns)| columns.iter());
            all.filter(|column| **column == name).count()
        };
        assert!(COLUMNS.iter().all(|column| times(column.name) <= 1));
        let of = |name: &str| quantity(find(name).expect("listed"));
        assert_eq!((of("power_law_rate"), of("gaussian_rate")), ("rate", "rate"));
        assert_ne!(of("d_ks"), of("p_value"));
        assert_eq!(of("x_min"), "x_min");
    }
}
