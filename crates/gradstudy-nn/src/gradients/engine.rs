//! What computes gradients: gradstudy's own kernels on the CPU, or burn on any of its devices.

use std::ops::Range;

use burn::{Device, Tensor, TensorData};
use rayon::prelude::*;

use super::failure::{EngineError, attempt, halving};
#[cfg(feature = "kernels")]
use super::kernels::{DeviceData, KernelNetwork};
#[cfg(feature = "kernels")]
use super::on_gpu::GpuHistory;
use super::record::{coupled_block, record, record_block};
use super::tensor::TensorNetwork;
#[cfg(feature = "kernels")]
use crate::kernels::Gpu;
use crate::layers::lanes::LANES;
use crate::layers::{BatchNormMode, Products};
use crate::models::Network;
use crate::models::score::Score;
use gradstudy_data::Dataset;

/// A way to compute gradients.
#[derive(Debug, Clone)]
pub enum Engine {
    /// gradstudy's kernels, all cores.
    Host,
    /// burn tensors on this device, which multiplies matrices like this.
    Burn(Device, Products),
}

/// Samples of one minibatch that a thread takes at once in [`Engine::gradient`]: fixed, so that the sum of the
/// parts does not depend on the number of threads.
const PART: usize = 2 * LANES;

/// Samples per autodiff pass on burn: chunks of this size suit the CPU's caches and keep a GPU's memory small.
const BURN_SAMPLES: usize = 100;

/// Samples of one call of [`Engine::record`] on the host: so often is progress marked, and a stop looked for.
const HOST_SAMPLES: usize = 32_768;

/// Operations of one call elsewhere: some seconds of a GPU, which gets the data anew in each.
const DEVICE_OPERATIONS: u64 = 25_000_000_000_000;

impl Engine {
    /// Samples that [`Engine::record`] should be given at once.
    pub fn samples_per_chunk(&self, network: &Network) -> usize {
        match self {
            Engine::Host => HOST_SAMPLES,
            Engine::Burn(..) => {
                let samples = DEVICE_OPERATIONS / network.gradient_flops().max(1);
                samples.clamp(HOST_SAMPLES as u64 / 8, 1 << 22) as usize
            }
        }
    }

    /// The GPU that runs our kernels, if it is one.
    #[cfg(feature = "kernels")]
    pub fn gpu(&self) -> Option<Gpu> {
        match self {
            Engine::Host => None,
            Engine::Burn(device, _) => Gpu::of(device),
        }
    }

