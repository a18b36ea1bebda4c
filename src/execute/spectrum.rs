//! Spectrum steps: those of a history while it is there, the others by themselves.

use std::collections::HashMap;
use std::ops::Range;
use std::time::{Duration, Instant};

use super::record::keep_rows;
use super::sketch::Source;
use super::solve::Meanwhile;
use super::sums::Recorder;
use super::targets::{Target, finish};
use super::{Cause, ExecuteError, Executor, at};
use crate::data::Dataset;
use crate::gradients::engine::Engine;
use crate::gradients::failure::EngineError;
use crate::gradients::history::GradientHistory;
use crate::gradients::transform::Transform;
use crate::layers::BatchNormMode;
use crate::models::Network;
use crate::plan::route::{FactorLayers, Recording, Route, is_sketched, rows_of};
use crate::plan::{Plan, Step, StepId, Work, spectrum_method};
use crate::signature::Call;
use crate::spectra::moments::Moments;
use crate::spectra::products::Precision;
use crate::spectra::{Input, Multiplier, Spectrum, gram};
use crate::stats::monitor::Monitor;

/// Makes the moments of lists of rows; see `spectra_from`.
pub(super) type Sums<'s> = dyn FnMut(
        Precision,
        &[Vec<Range<usize>>],
        Option<&[f32]>,
        &Monitor,
    ) -> Result<Option<Vec<Moments>>, ExecuteError>
    + 's;

/// Spectra by their steps.
pub type Spectra = HashMap<StepId, Spectrum>;

