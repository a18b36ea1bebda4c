//! The curvature matrix of the mean loss over N samples as an operator: products with many vectors at once.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;

use super::group::Group;
#[cfg(feature = "kernels")]
use super::kernels::KernelPass;
use super::normalisation::Statistics;
use super::pass::Pass;
use super::{Curvature, HessianError};
#[cfg(feature = "kernels")]
use crate::gradients::engine::Engine;
use crate::layers::lanes::LANES;
use crate::models::Network;
use gradstudy_data::Dataset;

/// Samples whose products are summed in float32 before they join the float64 sum, where they are not a minibatch.
/// Fixed, so that how sums are grouped does not depend on the number of threads.
const BLOCK: usize = 8 * LANES;

/// Memory for the blocks' float32 sums and activations beyond one block for each thread.
const WAVE_BYTES: usize = 256 << 20;

/// A symmetric matrix of n × n that is never formed.
#[derive(Debug)]
pub struct Operator<'a> {
    pass: Pass<'a>,
    data: &'a Dataset,
    samples: &'a [u32],
    /// The parameters whose rows and columns are taken, if not all.
    rows: Option<Vec<Range<usize>>>,
    /// What does it on a GPU.
    #[cfg(feature = "kernels")]
    kernels: Option<KernelPass>,
}

struct Slot {
    groups: Vec<Group>,
    sums: Vec<f32>,
}

