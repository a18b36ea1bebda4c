//! How well a network predicts.

use rayon::prelude::*;

use crate::gradients::engine::Engine;
use crate::layers::lanes::LANES;
use crate::models::Network;
use crate::models::score::Score;
use gradstudy_data::Dataset;

/// Losses and right predictions over all labels of `data` (one for each sample, or for each token of a sequence); batch
/// normalisation goes by the running statistics, which lie behind θ.
///
/// On a GPU where its kernels know the network; the host steps in where that fails.
pub fn score(engine: &Engine, network: &Network, theta: &[f32], data: &Dataset) -> Score {
    match engine.score(network, theta, data) {
        Ok(Some(score)) => score,
        Ok(None) | Err(_) => on_host(network, theta, data),
    }
}

fn on_host(network: &Network, theta: &[f32], data: &Dataset) -> Score {
    let samples: Vec<usize> = (0..data.len()).collect();
    let positions = network.positions;
    let chunks = samples.par_chunks(LANES).map_init(
        || network.workspace(),
        |workspace, samples| {
            workspace.load(samples.iter().map(|i| data.image(*i)));
            network.forward(theta, workspace);
            let mut score = Score::default();
            for (lane, i) in samples.iter().enumerate() {
                for (position, label) in data.labels[i * positions..][..positions].iter().enumerate() {
                    let logits = workspace.logits()[position..].iter().step_by(positions);
                    score.add(logits.map(|lanes| lanes.0[lane]), *label);
                }
            }
            score
        },
    );
    // In the order of the samples, so that the sum does not depend on the number of threads.
    let chunks: Vec<Score> = chunks.collect();
    let mut sum = Score::default();
    chunks.into_iter().for_each(|score| sum += score);
    sum
}
