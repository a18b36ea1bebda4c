//! What computes gradients: gradstudy's own kernels on the CPU, or burn on any of its devices.

use burn::tensor::{Device, Tensor};
use rayon::prelude::*;

use super::record::{coupled_block, record, record_block};
use super::tensor::TensorNetwork;
use crate::data::Dataset;
use crate::layers::BatchNormMode;
use crate::layers::lanes::LANES;
use crate::models::Network;

/// A way to compute gradients.
#[derive(Debug, Clone)]
pub enum Engine {
    /// gradstudy's kernels, all cores.
    Host,
    /// burn tensors on this device.
    Burn(Device),
}

/// Samples of one minibatch that a thread takes at once in [`Engine::gradient`]: fixed, so that the sum of the
/// parts does not depend on the number of threads.
const PART: usize = 2 * LANES;

/// Samples per autodiff pass on burn: chunks of this size suit the CPU's caches and keep a GPU's memory small.
const BURN_SAMPLES: usize = 100;

impl Engine {
    /// Gradients of the mean loss over consecutive minibatches of `batch` samples into `columns` (n numbers each);
    /// batch normalisation goes by the statistics that `mode` says. `theta` may be followed by a network's running
    /// statistics (it must where `mode` asks for them). See [`record`] for `indices` and `progress`.
    #[allow(clippy::too_many_arguments)]
    pub fn record(
        &self,
        network: &Network,
        theta: &[f32],
        data: &Dataset,
        indices: &[u32],
        batch: usize,
        mode: BatchNormMode,
        columns: &mut [f32],
        progress: &(dyn Fn(u64) + Sync),
    ) {
        match self {
            Engine::Host => {
                record(network, theta, data, indices, batch, mode, columns, progress);
            }
            Engine::Burn(device) => {
                let tensors = TensorNetwork::new(network, theta, device);
                let minibatches = (BURN_SAMPLES / batch).max(1);
                let n = network.parameter_count();
                for (indices, columns) in indices
                    .chunks(batch * minibatches)
                    .zip(columns.chunks_mut(n * minibatches))
                {
                    let gradients = tensors.gradients(data, indices, batch, mode).into_data();
                    columns.copy_from_slice(gradients.as_slice().expect("gradients are float32"));
                    progress((indices.len() / batch) as u64);
                }
            }
        }
    }

    /// The gradient of the mean loss over one minibatch into `gradient`; returns that loss. Batch normalisation goes
    /// by the minibatch's own statistics, as in training; its mean and unbiased variances go to `running`, in the
    /// order of [`Network::buffers`].
    pub fn gradient(
        &self,
        network: &Network,
        theta: &[f32],
        data: &Dataset,
        indices: &[u32],
        gradient: &mut [f32],
        running: &mut [f32],
    ) -> f64 {
        if let Engine::Burn(device) = self {
            let tensors = TensorNetwork::new(network, theta, device);
            let step = tensors.loss_and_gradient(data, indices);
            let copy = |tensor: Tensor<1>, values: &mut [f32]| {
                values.copy_from_slice(tensor.into_data().as_slice().expect("gradients are float32"));
            };
            copy(step.gradient, gradient);
            if let Some(statistics) = step.statistics {
                copy(statistics, running);
            }
            return step.loss / indices.len() as f64;
        }
        if network.has_batch_norm() {
            let (mut block, batch) = (network.block(indices.len()), indices.len());
            let (running, block) = (Some(running), &mut block);
            let loss = coupled_block(
                network, theta, data, indices, batch, gradient, running, block, true,
            );
            return loss / batch as f64;
        }
        let parts: Vec<(f64, Vec<f32>)> = indices
            .par_chunks(PART)
            .map_init(
                || network.workspace(),
                |workspace, part| {
                    let mut column = vec![0.0; gradient.len()];
                    let loss = record_block(network, theta, data, part, part.len(), &mut column, workspace);
                    (loss, column)
                },
            )
            .collect();
        gradient.fill(0.0);
        for (part, (_, column)) in indices.chunks(PART).zip(&parts) {
            let weight = part.len() as f32 / indices.len() as f32;
            gradient
                .iter_mut()
                .zip(column)
                .for_each(|(sum, value)| *sum += weight * value);
        }
        parts.iter().map(|(loss, _)| loss).sum::<f64>() / indices.len() as f64
    }
}