impl Executor<'_> {
    /// Makes every spectrum of `missing`, all from one pass over `history`.
    pub(super) fn spectra_of_history(
        &self,
        plan: &Plan,
        record: &Step,
        history: &GradientHistory,
        missing: &[&Step],
        spectra: &mut Spectra,
    ) -> Result<(), ExecuteError> {
        let needs_values = |step: &&&Step| spectrum_method(&of(step).0.name).needs_values();
        let (of_values, missing): (Vec<&Step>, Vec<&Step>) = missing.iter().partition(needs_values);
        let (sketched, missing): (Vec<&Step>, Vec<&Step>) =
            missing.into_iter().partition(|it| is_sketched(it));
        self.spectra_by_sketch(plan, record, Source::History(history), &sketched, spectra)?;
        for step in of_values {
            let (start, view) = (Instant::now(), history.view());
            let input = Input::History {
                view,
                full_batch: None,
            };
            let spectrum = self.solve(step, input)?;
            self.put_spectrum(step, spectrum, start, spectra)?;
        }
        let Some(first) = missing.first() else {
            return Ok(());
        };
        if matches!(record.work, Work::Read { .. }) {
            return self.spectra_of_numbers(history, &missing, spectra);
        }
        let mut recorder = self.recorder(plan, record)?;
        let (network, layers) = (recorder.network.clone(), self.factor_layers(&recorder)?);
        let (n, t) = (history.parameters(), history.iterations());
        // Of fewer parameters than iterations the smaller product is that of the rows.
        let by_rows = |rows: &[Range<usize>]| n < t && *rows == [0..n];
        self.spectra_from(
            plan,
            record,
            &network,
            &missing,
            spectra,
            &mut |precision, rows, centre, monitor| {
                let multiplier = multiplier(self.engine);
                let selections = rows.iter().filter(|rows| !by_rows(rows));
                let target = |rows: &Vec<_>| {
                    Target::new(layers.split(rows), t, centre.is_some(), precision, &multiplier)
                };
                let mut targets: Vec<Target> = selections.map(target).collect();
                if !self.add_history(&mut recorder, history, &layers, centre, &mut targets, monitor)? {
                    return Ok(None);
                }
                let mut sums = finish(targets).map_err(|cause| at(first, cause))?.into_iter();
                let of_selection = |rows: &Vec<Range<usize>>| match by_rows(rows) {
                    true => gram::moments_on(&multiplier, history.view(), centre, precision, monitor)
                        .map_err(|cause| at(first, cause)),
                    false => Ok(sums.next()),
                };
                rows.iter().map(of_selection).collect()
            },
            None,
        )
    }

    /// The layers of a recording whose inner products are made of their factors.
    fn factor_layers(&self, recorder: &Recorder) -> Result<FactorLayers, ExecuteError> {
        let recording = Recording::of(&recorder.network, recorder.step, std::iter::empty());
        let recording = recording.map_err(|cause| at(recorder.step, cause))?;
        Ok(FactorLayers::of(&recording, matches!(self.engine, Engine::Host)))
    }

    /// Makes every spectrum of `missing` without the history of `record`.
    pub(super) fn spectra_by_route(
        &self,
        plan: &Plan,
        record: &Step,
        route: &Route,
        missing: &[&Step],
        spectra: &mut Spectra,
    ) -> Result<(), ExecuteError> {
        let mut recorder = self.recorder(plan, record)?;
        self.recording.set(Duration::ZERO);
        self.spectra_of_recorder(plan, &mut recorder, route, missing, spectra)?;
        // Recorded for the spectra, however often.
        let seconds = self.recording.get().as_secs_f64();
        self.made(record, seconds);
        Ok(())
    }

    fn spectra_of_recorder(
        &self,
        plan: &Plan,
        recorder: &mut Recorder,
        route: &Route,
        missing: &[&Step],
        spectra: &mut Spectra,
    ) -> Result<(), ExecuteError> {
        let record = recorder.step;
        let (sketched, missing): (Vec<&Step>, Vec<&Step>) = missing.iter().partition(|it| is_sketched(it));
        self.spectra_by_sketch(plan, record, Source::Recording(recorder), &sketched, spectra)?;
        if missing.is_empty() {
            return Ok(());
        }
        let t = recorder.iterations;
        let network = recorder.network.clone();
        let layers = self.factor_layers(recorder)?;
        // The only pass, if there is one: it serves sums in either precision.
        let mut kept: Option<Vec<f32>> = None;
        // Windows are not recorded twice: they serve both precisions at once.
        let mut double: Option<Vec<Moments>> = None;
        self.spectra_from(
            plan,
            record,
            &network,
            &missing,
            spectra,
            &mut |precision, rows, centre, monitor| {
                if let Some(double) = double.take() {
                    return Ok(Some(double));
                }
                let multiplier = multiplier(self.engine);
                let targets = |precision| {
                    let target = |rows: &Vec<_>| {
                        Target::new(layers.split(rows), t, centre.is_some(), precision, &multiplier)
                    };
                    rows.iter().map(target).collect::<Vec<Target>>()
                };
                let mut targets_of_route = targets(precision);
                match route {
                    Route::Windows(height) => {
                        // A GPU has one precision.
                        let parts = match multiplier {
                            Multiplier::Host => 2,
                            #[cfg(feature = "kernels")]
                            Multiplier::Gpu(_) => 1,
                        };
                        if parts == 2 {
                            targets_of_route.extend(targets(Precision::Double));
                        }
                        // Each value is added once for each precision.
                        let progress = |done: u64| (monitor.progress)(done / parts);
                        let monitor = &Monitor {
                            progress: &progress,
                            cancel: monitor.cancel,
                        };
                        let all = &mut targets_of_route;
                        if !self.record_windows(recorder, *height, &layers, centre, all, monitor)? {
                            return Ok(None);
                        }
                    }
                    Route::Layers(passes) => {
                        let all = &mut targets_of_route;
                        if !self.add_passes(recorder, passes, &mut kept, centre, all, monitor)? {
                            return Ok(None);
                        }
                    }
                    Route::Memory | Route::File | Route::Sketch => {
                        unreachable!("routes through the history, or for sketches alone")
                    }
                }
                let mut sums = finish(targets_of_route).map_err(|cause| at(record, cause))?;
                double = (sums.len() > rows.len()).then(|| sums.split_off(rows.len()));
                Ok(Some(sums))
            },
            None,
        )
    }

    /// Makes every spectrum of `missing` from `sums(precision, rows, centre, monitor)`, which gives the moments of
    /// each list of rows, or None if cancelled: in single precision, and again in double where that leaves fewer than
    /// three digits of the smallest eigenvalue. What `meanwhile` does, it does while they are solved.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn spectra_from(
        &self,
        plan: &Plan,
        record: &Step,
        network: &Network,
        missing: &[&Step],
        spectra: &mut Spectra,
        sums: &mut Sums,
        meanwhile: Option<&mut Meanwhile>,
    ) -> Result<(), ExecuteError> {
        let first = missing[0];
        let mut start = Instant::now();
        let around_full_batch = |step: &&&Step| {
            let (call, _) = of(step);
            call.args.get("centre").is_some() && call.args.text("centre") == "full_batch"
        };
        let full_batch = match missing.iter().any(|step| around_full_batch(&step)) {
            true => Some(self.full_batch_gradient(plan, record)?),
            false => None,
        };
        let mut selections: Vec<Vec<Range<usize>>> = Vec::new();
        let mut selection_of = Vec::new();
        for step in missing {
            let rows = rows_of(network, record, step).map_err(|cause| at(step, cause))?;
            let known = selections.iter().position(|known| *known == rows);
            selection_of.push(known.unwrap_or(selections.len()));
            if known.is_none() {
                selections.push(rows);
            }
        }
        let Work::Record { iterations, .. } = &record.work else {
            unreachable!("a record step")
        };
        let rows: usize = selections.iter().flatten().map(Range::len).sum();
        self.observer.begin(first, rows as u64 * iterations, 0, "values");
        let progress = |done| self.observer.advance(done);
        let monitor = Monitor {
            progress: &progress,
            cancel: self.cancel,
        };
        let mut sums = |precision| {
            sums(precision, &selections, full_batch.as_deref(), &monitor)?
                .ok_or_else(|| at(first, Cause::Interrupted))
        };
        let before = self.recording.get();
        let single = sums(Precision::Single)?;
        // The record step has its own line.
        start += self.recording.get() - before;
        let moments: Vec<&Moments> = selection_of.iter().map(|place| &single[*place]).collect();
        let (mut early, done) = self.solve_while(missing, &moments, meanwhile);
        let mut double = None;
        for (number, (step, selection)) in missing.iter().zip(selection_of).enumerate() {
            let mut spectrum = match early.get_mut(number).and_then(Option::take) {
                Some(spectrum) => spectrum.map_err(|cause| at(step, cause))?,
                None => self.solve(step, Input::Moments(&single[selection]))?,
            };
            if !spectrum.has_three_digits() && single[selection].precision() == Precision::Single {
                if double.is_none() {
                    double = Some(sums(Precision::Double)?);
                }
                if let Some(double) = &double {
                    spectrum = self.solve(step, Input::Moments(&double[selection]))?;
                }
            }
            self.put_spectrum(step, spectrum, start, spectra)?;
            start = Instant::now();
        }
        done
    }

    /// The gradient of the mean loss over the whole data set that `record` drew its minibatches from, with its weight
    /// decay. (The checker lets no recording come here that does more to its gradients.)
    pub(super) fn full_batch_gradient(&self, plan: &Plan, record: &Step) -> Result<Vec<f32>, ExecuteError> {
        let Work::Record {
            data,
            weights,
            rows,
            batch_norm,
            transform,
            ..
        } = &record.work
        else {
            unreachable!("a record step")
        };
        let (network, theta) = self.weights(plan, plan.step(weights))?;
        let data = self.dataset(plan, data)?;
        let n = network.parameter_count();
        let mut gradient = self
            .gradient_over_all(&network, &theta, &data, *batch_norm)
            .map_err(|cause| at(record, cause))?;
        Transform::new(transform, &theta[..n]).apply(&mut gradient);
        let mut kept = vec![0.0; rows.iter().map(std::ops::Range::len).sum()];
        keep_rows(&gradient, n, rows, &mut kept);
        Ok(kept)
    }

    /// The gradient of the mean loss over all of `data`.
    pub(super) fn gradient_over_all(
        &self,
        network: &Network,
        theta: &[f32],
        data: &Dataset,
        batch_norm: BatchNormMode,
    ) -> Result<Vec<f32>, EngineError> {
        let (n, engine, batch) = (network.parameter_count(), self.engine, data.len());
        let all: Vec<u32> = (0..batch as u32).collect();
        let mut gradient = vec![0.0; n];
        match batch_norm {
            BatchNormMode::Batch => {
                let mut running = vec![0.0; theta.len() - n];
                engine.gradient(network, theta, data, &all, &mut gradient, &mut running)?;
            }
            mode => engine.record(network, theta, data, &all, batch, mode, &mut gradient, &|_| ())?,
        }
        Ok(gradient)
    }
}

/// Where a history's inner products are made: where its gradients are.
fn multiplier(engine: &Engine) -> Multiplier {
    #[cfg(feature = "kernels")]
    if let Some(gpu) = engine.gpu() {
        return Multiplier::Gpu(gpu);
    }
    let _ = engine;
    Multiplier::Host
}

/// The call of a spectrum step, and what it is of.
pub(super) fn of(step: &Step) -> (&Call, &StepId) {
    match &step.work {
        Work::Spectrum { call, of, .. } => (call, of),
        _ => unreachable!("a spectrum step"),
    }
}
