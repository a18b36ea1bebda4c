//! Statistical tests: pure functions on slices of numbers, and the same over every column or row of a
//! gradient history at once. Nothing here knows tensors, files or clocks.

pub mod alternatives;
pub mod bootstrap;
pub mod centre;
pub mod correlation;
pub mod critical;
pub mod degenerate;
pub mod differences;
pub mod discrete;
pub mod distances;
pub mod gaussianity;
pub mod history_view;
pub mod interval;
pub mod ks;
pub mod ks_search;
pub mod laws;
pub mod many;
pub mod merge;
pub mod missing;
pub mod monitor;
pub mod multiple;
pub mod normality;
pub mod outcome;
pub mod power;
pub mod power_law;
pub mod remote;
pub mod roots;
pub mod sample_values;
pub mod sampling;
pub mod scan;
pub mod select;
pub mod sensitivity;
pub mod tail;
pub mod tail_index;
pub mod tail_kernel;
pub mod transpose;
pub mod vector_math;
pub mod verdicts;

use gradstudy_base::signature::{Args, Signature};
use history_view::HistoryView;
use missing::MissingValues;
use monitor::Monitor;
use outcome::{Direction, Outcome};
use remote::RemoteTest;

/// A kind of test that a study's `test` statement can name.
pub trait TestKind: Sync {
    /// Name, settings and version.
    fn signature(&self) -> &'static Signature;

    /// Tests every column (dimension) or row (iteration) of `view`; `None` if cancelled. With `missing: drop` values that
    /// are no finite numbers are left out of their samples and counted.
    ///
    /// `seed` feeds whatever is drawn at random; the result does not depend on the number of threads.
    fn run(
        &self,
        view: HistoryView,
        direction: Direction,
        args: &Args,
        seed: u64,
        monitor: &Monitor,
    ) -> Option<Outcome> {
        let missing = MissingValues::of(args);
        let view = HistoryView { missing, ..view };
        let mut outcome = self.test_all(view, direction, args, seed, monitor)?;
        if missing == MissingValues::Drop {
            outcome.set_left_out(&many::left_out(view, direction, monitor)?);
        }
        Some(outcome)
    }

    /// Tests the one sample `values`; `None` if cancelled. `missing` and `seed` as for [`TestKind::run`].
    fn run_sample(&self, values: &[f64], args: &Args, seed: u64, monitor: &Monitor) -> Option<Outcome> {
        let missing = MissingValues::of(args);
        let kept = missing.kept(values);
        let mut outcome = self.test_one(&kept, args, seed, monitor)?;
        if missing == MissingValues::Drop {
            outcome.set_left_out(&[(values.len() - kept.len()) as u64]);
        }
        Some(outcome)
    }

    /// The test with these arguments of samples of `size` numbers where G is elsewhere; `None`: G must be fetched.
    fn remote(&self, args: &Args, size: usize) -> Option<&dyn RemoteTest> {
        match MissingValues::of(args) {
            MissingValues::Degenerate => self.test_elsewhere(args, size),
            // What is left of a sample is not of one size.
            MissingValues::Drop => None,
        }
    }

    /// What [`TestKind::run`] does, but for counting what is left out: `view.missing` says whether something is.
    fn test_all(
        &self,
        view: HistoryView,
        direction: Direction,
        args: &Args,
        seed: u64,
        monitor: &Monitor,
    ) -> Option<Outcome>;

    /// What [`TestKind::run_sample`] does of the values that are kept.
    fn test_one(&self, values: &[f64], args: &Args, seed: u64, monitor: &Monitor) -> Option<Outcome>;

    /// As [`TestKind::remote`] where no value is left out.
    fn test_elsewhere(&self, _args: &Args, _size: usize) -> Option<&dyn RemoteTest> {
        None
    }

    /// The sentence in the note under a table that says how the test was made with these arguments.
    fn convention(&self, args: &Args) -> String;

    /// Rough wall time in seconds on the current thread pool, for `gradstudy plan`;
    /// one sample counts as a history of one column.
    fn seconds(&self, args: &Args, parameters: u64, iterations: u64, direction: Direction) -> f64;
}

/// Every kind of test, in the order of the language reference.
pub static TESTS: &[&dyn TestKind] = &[
    &power_law::PowerLaw,
    &discrete::DiscretePowerLaw,
    &normality::TEST,
    &gaussianity::skewtest::TEST,
    &gaussianity::kurtosistest::TEST,
    &gaussianity::jarque_bera::TEST,
    &gaussianity::shapiro_wilk::TEST,
    &gaussianity::anderson_darling::TEST,
    &gaussianity::lilliefors::TEST,
    &gaussianity::chi_square::TEST,
    &alternatives::Alternatives,
    &tail_index::hill::ESTIMATOR,
    &tail_index::moments::ESTIMATOR,
    &tail_index::pickands::ESTIMATOR,
    &tail_index::alpha_stable::AlphaStable,
    &correlation::Correlation,
];

/// Serialises a number that may be NaN or infinite: those become null, and null reads back as NaN.
pub mod finite_or_null {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        value.is_finite().then_some(*value).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
    }
}
