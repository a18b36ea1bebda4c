//! Sixteen samples on their way through a curvature product.

use super::softmax::Softmax;
use crate::layers::batch_norm_second_order::Normalised;
use crate::layers::lanes::{Lanes, Segment};
use crate::layers::size;
use crate::models::Network;
use crate::models::network::{Flow, Placed};

/// Activations, deltas and their tangents of one group, before each layer and after the last.
#[derive(Debug)]
pub struct Group {
    pub inputs: Vec<Vec<Lanes>>,
    pub deltas: Vec<Vec<Lanes>>,
    pub tangents: Vec<Vec<Lanes>>,
    pub delta_tangents: Vec<Vec<Lanes>>,
    /// The second term of a sum, as large as the largest activation.
    pub term: Vec<Lanes>,
    /// A gradient on its way to be added to another, as large.
    pub spare: Vec<Lanes>,
    pub scratch: Vec<Lanes>,
    pub saved: Vec<f32>,
    pub softmax: Softmax,
    /// The samples, as one minibatch.
    pub segments: Vec<Segment>,
    /// One for each layer that is a batch normalisation.
    pub norms: Vec<Option<Normalised>>,
}

impl Group {
    /// Buffers for any sixteen samples.
    pub fn new(network: &Network) -> Self {
        let layers = &network.layers;
        let sizes: Vec<usize> = std::iter::once(size(network.input))
            .chain(layers.iter().map(|p| size(p.layer.output())))
            .collect();
        let one_each = || sizes.iter().map(|size| vec![Lanes::default(); *size]).collect();
        let largest = || vec![Lanes::default(); sizes.iter().copied().max().unwrap_or(0)];
        let norms = layers.iter().map(|p| Some(p.layer.batch_norm()?.normalised()));
        Group {
            inputs: one_each(),
            deltas: one_each(),
            tangents: one_each(),
            delta_tangents: one_each(),
            term: largest(),
            spare: largest(),
            scratch: vec![Lanes::default(); layers.iter().map(|p| p.layer.scratch()).max().unwrap_or(0)],
            saved: Vec::new(),
            softmax: Softmax::default(),
            segments: Vec::new(),
            norms: norms.collect(),
        }
    }

    /// Takes `samples` samples, whose images lie in `inputs[0]`.
    pub fn begin(&mut self, samples: usize) {
        // Products are added to, never set.
        self.segments = vec![Segment {
            lanes: 0..samples,
            column: 0,
            first: false,
        }];
    }

    /// Samples in the group.
    pub fn samples(&self) -> usize {
        self.segments.first().map_or(0, |segment| segment.lanes.len())
    }
}

/// `sum` += `term`.
pub fn add(sum: &mut [Lanes], term: &[Lanes]) {
    for (sum, term) in sum.iter_mut().zip(term) {
        sum.0.iter_mut().zip(term.0).for_each(|(s, t)| *s += t);
    }
}

/// Hands layer `i`'s output gradient among `gradients` on to what it takes: through `backward(output gradient, input
/// gradient)` to its input, and as it is to what is added to its output.
pub fn pass_back(
    flow: &Flow,
    placed: &Placed,
    i: usize,
    gradients: &mut [Vec<Lanes>],
    spare: &mut [Lanes],
    backward: impl FnOnce(&[Lanes], &mut [Lanes]),
) {
    let (before, after) = gradients.split_at_mut(i + 1);
    let output = &after[0];
    if let Some(plus) = placed.plus.filter(|plus| flow.depends[*plus]) {
        match flow.last_use[plus] == Some(i) {
            true => before[plus].copy_from_slice(output),
            false => add(&mut before[plus], output),
        }
    }
    if !flow.depends[placed.from] {
        return;
    }
    let input = &mut before[placed.from];
    if flow.last_use[placed.from] == Some(i) {
        backward(output, input);
    } else {
        let spare = &mut spare[..input.len()];
        backward(output, spare);
        add(input, spare);
    }
}