impl<'a> Operator<'a> {
    /// The `kind` of curvature of the mean cross-entropy of `network` at `values` (θ, and behind it the running
    /// statistics, by which batch normalisation goes) over `samples` of `data`.
    ///
    /// Fails when the network has no second derivatives here, a value is not finite, or data and network do not fit.
    pub fn new(
        network: &'a Network,
        values: &'a [f32],
        data: &'a Dataset,
        samples: &'a [u32],
        kind: Curvature,
    ) -> Result<Self, HessianError> {
        let model = network.name;
        if values.len() != network.value_count() {
            return Err(HessianError::WeightsLength {
                model,
                found: values.len(),
                expected: network.value_count(),
            });
        }
        if let Some(index) = values.iter().position(|value| !value.is_finite()) {
            let mut named = network.parameters().into_iter().chain(network.buffers());
            let named = named.find(|p| p.range.contains(&index));
            return Err(HessianError::WeightsNotFinite {
                index,
                parameter: named.map_or_else(String::new, |p| p.name),
                value: values[index],
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
            pass: Pass::new(network, values, kind)?,
            data,
            samples,
            rows: None,
            #[cfg(feature = "kernels")]
            kernels: None,
        })
    }

    /// The same by the GPU of `engine`, if it is one and all layers of the network have kernels and, but for batch
    /// normalisations, no curvature of their own; else as before.
    #[cfg(feature = "kernels")]
    pub fn on(mut self, engine: &Engine) -> Self {
        let Pass {
            network,
            values,
            kind,
            statistics,
            linear,
            ..
        } = &self.pass;
        self.kernels = KernelPass::new(
            network,
            values,
            linear,
            *statistics,
            self.data,
            self.samples,
            *kind,
            engine,
        );
        self
    }

    /// Whether a GPU makes the products.
    #[cfg(feature = "kernels")]
    pub fn has_kernels(&self) -> bool {
        self.kernels.is_some()
    }

    /// The block of these parameters alone: rows and columns in `rows`, ranges of θ that rise and do not overlap.
    pub fn of_rows(mut self, rows: Vec<Range<usize>>) -> Self {
        self.rows = Some(rows);
        self
    }

    /// The same with batch normalisation by the statistics of each minibatch of `size` consecutive samples, as in
    /// training: the loss is the mean over the minibatches, the statistics depend on θ. A network without batch
    /// normalisation is the same either way.
    ///
    /// Fails when minibatches of one sample are asked for, or the last one would not be full.
    pub fn in_minibatches(mut self, size: usize) -> Result<Self, HessianError> {
        if self.pass.network.has_batch_norm() {
            let samples = self.samples.len();
            minibatches(samples as u64, size as u64)?;
            self.pass.statistics = Statistics::Minibatches(size);
            #[cfg(feature = "kernels")]
            if let Some(kernels) = &mut self.kernels {
                kernels.statistics = self.pass.statistics;
            }
        }
        Ok(self)
    }

    /// n, rows and columns.
    pub fn size(&self) -> usize {
        match &self.rows {
            Some(rows) => rows.iter().map(Range::len).sum(),
            None => self.pass.network.parameter_count(),
        }
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
        let mut hasher = blake3::Hasher::new_derive_key("gradstudy curvature operator 3");
        hasher.update(self.pass.network.name.as_bytes());
        hasher.update(self.kind().words().as_bytes());
        hasher.update(bytemuck::cast_slice(self.pass.values));
        hasher.update(format!("{:?} {:?}", self.pass.statistics, self.rows).as_bytes());
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
    /// depend on the number of threads. On a GPU other numbers of samples go together, and it may fail.
    pub fn products(
        &self,
        directions: &[f32],
        products: &mut [f64],
        cancel: &AtomicBool,
    ) -> Option<Result<(), HessianError>> {
        let Some(rows) = &self.rows else {
            return self.whole_products(directions, products, cancel);
        };
        let (size, n) = (self.size(), self.pass.network.parameter_count());
        let count = directions.len() / size.max(1);
        let mut embedded = vec![0.0; count * n];
        for (whole, part) in embedded.chunks_exact_mut(n).zip(directions.chunks_exact(size)) {
            let mut rest = part;
            for range in rows {
                let (values, after) = rest.split_at(range.len());
                whole[range.clone()].copy_from_slice(values);
                rest = after;
            }
        }
        let mut of_all = vec![0.0; count * n];
        if let Err(error) = self.whole_products(&embedded, &mut of_all, cancel)? {
            return Some(Err(error));
        }
        for (whole, part) in of_all.chunks_exact(n).zip(products.chunks_exact_mut(size)) {
            let chosen = rows.iter().flat_map(|range| &whole[range.clone()]);
            part.iter_mut().zip(chosen).for_each(|(to, from)| *to = *from);
        }
        Some(Ok(()))
    }

    /// [`Operator::products`] with the whole matrix.
    fn whole_products(
        &self,
        directions: &[f32],
        products: &mut [f64],
        cancel: &AtomicBool,
    ) -> Option<Result<(), HessianError>> {
        #[cfg(feature = "kernels")]
        if let Some(kernels) = &self.kernels {
            return match kernels.products(self.pass.network, directions, products, cancel) {
                Ok(true) => {
                    self.divide(products);
                    Some(Ok(()))
                }
                Ok(false) => None,
                Err(error) => Some(Err(error.into())),
            };
        }
        self.host_products(directions, products, cancel)?;
        self.divide(products);
        Some(Ok(()))
    }

    /// Sums over the samples to their means.
    fn divide(&self, products: &mut [f64]) {
        let count = self.samples.len() as f64;
        products
            .par_chunks_mut(4096)
            .for_each(|p| p.iter_mut().for_each(|p| *p /= count));
    }

    /// Sums over all samples; None if `cancel` was set.
    fn host_products(&self, directions: &[f32], products: &mut [f64], cancel: &AtomicBool) -> Option<()> {
        let threads = rayon::current_num_threads();
        let block = match self.pass.statistics {
            Statistics::Running => BLOCK,
            Statistics::Minibatches(size) => size,
        };
        let blocks: Vec<&[u32]> = self.samples.chunks(block).collect();
        // Samples of one minibatch go together; others only as far as the lanes do.
        let groups = match self.pass.statistics {
            Statistics::Running => 1,
            Statistics::Minibatches(size) => size.div_ceil(LANES),
        };
        let affordable = WAVE_BYTES / (size_of_val(directions) + groups * self.pass.group_bytes()).max(1);
        let wave = affordable.clamp(threads, 4 * threads).min(blocks.len());
        let mut slots: Vec<Slot> = (0..wave)
            .map(|_| Slot {
                groups: (0..groups).map(|_| self.pass.group()).collect(),
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
        Some(())
    }

    /// Sums the products of one block of samples into `slot.sums`: the primal pass of samples that belong together
    /// once, then every direction while their activations are in the cache.
    fn block(&self, slot: &mut Slot, samples: &[u32], directions: &[f32], cancel: &AtomicBool) {
        let n = self.pass.network.parameter_count();
        slot.sums.fill(0.0);
        let mut labels = Vec::with_capacity(samples.len());
        for together in samples.chunks(slot.groups.len() * LANES) {
            if cancel.load(Ordering::Relaxed) {
                return;
            }
            let groups = &mut slot.groups[..together.len().div_ceil(LANES)];
            for (group, samples) in groups.iter_mut().zip(together.chunks(LANES)) {
                let images = samples.iter().map(|i| self.data.image(*i as usize));
                load_images(&mut group.inputs[0], images);
            }
            labels.clear();
            labels.extend(together.iter().map(|i| self.data.labels[*i as usize]));
            self.pass.load(groups, &labels);
            for (direction, sums) in directions.chunks_exact(n).zip(slot.sums.chunks_exact_mut(n)) {
                self.pass.product(groups, direction, sums);
            }
        }
    }
}

/// Whether `samples` make full minibatches of `size`, of two samples or more.
pub fn minibatches(samples: u64, size: u64) -> Result<(), HessianError> {
    match size < 2 || !samples.is_multiple_of(size) {
        true => Err(HessianError::Minibatches { samples, size }),
        false => Ok(()),
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
