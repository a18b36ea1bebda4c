//! Batch normalisation within products on a GPU: as [`super::super::normalisation`], all minibatches at once.

use super::{KernelPass, Loaded};
use crate::hessian::normalisation::Statistics;
use crate::kernels::Normalised;
use crate::layers::BatchNorm;
use crate::layers::second_order::SecondOrder;
use crate::models::network::Placed;

/// The batch normalisation that `placed` is, if it is one.
pub(super) fn batch_norm(placed: &Placed) -> Option<&BatchNorm> {
    match placed.layer.second_order() {
        SecondOrder::Normalisation(norm) => Some(norm),
        _ => None,
    }
}

impl KernelPass {
    /// Normalisation number `i`, amid the loaded samples.
    pub(super) fn normalised<'a>(
        &'a self,
        norm: &BatchNorm,
        i: usize,
        placed: &Placed,
        loaded: &'a Loaded,
    ) -> Normalised<'a> {
        Normalised {
            input: &loaded.activations[placed.from],
            moments: loaded.moments[i]
                .as_ref()
                .expect("the forward pass keeps its moments"),
            theta: &self.theta,
            offset: placed.range.start,
            size: shape(norm),
            minibatches: loaded.minibatches,
            batch: loaded.batch,
            constant: self.statistics == Statistics::Running,
        }
    }
}

/// Channels and positions.
fn shape(norm: &BatchNorm) -> [usize; 2] {
    let [channels, height, width] = norm.shape;
    [channels, height * width]
}
