//! What became of one statistic.

use miette::Diagnostic;
use serde::Serialize;
use thiserror::Error;

use super::StatisticChange;
use crate::report::cells::mean_and_sd;
use crate::report::columns::{COLUMNS, ColumnKind};
use crate::results::Measurement;
use gradstudy_stats::finite_or_null;

/// How far apart two values may be: |left − right| ≤ atol + rtol · max(|left|, |right|).
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Tolerance {
    rtol: f64,
    atol: f64,
}

/// A tolerance that compares nothing.
#[derive(Debug, Error, Diagnostic)]
#[error("{name} is {value}")]
#[diagnostic(
    code(gradstudy::diff::tolerance),
    help("a tolerance is a finite number that is not negative")
)]
pub struct ToleranceError {
    pub name: &'static str,
    pub value: f64,
}

impl Tolerance {
    /// Nothing but equality.
    pub const EXACT: Tolerance = Tolerance { rtol: 0.0, atol: 0.0 };

    /// # Errors
    /// A negative, infinite or NaN tolerance.
    pub fn new(rtol: f64, atol: f64) -> Result<Self, ToleranceError> {
        for (name, value) in [("rtol", rtol), ("atol", atol)] {
            if !(value.is_finite() && value >= 0.0) {
                return Err(ToleranceError { name, value });
            }
        }
        Ok(Self { rtol, atol })
    }

    /// Whether no difference at all is tolerated.
    pub fn is_exact(&self) -> bool {
        *self == Self::EXACT
    }

    pub(super) fn allows(&self, left: f64, right: f64) -> bool {
        (left - right).abs() <= self.atol + self.rtol * left.abs().max(right.abs())
    }
}

/// One statistic of two runs. NaN, which a test gives where no sample allowed the statistic, equals NaN.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Change {
    Same {
        #[serde(with = "finite_or_null")]
        value: f64,
    },
    WithinTolerance {
        left: f64,
        right: f64,
    },
    Moved {
        #[serde(with = "finite_or_null")]
        left: f64,
        #[serde(with = "finite_or_null")]
        right: f64,
    },
    OnlyLeft {
        #[serde(with = "finite_or_null")]
        left: f64,
    },
    OnlyRight {
        #[serde(with = "finite_or_null")]
        right: f64,
    },
}

impl Change {
    /// Whether the statistic is on both sides and within the tolerance.
    pub fn is_same(&self) -> bool {
        matches!(self, Change::Same { .. } | Change::WithinTolerance { .. })
    }

    /// Both values, where both sides have one.
    pub fn both(&self) -> Option<[f64; 2]> {
        match *self {
            Change::Same { value } => Some([value, value]),
            Change::WithinTolerance { left, right } | Change::Moved { left, right } => Some([left, right]),
            Change::OnlyLeft { .. } | Change::OnlyRight { .. } => None,
        }
    }

    fn of(left: f64, right: f64, tolerance: &Tolerance) -> Change {
        if left == right || left.is_nan() && right.is_nan() {
            Change::Same { value: left }
        } else if tolerance.allows(left, right) {
            Change::WithinTolerance { left, right }
        } else {
            Change::Moved { left, right }
        }
    }
}

/// Every statistic that one side has, in the order of the columns.
pub(super) fn compare(
    left: &[&Measurement],
    right: &[&Measurement],
    tolerance: &Tolerance,
) -> Vec<StatisticChange> {
    let change = |column: &ColumnKind| match (mean(column, left), mean(column, right)) {
        (Some(left), Some(right)) => Some(Change::of(left, right, tolerance)),
        (Some(left), None) => Some(Change::OnlyLeft { left }),
        (None, Some(right)) => Some(Change::OnlyRight { right }),
        (None, None) => None,
    };
    let named = |column: &ColumnKind| {
        Some(StatisticChange {
            name: column.name,
            change: change(column)?,
            discordant: discordant(column, left, right),
        })
    };
    COLUMNS.iter().filter_map(named).collect()
}

/// Samples of a rate accepted in the left run only, and in the right run only, where both kept the verdict on each of the
/// same samples: one seed of one subject, more samples than one.
fn discordant(column: &ColumnKind, left: &[&Measurement], right: &[&Measurement]) -> Option<[u64; 2]> {
    let ([a], [b]) = (left, right) else {
        return None;
    };
    // Rows of another network, or columns of other minibatches, are not the same samples.
    if a.seed != b.seed || a.subject != b.subject {
        return None;
    }
    let counts = column.counts?;
    let (a, b) = (counts(&a.outcome)?, counts(&b.outcome)?);
    let (lost, won) = a.verdicts.discordant(&b.verdicts)?;
    (!a.verdicts.is_empty()).then_some([lost, won])
}

/// The mean over the outcomes that give the statistic; NaN if all of them give NaN.
fn mean(column: &ColumnKind, measurements: &[&Measurement]) -> Option<f64> {
    let values: Vec<f64> = measurements.iter().filter_map(|it| column.of(it)).collect();
    let finite: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    (!values.is_empty()).then(|| mean_and_sd(&finite).map_or(f64::NAN, |(mean, _)| mean))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_tolerance_is_a_number_that_is_not_negative() {
        for bad in [-1e-9, f64::NAN, f64::INFINITY] {
            assert_eq!(Tolerance::new(bad, 0.0).expect_err("bad rtol").name, "rtol");
            assert_eq!(Tolerance::new(0.0, bad).expect_err("bad atol").name, "atol");
        }
    }

    #[test]
    fn nan_equals_nan_and_nothing_else() {
        let wide = Tolerance::new(10.0, 1e9).expect("positive");
        assert!(Change::of(f64::NAN, f64::NAN, &Tolerance::EXACT).is_same());
        assert!(!Change::of(f64::NAN, 1.0, &wide).is_same());
        assert!(!Change::of(1.0, f64::NAN, &wide).is_same());
    }

    proptest! {
        #[test]
        fn swapping_sides_swaps_the_change(left in -1e6f64..1e6, right in -1e6f64..1e6, rtol in 0.0f64..1.0) {
            let tolerance = Tolerance::new(rtol, 0.0).expect("positive");
            let (there, back) = (Change::of(left, right, &tolerance), Change::of(right, left, &tolerance));
            prop_assert_eq!(there.is_same(), back.is_same());
            prop_assert_eq!(Change::of(left, left, &Tolerance::EXACT), Change::Same { value: left });
        }

        #[test]
        fn exact_means_exact(left in -1e6f64..1e6) {
            prop_assert!(!Change::of(left, left.next_up(), &Tolerance::EXACT).is_same());
            let tolerance = Tolerance::new(1e-12, f64::MIN_POSITIVE).expect("positive");
            prop_assert!(Change::of(left, left.next_up(), &tolerance).is_same());
        }
    }
}
