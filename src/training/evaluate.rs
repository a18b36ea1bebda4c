//! How well a network classifies.

use rayon::prelude::*;

use crate::data::Dataset;
use crate::layers::lanes::LANES;
use crate::models::Network;

/// Fraction of samples whose largest logit is their label; batch normalisation goes by the running statistics, which
/// lie behind θ.
pub fn accuracy(network: &Network, theta: &[f32], data: &Dataset) -> f64 {
    let samples: Vec<usize> = (0..data.labels.len()).collect();
    let correct: usize = samples
        .par_chunks(LANES)
        .map_init(
            || network.workspace(),
            |workspace, samples| {
                workspace.load(samples.iter().map(|i| data.image(*i)));
                network.forward(theta, workspace);
                let best = |lane: usize| {
                    let logits = workspace.logits().iter().map(|lanes| lanes.0[lane]).enumerate();
                    logits
                        .max_by(|a, b| a.1.total_cmp(&b.1))
                        .map_or(0, |(class, _)| class as u32)
                };
                samples
                    .iter()
                    .enumerate()
                    .filter(|(lane, i)| best(*lane) == data.labels[**i])
                    .count()
            },
        )
        .sum();
    correct as f64 / data.labels.len().max(1) as f64
}
