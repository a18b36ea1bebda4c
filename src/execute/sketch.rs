//! Spectra of sketched gradients: T × D numbers are held, never G.

use std::ops::Range;
use std::time::Instant;

use super::spectrum::{Spectra, of};
use super::sums::{Recorder, scratch};
use super::{Cause, ExecuteError, Executor, at};
use crate::gradients::history::GradientHistory;
use crate::gradients::parts::record_window;
use crate::gradients::transform::Transform;
use crate::plan::route::rows_of;
use crate::plan::{Plan, Step, Work};
use crate::spectra::sketch::{Around, Sketch, Trace};
use crate::spectra::{Input, Spectrum, SpectrumError};
use crate::stats::history_view::HistoryView;

/// Where gradients come from.
pub(super) enum Source<'h, 'r> {
    History(&'h GradientHistory),
    /// Recorded once, some minibatches at a time.
    Recording(&'h mut Recorder<'r>),
}

/// The sketch of what one step is of.
struct Target<'s> {
    step: &'s Step,
    rows: Vec<Range<usize>>,
    sketch: Sketch,
    columns: Vec<f32>,
    trace: Trace,
}

impl Target<'_> {
    /// Adds the gradients `columns` (of `height` numbers), from iteration `first` on.
    fn add(&mut self, columns: &[f32], height: usize, first: usize) -> Result<(), SpectrumError> {
        let dim = self.sketch.dim;
        let count = columns.len() / height;
        let sketched = &mut self.columns[first * dim..][..count * dim];
        self.sketch.add(columns, height, &self.rows, first, sketched)?;
        self.trace.add(columns, height, &self.rows);
        Ok(())
    }
}

impl Executor<'_> {
    /// Makes the sketched spectra `missing` of `record` in one pass over its gradients.
    pub(super) fn spectra_by_sketch(
        &self,
        plan: &Plan,
        record: &Step,
        source: Source,
        missing: &[&Step],
        spectra: &mut Spectra,
    ) -> Result<(), ExecuteError> {
        let Some(first) = missing.first() else {
            return Ok(());
        };
        let (iterations, seed, network) = match (&record.work, &source) {
            (
                Work::Record {
                    iterations,
                    weights,
                    seed,
                    ..
                },
                _,
            ) => (
                *iterations,
                *seed,
                Some(self.weights(plan, plan.step(weights))?.0),
            ),
            // Numbers of a file have no seed: neither has what is drawn for them.
            (_, Source::History(history)) => (history.iterations() as u64, 0, None),
            _ => unreachable!("a recording is of a record step"),
        };
        let mut start = Instant::now();
        let mut targets = Vec::new();
        for &step in missing {
            let (call, _) = of(step);
            let sketch = Sketch::from_args(&call.args, seed).expect("a sketched spectrum");
            let rows = match (&network, &source) {
                (Some(network), _) => rows_of(network, record, step).map_err(|cause| at(step, cause))?,
                (None, Source::History(history)) => std::iter::once(0..history.parameters()).collect(),
                _ => unreachable!("a recording is of a record step"),
            };
            targets.push(Target {
                step,
                columns: vec![0.0; sketch.dim * iterations as usize],
                trace: Trace::new(rows.iter().map(Range::len).sum()),
                rows,
                sketch,
            });
        }
        self.observer.begin(first, iterations, 0, "minibatches");
        let before = self.recording.get();
        self.add_all(source, record, &mut targets)?;
        start += self.recording.get() - before;
        let around_full_batch = |step: &Step| {
            let args = &of(step).0.args;
            args.get("centre").is_some() && args.text("centre") == "full_batch"
        };
        let full_batch = match missing.iter().any(|step| around_full_batch(step)) {
            true => Some(self.full_batch_gradient(plan, record)?),
            false => None,
        };
        for target in targets {
            let centre = full_batch.as_deref().filter(|_| around_full_batch(target.step));
            let spectrum = self.sketched(&target, centre)?;
            self.put_spectrum(target.step, spectrum, start, spectra)?;
            start = Instant::now();
        }
        Ok(())
    }

    fn add_all(&self, source: Source, record: &Step, targets: &mut [Target]) -> Result<(), ExecuteError> {
        let mut add = |columns: &[f32], height: usize, first: usize| {
            for target in &mut *targets {
                target
                    .add(columns, height, first)
                    .map_err(|cause| at(target.step, cause))?;
            }
            self.observer.advance((columns.len() / height) as u64);
            match self.cancelled() {
                true => Err(at(record, Cause::Interrupted)),
                false => Ok(()),
            }
        };
        match source {
            Source::History(history) => {
                let n = history.parameters();
                let chunks = history.values().chunks(n * CHUNK).enumerate();
                for (number, columns) in chunks {
                    add(columns, n, number * CHUNK)?;
                }
            }
            Source::Recording(recorder) => {
                let Recorder {
                    step,
                    network,
                    values,
                    data,
                    batches,
                    iterations,
                } = recorder;
                let Work::Record { transform, .. } = &step.work else {
                    unreachable!("a record step")
                };
                let (n, t, batch) = (network.parameter_count(), *iterations, batches.batch);
                // Half for whole gradients, half for those that are sketched.
                let (chunk, mut both) =
                    scratch(2 * n, batch, t, self.memory / 2).map_err(|cause| at(step, cause))?;
                let (scratch, part) = both.split_at_mut(chunk * n);
                let mut transform = Transform::new(transform, &values[..n]);
                for first in (0..t).step_by(chunk) {
                    let start = Instant::now();
                    let indices = batches.indices(first..t.min(first + chunk));
                    let columns = &mut part[..indices.len() / batch * n];
                    record_window(
                        self.engine,
                        network,
                        values,
                        data,
                        &indices,
                        batch,
                        &mut transform,
                        0..n,
                        scratch,
                        columns,
                    )
                    .map_err(|cause| at(step, cause))?;
                    self.recorded_since(start);
                    add(columns, n, first)?;
                }
            }
        }
        Ok(())
    }

    /// The spectrum of a sketch, around a given centre if there is one.
    fn sketched(&self, target: &Target, centre: Option<&[f32]>) -> Result<Spectrum, ExecuteError> {
        let (step, sketch) = (target.step, &target.sketch);
        let error = |cause: SpectrumError| at(step, cause);
        let (call, _) = of(step);
        let (dim, n) = (sketch.dim, target.rows.iter().map(Range::len).sum::<usize>());
        // A sketch is linear: that of a centre is the centre of the sketch.
        let mut full_batch = vec![0.0; dim];
        let mut centre_of_rows = Vec::new();
        if let Some(centre) = centre {
            sketch
                .add(centre, centre.len(), &target.rows, 0, &mut full_batch)
                .map_err(error)?;
            centre_of_rows = target
                .rows
                .iter()
                .flat_map(|range| &centre[range.clone()])
                .copied()
                .collect();
        }
        let view = HistoryView::new(&target.columns, dim, target.columns.len() / dim);
        let input = Input::History {
            view,
            full_batch: centre.map(|_| &full_batch[..]),
        };
        let spectrum = self.solve(step, input)?;
        let around = match call.args.get("centre") {
            None => Around::Zero,
            Some(_) if centre.is_some() => Around::Given(&centre_of_rows),
            Some(_) => Around::Mean,
        };
        let trace = target.trace.around(around);
        Ok(Spectrum {
            parameters: n as u64,
            rank_bound: spectrum.rank_bound.min(n as u64),
            trace,
            sketch: Some(sketch.bound(trace, spectrum.square_trace)),
            ..spectrum
        })
    }
}

/// Gradients of a history that are sketched at once.
const CHUNK: usize = 256;
