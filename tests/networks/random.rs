//! Networks drawn at random: what the host kernels make of them is what burn's autodiff makes.

use gradstudy::data::Dataset;
use gradstudy::gradients::engine::Engine;
use gradstudy::gradients::tensor::TensorNetwork;
use gradstudy::layers::BatchNormMode;
use gradstudy::models::{self, Network, weights};
use gradstudy::seed;
use rand::RngExt;
use rand::seq::IndexedRandom;

use super::{check, dataset, relative_error};
use crate::support::tensor_device;

const INPUT: [usize; 3] = [4, 9, 8];
const CLASSES: usize = 3;

struct Draw(rand_chacha::ChaCha8Rng);

impl Draw {
    fn one(&mut self, from: &[&str]) -> String {
        from.choose(&mut self.0).unwrap().to_string()
    }

    fn number(&mut self, from: &[usize]) -> usize {
        *from.choose(&mut self.0).unwrap()
    }

    fn activation(&mut self) -> String {
        self.one(&[
            "relu",
            "tanh",
            "gelu",
            "identity",
            "sigmoid",
            "silu",
            "elu(0.5)",
            "softplus",
            "leaky_relu(0.2)",
        ])
    }

    /// What keeps the shape.
    fn keeping(&mut self, channels: usize) -> String {
        match self.number(&[0, 1, 2, 3, 4]) {
            0 => self.activation(),
            1 => self.one(&["batch_norm", "layer_norm", "scale(0.7)"]),
            2 => format!("conv2d({channels}, kernel: 1)"),
            3 => format!(
                "conv2d({channels}, kernel: 3, padding: 1, groups: {})",
                self.number(&[1, 2])
            ),
            _ => format!("conv2d({channels}, kernel: 3, padding: 2, dilation: 2, bias: false)"),
        }
    }

    fn row(&mut self, channels: usize, length: usize) -> String {
        let layers: Vec<String> = (0..length).map(|_| self.keeping(channels)).collect();
        format!("[{}]", layers.join(", "))
    }

    fn block(&mut self, channels: usize) -> String {
        let length = self.number(&[1, 2, 3]);
        let row = self.row(channels, length);
        match self.number(&[0, 1, 2, 3]) {
            0 => format!("residual({row})"),
            1 => format!("residual({row}, after: {})", self.activation()),
            2 => {
                let length = self.number(&[1, 2]);
                format!("residual({row}, shortcut: {})", self.row(channels, length))
            }
            _ => format!("repeat(2, residual({row}))"),
        }
    }

    /// The text of a network; its shapes may not fit.
    fn network(&mut self) -> String {
        let mut layers = Vec::new();
        let mut channels = INPUT[0];
        for _ in 0..self.number(&[1, 2, 3, 4]) {
            match self.number(&[0, 1, 2, 3, 4]) {
                0 => layers.push(self.keeping(channels)),
                1 | 2 => layers.push(self.block(channels)),
                3 => layers.push(self.one(&[
                    "max_pool2d(2)",
                    "max_pool2d(3)",
                    "avg_pool2d(2)",
                    "avg_pool2d(3)",
                ])),
                _ => {
                    channels = self.number(&[4, 6]);
                    let (kernel, stride) = (self.number(&[1, 2, 3, 5]), self.number(&[1, 2, 3]));
                    let padding = self.number(&[0, 1]).min(kernel - 1);
                    layers.push(format!(
                        "conv2d({channels}, kernel: {kernel}, stride: {stride}, padding: {padding})"
                    ));
                }
            }
        }
        layers.push(self.one(&["global_avg_pool", "flatten", "linear(7)", "layer_norm"]));
        layers.push(self.activation());
        layers.push(format!("linear({CLASSES})"));
        format!("network([{}])", layers.join(", "))
    }
}

/// Networks whose shapes fit.
fn networks(count: usize) -> Vec<(String, Network)> {
    let mut draw = Draw(seed::rng(1, "random networks"));
    let (mut found, mut drawn) = (Vec::new(), 0);
    while found.len() < count {
        drawn += 1;
        assert!(drawn < 4 * count, "{drawn} networks drawn, {} fit", found.len());
        let text = draw.network();
        let (study, _) =
            check(&format!("model m = {text}")).unwrap_or_else(|found| panic!("{text}: {found:?}"));
        let call = &study.cases[0].models["m"].call;
        if let Ok(network) = models::find(&call.name).unwrap().build(&call.args, INPUT) {
            found.push((text, network));
        }
    }
    found
}

fn data(network: &Network, samples: usize) -> Dataset {
    let size: usize = network.input.iter().product();
    let mut rng = seed::rng(2, "random data");
    let images = (0..samples * size)
        .map(|_| rng.random_range(-1.0f32..1.0))
        .collect();
    let labels = (0..samples)
        .map(|_| rng.random_range(0..CLASSES as u32))
        .collect();
    dataset(network, images, labels)
}

#[test]
fn gradients_of_random_networks_equal_burn_s_autodiff() {
    let (device, products) = tensor_device();
    for (text, network) in networks(60) {
        let n = network.parameter_count();
        let values = weights::initial(&network, 3);
        let (batch, minibatches) = (10, 2);
        let data = data(&network, batch * minibatches);
        let indices: Vec<u32> = (0..(batch * minibatches) as u32).collect();
        for mode in [BatchNormMode::Batch, BatchNormMode::Running] {
            let mut ours = vec![f32::NAN; n * minibatches];
            Engine::Host
                .record(
                    &network,
                    &values,
                    &data,
                    &indices,
                    batch,
                    mode,
                    &mut ours,
                    &|_| {},
                )
                .unwrap();
            let tensors = TensorNetwork::new(&network, &values, &device, products);
            for (ours, indices) in ours.chunks(n).zip(indices.chunks(batch)) {
                let theirs = tensors.plain_gradient(&data, indices, mode).into_data();
                let error = relative_error(ours, theirs.as_slice().unwrap());
                assert!(error < 1e-5, "{text}, {mode:?}: relative error {error:e}");
            }
        }
    }
}
