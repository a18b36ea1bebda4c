//! Inner products of a history: from G, or without G as its route says. Those that take long leave a checkpoint.

use std::ops::Range;
use std::rc::Rc;
use std::time::Instant;

use super::checkpoint::{Checkpoint, by_windows};
use super::{Cause, ExecuteError, Executor, at};
use crate::data::Dataset;
use crate::gradients::batches::Batches;
use crate::gradients::parts::{chunk_of_windows, record_parts, record_window};
use crate::gradients::transform::Transform;
use crate::models::Network;
use crate::models::parts::{Layout, Part};
use crate::plan::{Plan, Step, Work};
use crate::seed;
use crate::spectra::factors::Factors;
use crate::spectra::gram::GramAccumulator;
use crate::spectra::moments::Moments;
use crate::spectra::products::Precision;
use crate::spectra::{Multiplier, SpectrumError, products};
use crate::stats::history_view::HistoryView;
use crate::stats::monitor::Monitor;

/// What gradients are recorded from.
pub(super) struct Recorder<'a> {
    pub step: &'a Step,
    pub network: Rc<Network>,
    pub values: Vec<f32>,
    pub data: Rc<Dataset>,
    pub batches: Batches,
    pub iterations: usize,
}

/// The sums over some rows of θ.
pub(super) struct Target {
    pub rows: Vec<Range<usize>>,
    pub sums: GramAccumulator,
}

impl Target {
    /// Sums that are made where `multiplier` says.
    pub fn new(
        rows: Vec<Range<usize>>,
        samples: usize,
        centred: bool,
        precision: Precision,
        multiplier: &Multiplier,
    ) -> Self {
        let sums = GramAccumulator::new(samples, centred, precision).on(multiplier);
        Target { rows, sums }
    }

