//! Records what a spectrum needs of each gradient, where that is less than the gradient.

use std::ops::Range;

use rayon::prelude::*;

use super::engine::Engine;
use super::failure::EngineError;
use super::record::minibatches_per_block;
use super::transform::Transform;
use crate::layers::BatchNormMode;
use crate::layers::lanes::LANES;
use crate::models::Network;
use crate::models::block::segments;
use crate::models::parts::Layout;
use gradstudy_data::Dataset;

/// Parts of the gradients of the mean loss over consecutive minibatches into `columns`, as `layout` says. For
/// networks whose samples do not meet in a batch normalisation. See [`record`](super::record::record).
pub fn record_parts(
    network: &Network,
    values: &[f32],
    data: &Dataset,
    indices: &[u32],
    layout: &Layout,
    columns: &mut [f32],
    progress: &(dyn Fn(u64) + Sync),
) {
    let (batch, per_block) = (layout.batch, minibatches_per_block(layout.batch));
    columns
        .par_chunks_mut(layout.stride * per_block)
        .zip(indices.par_chunks(batch * per_block))
        .for_each_init(
            || network.workspace(),
            |workspace, (columns, indices)| {
                for (group, samples) in indices.chunks(LANES).enumerate() {
                    let first = group * LANES;
                    workspace.load(samples.iter().map(|i| data.image(*i as usize)));
                    let labels = data.labels_of(samples);
                    let segments = segments(first..first + samples.len(), batch);
                    let scale = 1.0 / batch as f32;
                    network.gradient_parts(
                        values, workspace, &labels, scale, &segments, first, layout, columns,
                    );
                }
                progress((indices.len() / batch) as u64);
            },
        );
}

/// Minibatches whose whole gradients lie in memory at once while a window is recorded: a multiple of
/// [`minibatches_per_block`], and more than one block only as far as `bytes` go.
pub fn chunk_of_windows(parameters: usize, batch: usize, bytes: u64) -> usize {
    let block = minibatches_per_block(batch);
    let fit = bytes / (4 * parameters as u64 * block as u64).max(1);
    block * fit.clamp(1, 64) as usize
}

/// Records whole gradients of the minibatches `indices` and keeps rows `rows` of each in `window` (`rows.len()`
/// numbers each). `scratch` has room for the whole gradients.
#[allow(clippy::too_many_arguments)]
pub fn record_window(
    engine: &Engine,
    network: &Network,
    values: &[f32],
    data: &Dataset,
    indices: &[u32],
    batch: usize,
    transform: &mut Transform,
    rows: Range<usize>,
    scratch: &mut [f32],
    window: &mut [f32],
) -> Result<(), EngineError> {
    if transform.is_identity() && engine.record_rows(network, values, data, indices, batch, &rows, window)? {
        return Ok(());
    }
    let n = network.parameter_count();
    let whole = &mut scratch[..indices.len() / batch * n];
    let mode = BatchNormMode::Batch;
    engine.record(network, values, data, indices, batch, mode, whole, &|_| ())?;
    transform.apply(whole);
    window
        .par_chunks_mut(rows.len())
        .zip(whole.par_chunks(n))
        .for_each(|(part, column)| part.copy_from_slice(&column[rows.clone()]));
    Ok(())
}
