//! Gradients by gradstudy's own kernels for GPUs: forward, backward and the weight gradient of every minibatch, in the
//! GPU's memory.

use std::ops::Range;

use super::failure::EngineError;
use crate::kernels::{Around, Buffer, Gpu, Kernel, Pass, Rows};
use crate::layers::batch_norm::MOMENTUM;
use crate::layers::{BatchNormMode, size};
use crate::models::Network;
use crate::models::network::Placed;
use gradstudy_data::Dataset;

/// A network whose layers all have kernels, and its θ, on a GPU.
pub struct KernelNetwork<'a> {
    network: &'a Network,
    mode: BatchNormMode,
    gpu: Gpu,
    layers: Vec<Box<dyn Kernel>>,
    theta: Buffer,
}

/// What one training minibatch gives.
pub struct KernelStep {
    /// Sum of the samples' losses.
    pub loss: f64,
    /// Gradient of the mean loss.
    pub gradient: Buffer,
    /// Mean and unbiased variances of the batch normalisations' inputs, in the order of the buffers.
    pub statistics: Vec<f32>,
}

/// What one pass through a network leaves.
struct Passed {
    losses: Buffer,
    /// What the layers kept.
    kept: Vec<Option<Buffer>>,
}

impl<'a> KernelNetwork<'a> {
    /// None unless every layer has a kernel and the network predicts once for each sample. `theta` may be followed by the
    /// running statistics, and must where `mode` asks for them.
    pub fn new(network: &'a Network, theta: &[f32], mode: BatchNormMode, gpu: &Gpu) -> Option<Self> {
        if network.positions != 1 {
            return None;
        }
        let layers = network.layers.iter().map(|placed| placed.layer.kernel());
        Some(KernelNetwork {
            network,
            mode,
            gpu: gpu.clone(),
            layers: layers.collect::<Option<Vec<_>>>()?,
            theta: gpu.upload(theta),
        })
    }

    /// θ and what is behind it, on the GPU.
    pub fn values(&self) -> &Buffer {
        &self.theta
    }

    /// Minibatches of `batch` samples that go through together.
    pub fn minibatches_per_chunk(&self, batch: usize) -> usize {
        let gradients = BYTES / (size_of::<f32>() * self.network.parameter_count());
        let samples = SAMPLES.min(ACTIVATION_BYTES / self.network.bytes_per_sample());
        (samples / batch).min(gradients).max(1)
    }

    /// Gradients of the mean loss of each of the equal minibatches in `indices`, to the rows of `gradients` (n long)
    /// from `row` on: those with respect to the layers that have parameters in `wanted`.
    pub fn gradients(
        &self,
        data: &DeviceData,
        indices: &[u32],
        batch: usize,
        wanted: &Range<usize>,
        gradients: &Buffer,
        row: usize,
    ) {
        self.pass(data, indices, batch, wanted, gradients, row);
    }

    /// Samples that go through together where only logits are wanted.
    pub fn samples_per_chunk(&self) -> usize {
        SAMPLES
            .min(ACTIVATION_BYTES / self.network.bytes_per_sample())
            .max(1)
    }

    /// Logits of samples, one after the other; normalisations go by the running statistics behind θ.
    pub fn logits(&self, data: &DeviceData, indices: &[u32]) -> Result<Vec<f32>, EngineError> {
        let gpu = &self.gpu;
        let pass = |i: usize| Pass {
            running: Some(self.network.layers[i].buffers.start),
            ..self.through(i, 1, indices.len())
        };
        let (activations, _) = self.forward(data.images(gpu, indices), pass);
        let logits = &activations[activations.len() - 1];
        let mut values = vec![0.0; logits.len];
        gpu.read_into(logits, &mut values)?;
        Ok(values)
    }

    /// One training minibatch, by its own statistics.
    pub fn step(&self, data: &DeviceData, indices: &[u32]) -> Result<KernelStep, EngineError> {
        let gradient = self.gpu.empty(self.network.parameter_count());
        let Passed { losses, kept } =
            self.pass(data, indices, indices.len(), &(0..gradient.len), &gradient, 0);
        let mut values = vec![0.0; losses.len];
        self.gpu.read_into(&losses, &mut values)?;
        let mut statistics = Vec::new();
        for (placed, kept) in self.network.layers.iter().zip(kept) {
            let Some(moments) = kept else { continue };
            let mut values = vec![0.0; moments.len];
            self.gpu.read_into(&moments, &mut values)?;
            let unbiased = unbiased(placed, indices.len());
            let biased = values.split_off(moments.len / 2);
            statistics.extend(values);
            statistics.extend(biased.iter().map(|it| (f64::from(*it) * unbiased) as f32));
        }
        Ok(KernelStep {
            loss: values.iter().map(|loss| f64::from(*loss)).sum(),
            gradient,
            statistics,
        })
    }

