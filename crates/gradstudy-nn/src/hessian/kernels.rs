//! Curvature-vector products by gradstudy's kernels for GPUs: as [`super::pass`], with many samples at once.
//!
//! Activations, deltas and tangents stay in the GPU's memory; sums over a few samples are in float32, their sums in
//! float64.

mod normalisation;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use burn::Device;

use self::normalisation::batch_norm;
use super::Curvature;
use super::normalisation::Statistics;
use crate::gradients::engine::Engine;
use crate::gradients::failure::{EngineError, halving};
use crate::kernels::{Around, Buffer, Gpu, Kernel, Pass, Rows};
use crate::layers::second_order::SecondOrder;
use crate::layers::size;
use crate::models::Network;
use crate::models::network::Flow;
use gradstudy_data::Dataset;

/// Bytes of activations, and of products of single minibatches, that are kept at once.
const ACTIVATION_BYTES: usize = 8 << 30;
const ROW_BYTES: usize = 1 << 30;

/// Minibatches that samples are divided into at least, where there are enough, and samples of each at most: so many
/// products are added up in parallel, and so many terms in float32.
const MINIBATCHES: usize = 200;
const BATCH: usize = 100;

/// A network and samples on a GPU, ready for products.
pub struct KernelPass {
    device: Device,
    gpu: Gpu,
    kind: Curvature,
    layers: Vec<Box<dyn Kernel>>,
    flow: Flow,
    pub(super) statistics: Statistics,
    /// θ, and the running statistics behind it.
    theta: Buffer,
    /// θ with every bias zero.
    linear: Buffer,
    /// 1 for every parameter; 1 for those whose product has a term ẋ δ.
    all: Buffer,
    curved: Buffer,
    images: Buffer,
    labels: Vec<u32>,
}

impl fmt::Debug for KernelPass {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "KernelPass on {:?}", self.device)
    }
}

/// The activations of some minibatches and, for the Hessian, what comes back to them.
struct Loaded {
    minibatches: usize,
    batch: usize,
    activations: Vec<Buffer>,
    /// What each batch normalisation goes by.
    moments: Vec<Option<Buffer>>,
    deltas: Vec<Option<Buffer>>,
    /// δ of the logits.
    delta: Buffer,
}

impl KernelPass {
    /// None unless `engine` is a GPU and every layer has a kernel and, but for batch normalisations, no curvature of its
    /// own.
    ///
    /// `values` are θ and what lies behind it, `linear` is θ with biases zero.
    #[allow(clippy::too_many_arguments)]
    pub fn new(
        network: &Network,
        values: &[f32],
        linear: &[f32],
        statistics: Statistics,
        data: &Dataset,
        samples: &[u32],
        kind: Curvature,
        engine: &Engine,
    ) -> Option<Self> {
        let Engine::Burn(device, _) = engine else {
            return None;
        };
        let plain = |placed: &crate::models::network::Placed| {
            let rule = placed.layer.second_order();
            matches!(
                rule,
                SecondOrder::Linear | SecondOrder::Piecewise(_) | SecondOrder::Normalisation(_)
            )
        };
        if network.positions != 1 || !network.layers.iter().all(plain) {
            return None;
        }
        let layers = network.layers.iter().map(|placed| placed.layer.kernel());
        let layers = layers.collect::<Option<Vec<_>>>()?;
        let gpu = engine.gpu()?;
        let n = network.parameter_count();
        let flow = network.flow();
        let mut curved = vec![0; n];
        for placed in network.layers.iter().filter(|placed| flow.depends[placed.from]) {
            let mut start = placed.range.start;
            for parameter in placed.layer.parameters() {
                let range = start..start + parameter.len();
                start = range.end;
                curved[range].fill(u32::from(parameter.name != "bias"));
            }
        }
        let images = samples.iter().flat_map(|i| data.image(*i as usize));
        Some(KernelPass {
            device: device.clone(),
            kind,
            layers,
            flow,
            statistics,
            theta: gpu.upload(values),
            linear: gpu.upload(linear),
            all: gpu.upload_integers(&vec![1; n]),
            curved: gpu.upload_integers(&curved),
            images: gpu.upload(&images.copied().collect::<Vec<f32>>()),
            labels: data.labels_of(samples),
            gpu,
        })
    }