    /// Adds what it wants of parameters `held`, which are the rows from `offset` on of `view`.
    pub fn add(
        &mut self,
        view: HistoryView,
        held: Range<usize>,
        offset: usize,
        centre: Option<&[f32]>,
        monitor: &Monitor,
    ) -> Result<bool, SpectrumError> {
        for range in &self.rows {
            let part = range.start.max(held.start)..range.end.min(held.end);
            if part.is_empty() {
                continue;
            }
            let place = |parameter: usize| parameter - held.start + offset;
            let centre = centre.map(|centre| &centre[part.clone()]);
            let added = self
                .sums
                .add(view, place(part.start)..place(part.end), centre, monitor);
            // The error knows rows of the view.
            let added = added.map_err(|error| match error {
                SpectrumError::NotFinite {
                    parameter,
                    iteration,
                    value,
                } => SpectrumError::NotFinite {
                    parameter: parameter + held.start as u64 - offset as u64,
                    iteration,
                    value,
                },
                other => other,
            })?;
            if !added {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub fn wants(&self, held: &Range<usize>) -> bool {
        self.rows
            .iter()
            .any(|rows| rows.start < held.end && held.start < rows.end)
    }
}

/// The finished sums of `targets`.
pub(super) fn finish(targets: Vec<Target>) -> Result<Vec<Moments>, SpectrumError> {
    targets.into_iter().map(|target| target.sums.finish()).collect()
}

impl<'a> Executor<'a> {
    /// What `record` records, without recording it.
    pub(super) fn recorder<'p>(&self, plan: &Plan, record: &'p Step) -> Result<Recorder<'p>, ExecuteError> {
        let Work::Record {
            data,
            weights,
            batch,
            iterations,
            order,
            seed,
            ..
        } = &record.work
        else {
            unreachable!("a record step")
        };
        let (network, values) = self.weights(plan, plan.step(weights))?;
        let data = self.dataset(plan, data)?;
        let seed = seed::derive(*seed, "order of recorded minibatches");
        let batches = Batches::new(*order, data.len(), *batch as usize, seed);
        Ok(Recorder {
            step: record,
            network: Rc::new(network),
            values,
            data,
            batches,
            iterations: *iterations as usize,
        })
    }

    /// Adds window after window of G's rows, recorded anew for each; `Ok(false)` if cancelled.
    pub(super) fn record_windows(
        &self,
        recorder: &mut Recorder,
        height: usize,
        centre: Option<&[f32]>,
        targets: &mut [Target],
        monitor: &Monitor,
    ) -> Result<bool, ExecuteError> {
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
        let chunk = chunk_of_windows(n, batch, self.memory / 4).min(t);
        let mut scratch = vec![0.0; chunk * n];
        let mut values_of_window = vec![0.0; height.min(n) * t];
        let mut checkpoint = Checkpoint::new(self, step, "windows", Precision::Double, centre.is_some());
        let step = *step;
        let failed = |cause| at(step, cause);
        by_windows(n, height, targets, &mut checkpoint, failed, |rows, targets| {
            let start = Instant::now();
            let window = &mut values_of_window[..rows.len() * t];
            let mut transform = Transform::new(transform, &values[..n]);
            for (number, part) in window.chunks_mut(chunk * rows.len()).enumerate() {
                if monitor.cancelled() {
                    return Ok(false);
                }
                let first = number * chunk;
                let indices = batches.indices(first..t.min(first + chunk));
                record_window(
                    self.engine,
                    network,
                    values,
                    data,
                    &indices,
                    batch,
                    &mut transform,
                    rows.clone(),
                    &mut scratch,
                    part,
                )
                .map_err(|cause| at(step, cause))?;
            }
            self.recorded_since(start);
            let view = HistoryView::new(window, rows.len(), t);
            for target in targets {
                let added = target.add(view, rows.clone(), 0, centre, monitor);
                if !added.map_err(|cause| at(step, cause))? {
                    return Ok(false);
                }
            }
            Ok(true)
        })
    }

    /// Adds G window by window from a file; `Ok(false)` if cancelled.
    pub(super) fn history_windows(
        &self,
        step: &Step,
        view: HistoryView,
        precision: Precision,
        centre: Option<&[f32]>,
        targets: &mut [Target],
        monitor: &Monitor,
    ) -> Result<bool, ExecuteError> {
        let mut checkpoint = Checkpoint::new(self, step, "history", precision, centre.is_some());
        let height = products::ROWS;
        by_windows(
            view.parameters,
            height,
            targets,
            &mut checkpoint,
            |cause| at(step, cause),
            |rows, targets| {
                for target in targets {
                    let added = target.add(view, rows.clone(), rows.start, centre, monitor);
                    if !added.map_err(|cause| at(step, cause))? {
                        return Ok(false);
                    }
                }
                Ok(true)
            },
        )
    }

    /// Records the parts of one pass: a column for each minibatch.
    pub(super) fn record_pass(
        &self,
        recorder: &mut Recorder,
        layout: &Layout,
        monitor: &Monitor,
    ) -> Result<Vec<f32>, ExecuteError> {
        let start = Instant::now();
        let (t, batch) = (recorder.iterations, recorder.batches.batch);
        let mut columns = vec![0.0; layout.stride * t];
        let block = crate::gradients::record::minibatches_per_block(batch);
        let chunk = (32_768 / batch / block).max(1) * block;
        for (number, part) in columns.chunks_mut(chunk * layout.stride).enumerate() {
            if monitor.cancelled() {
                return Err(at(recorder.step, Cause::Interrupted));
            }
            let first = number * chunk;
            let indices = recorder.batches.indices(first..t.min(first + chunk));
            let Recorder {
                network,
                values,
                data,
                ..
            } = recorder;
            record_parts(network, values, data, &indices, layout, part, &|_| ());
        }
        self.recorded_since(start);
        Ok(columns)
    }
}

/// Adds a pass's parts to every target; `Ok(false)` if cancelled.
pub(super) fn add_pass(
    recorder: &Recorder,
    layout: &Layout,
    columns: &[f32],
    centre: Option<&[f32]>,
    targets: &mut [Target],
    monitor: &Monitor,
) -> Result<bool, SpectrumError> {
    let view = HistoryView::new(columns, layout.stride, recorder.iterations);
    for (i, placed) in recorder.network.layers.iter().enumerate() {
        let (held, offset) = (placed.range.clone(), layout.offsets[i]);
        for target in targets.iter_mut().filter(|target| target.wants(&held)) {
            let added = match layout.parts[i] {
                Part::Absent => true,
                Part::Rows => target.add(view, held.clone(), offset, centre, monitor)?,
                Part::Factors => {
                    let (inputs, outputs) = placed.layer.outer_product().expect("a layer with factors");
                    let factors = Factors {
                        columns,
                        stride: layout.stride,
                        offset,
                        batch: layout.batch,
                        inputs,
                        outputs,
                        parameter: held.start,
                    };
                    let centre = centre.map(|centre| &centre[held.clone()]);
                    target.sums.add_factors(factors, centre, monitor)?
                }
            };
            if !added {
                return Ok(false);
            }
        }
    }
    Ok(true)
}
