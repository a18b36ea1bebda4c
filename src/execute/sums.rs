//! Inner products of a history: from G, or without G as its route says. Those that take long leave a checkpoint.

use std::ops::Range;
use std::rc::Rc;
use std::time::Instant;

use super::checkpoint::Checkpoint;
use super::pieces::{FactorColumns, Piece, by_pieces, pieces, short_hash};
use super::{Cause, ExecuteError, Executor, at};
use crate::data::Dataset;
use crate::gradients::batches::Batches;
use crate::gradients::history::{GradientHistory, HistoryError};
use crate::gradients::parts::{chunk_of_windows, record_parts, record_window};
use crate::gradients::transform::Transform;
use crate::memory::try_zeros;
use crate::models::Network;
use crate::models::parts::{Layout, Part};
use crate::plan::route::{FactorLayers, Split};
use crate::plan::{Plan, Step, Work};
use crate::seed;
use crate::spectra::factors::Factors;
use crate::spectra::gram::GramAccumulator;
use crate::spectra::moments::Moments;
use crate::spectra::products::{Precision, ROWS};
use crate::spectra::{Multiplier, SpectrumError};
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
    /// Rows of G that are multiplied, and layers that are added by their factors.
    pub split: Split,
    pub sums: GramAccumulator,
}

impl Target {
    /// Sums that are made where `multiplier` says.
    pub fn new(
        split: Split,
        samples: usize,
        centred: bool,
        precision: Precision,
        multiplier: &Multiplier,
    ) -> Self {
        let sums = GramAccumulator::new(samples, centred, precision).on(multiplier);
        Target { split, sums }
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
        for range in &self.split.rows {
            let part = range.start.max(held.start)..range.end.min(held.end);
            if part.is_empty() {
                continue;
            }
            let place = |parameter: usize| parameter - held.start + offset;
            let centre = centre.map(|centre| &centre[part.clone()]);
            let rows = place(part.start)..place(part.end);
            if !self
                .sums
                .add_parameters(view, rows, part.start, centre, monitor)?
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Adds layer `i` of `network` by its factors, if it wants it so.
    pub fn add_factors(
        &mut self,
        network: &Network,
        i: usize,
        (layout, columns): (&Layout, &[f32]),
        centre: Option<&[f32]>,
        monitor: &Monitor,
    ) -> Result<bool, SpectrumError> {
        if !self.split.factors.contains(&i) {
            return Ok(true);
        }
        let placed = &network.layers[i];
        let (inputs, outputs) = placed.layer.outer_product().expect("a layer with factors");
        let factors = Factors {
            columns,
            stride: layout.stride,
            offset: layout.offsets[i],
            batch: layout.batch,
            inputs,
            outputs,
            parameter: placed.range.start,
        };
        let centre = centre.map(|centre| &centre[placed.range.clone()]);
        self.sums.add_factors(factors, centre, monitor)
    }

    pub fn wants_rows(&self, held: &Range<usize>) -> bool {
        let overlaps = |rows: &Range<usize>| rows.start < held.end && held.start < rows.end;
        self.split.rows.iter().any(overlaps)
    }
}

/// Minibatches of which whole gradients of `n` numbers are recorded at a time, with room for these: as many as `bytes` hold,
/// or half of that, and so on, where the system does not give the memory.
pub(super) fn scratch(
    n: usize,
    batch: usize,
    iterations: usize,
    mut bytes: u64,
) -> Result<(usize, Vec<f32>), HistoryError> {
    loop {
        let chunk = chunk_of_windows(n, batch, bytes).min(iterations);
        if let Some(room) = try_zeros(chunk * n) {
            return Ok((chunk, room));
        }
        let fewer = chunk_of_windows(n, batch, bytes / 2).min(iterations);
        if fewer == chunk && bytes < 4 * (chunk * n) as u64 {
            return Err(HistoryError::Memory {
                bytes: 4 * chunk * n,
                reason: std::io::ErrorKind::OutOfMemory.into(),
            });
        }
        bytes /= 2;
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
        layers: &FactorLayers,
        centre: Option<&[f32]>,
        targets: &mut [Target],
        monitor: &Monitor,
    ) -> Result<bool, ExecuteError> {
        let step = recorder.step;
        let (n, t, batch) = (
            recorder.network.parameter_count(),
            recorder.iterations,
            recorder.batches.batch,
        );
        let (chunk, mut scratch) = scratch(n, batch, t, self.memory / 4).map_err(|cause| at(step, cause))?;
        let mut values = vec![0.0; height.min(n) * t];
        let pieces = pieces(n, height, layers, targets);
        let of = format!("windows-{}", short_hash(&pieces));
        let checkpoint = Checkpoint::new(self, step, &of, None, centre.is_some());
        let mut factors = FactorColumns::new(self, recorder, layers);
        let failed = |cause| at(step, cause);
        by_pieces(
            &pieces,
            targets,
            Some(checkpoint),
            failed,
            |piece, targets| match piece {
                Piece::Rows(rows) => {
                    let window = &mut values[..rows.len() * t];
                    self.record_window(recorder, rows, chunk, &mut scratch, window)?;
                    let view = HistoryView::new(window, rows.len(), t);
                    add_rows(targets, view, rows, 0, centre, monitor).map_err(failed)
                }
                Piece::Factors(i) => {
                    let network = recorder.network.clone();
                    let columns = factors.of_layer(self, recorder, *i, monitor)?;
                    add_factors(targets, &network, *i, columns, centre, monitor).map_err(failed)
                }
            },
        )
    }

    /// Records the rows `rows` of G into `window`, `chunk` minibatches at a time.
    fn record_window(
        &self,
        recorder: &mut Recorder,
        rows: &Range<usize>,
        chunk: usize,
        scratch: &mut [f32],
        window: &mut [f32],
    ) -> Result<(), ExecuteError> {
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
        let start = Instant::now();
        let mut transform = Transform::new(transform, &values[..network.parameter_count()]);
        for (number, part) in window.chunks_mut(chunk * rows.len()).enumerate() {
            if self.cancelled() {
                return Err(at(step, Cause::Interrupted));
            }
            let first = number * chunk;
            let indices = batches.indices(first..(*iterations).min(first + chunk));
            record_window(
                self.engine,
                network,
                values,
                data,
                &indices,
                batches.batch,
                &mut transform,
                rows.clone(),
                scratch,
                part,
            )
            .map_err(|cause| at(step, cause))?;
        }
        self.recorded_since(start);
        Ok(())
    }

    /// Adds G as it lies in memory or in a file, of which it leaves checkpoints; `Ok(false)` if cancelled.
    pub(super) fn add_history(
        &self,
        recorder: &mut Recorder,
        history: &GradientHistory,
        layers: &FactorLayers,
        centre: Option<&[f32]>,
        targets: &mut [Target],
        monitor: &Monitor,
    ) -> Result<bool, ExecuteError> {
        let (view, step) = (history.view(), recorder.step);
        let of_file = history.path().is_some();
        let height = if of_file { ROWS } else { view.parameters };
        let pieces = pieces(view.parameters, height, layers, targets);
        let checkpoint = of_file.then(|| {
            let precision = targets.first().map(|target| target.sums.precision());
            let of = format!("history-{}", short_hash(&pieces));
            Checkpoint::new(self, step, &of, precision, centre.is_some())
        });
        // What is recorded for these sums is a part of their time.
        let recorded = self.recording.get();
        let mut factors = FactorColumns::new(self, recorder, layers);
        let failed = |cause| at(step, cause);
        let added = by_pieces(
            &pieces,
            targets,
            checkpoint,
            failed,
            |piece, targets| match piece {
                Piece::Rows(rows) => {
                    add_rows(targets, view, rows, rows.start, centre, monitor).map_err(failed)
                }
                Piece::Factors(i) => {
                    let network = recorder.network.clone();
                    let columns = factors.of_layer(self, recorder, *i, monitor)?;
                    add_factors(targets, &network, *i, columns, centre, monitor).map_err(failed)
                }
            },
        );
        self.recording.set(recorded);
        added
    }

    /// Adds pass after pass, with a checkpoint after each; `Ok(false)` if cancelled. The columns of an only pass stay in
    /// `kept`, and are taken from there.
    pub(super) fn add_passes(
        &self,
        recorder: &mut Recorder,
        passes: &[Vec<Part>],
        kept: &mut Option<Vec<f32>>,
        centre: Option<&[f32]>,
        targets: &mut [Target],
        monitor: &Monitor,
    ) -> Result<bool, ExecuteError> {
        let step = recorder.step;
        let precision = targets.first().map(|target| target.sums.precision());
        let of = format!("layers-{}", short_hash(&passes));
        let mut checkpoint = Checkpoint::new(self, step, &of, precision, centre.is_some());
        let done = checkpoint.resume(targets);
        for (number, parts) in passes.iter().enumerate().skip(done) {
            let layout = Layout::new(&recorder.network, parts.clone(), recorder.batches.batch);
            let columns = match kept.take() {
                Some(columns) => columns,
                None => self.record_pass(recorder, &layout, monitor)?,
            };
            let added = add_pass(recorder, &layout, &columns, centre, targets, monitor);
            if !added.map_err(|cause| at(step, cause))? {
                return Ok(false);
            }
            *kept = (passes.len() == 1).then_some(columns);
            if number + 1 < passes.len() {
                let kept = checkpoint.save(targets, number + 1);
                kept.map_err(|cause| at(step, cause))?;
            }
        }
        Ok(true)
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
fn add_pass(
    recorder: &Recorder,
    layout: &Layout,
    columns: &[f32],
    centre: Option<&[f32]>,
    targets: &mut [Target],
    monitor: &Monitor,
) -> Result<bool, SpectrumError> {
    let view = HistoryView::new(columns, layout.stride, recorder.iterations);
    for (i, placed) in recorder.network.layers.iter().enumerate() {
        let held = &placed.range;
        let added = match layout.parts[i] {
            Part::Absent => true,
            Part::Rows => add_rows(targets, view, held, layout.offsets[i], centre, monitor)?,
            Part::Factors => {
                let factors = (layout, columns);
                add_factors(targets, &recorder.network, i, factors, centre, monitor)?
            }
        };
        if !added {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Adds parameters `held`, the rows from `offset` on of `view`, to every target that wants rows of them.
fn add_rows(
    targets: &mut [Target],
    view: HistoryView,
    held: &Range<usize>,
    offset: usize,
    centre: Option<&[f32]>,
    monitor: &Monitor,
) -> Result<bool, SpectrumError> {
    for target in targets {
        if !target.add(view, held.clone(), offset, centre, monitor)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Adds a layer by its factors to every target that wants it so.
fn add_factors(
    targets: &mut [Target],
    network: &Network,
    layer: usize,
    factors: (&Layout, &[f32]),
    centre: Option<&[f32]>,
    monitor: &Monitor,
) -> Result<bool, SpectrumError> {
    for target in targets {
        if !target.add_factors(network, layer, factors, centre, monitor)? {
            return Ok(false);
        }
    }
    Ok(true)
}