    /// `products` ← the sum over all samples of their curvature matrices times each of the `directions` (n numbers
    /// each). False if `cancel` was set.
    pub fn products(
        &self,
        network: &Network,
        directions: &[f32],
        products: &mut [f64],
        cancel: &AtomicBool,
    ) -> Result<bool, EngineError> {
        let (n, samples) = (network.parameter_count(), self.labels.len());
        products.fill(0.0);
        let batch = match self.statistics {
            Statistics::Minibatches(size) => size,
            Statistics::Running => (samples / MINIBATCHES).clamp(1, BATCH),
        };
        // Activations, deltas, their tangents: twice what a gradient takes.
        let bytes = 2 * network.bytes_per_sample() * batch;
        let most = (ACTIVATION_BYTES / bytes)
            .min(ROW_BYTES / (n * size_of::<f32>()))
            .max(1);
        let whole = samples / batch;
        // Chunks of about equal size.
        let most = whole.div_ceil(whole.div_ceil(most));
        let mut add = |first: usize, minibatches: usize, batch: usize| -> Result<(), EngineError> {
            if cancel.load(Ordering::Relaxed) {
                return Ok(());
            }
            let sums = self.gpu.zeros_wide(directions.len());
            let loaded = self.load(network, first, minibatches, batch);
            for (number, direction) in directions.chunks_exact(n).enumerate() {
                self.product(network, &loaded, &self.gpu.upload(direction), &sums, number * n);
            }
            let sums = self.gpu.read_wide(&sums)?;
            products.iter_mut().zip(&sums).for_each(|(to, sum)| *to += sum);
            Ok(())
        };
        let free = || self.device.memory_cleanup();
        halving(
            whole,
            most,
            |range| add(range.start * batch, range.len(), batch),
            free,
        )?;
        let rest = samples - whole * batch;
        halving(rest.min(1), 1, |_| add(whole * batch, 1, rest), free)?;
        Ok(!cancel.load(Ordering::Relaxed))
    }

    /// Samples from `first` on, forward and, for the Hessian, backward.
    fn load(&self, network: &Network, first: usize, minibatches: usize, batch: usize) -> Loaded {
        let gpu = &self.gpu;
        let samples = first..first + minibatches * batch;
        let indices: Vec<u32> = samples.clone().map(|i| i as u32).collect();
        let indices = gpu.upload_integers(&indices);
        let mut activations = vec![gpu.gather(&self.images, &indices, size(network.input))];
        let mut moments = Vec::new();
        for (i, placed) in network.layers.iter().enumerate() {
            let pass = self.pass(network, i, &self.theta, minibatches, batch);
            let (output, kept) = self.layers[i].forward(&pass, &activations[placed.from]);
            moments.push(kept);
            activations.push(match placed.plus {
                None => output,
                Some(plus) => gpu.add(&output, &activations[plus]),
            });
        }
        let depth = network.layers.len();
        let labels = gpu.upload_integers(&self.labels[samples]);
        let delta = gpu.loss_gradient(&activations[depth], &labels, network.classes);
        let mut loaded = Loaded {
            minibatches,
            batch,
            activations,
            moments,
            deltas: vec![None; depth + 1],
            delta,
        };
        if self.kind != Curvature::Hessian {
            return loaded;
        }
        let mut deltas = vec![None; depth + 1];
        deltas[depth] = Some(loaded.delta.clone());
        for (i, placed) in network.layers.iter().enumerate().rev() {
            let Some(delta) = deltas[i + 1].clone() else {
                continue;
            };
            let pass = self.pass(network, i, &self.theta, minibatches, batch);
            if self.flow.depends[placed.from] {
                let back = self.layers[i].backward(&pass, &loaded.around(i, placed.from), &delta);
                self.send(&mut deltas, placed.from, back);
            }
            if let Some(plus) = placed.plus {
                self.send(&mut deltas, plus, delta);
            }
        }
        loaded.deltas = deltas;
        loaded
    }

