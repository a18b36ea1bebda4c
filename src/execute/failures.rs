//! Failures that let a run go on: what needs a failed step is not made, the rest is.

use super::{ExecuteError, Executor};
use crate::plan::Step;

impl Executor<'_> {
    /// Whether the step has failed, or one that it is made from; notes the latter.
    pub(super) fn lacks_input(&self, step: &Step) -> bool {
        let mut failures = self.failures.borrow_mut();
        if failures.contains_key(&step.id) {
            return true;
        }
        let failed = step
            .key
            .inputs
            .iter()
            .find_map(|input| failures.get(input))
            .cloned();
        if let Some(failure) = failed {
            failures.insert(step.id.clone(), failure);
            return true;
        }
        false
    }

    /// Notes a failure that lets the run go on; `lacking` are the steps that were not made for it.
    pub(super) fn spare<'s>(
        &self,
        lacking: impl IntoIterator<Item = &'s Step>,
        made: Result<(), ExecuteError>,
    ) -> Result<(), ExecuteError> {
        let Err(error) = made else {
            return Ok(());
        };
        if self.fail_fast || !error.spares_others() {
            return Err(error);
        }
        self.observer.failed(&error);
        let failure = error.failure();
        let mut failures = self.failures.borrow_mut();
        failures.insert(error.step, failure.clone());
        for step in lacking {
            failures.entry(step.id.clone()).or_insert_with(|| failure.clone());
        }
        Ok(())
    }
}
