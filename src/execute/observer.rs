//! Who watches a run.

use super::ExecuteError;
use crate::plan::Step;

/// Hears how a run goes; called from one thread, except [`Observer::advance`].
pub trait Observer: Sync {
    /// A step begins: `total` units of work, `done` of them finished earlier.
    fn begin(&self, step: &Step, total: u64, done: u64, unit: &str);
    /// Units of the current step were finished.
    fn advance(&self, units: u64);
    /// Something worth showing beside the current step, such as a loss.
    fn note(&self, text: &str);

    /// Something that the user must know of the results, such as numbers that were rounded; shown in any case.
    fn warn(&self, _text: &str) {}
    /// The current step is finished.
    fn end(&self, step: &Step, seconds: f64);
    /// Another process works on the step: this one waits.
    fn waiting(&self, _step: &Step, _holder: &str) {}
    /// A step failed, and others go on.
    fn failed(&self, _error: &ExecuteError) {}
    /// A step's result was in the cache.
    fn reused(&self, step: &Step);

    /// Who watches a further device, which works on other steps at the same time. Without one only its ends, warnings and
    /// failures are heard, by this one.
    fn beside(&self) -> Option<Box<dyn Observer + Send + '_>> {
        None
    }
}

/// Watches nothing.
#[derive(Debug)]
pub struct Silent;

impl Observer for Silent {
    fn begin(&self, _step: &Step, _total: u64, _done: u64, _unit: &str) {}
    fn advance(&self, _units: u64) {}
    fn note(&self, _text: &str) {}
    fn end(&self, _step: &Step, _seconds: f64) {}
    fn reused(&self, _step: &Step) {}
}
