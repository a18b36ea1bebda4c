//! The record step: G in chunks, kept where there is room, resumed at the last finished chunk.

use std::ops::Range;
use std::path::Path;
use std::time::Instant;

use super::{Cause, ExecuteError, Executor, HISTORY, at};
use crate::gradients::batches::{Batches, Order};
use crate::gradients::engine::Engine;
use crate::gradients::failure::EngineError;
use crate::gradients::history::{GradientHistory, HistoryError};
use crate::gradients::record::minibatches_per_block;
use crate::gradients::transform::Transform;
use crate::integrity::{self, Block};
use crate::models::Network;
use crate::plan::{Plan, Step, Work};
use crate::seed;
use crate::store::{StoreError, replace_sealed};

/// Copies of the gradient of the full batch between the same.
const COPIES_PER_CHUNK: usize = 64;

/// The file that says how many gradients an unfinished recording has, with the hashes of their blocks.
const DONE: &str = "done";

/// The file that holds an optimizer's moments after those gradients, where the recording goes through one.
const MOMENTS: &str = "moments.safetensors";

impl Executor<'_> {
    /// G: from the cache, or what an interrupted run left and the rest recorded now.
    pub(super) fn record(&self, plan: &Plan, step: &Step) -> Result<GradientHistory, ExecuteError> {
        if let Work::Read { file, .. } = &step.work {
            return self.read_numbers(step, file);
        }
        let Work::Record {
            data,
            weights,
            batch,
            iterations,
            order,
            keep,
            rows,
            batch_norm,
            transform,
            seed,
        } = &step.work
        else {
            unreachable!("a record step")
        };
        let (network, theta) = self.weights(plan, plan.step(weights))?;
        let n: usize = rows.iter().map(Range::len).sum();
        let all = network.parameter_count();
        let (iterations, batch) = (*iterations as usize, *batch as usize);
        if self.cached(step)? {
            self.reused(step);
            let path = self.store.directory(&step.id).join(HISTORY);
            return GradientHistory::read(n, iterations, &path).map_err(|cause| at(step, cause));
        }
        let data = self.dataset(plan, data)?;
        let start = Instant::now();
        // With the activations and the data that recording needs beside it.
        let to_file = *keep || step.cost.bytes > self.memory;
        let mut transform = Transform::new(transform, &theta[..all]);
        let (mut history, mut blocks) = self
            .begin(step, n, iterations, to_file, &mut transform)
            .map_err(|cause| at(step, cause))?;
        let to_file = history.path().is_some();
        let done = gradients_in(&blocks, n);
        self.observer
            .begin(step, iterations as u64, done as u64, "gradients");
        let mut batches = batches_of(*order, data.len(), batch, *seed);
        // All gradients of the full batch are one.
        let one = (*order == Order::Full && done < iterations)
            .then(|| self.gradient_over_all(&network, &theta, &data, *batch_norm))
            .transpose()
            .map_err(|cause| at(step, cause))?;
        let block = minibatches_per_block(batch);
        let chunk = match one {
            Some(_) => COPIES_PER_CHUNK,
            None => chunk_of(self.engine, &network, batch),
        };
        let mut first = done;
        while first < iterations {
            if self.cancelled() {
                self.save_partial(step, &history, first, Some(&transform))
                    .map_err(|cause| at(step, cause))?;
                return Err(at(step, Cause::Interrupted));
            }
            let last = (first + chunk).min(iterations);
            let indices = batches.indices(first..last);
            let columns = &mut history.values_mut()[first * n..last * n];
            let progress = |gradients| self.observer.advance(gradients);
            let mut record = |indices: &[u32], columns: &mut [f32]| -> Result<(), EngineError> {
                match &one {
                    Some(gradient) => {
                        columns
                            .chunks_exact_mut(all)
                            .for_each(|column| column.copy_from_slice(gradient));
                        progress((indices.len() / batch) as u64);
                    }
                    None => self.engine.record(
                        &network,
                        &theta,
                        &data,
                        indices,
                        batch,
                        *batch_norm,
                        columns,
                        &progress,
                    )?,
                }
                transform.apply(columns);
                Ok(())
            };
            if n == all {
                if let Err(cause) = record(&indices, columns) {
                    // What was recorded before stays.
                    self.save_partial(step, &history, first, Some(&transform))
                        .map_err(|cause| at(step, cause))?;
                    return Err(at(step, cause));
                }
            } else {
                // Whole gradients a few at a time, of which the rows asked for stay.
                let piece = minibatches_per_piece(all, block);
                let mut whole = vec![0.0; all * piece.min(last - first)];
                for (indices, columns) in indices.chunks(piece * batch).zip(columns.chunks_mut(piece * n)) {
                    let whole = &mut whole[..all * (indices.len() / batch)];
                    record(indices, whole).map_err(|cause| at(step, cause))?;
                    keep_rows(whole, all, rows, columns);
                }
            }
            if to_file {
                blocks.push(block_of(&history, first..last));
                mark(&self.store.partial(&step.id), &blocks, Some(&transform))
                    .map_err(|cause| at(step, cause))?;
            }
            first = last;
        }
        if *keep {
            history.flush().map_err(|cause| at(step, cause))?;
            drop(history);
            let partial = self.store.partial(&step.id);
            // What is finished needs no mark of how far it is.
            let _ = std::fs::remove_file(partial.join(DONE));
            let _ = std::fs::remove_file(partial.join(MOMENTS));
            self.store
                .publish(step, &partial, &[(HISTORY, &blocks)])
                .map_err(|cause| at(step, cause))?;
            let path = self.store.directory(&step.id).join(HISTORY);
            history = GradientHistory::read(n, iterations, &path).map_err(|cause| at(step, cause))?;
        }
        self.finished(step, start);
        Ok(history)
    }

    /// Room for G with what an interrupted run left of it, and the blocks of that: as far as it is as it was written, and
    /// `transform` can go on there.
    fn begin(
        &self,
        step: &Step,
        n: usize,
        iterations: usize,
        to_file: bool,
        transform: &mut Transform,
    ) -> Result<(GradientHistory, Vec<Block>), Cause> {
        let partial = self.store.partial(&step.id);
        let path = partial.join(HISTORY);
        let bytes = GradientHistory::bytes(n, iterations) as u64;
        let complete = std::fs::metadata(&path).is_ok_and(|file| file.len() == bytes);
        let mut blocks = Vec::new();
        if complete {
            let saved = GradientHistory::in_file(n, iterations, &path)?;
            blocks = self.resume(step, &saved, transform);
        }
        if to_file {
            std::fs::create_dir_all(&partial).map_err(crate::store::StoreError::write(&partial))?;
            return Ok((GradientHistory::in_file(n, iterations, &path)?, blocks));
        }
        let mut history = match GradientHistory::in_memory(n, iterations) {
            Ok(history) => history,
            Err(HistoryError::Memory { .. }) => {
                self.observer.note(&format!(
                    "{}: the system does not give the {bytes} bytes that G takes: it goes to a file",
                    step.label
                ));
                std::fs::create_dir_all(&partial).map_err(crate::store::StoreError::write(&partial))?;
                return Ok((GradientHistory::in_file(n, iterations, &path)?, blocks));
            }
            Err(error) => return Err(error.into()),
        };
        let done = gradients_in(&blocks, n);
        if done > 0 {
            let saved = GradientHistory::in_file(n, iterations, &path)?;
            history.values_mut()[..done * n].copy_from_slice(&saved.values()[..done * n]);
        }
        Ok((history, blocks))
    }

    /// The blocks of gradients that an unfinished recording has, with `transform` put where they end.
    fn resume(&self, step: &Step, saved: &GradientHistory, transform: &mut Transform) -> Vec<Block> {
        let partial = self.store.partial(&step.id);
        let done = self.left(step, &partial.join(DONE));
        let mut blocks: Vec<Block> = done
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default();
        let (n, marked) = (saved.parameters(), gradients_in(&blocks, saved.parameters()));
        let whole = integrity::intact(bytemuck::cast_slice(saved.values()), &blocks);
        blocks.retain(|block| block.end <= whole);
        if gradients_in(&blocks, n) < marked {
            self.observer.warn(&format!(
                "{}: of {marked} gradients that an interrupted run left, {} are as they were written; the others are recorded anew",
                step.label,
                gradients_in(&blocks, n)
            ));
        }
        let done = gradients_in(&blocks, n);
        if done == 0 || done == saved.iterations() || !transform.has_state() {
            return blocks;
        }
        // Its state is of one number of gradients alone: that of the mark, or of the one before.
        let state = self.left(step, &partial.join(MOMENTS));
        let ends_there = |gradients| blocks.iter().any(|block| block.end == bytes_of(gradients, n));
        let at = state.and_then(|bytes| transform.restore_if(&bytes, ends_there));
        blocks.retain(|block| block.end <= bytes_of(at.unwrap_or(0), n));
        blocks
    }

    /// Leaves the first `done` gradients on the disk for the next run, with the state of their transform unless they
    /// are all there.
    pub(super) fn save_partial(
        &self,
        step: &Step,
        history: &GradientHistory,
        done: usize,
        transform: Option<&Transform>,
    ) -> Result<(), Cause> {
        let partial = self.store.partial(&step.id);
        if history.path().is_none() && done > 0 {
            std::fs::create_dir_all(&partial).map_err(crate::store::StoreError::write(&partial))?;
            let (n, iterations) = (history.parameters(), history.iterations());
            let mut file = GradientHistory::in_file(n, iterations, &partial.join(HISTORY))?;
            file.values_mut()[..done * n].copy_from_slice(&history.values()[..done * n]);
            let step = (integrity::BLOCK / (n * size_of::<f32>())).max(1);
            let firsts = (0..done).step_by(step);
            let blocks: Vec<Block> = firsts
                .map(|first| block_of(history, first..done.min(first + step)))
                .collect();
            mark(&partial, &blocks, transform)?;
        }
        Ok(())
    }
}

