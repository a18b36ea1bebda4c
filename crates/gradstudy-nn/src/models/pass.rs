//! Forward and backward pass of one group of sixteen samples through all layers.

use std::ops::Range;

use pulp::Arch;

use crate::layers::lanes::{LANES, Lanes, Segment, floats, floats_mut};
use crate::layers::{Place, size};
use gradstudy_stats::transpose::turn;

use super::Network;
use super::network::Flow;

/// Activations and their gradients for one group of sixteen samples, before each layer and after the last.
#[derive(Debug)]
pub struct Workspace {
    pub activations: Vec<Vec<Lanes>>,
    pub(super) gradients: Vec<Vec<Lanes>>,
    pub(super) scratch: Vec<Lanes>,
    /// A gradient on its way to be added to another, where an activation has several uses.
    spare: Vec<Lanes>,
    /// For each activation: the last layer to use it, which sets its gradient; the others add to it.
    last_use: Vec<Option<usize>>,
    /// For each activation: whether parameters come before it.
    depends: Vec<bool>,
}

/// Gradients to fill: consecutive ones of `stride` numbers, each beginning with parameter `origin` of θ.
pub(super) struct Columns<'a> {
    pub values: &'a mut [f32],
    pub stride: usize,
    pub origin: usize,
}

impl Network {
    /// Buffers for one group of samples.
    pub fn workspace(&self) -> Workspace {
        let Flow { last_use, depends } = self.flow();
        let mut uses = vec![0; self.layers.len() + 1];
        for placed in &self.layers {
            std::iter::once(placed.from)
                .chain(placed.plus)
                .for_each(|activation| uses[activation] += 1);
        }
        let sizes = || {
            let outputs = self.layers.iter().map(|p| size(p.layer.output()));
            std::iter::once(size(self.input)).chain(outputs)
        };
        let buffers = || sizes().map(|size| vec![Lanes::default(); size]).collect();
        let spare = sizes().zip(&uses).filter(|(_, uses)| **uses > 1);
        let spare = spare.map(|(size, _)| size).max().unwrap_or(0);
        let scratch = self.layers.iter().map(|p| p.layer.scratch()).max().unwrap_or(0);
        Workspace {
            activations: buffers(),
            gradients: buffers(),
            scratch: vec![Lanes::default(); scratch],
            spare: vec![Lanes::default(); spare],
            last_use,
            depends,
        }
    }

    /// Runs the layers forward on the group in `workspace.activations[0]`; batch normalisation by running statistics.
    pub fn forward(&self, values: &[f32], workspace: &mut Workspace) {
        self.forward_layers(0..self.layers.len(), values, workspace);
    }

    /// Runs some consecutive layers forward.
    pub(super) fn forward_layers(&self, layers: Range<usize>, values: &[f32], workspace: &mut Workspace) {
        for i in layers {
            let theta = self.layer_values(i, values);
            let mut scratch = std::mem::take(&mut workspace.scratch);
            self.forward_with(i, workspace, |input, output| {
                self.layers[i].layer.forward(&theta, input, output, &mut scratch);
            });
            workspace.scratch = scratch;
        }
    }

    /// Layer `i` forward by `forward(input, output)`, and what is added to its output.
    pub(super) fn forward_with(
        &self,
        i: usize,
        workspace: &mut Workspace,
        forward: impl FnOnce(&[Lanes], &mut [Lanes]),
    ) {
        let placed = &self.layers[i];
        let (before, after) = workspace.activations.split_at_mut(i + 1);
        forward(&before[placed.from], &mut after[0]);
        if let Some(plus) = placed.plus {
            add(&before[plus], &mut after[0]);
        }
    }

    /// Gradients of `scale` × cross-entropy for the group in `workspace.activations[0]`, summed over each segment
    /// into `columns` (consecutive gradients of n numbers). Returns each sample's loss. Batch normalisation goes by
    /// running statistics.
    ///
    /// `labels` holds those of one sample after the other; lanes beyond them take no part.
    pub fn gradient(
        &self,
        values: &[f32],
        workspace: &mut Workspace,
        labels: &[u32],
        scale: f32,
        segments: &[Segment],
        columns: &mut [f32],
    ) -> [f32; LANES] {
        self.forward(values, workspace);
        let losses = self.loss(workspace, labels, scale);
        let columns = Columns {
            values: columns,
            stride: self.parameter_count(),
            origin: 0,
        };
        self.backward_layers(0..self.layers.len(), values, workspace, segments, columns);
        losses
    }

