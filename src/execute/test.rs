//! The test steps: of a history's rows and columns, and of spectra.

use std::time::Instant;

use super::{Cause, ExecuteError, Executor, OUTCOME, SAMPLES, VERDICTS, at};
use crate::gradients::history::GradientHistory;
use crate::plan::{Step, Work, test_kind};
use crate::seed;
use crate::signature::{Args, Value};
use crate::spectra::Spectrum;
use crate::stats::TestKind;
use crate::stats::monitor::Monitor;
use crate::stats::outcome::{Direction, Outcome};
use crate::stats::sample_values::{SampleValues, SampleValuesByStep};
use crate::stats::verdicts::Verdicts;

impl Executor<'_> {
    pub(super) fn test(&self, step: &Step, history: &GradientHistory) -> Result<Outcome, ExecuteError> {
        if let Some(outcome) = self.measure_history(step, history)? {
            return Ok(outcome);
        }
        let Work::Test { direction, .. } = &step.work else {
            unreachable!("a test step")
        };
        let samples = match direction {
            Direction::Dimension => history.iterations(),
            _ => history.parameters(),
        };
        self.tested(step, samples as u64, |kind, args, seed, monitor| {
            kind.run(history.view(), *direction, args, seed, monitor)
        })
    }

    /// The test of one spectrum: from the cache, or made now.
    pub(super) fn test_spectrum(&self, step: &Step, spectrum: &Spectrum) -> Result<Outcome, ExecuteError> {
        let mut is_made = self.cached(step)?;
        // Another process may make it meanwhile.
        let _lock = match is_made {
            true => None,
            false => Some(self.lock(step)?),
        };
        is_made = is_made || self.cached(step)?;
        let measured = match is_made {
            true => Some(self.outcome(step)?),
            false => self.measure_spectrum(step, spectrum)?,
        };
        let mut outcome = match measured {
            Some(outcome) => outcome,
            None => self.tested(step, 1, |kind, args, seed, monitor| {
                kind.run_sample(&spectrum.values, args, seed, monitor)
            })?,
        };
        let asked = match &step.work {
            Work::Test { test, .. } => test.args.get("tail"),
            _ => None,
        };
        let asked = match asked {
            Some(Value::Call(tail)) if tail.name == "top" => Some(tail.args.integer("k") as u64),
            _ => None,
        };
        outcome.set_above_rounding(spectrum.above_rounding() as u64, asked);
        Ok(outcome)
    }

    /// A finished test's outcome.
    pub(super) fn outcome(&self, step: &Step) -> Result<Outcome, ExecuteError> {
        self.reused(step);
        let mut outcome: Outcome = self.yaml(&step.id, OUTCOME).map_err(|cause| at(step, cause))?;
        // Outcomes of a single sample have no such file, nor have those of older versions.
        let verdicts = self.store.read(&step.id, VERDICTS).ok();
        let verdicts = verdicts.and_then(|bytes| Verdicts::from_bytes(&bytes));
        outcome.set_verdicts(verdicts.unwrap_or_default());
        let samples = self.store.read(&step.id, SAMPLES).ok();
        let samples = samples.and_then(|bytes| SampleValues::from_safetensors(&bytes).ok());
        outcome.set_samples(
            samples
                .and_then(|mut by_step| by_step.remove(&step.id.0))
                .unwrap_or_default(),
        );
        Ok(outcome)
    }

    pub(super) fn tested(
        &self,
        step: &Step,
        samples: u64,
        run: impl FnOnce(&dyn TestKind, &Args, u64, &Monitor) -> Option<Outcome>,
    ) -> Result<Outcome, ExecuteError> {
        let Work::Test { test, seed, .. } = &step.work else {
            unreachable!("a test step")
        };
        let start = Instant::now();
        self.observer.begin(step, samples, 0, "samples");
        let progress = |samples| self.observer.advance(samples);
        let monitor = Monitor {
            progress: &progress,
            cancel: self.cancel,
        };
        let seed = seed::derive(*seed, &format!("test {}", test.name));
        let outcome = run(test_kind(&test.name), &test.args, seed, &monitor)
            .ok_or_else(|| at(step, Cause::Interrupted))?;
        self.put_outcome(step, outcome, start)
    }

    pub(super) fn put_outcome(
        &self,
        step: &Step,
        outcome: Outcome,
        start: Instant,
    ) -> Result<Outcome, ExecuteError> {
        let bytes = serde_yaml::to_string(&outcome)
            .expect("an outcome is made of numbers")
            .into_bytes();
        let acceptance = outcome.acceptance().filter(|acceptance| acceptance.tested > 1);
        let verdicts = acceptance.map(|acceptance| acceptance.verdicts.to_bytes());
        let samples = outcome
            .samples()
            .filter(|samples| !samples.is_empty())
            .map(|samples| {
                let by_step = SampleValuesByStep::from([(step.id.0.clone(), samples.clone())]);
                SampleValues::to_safetensors(&by_step)
            });
        let mut files = vec![(OUTCOME, &bytes[..])];
        files.extend(samples.as_deref().map(|values| (SAMPLES, values)));
        files.extend(verdicts.as_deref().map(|bits| (VERDICTS, bits)));
        self.store.put(step, &files).map_err(|cause| at(step, cause))?;
        self.finished(step, start);
        Ok(outcome)
    }
}
