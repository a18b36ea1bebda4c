//! Batch normalisation of channels, in one dimension and in two (PyTorch's `BatchNorm1d` and `BatchNorm2d`):
//! y = γ (x − μ) / √(σ² + ε) + β with ε = 1e-5 and the biased variance.
//!
//! With the statistics of each minibatch the layer couples the samples of a minibatch, so it is taken apart: a part
//! for each group of samples ([`BatchNorm::moments`], [`BatchNorm::normalise`] and their gradients) and a part
//! between the groups ([`BatchNorm::settle`], [`BatchNorm::settle_gradient`]), which is done in float64. With running
//! statistics it is a [`Layer`] like any other.

use burn::Tensor;
use gradstudy_base::signature::Signature;
use pulp::Arch;
use serde::{Deserialize, Serialize};

use super::batch_norm_kernels::{Backward, GradientSums, Moments, Normalise, Pair};
use super::kind::alone;
use super::lanes::{LANES, Lanes, Segment, scatter};
use super::second_order::SecondOrder;
use super::{Initial, Layer, LayerKind, Parameter, Place, Products, Shape, size};

/// ε, PyTorch's default.
pub const EPSILON: f64 = 1e-5;

/// Weight of the new minibatch in the running statistics, PyTorch's default.
pub const MOMENTUM: f64 = 0.1;

/// Which mean and variance a network's batch normalisation uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BatchNormMode {
    /// Those of each minibatch, as in training (PyTorch's `train()`).
    Batch,
    /// Those that training has averaged (PyTorch's `eval()`).
    Running,
}

impl BatchNormMode {
    /// The mode called `name` in a study.
    pub fn parse(name: &str) -> Option<BatchNormMode> {
        match name {
            "batch" => Some(BatchNormMode::Batch),
            "running" => Some(BatchNormMode::Running),
            _ => None,
        }
    }
}

/// `nn.BatchNorm2d` and `nn.BatchNorm1d`.
pub static KIND: LayerKind = LayerKind {
    signature: &Signature {
        name: "batch_norm",
        summary: "batch normalisation of each channel, with a scale and a shift",
        params: &[],
        version: 1,
    },
    place: |_, here| alone(BatchNorm { shape: here.shape }),
};

/// Batch normalisation of `shape[0]` channels.
#[derive(Debug)]
pub struct BatchNorm {
    pub shape: Shape,
}

/// What one group of samples keeps of a normalisation between the forward and the backward pass.
#[derive(Debug, Clone)]
pub struct Statistics {
    /// Per channel: first each lane's moments, in the backward pass each lane's gradient sums, then their means.
    pub work: Vec<Pair>,
    /// Per channel: mean and 1/√(variance + ε) of each lane's minibatch.
    pub scales: Vec<Pair>,
}

impl BatchNorm {
    /// Channels, each with its γ and β.
    pub fn channels(&self) -> usize {
        self.shape[0]
    }

    pub(super) fn positions(&self) -> usize {
        self.shape[1] * self.shape[2]
    }

    /// Room for one group's statistics.
    pub fn statistics(&self) -> Statistics {
        let zeros = || vec![[Lanes::default(); 2]; self.channels()];
        Statistics {
            work: zeros(),
            scales: zeros(),
        }
    }

    /// `statistics.work` ← each lane's mean and sum of squared deviations.
    pub fn moments(&self, input: &[Lanes], statistics: &mut Statistics) {
        Arch::new().dispatch(Moments {
            input,
            positions: self.positions(),
            moments: &mut statistics.work,
        });
    }

    /// From the moments of all groups to the scales of each. `segments` says which lanes of a group belong to which
    /// minibatch. The first minibatch's mean and unbiased variance go to `running` (both per channel) if asked for.
    pub fn settle(
        &self,
        groups: &mut [&mut Statistics],
        segments: &[Vec<Segment>],
        batch: usize,
        mut running: Option<&mut [f32]>,
    ) {
        let (channels, positions) = (self.channels(), self.positions() as f64);
        // Of each minibatch, channel by channel.
        let mut means = vec![0.0f64; minibatches(segments) * channels];
        let mut squares = means.clone();
        let parts = || each_segment(segments);
        for (group, Segment { lanes, column, .. }) in parts() {
            let sums = &mut means[column * channels..][..channels];
            for (sum, [mean, _]) in sums.iter_mut().zip(&groups[group].work) {
                mean.0[lanes.clone()].iter().for_each(|x| *sum += f64::from(*x));
            }
        }
        means.iter_mut().for_each(|mean| *mean /= batch as f64);
        for (group, Segment { lanes, column, .. }) in parts() {
            let sums = &mut squares[column * channels..][..channels];
            let means = &means[column * channels..][..channels];
            for ((sum, mean), [own, within]) in sums.iter_mut().zip(means).zip(&groups[group].work) {
                for (own, within) in own.0[lanes.clone()].iter().zip(&within.0[lanes.clone()]) {
                    *sum += f64::from(*within) + positions * (f64::from(*own) - mean).powi(2);
                }
            }
        }
        let count = batch as f64 * positions;
        let scale = |square: &f64| (1.0 / (square / count + EPSILON).sqrt()) as f32;
        let scales: Vec<f32> = squares.iter().map(scale).collect();
        groups
            .iter_mut()
            .for_each(|group| group.scales.fill(Pair::default()));
        for (group, Segment { lanes, column, .. }) in parts() {
            let found = means[column * channels..]
                .iter()
                .zip(&scales[column * channels..]);
            for ([mean, scale], (own_mean, own_scale)) in groups[group].scales.iter_mut().zip(found) {
                mean.0[lanes.clone()].fill(*own_mean as f32);
                scale.0[lanes.clone()].fill(*own_scale);
            }
        }
        if let Some(running) = &mut running {
            for c in 0..channels {
                running[c] = means[c] as f32;
                running[channels + c] = (squares[c] / (count - 1.0)) as f32;
            }
        }
    }