    /// Gradients of the mean loss over consecutive minibatches of `batch` samples into `columns` (n numbers each);
    /// batch normalisation goes by the statistics that `mode` says. `theta` may be followed by a network's running
    /// statistics (it must where `mode` asks for them). See [`record`] for `indices` and `progress`.
    ///
    /// A device whose memory does not suffice gets half as many minibatches at once. Errors: it holds not even one, or
    /// fails otherwise.
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
    ) -> Result<(), EngineError> {
        match self {
            Engine::Host => {
                record(network, theta, data, indices, batch, mode, columns, progress);
                Ok(())
            }
            Engine::Burn(device, products) => {
                let n = network.parameter_count();
                let rows = 0..n;
                if self.by_kernels(
                    network, theta, data, indices, batch, mode, &rows, columns, progress,
                )? {
                    return Ok(());
                }
                let tensors = TensorNetwork::new(network, theta, device, *products);
                halving(
                    indices.len() / batch,
                    BURN_SAMPLES / batch,
                    |minibatches| {
                        let indices = &indices[minibatches.start * batch..minibatches.end * batch];
                        let gradients = tensors.gradients(data, indices, batch, mode);
                        let count = minibatches.len();
                        copy(
                            gradients,
                            &mut columns[minibatches.start * n..minibatches.end * n],
                        )?;
                        progress(count as u64);
                        Ok(())
                    },
                    || device.memory_cleanup(),
                )
            }
        }
    }

    /// As [`Engine::record`], to the gradients from number `first` on of a history on the GPU; for networks of which there
    /// is a [`KernelNetwork`].
    #[cfg(feature = "kernels")]
    #[allow(clippy::too_many_arguments)]
    pub fn record_there(
        &self,
        network: &Network,
        theta: &[f32],
        data: &Dataset,
        indices: &[u32],
        batch: usize,
        mode: BatchNormMode,
        history: &GpuHistory,
        first: usize,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<(), EngineError> {
        let gpu = history.gpu();
        let kernels =
            KernelNetwork::new(network, theta, mode, gpu).expect("a network of layers with kernels");
        let rows = 0..network.parameter_count();
        let data = DeviceData::new(gpu, data, indices.len());
        halving(
            indices.len() / batch,
            kernels.minibatches_per_chunk(batch),
            |minibatches| {
                let indices = &indices[minibatches.start * batch..minibatches.end * batch];
                let row = first + minibatches.start;
                kernels.gradients(&data, indices, batch, &rows, history.values(), row);
                gpu.sync()?;
                progress(minibatches.len() as u64);
                Ok(())
            },
            || gpu.free(),
        )
    }

    /// As [`Engine::record`] by the minibatches' own statistics, but the parameters `rows` alone (`rows.len()` numbers
    /// of each gradient), where a GPU can leave the others. False, and nothing is done, elsewhere.
    #[allow(clippy::too_many_arguments)]
    pub fn record_rows(
        &self,
        network: &Network,
        theta: &[f32],
        data: &Dataset,
        indices: &[u32],
        batch: usize,
        rows: &Range<usize>,
        columns: &mut [f32],
    ) -> Result<bool, EngineError> {
        let mode = BatchNormMode::Batch;
        self.by_kernels(network, theta, data, indices, batch, mode, rows, columns, &|_| ())
    }

    /// The rows `rows` of gradients by our kernels for GPUs; false, and nothing is done, where they cannot.
    #[cfg(feature = "kernels")]
    #[allow(clippy::too_many_arguments)]
    fn by_kernels(
        &self,
        network: &Network,
        theta: &[f32],
        data: &Dataset,
        indices: &[u32],
        batch: usize,
        mode: BatchNormMode,
        rows: &Range<usize>,
        columns: &mut [f32],
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<bool, EngineError> {
        let Engine::Burn(device, _) = self else {
            return Ok(false);
        };
        let Some(gpu) = self.gpu() else {
            return Ok(false);
        };
        let Some(kernels) = KernelNetwork::new(network, theta, mode, &gpu) else {
            return Ok(false);
        };
        let n = network.parameter_count();
        let data = DeviceData::new(&gpu, data, indices.len());
        halving(
            indices.len() / batch,
            kernels.minibatches_per_chunk(batch),
            |minibatches| {
                let indices = &indices[minibatches.start * batch..minibatches.end * batch];
                let mut gradients = gpu.empty(minibatches.len() * n);
                kernels.gradients(&data, indices, batch, rows, &gradients, 0);
                if *rows != (0..n) {
                    gradients = gpu.columns(&gradients, n, rows.clone());
                }
                let columns = &mut columns[minibatches.start * rows.len()..minibatches.end * rows.len()];
                gpu.read_into(&gradients, columns)?;
                progress(minibatches.len() as u64);
                Ok(())
            },
            || device.memory_cleanup(),
        )?;
        Ok(true)
    }

    /// Losses and right predictions of `data`, batch normalisation by the running statistics behind θ; None, and nothing
    /// is done, but on a GPU whose kernels know the network.
    #[cfg(feature = "kernels")]
    pub fn score(
        &self,
        network: &Network,
        theta: &[f32],
        data: &Dataset,
    ) -> Result<Option<Score>, EngineError> {
        let Some(gpu) = self.gpu() else {
            return Ok(None);
        };
        let Some(kernels) = KernelNetwork::new(network, theta, BatchNormMode::Batch, &gpu) else {
            return Ok(None);
        };
        let samples: Vec<u32> = (0..data.len() as u32).collect();
        let there = DeviceData::new(&gpu, data, 0);
        let mut score = Score::default();
        halving(
            samples.len(),
            kernels.samples_per_chunk(),
            |range| {
                let logits = kernels.logits(&there, &samples[range.clone()])?;
                for (logits, label) in logits.chunks(network.classes).zip(&data.labels[range]) {
                    score.add(logits.iter().copied(), *label);
                }
                Ok(())
            },
            || gpu.free(),
        )?;
        Ok(Some(score))
    }

    /// There is none.
    #[cfg(not(feature = "kernels"))]
    pub fn score(&self, _: &Network, _: &[f32], _: &Dataset) -> Result<Option<Score>, EngineError> {
        Ok(None)
    }

    /// There are none.
    #[cfg(not(feature = "kernels"))]
    #[allow(clippy::too_many_arguments)]
    fn by_kernels(
        &self,
        _: &Network,
        _: &[f32],
        _: &Dataset,
        _: &[u32],
        _: usize,
        _: BatchNormMode,
        _: &Range<usize>,
        _: &mut [f32],
        _: &(dyn Fn(u64) + Sync),
    ) -> Result<bool, EngineError> {
        Ok(false)
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
    ) -> Result<f64, EngineError> {
        if let Engine::Burn(device, products) = self {
            #[cfg(feature = "kernels")]
            if let Some(gpu) = Gpu::of(device)
                && let Some(kernels) = KernelNetwork::new(network, theta, BatchNormMode::Batch, &gpu)
            {
                return attempt(|| {
                    let step = kernels.step(&DeviceData::new(&gpu, data, indices.len()), indices)?;
                    gpu.read_into(&step.gradient, gradient)?;
                    running.copy_from_slice(&step.statistics);
                    Ok(step.loss / indices.len() as f64)
                });
            }
            let tensors = TensorNetwork::new(network, theta, device, *products);
            return attempt(|| {
                let step = tensors.loss_and_gradient(data, indices);
                copy(step.gradient, gradient)?;
                if let Some(statistics) = step.statistics {
                    copy(statistics, running)?;
                }
                let mut loss = [0.0];
                copy(step.loss, &mut loss)?;
                Ok(f64::from(loss[0]) / indices.len() as f64)
            });
        }
        if network.has_batch_norm() {
            let (mut block, batch) = (network.block(indices.len()), indices.len());
            let (running, block) = (Some(running), &mut block);
            let loss = coupled_block(
                network, theta, data, indices, batch, gradient, running, block, true,
            );
            return Ok(loss / batch as f64);
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
        Ok(parts.iter().map(|(loss, _)| loss).sum::<f64>() / indices.len() as f64)
    }
}

/// Reads a tensor of float32 back from its device.
fn copy<const D: usize>(tensor: Tensor<D>, values: &mut [f32]) -> Result<(), EngineError> {
    let data: TensorData = tensor
        .try_into_data()
        .map_err(|error| EngineError::of(error.reason()))?;
    // Bytes are copied when they are first looked at: a device may fail as late as here.
    let read = data
        .as_slice()
        .map_err(|error| EngineError::of(&format!("{error:?}")))?;
    values.copy_from_slice(read);
    Ok(())
}
