//! The statistics that a table can show: one registry, read by tables, `diff`, the checker and the reference.

mod alternatives;
mod given;
mod normality;
mod power_law;
mod quantity;
pub mod samples;
mod spectrum;
mod tail_index;
mod training;

pub use given::given;
pub use quantity::quantity;
pub use spectrum::NEED_TRACE;

use crate::report::number::Format;
use crate::report::paper::PaperRow;
use crate::results::{Measurement, TrainingSummary};
use gradstudy_stats::outcome::{Acceptance, Outcome};

/// One statistic: where it is found in an outcome, how it is shown, what the paper calls it.
#[derive(Debug)]
pub struct ColumnKind {
    /// The word that a study writes in `columns: [...]`.
    pub name: &'static str,
    /// One line for help and reference.
    pub summary: &'static str,
    /// Heading in Markdown, HTML and at a terminal.
    pub heading: &'static str,
    /// Heading in LaTeX.
    pub heading_tex: &'static str,
    pub format: Format,
    /// The statistic, `None` where this kind of test does not give it; NaN where no sample allowed one.
    pub value: fn(&Outcome) -> Option<f64>,
    /// For a number of the training whose weights were measured: which.
    pub training: Option<fn(&TrainingSummary) -> Option<f64>>,
    /// For a rate: the counts it is the rate of, from which seeds are pooled and an interval is made.
    pub counts: Option<fn(&Outcome) -> Option<&Acceptance>>,
    /// The number that the paper prints for it, in the same unit.
    pub paper: Option<fn(&PaperRow) -> Option<f64>>,
}

impl ColumnKind {
    /// What it says of a measurement: a statistic of its outcome, or a number of the training behind it. `None` where the
    /// measurement has no such number; NaN where no sample allowed one.
    pub fn of(&self, measurement: &Measurement) -> Option<f64> {
        match self.training {
            Some(number) => measurement.training.as_ref().and_then(number),
            None if matches!(measurement.outcome, Outcome::Failed(_)) => None,
            None => (self.value)(&measurement.outcome),
        }
    }
}

/// Every column, in the order in which the reference lists them.
pub static COLUMNS: &[ColumnKind] = &[
    power_law::D_KS,
    power_law::D_C,
    power_law::POWER_LAW_RATE,
    power_law::BETA,
    power_law::ZIPF_EXPONENT,
    power_law::N_TAIL,
    power_law::X_MIN,
    power_law::VERDICT,
    power_law::BETA_SE,
    power_law::BETA_CORRECTED,
    power_law::BOOTSTRAP_P,
    power_law::BOOTSTRAP_P_SE,
    power_law::BOOTSTRAP_RATE,
    power_law::REPLICATES,
    power_law::KUIPER,
    power_law::A_SQUARED,
    normality::P_VALUE,
    normality::GAUSSIAN_RATE,
    normality::VERDICT,
    normality::STATISTIC,
    alternatives::UNBEATEN_RATE,
    alternatives::LLR_LOGNORMAL,
    alternatives::P_LOGNORMAL,
    alternatives::PREFERS_LOGNORMAL,
    alternatives::LLR_EXPONENTIAL,
    alternatives::P_EXPONENTIAL,
    alternatives::PREFERS_EXPONENTIAL,
    alternatives::LLR_STRETCHED,
    alternatives::P_STRETCHED,
    alternatives::PREFERS_STRETCHED,
    alternatives::LLR_TRUNCATED,
    alternatives::P_TRUNCATED,
    alternatives::PREFERS_TRUNCATED,
    tail_index::TAIL_INDEX,
    tail_index::XI,
    tail_index::XI_SD,
    tail_index::XI_SE,
    tail_index::EFFECTIVE,
    tail_index::MEAN_CORRELATION,
    tail_index::SQUARED_CORRELATION,
    spectrum::TRACE,
    spectrum::LARGEST,
    spectrum::LARGEST_SHARE,
    spectrum::KEPT_SHARE,
    spectrum::STABLE_RANK,
    spectrum::PARTICIPATION,
    spectrum::EFFECTIVE_RANK,
    spectrum::CONDITION,
    spectrum::SLOPE,
    spectrum::SLOPE_R2,
    spectrum::OUTLIERS,
    spectrum::OUTLIER_GAP,
    spectrum::BULK_SLOPE,
    spectrum::CONVERGED,
    spectrum::WORST_RESIDUAL,
    spectrum::PERTURBATION,
    spectrum::LARGEST_SINE,
    spectrum::MEDIAN_SINE,
    spectrum::MEDIAN_BOUND,
    spectrum::BOUNDED,
    spectrum::OVERLAP,
    spectrum::FIRST_OVERLAP,
    normality::POINTS,
    samples::TESTED,
    samples::ACCEPTED,
    samples::DEGENERATE,
    samples::CONSTANT,
    samples::ROUNDING,
    samples::TOO_FEW,
    samples::NOT_FINITE,
    samples::NOT_WHOLE,
    samples::NEAR_ROUNDING,
    samples::LEFT_OUT,
    samples::REJECTED,
    samples::REJECTED_BH,
    samples::REJECTED_HOLM,
    samples::ALPHA,
    training::TRAIN_LOSS,
    training::TRAIN_ACCURACY,
    training::TEST_LOSS,
    training::TEST_ACCURACY,
    training::FIRST_TRAIN_LOSS,
    training::FIRST_TRAIN_ACCURACY,
    training::FIRST_TEST_LOSS,
    training::FIRST_TEST_ACCURACY,
];

/// The distance of the power-law test.
pub(super) const D_KS: &str = power_law::D_KS.name;

/// The column of this name.
pub fn find(name: &str) -> Option<&'static ColumnKind> {
    COLUMNS.iter().find(|column| column.name == name)
}

/// 1 or 0 for the verdict on a single sample; `None` for more than one, which have a rate.
fn verdict(acceptance: &Acceptance) -> Option<f64> {
    (acceptance.tested == 1).then_some(acceptance.accepted as f64)
}

/// A printed percent as a fraction, without the rounding error of a plain division: 76.6 gives 0.766.
fn from_percent(percent: f64) -> f64 {
    (percent * 1e10).round() / 1e12
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn percents_become_the_nearest_fraction() {
        assert_eq!(
            [76.6, 0.0788, 0.3, 0.0].map(from_percent),
            [0.766, 0.000788, 0.003, 0.0]
        );
    }

    #[test]
    fn names_differ_and_lines_are_lines() {
        let names: HashSet<_> = COLUMNS.iter().map(|column| column.name).collect();
        assert_eq!(names.len(), COLUMNS.len());
        for column in COLUMNS {
            assert!(
                !column.summary.contains('\n') && !column.summary.ends_with('.'),
                "{}",
                column.name
            );
            assert!(std::ptr::eq(find(column.name).expect("listed"), column));
        }
    }
}
