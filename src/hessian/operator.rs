//! The curvature matrix of the mean loss over N samples as an operator: products with many vectors at once.

use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;

use super::pass::{Buffers, Pass};
use super::{Curvature, HessianError};
use crate::data::Dataset;
use crate::layers::lanes::LANES;
use crate::models::Network;

/// Samples whose products are summed in float32 before they join the float64 sum. Fixed, so that how sums are
/// grouped does not depend on the number of threads.
const BLOCK: usize = 8 * LANES;

/// Memory for the blocks' float32 sums beyond one block for each thread.
const WAVE_BYTES: usize = 256 << 20;

/// A symmetric matrix of n × n that is never formed.
#[derive(Debug)]
pub struct Operator<'a> {
    pass: Pass<'a>,
    data: &'a Dataset,
    samples: &'a [u32],
}

struct Slot {
    buffers: Buffers,
    sums: Vec<f32>,
}

impl<'a> Operator<'a> {
    /// The `kind` of curvature of the mean cross-entropy of `network` at `theta` over `samples` of `data`.
    ///
    /// Fails when the network has no second derivatives here, θ is not finite, or data and network do not fit.
    pub fn new(
        network: &'a Network,
        theta: &'a [f32],
        data: &'a Dataset,
        samples: &'a [u32],
        kind: Curvature,
    ) -> Result<Self, HessianError> {
        let model = network.name;
        if theta.len() != network.parameter_count() {
            return Err(HessianError::WeightsLength {
                model,
                found: theta.len(),
                expected: network.parameter_count(),
            });
        }
        if let Some(index) = theta.iter().position(|value| !value.is_finite()) {
            let named = network
                .parameters()
                .into_iter()
                .find(|p| p.range.contains(&index));
            return Err(HessianError::WeightsNotFinite {
                index,
                parameter: named.map_or_else(String::new, |p| p.name),
                value: theta[index],
            });
        }
        let misfit = |reason: String| HessianError::Data {
            data: data.name.clone(),
            model,
            reason,
        };
        if data.shape != network.input {
            return Err(misfit(format!(
                "its examples are {:?}, the model takes {:?}",
                data.shape, network.input
            )));
        }
        if data.classes > network.classes {
            return Err(misfit(format!(
                "it has {} classes, the model {} logits",
                data.classes, network.classes
            )));
        }
        if samples.is_empty() {
            return Err(HessianError::NoSamples);
        }
        let examples = data.len();
        if let Some(sample) = samples.iter().copied().find(|s| *s as usize >= examples) {
            return Err(HessianError::Sample { sample, examples });
        }
        Ok(Operator {
            pass: Pass::new(network, theta, kind)?,
            data,
            samples,
        })
    }

    /// n, rows and columns.
    pub fn size(&self) -> usize {
        self.pass.network.parameter_count()
    }

    /// N, the number of samples.
    pub fn samples(&self) -> usize {
        self.samples.len()
    }

    /// Which matrix.
    pub fn kind(&self) -> Curvature {
        self.pass.kind
    }

    /// What the matrix depends on, for recognising a kept state.
    pub(super) fn fingerprint(&self) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_derive_key("gradstudy curvature operator 1");
        hasher.update(self.pass.network.name.as_bytes());
        hasher.update(self.kind().words().as_bytes());
        hasher.update(bytemuck::cast_slice(self.pass.theta));
        hasher.update(self.data.digest.as_bytes());
        hasher.update(format!("{:?}", self.data.note).as_bytes());
        hasher.update(bytemuck::cast_slice(self.samples));
        let labels: Vec<u32> = self
            .samples
            .iter()
            .map(|i| self.data.labels[*i as usize])
            .collect();
        hasher.update(bytemuck::cast_slice(&labels));
        hasher.finalize()
    }

    /// `products` ← the matrix times each of the `directions` (n numbers each); None if `cancel` was set.
    ///
    /// Kernels work in float32, blocks of 128 samples are summed in float64 in their order: the result does not
    /// depend on the number of threads.
    pub fn products(&self, directions: &[f32], products: &mut [f64], cancel: &AtomicBool) -> Option<()> {
        let n = self.size();
        let threads = rayon::current_num_threads();
        let blocks: Vec<&[u32]> = self.samples.chunks(BLOCK).collect();
        let affordable = WAVE_BYTES / size_of_val(directions).max(1);
        let wave = affordable.clamp(threads, 4 * threads).min(blocks.len());
        let mut slots: Vec<Slot> = (0..wave)
            .map(|_| Slot {
                buffers: self.pass.buffers(),
                sums: vec![0.0; directions.len()],
            })
            .collect();
        products.fill(0.0);
        for blocks in blocks.chunks(wave) {
            slots
                .par_iter_mut()
                .zip(blocks)
                .for_each(|(slot, samples)| self.block(slot, samples, directions, cancel));
            if cancel.load(Ordering::Relaxed) {
                return None;
            }
            products.par_chunks_mut(4096).enumerate().for_each(|(i, part)| {
                for slot in &slots[..blocks.len()] {
                    let sums = &slot.sums[i * 4096..][..part.len()];
                    part.iter_mut().zip(sums).for_each(|(p, s)| *p += f64::from(*s));
                }
            });
        }
        let count = self.samples.len() as f64;
        products
            .par_chunks_mut(n.max(1))
            .for_each(|p| p.iter_mut().for_each(|p| *p /= count));
        Some(())
    }

    /// Sums the products of one block of samples into `slot.sums`: the primal pass of a group once, then every
    /// direction while its activations are in the cache.
    fn block(&self, slot: &mut Slot, samples: &[u32], directions: &[f32], cancel: &AtomicBool) {
        let n = self.size();
        slot.sums.fill(0.0);
        let mut labels = Vec::with_capacity(LANES);
        for group in samples.chunks(LANES) {
            if cancel.load(Ordering::Relaxed) {
                return;
            }
            load_images(
                &mut slot.buffers.inputs[0],
                group.iter().map(|i| self.data.image(*i as usize)),
            );
            labels.clear();
            labels.extend(group.iter().map(|i| self.data.labels[*i as usize]));
            self.pass.load(&mut slot.buffers, &labels);
            for (direction, sums) in directions.chunks_exact(n).zip(slot.sums.chunks_exact_mut(n)) {
                self.pass.product(&mut slot.buffers, direction, sums);
            }
        }
    }
}

/// Lays samples side by side; absent lanes are zero.
fn load_images<'a>(input: &mut [crate::layers::lanes::Lanes], images: impl Iterator<Item = &'a [f32]>) {
    let mut filled = 0;
    for (lane, image) in images.take(LANES).enumerate() {
        input
            .iter_mut()
            .zip(image)
            .for_each(|(lanes, value)| lanes.0[lane] = *value);
        filled = lane + 1;
    }
    if filled < LANES {
        input.iter_mut().for_each(|lanes| lanes.0[filled..].fill(0.0));
    }
}
