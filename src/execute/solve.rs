//! One spectrum from what it is made of: solved, kept, taken from the cache.

use std::panic::resume_unwind;
use std::time::Instant;

use super::spectrum::{Spectra, of};
use super::{Cause, ExecuteError, Executor, SPECTRUM, at};
use crate::plan::{Step, spectrum_method};
use crate::spectra::moments::Moments;
use crate::spectra::{Input, Spectrum, SpectrumError};
use crate::stats::monitor::Monitor;

/// What goes on elsewhere while spectra are solved on this machine's processor.
pub(super) type Meanwhile<'m> = dyn FnMut() -> Result<(), ExecuteError> + 'm;

/// A spectrum, or why there is none.
pub(super) type Solved = Result<Spectrum, SpectrumError>;

impl Executor<'_> {
    /// Solves on a thread of its own while `meanwhile` runs, and says what came of that; none of them without.
    pub(super) fn solve_while(
        &self,
        steps: &[&Step],
        moments: &[&Moments],
        meanwhile: Option<&mut Meanwhile>,
    ) -> (Vec<Option<Solved>>, Result<(), ExecuteError>) {
        let Some(meanwhile) = meanwhile else {
            return (Vec::new(), Ok(()));
        };
        let cancel = self.cancel;
        let solve = || -> Vec<Option<Solved>> {
            let monitor = Monitor {
                progress: &|_| (),
                cancel,
            };
            let spectra = steps.iter().zip(moments).map(|(step, moments)| {
                let (call, _) = of(step);
                spectrum_method(&call.name).run(Input::Moments(moments), &call.args, &monitor)
            });
            spectra.collect()
        };
        std::thread::scope(|scope| {
            let solver = scope.spawn(solve);
            let done = meanwhile();
            let solved = solver.join().unwrap_or_else(|panic| resume_unwind(panic));
            (solved, done)
        })
    }

    /// A spectrum that is made from another one.
    pub(super) fn spectrum_of_spectrum(
        &self,
        step: &Step,
        spectra: &mut Spectra,
    ) -> Result<(), ExecuteError> {
        if self.load_spectrum(step, spectra)? {
            return Ok(());
        }
        // Another process may have made it while this one waited.
        let _lock = self.lock(step)?;
        if self.load_spectrum(step, spectra)? {
            return Ok(());
        }
        let (_, base) = of(step);
        let base = spectra[base].clone();
        let start = Instant::now();
        let spectrum = self.solve(step, Input::Spectrum(&base))?;
        self.put_spectrum(step, spectrum, start, spectra)
    }

    /// Takes a finished spectrum from the cache; false if it is not there.
    pub(super) fn load_spectrum(&self, step: &Step, spectra: &mut Spectra) -> Result<bool, ExecuteError> {
        if !self.cached(step)? {
            return Ok(false);
        }
        let bytes = self
            .store
            .read(&step.id, SPECTRUM)
            .map_err(|cause| at(step, cause))?;
        // serde_json rounds the last digit of what it reads; YAML, of which JSON is a part, is read exactly.
        let spectrum = serde_yaml::from_slice(&bytes).map_err(|error| {
            let path = self.store.directory(&step.id).join(SPECTRUM);
            let reason = error.to_string();
            at(step, crate::store::StoreError::Damaged { path, reason })
        })?;
        self.reused(step);
        spectra.insert(step.id.clone(), spectrum);
        Ok(true)
    }

    pub(super) fn solve(&self, step: &Step, input: Input) -> Result<Spectrum, ExecuteError> {
        let (call, _) = of(step);
        self.observer.begin(step, 1, 0, "spectrum");
        let monitor = Monitor {
            progress: &|_| (),
            cancel: self.cancel,
        };
        spectrum_method(&call.name)
            .run(input, &call.args, &monitor)
            .ok_or_else(|| at(step, Cause::Interrupted))?
            .map_err(|cause| at(step, cause))
    }

    pub(super) fn put_spectrum(
        &self,
        step: &Step,
        spectrum: Spectrum,
        start: Instant,
        spectra: &mut Spectra,
    ) -> Result<(), ExecuteError> {
        let bytes = serde_json::to_vec(&spectrum).expect("a spectrum is made of numbers");
        self.store
            .put(step, &[(SPECTRUM, &bytes)])
            .map_err(|cause| at(step, cause))?;
        self.finished(step, start);
        spectra.insert(step.id.clone(), spectrum);
        Ok(())
    }
}