    /// `output` ← γ x̂ + β by the scales in `statistics`; `theta` begins with γ and β.
    pub fn normalise(&self, theta: &[f32], statistics: &Statistics, input: &[Lanes], output: &mut [Lanes]) {
        let (weight, bias) = theta.split_at(self.channels());
        Arch::new().dispatch(Normalise {
            input,
            positions: self.positions(),
            scales: &statistics.scales,
            weight,
            bias,
            output,
        });
    }

    /// `statistics.work` ← each lane's Σ δ and Σ δ x̂.
    pub fn gradient_sums(&self, input: &[Lanes], grad_output: &[Lanes], statistics: &mut Statistics) {
        Arch::new().dispatch(GradientSums {
            input,
            grad_output,
            positions: self.positions(),
            scales: &statistics.scales,
            sums: &mut statistics.work,
        });
    }

    /// From the gradient sums of all groups to ∂loss/∂γ and ∂loss/∂β of each minibatch, in `columns` at `place`, and
    /// to the means that [`BatchNorm::batch_backward`] takes off.
    pub fn settle_gradient(
        &self,
        groups: &mut [&mut Statistics],
        segments: &[Vec<Segment>],
        batch: usize,
        columns: &mut [f32],
        place: Place,
    ) {
        let (channels, count) = (self.channels(), (batch * self.positions()) as f64);
        // Of each minibatch, channel by channel.
        let mut sums = vec![[0.0f64; 2]; minibatches(segments) * channels];
        for (group, Segment { lanes, column, .. }) in each_segment(segments) {
            let sums = &mut sums[column * channels..][..channels];
            for (sum, work) in sums.iter_mut().zip(&groups[group].work) {
                for (sum, part) in sum.iter_mut().zip(work) {
                    part.0[lanes.clone()].iter().for_each(|x| *sum += f64::from(*x));
                }
            }
        }
        for (m, sums) in sums.chunks_exact(channels).enumerate() {
            let column = &mut columns[m * place.stride + place.offset..];
            for (c, [bias, weight]) in sums.iter().enumerate() {
                column[c] = *weight as f32;
                column[channels + c] = *bias as f32;
            }
        }
        groups
            .iter_mut()
            .for_each(|group| group.work.fill(Pair::default()));
        for (group, Segment { lanes, column, .. }) in each_segment(segments) {
            for (work, sums) in groups[group].work.iter_mut().zip(&sums[column * channels..]) {
                for (part, sum) in work.iter_mut().zip(sums) {
                    part.0[lanes.clone()].fill((sum / count) as f32);
                }
            }
        }
    }

    /// `grad_input` ← ∂loss/∂input through the minibatch's own statistics.
    pub fn batch_backward(
        &self,
        theta: &[f32],
        statistics: &Statistics,
        input: &[Lanes],
        grad_output: &[Lanes],
        grad_input: &mut [Lanes],
    ) {
        Arch::new().dispatch(Backward {
            input,
            grad_output,
            positions: self.positions(),
            scales: &statistics.scales,
            means: &statistics.work,
            weight: &theta[..self.channels()],
            grad_input,
        });
    }

    /// The statistics that `theta` (γ, β, running mean, running variance) gives every lane.
    pub fn running(&self, theta: &[f32]) -> Statistics {
        let channels = self.channels();
        let mut statistics = self.statistics();
        let (mean, variance) = theta[2 * channels..].split_at(channels);
        for (scales, (mean, variance)) in statistics.scales.iter_mut().zip(mean.iter().zip(variance)) {
            let scale = 1.0 / (f64::from(*variance) + EPSILON).sqrt();
            *scales = [Lanes([*mean; LANES]), Lanes([scale as f32; LANES])];
        }
        statistics
    }

