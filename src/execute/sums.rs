//! Inner products of a history: from G, or without G as its route says. Those that take long leave a checkpoint.

use std::ops::Range;
use std::rc::Rc;
use std::time::Instant;

use super::checkpoint::Checkpoint;
use super::pieces::{Piece, by_pieces, pieces, short_hash};
use super::targets::{Target, add_factors, add_pass, add_rows};
use super::{Cause, ExecuteError, Executor, at};
use crate::data::Dataset;
use crate::gradients::batches::Batches;
use crate::gradients::history::{GradientHistory, HistoryError};
use crate::gradients::parts::{chunk_of_windows, record_parts, record_window};
use crate::gradients::transform::Transform;
use crate::memory::try_zeros;
use crate::models::Network;
use crate::models::parts::{Layout, Part};
use crate::plan::route::{FactorLayers, factor_room};
use crate::plan::{Plan, Step, Work};
use crate::seed;
use crate::spectra::products::ROWS;
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

/// The factors of layers, recorded when they are first wanted, as many at a time as there is room for.
struct FactorColumns {
    passes: Vec<Layout>,
    /// The columns of one pass.
    held: Option<(usize, Vec<f32>)>,
}

impl FactorColumns {
    /// Nothing recorded yet.
    fn new(executor: &Executor, recorder: &Recorder, layers: &FactorLayers) -> Self {
        let room = factor_room(executor.memory);
        let (network, batch) = (&recorder.network, recorder.batches.batch);
        FactorColumns {
            passes: layers.passes(network, batch, recorder.iterations, room),
            held: None,
        }
    }

    /// The columns that hold the factors of layer `i`, one of the layers this was made for.
    fn of_layer(
        &mut self,
        executor: &Executor,
        recorder: &mut Recorder,
        i: usize,
        monitor: &Monitor,
    ) -> Result<(&Layout, &[f32]), ExecuteError> {
        let holds = |pass: &Layout| pass.parts[i] != Part::Absent;
        let number = self.passes.iter().position(holds).expect("a pass for each layer");
        let held = self.held.take().filter(|(held, _)| *held == number);
        let (_, columns) = self.held.insert(match held {
            Some(held) => held,
            None => (
                number,
                executor.record_pass(recorder, &self.passes[number], monitor)?,
            ),
        });
        Ok((&self.passes[number], columns))
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
            let (network, iterations) = (&recorder.network, recorder.iterations);
            let added = add_pass(network, iterations, (&layout, &columns), centre, targets, monitor);
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