    /// Adds the loaded samples' product with `direction` to the numbers of `sums` from `at` on.
    fn product(&self, network: &Network, loaded: &Loaded, direction: &Buffer, sums: &Buffer, at: usize) {
        let (gpu, n) = (&self.gpu, network.parameter_count());
        let (minibatches, batch) = (loaded.minibatches, loaded.batch);
        let tangents = self.tangents(network, loaded, direction);
        let depth = network.layers.len();
        let (logits, classes) = (&loaded.activations[depth], network.classes);
        let mut back = vec![None; depth + 1];
        if let Some(tangent) = &tangents[depth] {
            back[depth] = Some(match self.kind {
                Curvature::Hessian | Curvature::GaussNewton => gpu.loss_curvature(logits, tangent, classes),
                Curvature::EmpiricalFisher => gpu.gradient_curvature(&loaded.delta, tangent, classes),
            });
        }
        let whole = self.kind == Curvature::Hessian;
        let rows = gpu.empty(minibatches * n);
        let curved = whole.then(|| gpu.empty(minibatches * n));
        for (i, placed) in network.layers.iter().enumerate().rev() {
            let Some(delta_tangent) = back[i + 1].take() else {
                continue;
            };
            let layer = &self.layers[i];
            let at_theta = self.pass(network, i, &self.theta, minibatches, batch);
            let around = loaded.around(i, placed.from);
            let place = Rows {
                row: 0,
                stride: n,
                column: placed.range.start,
            };
            if !placed.range.is_empty() {
                layer.gradient(&at_theta, &around, &delta_tangent, &rows, place);
            }
            let second = match (&curved, &loaded.deltas[i + 1], &tangents[placed.from]) {
                (Some(curved), Some(delta), Some(tangent)) => Some((curved, delta, tangent)),
                _ => None,
            };
            let norm = batch_norm(placed).map(|norm| self.normalised(norm, i, placed, loaded));
            let sum = match (norm, second) {
                (Some(norm), Some((curved, delta, tangent))) => {
                    gpu.normalisation_cross(&norm, tangent, delta, curved, place);
                    let place = (curved, place);
                    Some(gpu.normalise_back_tangent(&norm, tangent, direction, delta, &delta_tangent, place))
                }
                (None, Some((curved, delta, tangent))) if !placed.range.is_empty() => {
                    let along = Around {
                        input: tangent,
                        ..loaded.around(i, placed.from)
                    };
                    layer.gradient(&at_theta, &along, delta, curved, place);
                    let sum = layer.backward(&at_theta, &around, &delta_tangent);
                    let along = self.pass(network, i, direction, minibatches, batch);
                    Some(gpu.add(&sum, &layer.backward(&along, &around, delta)))
                }
                _ if self.flow.depends[placed.from] => {
                    Some(layer.backward(&at_theta, &around, &delta_tangent))
                }
                _ => None,
            };
            if let Some(sum) = sum {
                self.send(&mut back, placed.from, sum);
            }
            if let Some(plus) = placed.plus {
                self.send(&mut back, plus, delta_tangent);
            }
        }
        gpu.add_rows(&rows, &self.all, sums, at);
        if let Some(curved) = &curved {
            gpu.add_rows(curved, &self.curved, sums, at);
        }
    }

    /// The activations' derivatives along `direction`; None where they do not depend on θ.
    fn tangents(&self, network: &Network, loaded: &Loaded, direction: &Buffer) -> Vec<Option<Buffer>> {
        let gpu = &self.gpu;
        let (minibatches, batch) = (loaded.minibatches, loaded.batch);
        let mut tangents: Vec<Option<Buffer>> = vec![None];
        for (i, placed) in network.layers.iter().enumerate() {
            let mut sum = None;
            let mut add = |term: Buffer| {
                sum = Some(match sum.take() {
                    None => term,
                    Some(sum) => gpu.add(&sum, &term),
                });
            };
            let around = loaded.around(i, placed.from);
            if let Some(norm) = batch_norm(placed) {
                let norm = self.normalised(norm, i, placed, loaded);
                add(match &tangents[placed.from] {
                    Some(tangent) => gpu.normalise_tangent(&norm, tangent, direction),
                    None => gpu.normalise(norm.input, norm.moments, direction, norm.offset, norm.size, batch),
                });
            } else if !placed.range.is_empty() {
                let along = self.pass(network, i, direction, minibatches, batch);
                add(self.layers[i].forward(&along, around.input).0);
            }
            if let (Some(tangent), None) = (&tangents[placed.from], batch_norm(placed)) {
                let linear = self.pass(network, i, &self.linear, minibatches, batch);
                add(self.layers[i].tangent(&linear, &around, tangent));
            }
            if let Some(tangent) = placed.plus.and_then(|plus| tangents[plus].clone()) {
                add(tangent);
            }
            tangents.push(sum);
        }
        tangents
    }

    fn pass<'a>(
        &'a self,
        network: &Network,
        i: usize,
        values: &'a Buffer,
        minibatches: usize,
        batch: usize,
    ) -> Pass<'a> {
        Pass {
            gpu: &self.gpu,
            values,
            offset: network.layers[i].range.start,
            running: (self.statistics == Statistics::Running).then_some(network.layers[i].buffers.start),
            minibatches,
            batch,
        }
    }

    /// Adds `delta` to what has come back to an activation, if that depends on θ.
    fn send(&self, deltas: &mut [Option<Buffer>], to: usize, delta: Buffer) {
        if self.flow.depends[to] {
            deltas[to] = Some(match deltas[to].take() {
                None => delta,
                Some(other) => self.gpu.add(&other, &delta),
            });
        }
    }
}

impl Loaded {
    /// What layer `i`, which takes activation `from`, stands between.
    fn around(&self, i: usize, from: usize) -> Around<'_> {
        Around {
            input: &self.activations[from],
            output: &self.activations[i + 1],
            kept: self.moments[i].as_ref(),
        }
    }
}
