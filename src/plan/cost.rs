//! What a step will take, estimated before it runs.

use crate::gradients::batches::Order;
use crate::gradients::record::bytes_per_block;
use crate::layers::BatchNormMode;
use crate::models::Network;

/// An estimate.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Cost {
    /// Wall time on this machine's CPU.
    pub seconds: f64,
    /// Peak memory.
    pub bytes: u64,
    /// Floating-point operations.
    pub flops: u64,
    /// Bytes that stay in the cache.
    pub disk: u64,
}

/// Sustained rate of the gradient kernels per core, in FLOP/s: 24 µs for LeNet's 1.7 MFLOP gradient with AVX-512.
const FLOPS_PER_CORE: f64 = 70e9;

/// Rate at which gradients are written to fresh memory, in bytes/s.
const WRITE_RATE: f64 = 3e9;

/// Seconds of a training step outside the gradient kernels (sums, optimizer), per parameter.
const STEP_PER_PARAMETER: f64 = 2e-9;

/// Seconds that an optimizer's direction takes, per number.
const TRANSFORM_PER_NUMBER: f64 = 1e-9;

fn cores() -> f64 {
    rayon::current_num_threads() as f64
}

/// Reading and normalising `examples` samples of `size` numbers.
pub fn load(examples: u64, size: u64) -> Cost {
    Cost {
        seconds: (examples * size) as f64 / 400e6,
        bytes: 4 * examples * size,
        ..Cost::default()
    }
}

/// `epochs` of training on `examples` samples.
pub fn train(network: &Network, examples: u64, epochs: u64, batch: u64) -> Cost {
    let n = network.parameter_count() as u64;
    let steps = epochs.saturating_mul(examples / batch.max(1));
    let flops = steps
        .saturating_mul(batch)
        .saturating_mul(network.gradient_flops());
    let seconds = flops as f64 / (FLOPS_PER_CORE * cores()) + steps as f64 * n as f64 * STEP_PER_PARAMETER;
    // Batch normalisation keeps a whole minibatch's activations.
    let activations = match network.has_batch_norm() {
        true => batch.next_multiple_of(16) * network.bytes_per_sample() as u64,
        false => 0,
    };
    Cost {
        seconds,
        bytes: 4 * n * (batch / 32 + 4) + activations,
        flops,
        disk: 12 * n,
    }
}

/// T gradients over minibatches of B samples, of which `rows` numbers each are kept.
pub fn record(
    network: &Network,
    rows: usize,
    batch: u64,
    iterations: u64,
    order: Order,
    batch_norm: BatchNormMode,
    keep: bool,
) -> Cost {
    let bytes = 4 * rows as u64 * iterations;
    // All gradients of the full batch are one.
    let gradients = if order == Order::Full { 1 } else { iterations };
    let flops = batch
        .saturating_mul(gradients)
        .saturating_mul(network.gradient_flops());
    let seconds = flops as f64 / (FLOPS_PER_CORE * cores()) + bytes as f64 / WRITE_RATE;
    let activations = bytes_per_block(network, batch as usize, batch_norm) as u64;
    Cost {
        seconds,
        bytes: bytes + activations,
        flops,
        disk: if keep { bytes } else { 0 },
    }
}

/// A recording whose T gradients of n numbers are transformed: each is read and written once more, and an optimizer
/// holds up to three numbers for each parameter.
pub fn transformed(record: Cost, network: &Network, iterations: u64) -> Cost {
    let n = network.parameter_count() as u64;
    Cost {
        seconds: record.seconds + (n * iterations) as f64 * TRANSFORM_PER_NUMBER,
        bytes: record.bytes + 12 * n,
        ..record
    }
}