    /// One training minibatch, by its own statistics, that leaves everything on the GPU: the samples' losses, and the
    /// gradient of their mean.
    /// The running statistics behind θ move on.
    pub fn train(&self, data: &DeviceData, indices: &[u32]) -> (Buffer, Buffer) {
        let gradient = self.gpu.empty(self.network.parameter_count());
        let Passed { losses, kept } =
            self.pass(data, indices, indices.len(), &(0..gradient.len), &gradient, 0);
        for (placed, kept) in self.network.layers.iter().zip(kept) {
            if let Some(moments) = kept {
                let unbiased = unbiased(placed, indices.len());
                self.gpu
                    .update_running(&self.theta, placed.buffers.start, &moments, unbiased, MOMENTUM);
            }
        }
        (losses, gradient)
    }

    /// Minibatches on their way through layer `i`.
    fn through(&self, i: usize, minibatches: usize, batch: usize) -> Pass<'_> {
        let placed = &self.network.layers[i];
        Pass {
            gpu: &self.gpu,
            values: &self.theta,
            offset: placed.range.start,
            running: (self.mode == BatchNormMode::Running).then_some(placed.buffers.start),
            minibatches,
            batch,
        }
    }

    /// What each layer gives, after the images, and what it keeps.
    fn forward<'p>(
        &self,
        images: Buffer,
        pass: impl Fn(usize) -> Pass<'p>,
    ) -> (Vec<Buffer>, Vec<Option<Buffer>>) {
        let (mut activations, mut kept) = (vec![images], Vec::new());
        // Outputs before another activation is added to them.
        for (i, placed) in self.network.layers.iter().enumerate() {
            let (output, keeps) = self.layers[i].forward(&pass(i), &activations[placed.from]);
            kept.push(keeps);
            activations.push(match placed.plus {
                None => output,
                Some(plus) => self.gpu.add(&output, &activations[plus]),
            });
        }
        (activations, kept)
    }

    fn pass(
        &self,
        data: &DeviceData,
        indices: &[u32],
        batch: usize,
        wanted: &Range<usize>,
        gradients: &Buffer,
        row: usize,
    ) -> Passed {
        let (gpu, network) = (&self.gpu, self.network);
        let pass = |i: usize| self.through(i, indices.len() / batch, batch);
        let (mut activations, kept) = self.forward(data.images(gpu, indices), pass);
        let labels = gpu.upload_integers(&data.data.labels_of(indices));
        let logits = &activations[activations.len() - 1];
        let (losses, delta) = gpu.cross_entropy(logits, &labels, network.classes, 1.0 / batch as f32);
        let depends = network.flow().depends;
        let mut deltas: Vec<Option<Buffer>> = vec![None; activations.len()];
        deltas[activations.len() - 1] = Some(delta);
        let send = |deltas: &mut Vec<Option<Buffer>>, to: usize, delta: Buffer| {
            let sum = match deltas[to].take() {
                None => delta,
                Some(other) => gpu.add(&other, &delta),
            };
            deltas[to] = Some(sum);
        };
        for (i, placed) in network.layers.iter().enumerate().rev() {
            let Some(delta) = deltas[i + 1].take() else {
                continue;
            };
            let around = Around {
                input: &activations[placed.from],
                output: &activations[i + 1],
                kept: kept[i].as_ref(),
            };
            if placed.range.start < wanted.end && wanted.start < placed.range.end {
                let place = Rows {
                    row,
                    stride: network.parameter_count(),
                    column: placed.range.start,
                };
                self.layers[i].gradient(&pass(i), &around, &delta, gradients, place);
            }
            if depends[placed.from] {
                let back = self.layers[i].backward(&pass(i), &around, &delta);
                send(&mut deltas, placed.from, back);
            }
            if let Some(plus) = placed.plus.filter(|plus| depends[*plus]) {
                send(&mut deltas, plus, delta);
            }
            activations.truncate(i + 1);
        }
        Passed { losses, kept }
    }
}

/// What makes the biased variances of a batch normalisation's input unbiased.
fn unbiased(placed: &Placed, samples: usize) -> f64 {
    let [_, height, width] = placed.layer.output();
    let count = (samples * height * width) as f64;
    count / (count - 1.0)
}

/// Samples that go through a network together, bytes of their activations and of their gradients: at most so many,
/// unless one minibatch has more.
const SAMPLES: usize = 16_384;
const ACTIVATION_BYTES: usize = 8 << 30;
const BYTES: usize = 1 << 30;

/// Bytes of images that stay on a GPU at most.
const IMAGE_BYTES: usize = 8 << 30;

/// Samples for a GPU: all of them there, or sent as they are asked for.
pub struct DeviceData<'a> {
    data: &'a Dataset,
    all: Option<Buffer>,
}

impl<'a> DeviceData<'a> {
    /// For drawing `samples` samples: all images go to the GPU if they are fewer, and there is room for them.
    pub fn new(gpu: &Gpu, data: &'a Dataset, samples: usize) -> Self {
        let all = samples > data.len() && size_of_val(&data.images[..]) <= IMAGE_BYTES;
        DeviceData {
            data,
            all: all.then(|| gpu.upload(&data.images)),
        }
    }

    fn images(&self, gpu: &Gpu, indices: &[u32]) -> Buffer {
        match &self.all {
            Some(all) => gpu.gather(all, &gpu.upload_integers(indices), size(self.data.shape)),
            None => {
                let images = indices.iter().flat_map(|i| self.data.image(*i as usize));
                gpu.upload(&images.copied().collect::<Vec<f32>>())
            }
        }
    }
}
