//! Fills a gradient history on the host: whole minibatches at a time, sixteen samples side by side.

use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use crate::layers::BatchNormMode;
use crate::layers::lanes::LANES;
use crate::models::block::{Block, Samples, segments};
use crate::models::{Network, Workspace};
use gradstudy_data::Dataset;

/// Samples that one thread works on between two looks at the clock; a minibatch is never split.
const SAMPLES_PER_BLOCK: usize = 256;

/// Consecutive minibatches that go through the network together.
///
/// A function of B alone: how sums are grouped, and so every bit of G, does not depend on the number of threads.
pub fn minibatches_per_block(batch: usize) -> usize {
    (SAMPLES_PER_BLOCK / batch).max(1)
}

/// Blocks of this many bytes at most are left to one thread each; larger ones are shared by all threads, so that
/// memory does not grow with the number of cores.
const BYTES_PER_THREAD: usize = 64 << 20;

/// Bytes of the activations that recording keeps at once, on each thread or, for large networks, on all together.
pub fn bytes_per_block(network: &Network, batch: usize, mode: BatchNormMode) -> usize {
    let samples = match mode == BatchNormMode::Batch && network.has_batch_norm() {
        true => (batch * minibatches_per_block(batch)).next_multiple_of(LANES),
        false => LANES,
    };
    samples * network.bytes_per_sample()
}

/// Writes the gradients of the mean loss over consecutive minibatches into `columns` (n numbers each).
///
/// `indices` holds B sample indices per minibatch. Batch normalisation goes by the statistics that `mode` says.
/// Returns the mean loss over all samples. `progress` is told of finished minibatches. The number of minibatches
/// should be a multiple of [`minibatches_per_block`] unless it is the last call, so that the result does not depend
/// on how a recording is divided into calls.
#[allow(clippy::too_many_arguments)]
pub fn record(
    network: &Network,
    values: &[f32],
    data: &Dataset,
    indices: &[u32],
    batch: usize,
    mode: BatchNormMode,
    columns: &mut [f32],
    progress: &(dyn Fn(u64) + Sync),
) -> f64 {
    let n = network.parameter_count();
    let per_block = minibatches_per_block(batch);
    let samples = AtomicU64::new(0);
    let done = |indices: &[u32], loss: f64| {
        samples.fetch_add(indices.len() as u64, Ordering::Relaxed);
        progress((indices.len() / batch) as u64);
        loss
    };
    let coupled = mode == BatchNormMode::Batch && network.has_batch_norm();
    let losses: Vec<f64> = if !coupled {
        columns
            .par_chunks_mut(n * per_block)
            .zip(indices.par_chunks(batch * per_block))
            .map_init(
                || network.workspace(),
                |workspace, (columns, indices)| {
                    let loss = record_block(network, values, data, indices, batch, columns, workspace);
                    done(indices, loss)
                },
            )
            .collect()
    } else if bytes_per_block(network, batch, mode) <= BYTES_PER_THREAD {
        columns
            .par_chunks_mut(n * per_block)
            .zip(indices.par_chunks(batch * per_block))
            .map_init(
                || network.block((batch * per_block).min(indices.len())),
                |block, (columns, indices)| {
                    let loss =
                        coupled_block(network, values, data, indices, batch, columns, None, block, false);
                    done(indices, loss)
                },
            )
            .collect()
    } else {
        let mut block = network.block((batch * per_block).min(indices.len()));
        columns
            .chunks_mut(n * per_block)
            .zip(indices.chunks(batch * per_block))
            .map(|(columns, indices)| {
                let block = &mut block;
                let loss = coupled_block(network, values, data, indices, batch, columns, None, block, true);
                done(indices, loss)
            })
            .collect()
    };
    losses.iter().sum::<f64>() / samples.into_inner().max(1) as f64
}

/// One block of minibatches on one thread, group by group; returns the sum of the samples' losses.
pub fn record_block(
    network: &Network,
    values: &[f32],
    data: &Dataset,
    indices: &[u32],
    batch: usize,
    columns: &mut [f32],
    workspace: &mut Workspace,
) -> f64 {
    let scale = 1.0 / batch as f32;
    let mut total = 0.0;
    for (group, indices) in indices.chunks(LANES).enumerate() {
        let first = group * LANES;
        workspace.load(indices.iter().map(|i| data.image(*i as usize)));
        let labels = data.labels_of(indices);
        let segments = segments(first..first + indices.len(), batch);
        let losses = network.gradient(values, workspace, &labels, scale, &segments, columns);
        total += losses[..indices.len()]
            .iter()
            .map(|loss| f64::from(*loss))
            .sum::<f64>();
    }
    total
}

/// One block of minibatches, each normalised by its own statistics; returns the sum of the samples' losses. See
/// [`Network::block_gradient`] for `running` and `parallel`.
#[allow(clippy::too_many_arguments)]
pub fn coupled_block(
    network: &Network,
    values: &[f32],
    data: &Dataset,
    indices: &[u32],
    batch: usize,
    columns: &mut [f32],
    running: Option<&mut [f32]>,
    block: &mut Block,
    parallel: bool,
) -> f64 {
    let images: Vec<&[f32]> = indices.iter().map(|i| data.image(*i as usize)).collect();
    let labels = data.labels_of(indices);
    let samples = Samples {
        images: &images,
        labels: &labels,
        batch,
    };
    network.block_gradient(values, block, samples, columns, running, parallel)
}
