//! Gradients of chosen layers only, and of fully-connected layers as their two factors instead of their products.

use crate::layers::Place;
use crate::layers::lanes::{LANES, Lanes, Segment};

use super::{Network, Workspace};

/// What is wanted of one layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Nothing.
    Absent,
    /// Its gradient.
    Rows,
    /// Input and ∂loss/∂output of each sample of a minibatch: for layers with an
    /// [`outer_product`](crate::layers::Layer::outer_product).
    Factors,
}

/// What is wanted of each layer, and where it goes in a minibatch's column.
#[derive(Debug, Clone)]
pub struct Layout {
    /// One for each layer of the network.
    pub parts: Vec<Part>,
    /// Where in a column the layer's numbers begin.
    pub offsets: Vec<usize>,
    /// Numbers in a column.
    pub stride: usize,
    /// Samples in a minibatch, B. The factors of a layer are B inputs, then B output gradients.
    pub batch: usize,
}

impl Layout {
    /// The layout of `parts`, one for each layer. Panics at factors of a layer that has none.
    pub fn new(network: &Network, parts: Vec<Part>, batch: usize) -> Self {
        let mut stride = 0;
        let mut offsets = Vec::with_capacity(parts.len());
        for (part, placed) in parts.iter().zip(&network.layers) {
            offsets.push(stride);
            stride += match part {
                Part::Absent => 0,
                Part::Rows => placed.range.len(),
                Part::Factors => {
                    let (inputs, outputs) = placed.layer.outer_product().expect("a layer with factors");
                    batch * (inputs + outputs)
                }
            };
        }
        Layout {
            parts,
            offsets,
            stride,
            batch,
        }
    }
}

impl Network {
    /// As [`Network::gradient`] for the parts that `layout` wants, in columns of its form. The group in
    /// `workspace.activations[0]` holds the samples `first..` of the minibatches that `columns` are of.
    #[allow(clippy::too_many_arguments)]
    pub fn gradient_parts(
        &self,
        values: &[f32],
        workspace: &mut Workspace,
        labels: &[u32],
        scale: f32,
        segments: &[Segment],
        first: usize,
        layout: &Layout,
        columns: &mut [f32],
    ) {
        self.forward(values, workspace);
        self.loss(workspace, labels, scale);
        let lowest = layout.parts.iter().position(|part| *part != Part::Absent);
        let lowest = lowest.unwrap_or(self.layers.len());
        for i in (lowest..self.layers.len()).rev() {
            let placed = &self.layers[i];
            let theta = self.layer_values(i, values);
            let (input, grad_output) = (&workspace.activations[placed.from], &workspace.gradients[i + 1]);
            let (stride, offset) = (layout.stride, layout.offsets[i]);
            match layout.parts[i] {
                Part::Absent => {}
                Part::Rows => placed.layer.gradient(
                    &theta,
                    input,
                    grad_output,
                    &mut workspace.scratch,
                    segments,
                    columns,
                    Place { stride, offset },
                ),
                Part::Factors => {
                    for segment in segments {
                        let column = &mut columns[segment.column * stride + offset..];
                        let (inputs, deltas) = column.split_at_mut(layout.batch * input.len());
                        for lane in segment.lanes.clone() {
                            let sample = first + lane - segment.column * layout.batch;
                            take_lane(input, lane, &mut inputs[sample * input.len()..]);
                            take_lane(grad_output, lane, &mut deltas[sample * grad_output.len()..]);
                        }
                    }
                }
            }
            if i > lowest {
                self.pass_back(i, workspace, |input, output, grad_output, grad_input, scratch| {
                    let layer = &placed.layer;
                    layer.backward(&theta, input, output, grad_output, grad_input, scratch);
                });
            }
        }
    }
}

/// Copies one sample out of a group.
fn take_lane(lanes: &[Lanes], lane: usize, sample: &mut [f32]) {
    debug_assert!(lane < LANES);
    for (value, lanes) in sample.iter_mut().zip(lanes) {
        *value = lanes.0[lane];
    }
}