    /// Each sample's loss, and the gradient of `scale` times it with respect to the logits.
    pub(super) fn loss(&self, workspace: &mut Workspace, labels: &[u32], scale: f32) -> [f32; LANES] {
        let depth = self.layers.len();
        let gradient = &mut workspace.gradients[depth];
        let logits = &workspace.activations[depth];
        match self.positions {
            1 => super::loss::cross_entropy(logits, labels, scale, gradient),
            positions => super::loss::sequence_cross_entropy(logits, labels, positions, scale, gradient),
        }
    }

    /// Runs some consecutive layers backward, the last first.
    pub(super) fn backward_layers(
        &self,
        layers: Range<usize>,
        values: &[f32],
        workspace: &mut Workspace,
        segments: &[Segment],
        columns: Columns<'_>,
    ) {
        for i in layers.rev() {
            let placed = &self.layers[i];
            let theta = self.layer_values(i, values);
            let place = Place {
                stride: columns.stride,
                offset: placed.range.start - columns.origin,
            };
            let (input, grad_output) = (&workspace.activations[placed.from], &workspace.gradients[i + 1]);
            placed.layer.gradient(
                &theta,
                input,
                grad_output,
                &mut workspace.scratch,
                segments,
                columns.values,
                place,
            );
            self.pass_back(i, workspace, |input, output, grad_output, grad_input, scratch| {
                placed
                    .layer
                    .backward(&theta, input, output, grad_output, grad_input, scratch);
            });
        }
    }

    /// Hands layer `i`'s output gradient on to what it takes: through `backward(input, output, grad_output,
    /// grad_input, scratch)` to its input, and as it is to what is added to its output.
    pub(super) fn pass_back(
        &self,
        i: usize,
        workspace: &mut Workspace,
        backward: impl FnOnce(&[Lanes], &[Lanes], &[Lanes], &mut [Lanes], &mut [Lanes]),
    ) {
        let placed = &self.layers[i];
        let Workspace {
            activations,
            gradients,
            scratch,
            spare,
            last_use,
            depends,
        } = workspace;
        let (before, after) = gradients.split_at_mut(i + 1);
        let grad_output = &after[0];
        if let Some(plus) = placed.plus.filter(|plus| depends[*plus]) {
            match last_use[plus] == Some(i) {
                true => before[plus].copy_from_slice(grad_output),
                false => add(grad_output, &mut before[plus]),
            }
        }
        if !depends[placed.from] {
            return;
        }
        let (input, output) = (&activations[placed.from], &activations[i + 1]);
        let grad_input = &mut before[placed.from];
        if last_use[placed.from] == Some(i) {
            backward(input, output, grad_output, grad_input, scratch);
        } else {
            let spare = &mut spare[..grad_input.len()];
            backward(input, output, grad_output, spare, scratch);
            add(spare, grad_input);
        }
    }
}

/// `to` += `from`.
fn add(from: &[Lanes], to: &mut [Lanes]) {
    for (to, from) in floats_mut(to).iter_mut().zip(floats(from)) {
        *to += *from;
    }
}

impl Workspace {
    /// Lays samples (row-major images) side by side as the network's input; absent lanes are zero.
    pub fn load<'a>(&mut self, images: impl Iterator<Item = &'a [f32]>) {
        let input = &mut self.activations[0];
        let mut group: [&[f32]; LANES] = [&[]; LANES];
        let mut filled = 0;
        for (place, image) in group.iter_mut().zip(images) {
            *place = image;
            filled += 1;
        }
        if filled == LANES {
            turn(Arch::new(), &group, floats_mut(input), LANES, 0);
            return;
        }
        for (lane, image) in group[..filled].iter().enumerate() {
            for (lanes, value) in input.iter_mut().zip(*image) {
                lanes.0[lane] = *value;
            }
        }
        input.iter_mut().for_each(|lanes| lanes.0[filled..].fill(0.0));
    }

    /// The logits of the last forward pass, [classes] × lanes.
    pub fn logits(&self) -> &[Lanes] {
        self.activations.last().map_or(&[], |logits| logits)
    }
}
