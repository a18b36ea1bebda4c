//! Fills a gradient history with burn tensors, on any burn device: the way it is done on a GPU, and the
//! independent check of the host kernels.
//!
//! Autodiff runs once for a whole chunk of minibatches: a zero added to each layer's output receives that output's
//! gradient δ, and the per-minibatch weight gradients are formed from the layers' inputs and δ as batched products.

use burn::tensor::{Device, Int, Tensor, TensorData, activation};

use crate::data::Dataset;
use crate::models::Network;

/// A network and its parameters on a burn device.
pub struct TensorNetwork<'a> {
    network: &'a Network,
    device: Device,
    /// One parameter vector per layer (empty layers: none).
    theta: Vec<Option<Tensor<1>>>,
}

impl<'a> TensorNetwork<'a> {
    /// Puts θ on `device` (a plain device; autodiff is added where it is needed).
    pub fn new(network: &'a Network, theta: &[f32], device: &Device) -> Self {
        let device = device.clone();
        let theta = network
            .layers
            .iter()
            .map(|placed| {
                let range = placed.range.clone();
                (!range.is_empty()).then(|| {
                    let data = TensorData::new(theta[range.clone()].to_vec(), [range.len()]);
                    Tensor::from_data(data, &device)
                })
            })
            .collect();
        TensorNetwork {
            network,
            device,
            theta,
        }
    }

    /// Gradients of the mean loss of each of the equal minibatches in `indices`: \[minibatches, n\] on the device.
    pub fn gradients(&self, data: &Dataset, indices: &[u32], batch: usize) -> Tensor<2> {
        let minibatches = indices.len() / batch;
        let autodiff = self.device.clone().autodiff();
        let mut x = images(data, indices, &autodiff);
        let mut taps = Vec::new();
        for (placed, theta) in self.network.layers.iter().zip(&self.theta) {
            let Some(theta) = theta else {
                x = placed.layer.tensor_forward(Tensor::zeros([1], &autodiff), x);
                continue;
            };
            let input = x.clone().inner();
            let output = placed.layer.tensor_forward(Tensor::from_inner(theta.clone()), x);
            let zero = Tensor::zeros(output.dims(), &autodiff).require_grad();
            x = output + zero.clone();
            taps.push((&placed.layer, input, zero));
        }
        let grads = self.loss(x, data, indices).div_scalar(batch as f32).backward();
        let blocks = taps
            .into_iter()
            .filter_map(|(layer, input, zero)| layer.tensor_gradient(input, zero.grad(&grads)?, minibatches))
            .collect();
        Tensor::cat(blocks, 1)
    }

    /// The gradient of the mean loss over all of `indices` by autodiff with respect to the weights themselves: the
    /// plain way, one backward pass per minibatch.
    pub fn plain_gradient(&self, data: &Dataset, indices: &[u32]) -> Tensor<1> {
        self.loss_and_gradient(data, indices).1
    }

    /// As [`TensorNetwork::plain_gradient`], with the sum of the samples' losses.
    pub fn loss_and_gradient(&self, data: &Dataset, indices: &[u32]) -> (f64, Tensor<1>) {
        let autodiff = self.device.clone().autodiff();
        let mut x = images(data, indices, &autodiff);
        let mut leaves = Vec::new();
        for (placed, theta) in self.network.layers.iter().zip(&self.theta) {
            let theta = match theta {
                Some(theta) => {
                    let leaf = Tensor::<1>::from_inner(theta.clone()).require_grad();
                    leaves.push(leaf.clone());
                    leaf
                }
                None => Tensor::zeros([1], &autodiff),
            };
            x = placed.layer.tensor_forward(theta, x);
        }
        let loss = self.loss(x, data, indices);
        let total = loss.clone().into_scalar::<f64>();
        let grads = loss.div_scalar(indices.len() as f32).backward();
        (
            total,
            Tensor::cat(leaves.iter().filter_map(|leaf| leaf.grad(&grads)).collect(), 0),
        )
    }

    /// Sum of the samples' cross-entropies.
    fn loss(&self, logits: Tensor<4>, data: &Dataset, indices: &[u32]) -> Tensor<1> {
        let device = logits.device();
        let samples = indices.len();
        let labels: Vec<i64> = indices
            .iter()
            .map(|i| i64::from(data.labels[*i as usize]))
            .collect();
        let labels = Tensor::<1, Int>::from_data(TensorData::new(labels, [samples]), &device);
        let logits = logits.reshape([samples, self.network.classes]);
        let log_p = activation::log_softmax(logits, 1).gather(1, labels.reshape([samples, 1]));
        log_p.sum().neg()
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
