//! A part of a plan made by one process of several, and the results of all of them taken together.

use std::collections::HashMap;

use indexmap::IndexMap;

use super::{ExecuteError, Execution, Executor, FACTS, Failure, Spectra, at};
use crate::plan::need::Need;
use crate::plan::{Plan, Step, StepId, Work};
use crate::stats::outcome::Outcome;

/// What a table says of a result that nobody has made yet.
const MISSING: &str = "missing";

impl Executor<'_> {
    /// Makes the steps of `plan` that the cache lacks and tells of none: the results are in the cache. A step that fails
    /// takes with it what is made from it; the failures are returned.
    ///
    /// # Errors
    /// The work was stopped, nothing can be written, or, with [`Executor::fail_fast`], a step failed.
    pub fn make(&self, plan: &Plan) -> Result<IndexMap<StepId, Failure>, ExecuteError> {
        let (mut outcomes, mut spectra) = (HashMap::new(), Spectra::new());
        crate::device::take_peak_memory();
        for step in &plan.steps {
            if !self.lacks_input(step) {
                let made = self.step(plan, step, &mut outcomes, &mut spectra);
                self.spare([step], made)?;
            }
        }
        Ok(self.failures.take())
    }

    /// The results of `plan` as far as the cache has them, computing none. A step that is needed and not there has failed as
    /// `known` says, as one that it is made from, or else is missing.
    ///
    /// # Errors
    /// The cache cannot be read.
    pub fn collect(
        &self,
        plan: &Plan,
        needs: &[Need],
        known: &HashMap<StepId, Failure>,
    ) -> Result<Execution, ExecuteError> {
        let (mut outcomes, mut spectra) = (HashMap::new(), Spectra::new());
        let mut trainings = Vec::new();
        for (step, need) in plan.steps.iter().zip(needs) {
            let found = match step.work {
                Work::Test { .. } => self.found_outcome(step, &spectra, &mut outcomes)?,
                Work::Spectrum { .. } => self.load_spectrum(step, &mut spectra)?,
                Work::Train { .. } if self.cached(step)? => {
                    self.reused(step);
                    let facts = self.yaml(&step.id, FACTS).map_err(|cause| at(step, cause))?;
                    trainings.push((step.id.clone(), facts));
                    true
                }
                Work::Train { .. } => false,
                // Data and initial weights are made by whoever needs them.
                Work::Load { .. } | Work::Corrupt { .. } | Work::Initialise { .. } => true,
                Work::Record { .. } | Work::Read { .. } | Work::Eigenvectors { .. } => *need != Need::Run,
            };
            if !found && !self.lacks_input(step) {
                let failure = known.get(&step.id).cloned().unwrap_or_else(|| missing(step));
                self.failures.borrow_mut().insert(step.id.clone(), failure);
            }
        }
        let data = self.data_facts(plan)?;
        self.report_unneeded(plan);
        Ok(Execution {
            outcomes,
            spectra,
            steps: self.log.take(),
            data,
            noises: self.noises.take(),
            trainings,
            failures: self.failures.take(),
        })
    }

    /// Takes a finished test from the cache; false if it is not there.
    fn found_outcome(
        &self,
        step: &Step,
        spectra: &Spectra,
        outcomes: &mut HashMap<StepId, Outcome>,
    ) -> Result<bool, ExecuteError> {
        let Work::Test { of, .. } = &step.work else {
            unreachable!("a test step")
        };
        if !self.cached(step)? {
            return Ok(false);
        }
        let outcome = match spectra.get(of) {
            Some(spectrum) => self.test_spectrum(step, spectrum)?,
            None => self.outcome(step)?,
        };
        outcomes.insert(step.id.clone(), outcome);
        Ok(true)
    }
}

fn missing(step: &Step) -> Failure {
    Failure {
        step: step.id.clone(),
        what: format!("{} {}", step.key.operation.verb(), step.label),
        reason: MISSING.to_string(),
        message: "its result is not in the cache".to_string(),
    }
}