    /// The layer on burn tensors, `theta` being γ and β of each of the equal, consecutive minibatches in `input`:
    /// \[minibatches, 2 channels\]. Statistics are each minibatch's own, or `running` (mean, then variance).
    pub fn tensor_batches(
        &self,
        theta: Tensor<2>,
        running: Option<Tensor<1>>,
        input: Tensor<4>,
    ) -> Tensor<4> {
        let (minibatches, channels) = (theta.dims()[0], self.channels());
        let dims = input.dims();
        let x = input.reshape([minibatches, dims[0] / minibatches, channels, self.positions()]);
        let per_channel = |values: Tensor<2>| {
            let m = values.dims()[0];
            values.reshape([m, 1, channels, 1])
        };
        let (centred, variance) = match running {
            None => {
                let centred = x.clone() - x.mean_dim(3).mean_dim(1);
                let variance = (centred.clone() * centred.clone()).mean_dim(3).mean_dim(1);
                (centred, variance)
            }
            Some(running) => {
                let both = running.reshape([2, channels]);
                let mean = per_channel(both.clone().slice([0..1, 0..channels]));
                (x - mean, per_channel(both.slice([1..2, 0..channels])))
            }
        };
        let weight = per_channel(theta.clone().slice([0..minibatches, 0..channels]));
        let bias = per_channel(theta.slice([0..minibatches, channels..2 * channels]));
        let scale = variance.add_scalar(EPSILON).sqrt().recip();
        (centred * (scale * weight) + bias).reshape(dims)
    }

    /// Mean and unbiased variance of all of `input`, per channel.
    pub fn tensor_statistics(&self, input: Tensor<4>) -> Tensor<1> {
        let (samples, channels) = (input.dims()[0], self.channels());
        let count = samples * self.positions();
        let x = input
            .reshape([samples, channels, self.positions()])
            .swap_dims(0, 1)
            .reshape([channels, count]);
        let centred = x.clone() - x.clone().mean_dim(1);
        let squares = (centred.clone() * centred).sum_dim(1);
        let variance = squares.div_scalar(count as f64 - 1.0);
        Tensor::cat(vec![x.mean_dim(1), variance], 0).reshape([2 * channels])
    }
}

fn minibatches(segments: &[Vec<Segment>]) -> usize {
    segments
        .last()
        .and_then(|group| group.last())
        .map_or(0, |s| s.column + 1)
}

/// Every part of a group, with the group's number, in order.
fn each_segment(segments: &[Vec<Segment>]) -> impl Iterator<Item = (usize, &Segment)> {
    let groups = segments.iter().enumerate();
    groups.flat_map(|(group, segments)| segments.iter().map(move |segment| (group, segment)))
}

impl Layer for BatchNorm {
    fn kind(&self) -> &'static str {
        if self.positions() == 1 {
            "BatchNorm1d"
        } else {
            "BatchNorm2d"
        }
    }

    fn output(&self) -> Shape {
        self.shape
    }

    fn parameters(&self) -> Vec<Parameter> {
        tensors(["weight", "bias"], [1.0, 0.0], self.channels())
    }

    fn buffers(&self) -> Vec<Parameter> {
        tensors(["running_mean", "running_var"], [0.0, 1.0], self.channels())
    }

    fn batch_norm(&self) -> Option<&BatchNorm> {
        Some(self)
    }

    fn second_order(&self) -> SecondOrder<'_> {
        SecondOrder::Normalisation(self)
    }

    fn flops(&self) -> u64 {
        // Two for the mean, three for the variance, three to normalise.
        8 * size(self.shape) as u64
    }

    fn scratch(&self) -> usize {
        2 * self.channels()
    }

    fn forward(&self, theta: &[f32], input: &[Lanes], output: &mut [Lanes], _scratch: &mut [Lanes]) {
        self.normalise(theta, &self.running(theta), input, output);
    }

    fn backward(
        &self,
        theta: &[f32],
        input: &[Lanes],
        _output: &[Lanes],
        grad_output: &[Lanes],
        grad_input: &mut [Lanes],
        _scratch: &mut [Lanes],
    ) {
        // Running statistics do not depend on the input: nothing is taken off.
        self.batch_backward(theta, &self.running(theta), input, grad_output, grad_input);
    }

    fn gradient(
        &self,
        theta: &[f32],
        input: &[Lanes],
        grad_output: &[Lanes],
        scratch: &mut [Lanes],
        segments: &[Segment],
        columns: &mut [f32],
        place: Place,
    ) {
        let mut statistics = self.running(theta);
        self.gradient_sums(input, grad_output, &mut statistics);
        let gradient = &mut scratch[..2 * self.channels()];
        for (c, [bias, weight]) in statistics.work.iter().enumerate() {
            gradient[c] = *weight;
            gradient[self.channels() + c] = *bias;
        }
        scatter(gradient, segments, columns, place);
    }

    #[cfg(feature = "kernels")]
    fn kernel(&self) -> Option<Box<dyn crate::kernels::Kernel>> {
        let size = [self.channels(), self.positions()];
        Some(Box::new(crate::kernels::Normalisation(size)))
    }

    fn tensor_forward(&self, theta: Tensor<1>, input: Tensor<4>, _products: Products) -> Tensor<4> {
        let both = 2 * self.channels();
        let running = theta.clone().slice([both..2 * both]);
        self.tensor_batches(theta.slice([0..both]).reshape([1, both]), Some(running), input)
    }
}

fn tensors(names: [&'static str; 2], values: [f64; 2], channels: usize) -> Vec<Parameter> {
    let tensor = |(name, value)| Parameter {
        name,
        dims: vec![channels],
        initial: Initial::Constant(value),
    };
    names.into_iter().zip(values).map(tensor).collect()
}