/// The minibatches of a recording.
pub(super) fn batches_of(order: Order, examples: usize, batch: usize, seed: u64) -> Batches {
    let seed = seed::derive(seed, "order of recorded minibatches");
    Batches::new(order, examples, batch, seed)
}

/// Minibatches between two looks at the cancel flag: whole blocks, see [`minibatches_per_block`].
pub(super) fn chunk_of(engine: &Engine, network: &Network, batch: usize) -> usize {
    let block = minibatches_per_block(batch);
    (engine.samples_per_chunk(network) / batch / block).max(1) * block
}

/// Bytes of whole gradients at once, where some of their rows are kept.
const PIECE: usize = 256 << 20;

/// Minibatches of `all` parameters that fit into [`PIECE`]: whole blocks of `block` if one does. A function of these
/// two alone, as every bit of G is.
fn minibatches_per_piece(all: usize, block: usize) -> usize {
    match PIECE / (size_of::<f32>() * all) {
        0 => 1,
        room if room < block => room,
        room => room / block * block,
    }
}

/// `columns` ← the `rows` of the `whole` gradients, which have `all` numbers each.
pub(super) fn keep_rows(whole: &[f32], all: usize, rows: &[Range<usize>], columns: &mut [f32]) {
    let n: usize = rows.iter().map(Range::len).sum();
    for (whole, column) in whole.chunks_exact(all).zip(columns.chunks_exact_mut(n)) {
        let mut rest = column;
        for range in rows {
            let (part, behind) = rest.split_at_mut(range.len());
            part.copy_from_slice(&whole[range.clone()]);
            rest = behind;
        }
    }
}

