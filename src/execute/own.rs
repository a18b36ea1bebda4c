//! Histories of the user's own numbers, and their spectra.

use std::time::Instant;

use super::{Cause, ExecuteError, Executor, HISTORY, Spectra, at};
use crate::gradients::history::GradientHistory;
use crate::gradients::own;
use crate::plan::Step;
use crate::signature::Call;
use crate::spectra::products::Precision;
use crate::spectra::{Input, gram};
use crate::stats::monitor::Monitor;
use crate::store::StoreError;

impl Executor<'_> {
    /// The numbers of `file`, in memory, or in a file of the cache where they are more than that may hold.
    pub(super) fn read_numbers(&self, step: &Step, file: &Call) -> Result<GradientHistory, ExecuteError> {
        let start = Instant::now();
        let own = own::open(&file.args).map_err(|cause| at(step, cause))?;
        let bytes = GradientHistory::bytes(own.parameters(), own.iterations()) as u64;
        let partial = self.store.partial(&step.id);
        let path = partial.join(HISTORY);
        let to_file = bytes > self.memory;
        if to_file {
            let made = std::fs::create_dir_all(&partial).map_err(StoreError::write(&partial));
            made.map_err(|cause| at(step, cause))?;
        }
        let mut history =
            own::room(&own, to_file.then_some(path.as_path())).map_err(|cause| at(step, cause))?;
        self.observer
            .begin(step, own.iterations() as u64, 0, "iterations");
        let progress = |iterations| {
            self.observer.advance(iterations);
            !self.cancelled()
        };
        match own
            .fill(&mut history, progress)
            .map_err(|cause| at(step, cause))?
        {
            Some(rounding) => {
                self.finished(step, start);
                if let Some(note) = rounding.note() {
                    self.observer.warn(&format!("{}: {note}", own.title()));
                }
            }
            None => return Err(at(step, Cause::Interrupted)),
        }
        Ok(history)
    }

    /// Makes the spectra `missing` of such a history: as of any other, but without a network whose layers could be told
    /// apart.
    pub(super) fn spectra_of_numbers(
        &self,
        history: &GradientHistory,
        missing: &[&Step],
        spectra: &mut Spectra,
    ) -> Result<(), ExecuteError> {
        let first = missing[0];
        let mut start = Instant::now();
        self.observer.begin(
            first,
            history.parameters() as u64 * history.iterations() as u64,
            0,
            "values",
        );
        let progress = |done| self.observer.advance(done);
        let monitor = Monitor {
            progress: &progress,
            cancel: self.cancel,
        };
        let moments = |precision| {
            gram::moments(history.view(), None, precision, &monitor)
                .map_err(|cause| at(first, cause))?
                .ok_or_else(|| at(first, Cause::Interrupted))
        };
        let single = moments(Precision::Single)?;
        let mut double = None;
        for step in missing {
            let mut spectrum = self.solve(step, Input::Moments(&single))?;
            if !spectrum.has_three_digits() && single.precision() == Precision::Single {
                if double.is_none() {
                    double = Some(moments(Precision::Double)?);
                }
                if let Some(double) = &double {
                    spectrum = self.solve(step, Input::Moments(double))?;
                }
            }
            self.put_spectrum(step, spectrum, start, spectra)?;
            start = Instant::now();
        }
        Ok(())
    }
}
