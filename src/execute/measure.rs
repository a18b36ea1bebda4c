//! Measurements of spectra, histories and eigenspaces.

use std::time::Instant;

use super::{Cause, ExecuteError, Executor, at};
use crate::gradients::history::GradientHistory;
use crate::plan::{Step, StepId, Work};
use crate::signature::Call;
use crate::spectra::Spectrum;
use crate::spectra::measures::subspace::Subspace;
use crate::spectra::measures::{self, Method};
use crate::stats::monitor::Monitor;
use crate::stats::outcome::Outcome;
use crate::store::StoreError;

/// The file of a step's eigenvectors.
const EIGENVECTORS: &str = "eigenvectors.safetensors";

impl Executor<'_> {
    /// The measurement `step` of a spectrum; `None` if it is a test of one sample.
    pub(super) fn measure_spectrum(
        &self,
        step: &Step,
        spectrum: &Spectrum,
    ) -> Result<Option<Outcome>, ExecuteError> {
        let call = test(step);
        match measures::find(&call.name).map(|measure| &measure.method) {
            Some(Method::OfSpectrum(run)) => {
                let start = Instant::now();
                self.observer.begin(step, 1, 0, "spectrum");
                self.put_outcome(step, run(spectrum, &call.args), start).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// The measurement `step` of a history; `None` if it is a test of its rows or columns.
    pub(super) fn measure_history(
        &self,
        step: &Step,
        history: &GradientHistory,
    ) -> Result<Option<Outcome>, ExecuteError> {
        let call = test(step);
        let Some(Method::OfHistory(run)) = measures::find(&call.name).map(|measure| &measure.method) else {
            return Ok(None);
        };
        let start = Instant::now();
        let outcome = self.watched(step, history, |monitor| run(history.view(), &call.args, monitor))?;
        self.put_outcome(step, outcome, start).map(Some)
    }

    /// Finds and keeps the leading eigenvectors of a history.
    pub(super) fn eigenvectors(&self, step: &Step, history: &GradientHistory) -> Result<(), ExecuteError> {
        let Work::Eigenvectors { call, .. } = &step.work else {
            unreachable!("a step of eigenvectors")
        };
        let Some(Method::OfSubspaces { find, .. }) = measures::find(&call.name).map(|it| &it.method) else {
            unreachable!("the plan decomposes for comparisons of subspaces")
        };
        let start = Instant::now();
        let subspace = self.watched(step, history, |monitor| find(history.view(), &call.args, monitor))?;
        self.store
            .put(step, &[(EIGENVECTORS, &subspace.to_bytes())])
            .map_err(|cause| at(step, cause))?;
        self.finished(step, start);
        Ok(())
    }

    /// Compares the eigenvectors of two histories, unless the cache knows the outcome.
    pub(super) fn compare(&self, step: &Step) -> Result<Outcome, ExecuteError> {
        if self.cached(step)? {
            return self.outcome(step);
        }
        let Work::Test {
            of,
            other: Some(other),
            ..
        } = &step.work
        else {
            unreachable!("a comparison")
        };
        let call = test(step);
        let Some(Method::OfSubspaces { compare, .. }) = measures::find(&call.name).map(|it| &it.method)
        else {
            unreachable!("the plan compares subspaces only")
        };
        let start = Instant::now();
        self.observer.begin(step, 1, 0, "comparison");
        let (a, b) = (self.subspace(step, of)?, self.subspace(step, other)?);
        self.put_outcome(step, compare(&a, &b), start)
    }

    fn subspace(&self, step: &Step, id: &StepId) -> Result<Subspace, ExecuteError> {
        let bytes = self
            .store
            .read(id, EIGENVECTORS)
            .map_err(|cause| at(step, cause))?;
        Subspace::from_bytes(&bytes).ok_or_else(|| {
            let path = self.store.directory(id).join(EIGENVECTORS);
            let reason = "these are no eigenvectors".to_string();
            at(step, StoreError::Damaged { path, reason })
        })
    }

    fn watched<T, E: Into<Cause>>(
        &self,
        step: &Step,
        history: &GradientHistory,
        run: impl FnOnce(&Monitor) -> Option<Result<T, E>>,
    ) -> Result<T, ExecuteError> {
        let values = (history.parameters() * history.iterations()) as u64;
        self.observer.begin(step, values, 0, "values");
        let progress = |done| self.observer.advance(done);
        let monitor = Monitor {
            progress: &progress,
            cancel: self.cancel,
        };
        run(&monitor)
            .ok_or_else(|| at(step, Cause::Interrupted))?
            .map_err(|cause| at(step, cause))
    }
}

fn test(step: &Step) -> &Call {
    match &step.work {
        Work::Test { test, .. } => test,
        _ => unreachable!("a test step"),
    }
}
