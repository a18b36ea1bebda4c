//! Fills a gradient history on the host: whole minibatches at a time, sixteen samples side by side.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use crate::data::Dataset;
use crate::layers::lanes::{LANES, Segment};
use crate::models::{Network, Workspace};

/// Samples that one thread works on between two looks at the clock; a minibatch is never split.
const SAMPLES_PER_BLOCK: usize = 256;

/// Consecutive minibatches that go through the network together.
///
/// A function of B alone: how sums are grouped, and so every bit of G, does not depend on the number of threads.
pub fn minibatches_per_block(batch: usize) -> usize {
    (SAMPLES_PER_BLOCK / batch).max(1)
}

/// Writes the gradients of the mean loss over consecutive minibatches into `columns` (n numbers each).
///
/// `indices` holds B sample indices per minibatch. Returns the mean loss over all samples. `progress` is told of
/// finished minibatches. The number of minibatches should be a multiple of [`minibatches_per_block`] unless it is
/// the last call, so that the result does not depend on how a recording is divided into calls.
pub fn record(
    network: &Network,
    theta: &[f32],
    data: &Dataset,
    indices: &[u32],
    batch: usize,
    columns: &mut [f32],
    progress: &(dyn Fn(u64) + Sync),
) -> f64 {
    let n = network.parameter_count();
    let block = minibatches_per_block(batch);
    let samples = AtomicU64::new(0);
    let losses: Vec<f64> = columns
        .par_chunks_mut(n * block)
        .zip(indices.par_chunks(batch * block))
        .map_init(
            || network.workspace(),
            |workspace, (columns, indices)| {
                let loss = record_block(network, theta, data, indices, batch, columns, workspace);
                samples.fetch_add(indices.len() as u64, Ordering::Relaxed);
                progress((indices.len() / batch) as u64);
                loss
            },
        )
        .collect();
    losses.iter().sum::<f64>() / samples.into_inner().max(1) as f64
}

/// One block of minibatches on one thread; returns the sum of the samples' losses.
pub fn record_block(
    network: &Network,
    theta: &[f32],
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
        let labels: Vec<u32> = indices.iter().map(|i| data.labels[*i as usize]).collect();
        let segments = segments(first..first + indices.len(), batch);
        let losses = network.gradient(theta, workspace, &labels, scale, &segments, columns);
        total += losses[..indices.len()]
            .iter()
            .map(|loss| f64::from(*loss))
            .sum::<f64>();
    }
    total
}

/// How a group that holds the block's samples `range` is divided among minibatches of `batch` samples.
fn segments(range: Range<usize>, batch: usize) -> Vec<Segment> {
    (range.start / batch..=(range.end - 1) / batch)
        .map(|column| {
            let start = range.start.max(column * batch);
            let end = range.end.min((column + 1) * batch);
            Segment {
                lanes: start - range.start..end - range.start,
                column,
                first: start == column * batch,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_divided_at_minibatch_boundaries() {
        let parts: Vec<_> = segments(16..32, 10)
            .into_iter()
            .map(|s| (s.lanes, s.column, s.first))
            .collect();
        assert_eq!(parts, [(0..4, 1, false), (4..14, 2, true), (14..16, 3, true)]);
    }
}
