//! Fills a gradient history with burn tensors, on any burn device: the way it is done on a GPU, and the
//! independent check of the host kernels.
//!
//! Autodiff runs once for a whole chunk of minibatches: a zero added to each layer's output receives that output's
//! gradient δ, and the per-minibatch weight gradients are formed from the layers' inputs and δ as batched products.

use std::ops::Range;

use burn::{Device, Int, Tensor, TensorData, activation};

use crate::layers::{BatchNormMode, Products};
use crate::models::Network;
use gradstudy_data::Dataset;

/// A network and its values on a burn device.
pub struct TensorNetwork<'a> {
    network: &'a Network,
    device: Device,
    products: Products,
    /// θ of each layer (none for layers without parameters).
    theta: Vec<Option<Tensor<1>>>,
    /// Running statistics of each batch normalisation, if they are among the values.
    running: Vec<Option<Tensor<1>>>,
}

/// What one training minibatch gives.
pub struct TensorStep {
    /// Sum of the samples' losses, one number.
    pub loss: Tensor<1>,
    /// Gradient of the mean loss.
    pub gradient: Tensor<1>,
    /// Mean and unbiased variances of the batch normalisations' inputs, in the order of the buffers.
    pub statistics: Option<Tensor<1>>,
}

impl<'a> TensorNetwork<'a> {
    /// Puts θ, and what `values` holds of running statistics behind it, on `device` (a plain device; autodiff is
    /// added where it is needed), where matrices are multiplied as `products` says.
    pub fn new(network: &'a Network, values: &[f32], device: &Device, products: Products) -> Self {
        let device = device.clone();
        let tensor = |range: &Range<usize>| {
            (!range.is_empty() && range.end <= values.len()).then(|| {
                let data = TensorData::new(values[range.clone()].to_vec(), [range.len()]);
                Tensor::from_data(data, &device)
            })
        };
        let theta = network
            .layers
            .iter()
            .map(|placed| tensor(&placed.range))
            .collect();
        let running = network
            .layers
            .iter()
            .map(|placed| tensor(&placed.buffers))
            .collect();
        TensorNetwork {
            network,
            device,
            products,
            theta,
            running,
        }
    }

    /// Gradients of the mean loss of each of the equal minibatches in `indices`: \[minibatches, n\] on the device.
    pub fn gradients(&self, data: &Dataset, indices: &[u32], batch: usize, mode: BatchNormMode) -> Tensor<2> {
        let minibatches = indices.len() / batch;
        let autodiff = self.device.clone().autodiff();
        let mut taps: Vec<(usize, Tensor<4>, Tensor<4>)> = Vec::new();
        let mut leaves: Vec<(usize, Tensor<2>)> = Vec::new();
        let x = self.forward(images(data, indices, &autodiff), |i, x| {
            let layer = &self.network.layers[i].layer;
            let Some(theta) = &self.theta[i] else {
                return layer.tensor_forward(Tensor::zeros([1], &autodiff), x, self.products);
            };
            if let Some(norm) = layer.batch_norm() {
                // Each minibatch has a copy of γ and β, whose gradients autodiff keeps apart.
                let copies = theta.clone().unsqueeze::<2>().repeat_dim(0, minibatches);
                let leaf = Tensor::<2>::from_inner(copies).require_grad();
                leaves.push((i, leaf.clone()));
                return norm.tensor_batches(leaf, self.running(i, mode), x);
            }
            let input = x.clone().inner();
            let output = layer.tensor_forward(Tensor::from_inner(theta.clone()), x, self.products);
            let zero = Tensor::zeros(output.dims(), &autodiff).require_grad();
            taps.push((i, input, zero.clone()));
            output + zero
        });
        let grads = self.loss(x, data, indices).div_scalar(batch as f32).backward();
        let mut blocks: Vec<(usize, Tensor<2>)> = leaves
            .into_iter()
            .filter_map(|(i, leaf)| Some((i, leaf.grad(&grads)?)))
            .collect();
        blocks.extend(taps.into_iter().filter_map(|(i, input, zero)| {
            let layer = &self.network.layers[i].layer;
            Some((
                i,
                layer.tensor_gradient(input, zero.grad(&grads)?, minibatches, self.products)?,
            ))
        }));
        blocks.sort_by_key(|(i, _)| *i);
        Tensor::cat(blocks.into_iter().map(|(_, block)| block).collect(), 1)
    }