/// Marks the gradients in `blocks` of an unfinished recording as there, with their hashes: what a loss of power takes of
/// them is seen. The transform's state, which knows their number too, goes first: whichever of the two files
/// is the last to be written, one of them is right.
fn mark(partial: &Path, blocks: &[Block], transform: Option<&Transform>) -> Result<(), StoreError> {
    if let Some(transform) = transform.filter(|transform| transform.has_state()) {
        let state = transform.save().expect("an optimizer's state is float32");
        replace_sealed(&partial.join(MOMENTS), state)?;
    }
    let blocks = serde_json::to_vec(blocks).expect("blocks are numbers and text");
    replace_sealed(&partial.join(DONE), blocks)
}

/// The block of the gradients `range` of a history.
fn block_of(history: &GradientHistory, range: Range<usize>) -> Block {
    let n = history.parameters();
    Block {
        end: bytes_of(range.end, n),
        blake3: integrity::hash(bytemuck::cast_slice(
            &history.values()[range.start * n..range.end * n],
        )),
    }
}

/// Bytes of so many gradients of `n` numbers.
fn bytes_of(gradients: usize, n: usize) -> u64 {
    (gradients * n * size_of::<f32>()) as u64
}

/// Gradients of `n` numbers that lie whole in `blocks`.
fn gradients_in(blocks: &[Block], n: usize) -> usize {
    blocks.last().map_or(0, |last| last.end as usize) / (n * size_of::<f32>()).max(1)
}
