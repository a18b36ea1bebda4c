//! How well a network predicts.

use rayon::prelude::*;

use crate::data::Dataset;
use crate::gradients::engine::Engine;
use crate::layers::lanes::LANES;
use crate::models::Network;

/// Fraction of labels (one for each sample, or for each token of a sequence) that have the largest logit; batch
/// normalisation goes by the running statistics, which lie behind θ.
///
/// On a GPU where its kernels know the network; the host steps in where that fails.
pub fn accuracy(engine: &Engine, network: &Network, theta: &[f32], data: &Dataset) -> f64 {
    let correct = match engine.correct(network, theta, data) {
        Ok(Some(correct)) => correct,
        Ok(None) | Err(_) => correct(network, theta, data),
    };
    correct as f64 / data.labels.len().max(1) as f64
}

/// Labels that have the largest logit.
fn correct(network: &Network, theta: &[f32], data: &Dataset) -> usize {
    let samples: Vec<usize> = (0..data.len()).collect();
    let positions = network.positions;
    samples
        .par_chunks(LANES)
        .map_init(
            || network.workspace(),
            |workspace, samples| {
                workspace.load(samples.iter().map(|i| data.image(*i)));
                network.forward(theta, workspace);
                let best = |lane: usize, position: usize| {
                    let logits = workspace.logits()[position..].iter().step_by(positions);
                    let logits = logits.map(|lanes| lanes.0[lane]).enumerate();
                    logits
                        .max_by(|a, b| a.1.total_cmp(&b.1))
                        .map_or(0, |(class, _)| class as u32)
                };
                samples
                    .iter()
                    .enumerate()
                    .map(|(lane, i)| {
                        let labels = &data.labels[i * positions..][..positions];
                        let right = |(position, label): &(usize, &u32)| best(lane, *position) == **label;
                        labels.iter().enumerate().filter(right).count()
                    })
                    .sum::<usize>()
            },
        )
        .sum()
}