    /// The gradient of the mean loss over all of `indices` by autodiff with respect to the weights themselves: the
    /// plain way, one backward pass per minibatch.
    pub fn plain_gradient(&self, data: &Dataset, indices: &[u32], mode: BatchNormMode) -> Tensor<1> {
        self.step(data, indices, mode).gradient
    }

    /// As [`TensorNetwork::plain_gradient`] by the minibatch's own statistics, with the sum of the samples' losses
    /// and those statistics.
    pub fn loss_and_gradient(&self, data: &Dataset, indices: &[u32]) -> TensorStep {
        self.step(data, indices, BatchNormMode::Batch)
    }

    fn step(&self, data: &Dataset, indices: &[u32], mode: BatchNormMode) -> TensorStep {
        let autodiff = self.device.clone().autodiff();
        let (mut leaves, mut statistics) = (Vec::new(), Vec::new());
        let x = self.forward(images(data, indices, &autodiff), |i, x| {
            let layer = &self.network.layers[i].layer;
            let Some(theta) = &self.theta[i] else {
                return layer.tensor_forward(Tensor::zeros([1], &autodiff), x, self.products);
            };
            let leaf = Tensor::<1>::from_inner(theta.clone()).require_grad();
            leaves.push(leaf.clone());
            match layer.batch_norm() {
                None => layer.tensor_forward(leaf, x, self.products),
                Some(norm) => {
                    statistics.push(norm.tensor_statistics(x.clone().inner()));
                    norm.tensor_batches(leaf.unsqueeze(), self.running(i, mode), x)
                }
            }
        });
        let loss = self.loss(x, data, indices);
        let total = loss.clone().inner();
        let grads = loss.div_scalar(indices.len() as f32).backward();
        TensorStep {
            loss: total,
            gradient: Tensor::cat(leaves.iter().filter_map(|leaf| leaf.grad(&grads)).collect(), 0),
            statistics: (!statistics.is_empty()).then(|| Tensor::cat(statistics, 0)),
        }
    }

    /// The running statistics of layer `i`, if `mode` goes by them.
    fn running(&self, i: usize, mode: BatchNormMode) -> Option<Tensor<1>> {
        let running = self.running[i].clone().map(Tensor::from_inner);
        match mode {
            BatchNormMode::Batch => None,
            BatchNormMode::Running => Some(running.expect("running statistics are among the values")),
        }
    }

    /// The logits, by `layer(index, input)`.
    fn forward(&self, x: Tensor<4>, mut layer: impl FnMut(usize, Tensor<4>) -> Tensor<4>) -> Tensor<4> {
        let mut activations = vec![x];
        for (i, placed) in self.network.layers.iter().enumerate() {
            let output = layer(i, activations[placed.from].clone());
            activations.push(match placed.plus {
                None => output,
                Some(plus) => output + activations[plus].clone(),
            });
        }
        activations.swap_remove(self.network.layers.len())
    }

    /// Sum of the samples' cross-entropies, each the mean over its positions.
    fn loss(&self, logits: Tensor<4>, data: &Dataset, indices: &[u32]) -> Tensor<1> {
        let device = logits.device();
        let samples = indices.len();
        let (classes, positions) = (self.network.classes, self.network.positions);
        let labels: Vec<i64> = data.labels_of(indices).into_iter().map(i64::from).collect();
        let count = labels.len();
        let labels = Tensor::<1, Int>::from_data(TensorData::new(labels, [count]), &device);
        let logits = logits
            .reshape([samples, classes, positions])
            .swap_dims(1, 2)
            .reshape([count, classes]);
        let log_p = activation::log_softmax(logits, 1).gather(1, labels.reshape([count, 1]));
        log_p.sum().neg().div_scalar(positions as f32)
    }
}

/// The samples `indices` as a tensor \[samples, channels, height, width\].
fn images(data: &Dataset, indices: &[u32], device: &Device) -> Tensor<4> {
    let values: Vec<f32> = indices
        .iter()
        .flat_map(|i| data.image(*i as usize))
        .copied()
        .collect();
    let [channels, height, width] = data.shape;
    Tensor::from_data(
        TensorData::new(values, [indices.len(), channels, height, width]),
        device,
    )
}
