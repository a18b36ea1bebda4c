//! A network: named layers in a row, and the flat parameter vector θ ∈ Rⁿ they share.

use std::ops::Range;

use crate::layers::lanes::{LANES, Lanes, Segment};
use crate::layers::{Layer, Place, Shape, size};

/// Layers in order, each at its place in θ.
#[derive(Debug)]
pub struct Network {
    /// As printed in tables, such as `LeNet`.
    pub name: &'static str,
    /// Shape of one sample.
    pub input: Shape,
    /// Logits.
    pub classes: usize,
    pub layers: Vec<Placed>,
    parameters: usize,
}

/// A layer, its name (PyTorch's module name) and where its parameters lie in θ.
#[derive(Debug)]
pub struct Placed {
    pub name: &'static str,
    pub layer: Box<dyn Layer>,
    pub range: Range<usize>,
}

impl Network {
    /// Puts the layers' parameters one after the other in θ.
    pub fn new(name: &'static str, input: Shape, layers: Vec<(&'static str, Box<dyn Layer>)>) -> Self {
        let mut offset = 0;
        let layers: Vec<_> = layers
            .into_iter()
            .map(|(name, layer)| {
                let len: usize = layer.parameters().iter().map(|p| p.len()).sum();
                let range = offset..offset + len;
                offset += len;
                Placed { name, layer, range }
            })
            .collect();
        let classes = layers
            .last()
            .map_or(size(input), |last| size(last.layer.output()));
        Network {
            name,
            input,
            classes,
            layers,
            parameters: offset,
        }
    }

    /// n, the number of parameters.
    pub fn parameter_count(&self) -> usize {
        self.parameters
    }

    /// Name, dimensions, initial bound and range in θ of every parameter tensor, in the order of θ.
    pub fn parameters(&self) -> Vec<NamedParameter> {
        let mut named = Vec::new();
        for placed in &self.layers {
            let mut start = placed.range.start;
            for parameter in placed.layer.parameters() {
                let range = start..start + parameter.len();
                start = range.end;
                let name = format!("{}.{}", placed.name, parameter.name);
                named.push(NamedParameter {
                    name,
                    dims: parameter.dims,
                    bound: parameter.bound,
                    range,
                });
            }
        }
        named
    }

    /// Floating-point operations of one sample's forward pass.
    pub fn forward_flops(&self) -> u64 {
        self.layers.iter().map(|placed| placed.layer.flops()).sum()
    }

    /// Floating-point operations of one sample's gradient: forward, input gradients, weight gradients.
    pub fn gradient_flops(&self) -> u64 {
        3 * self.forward_flops()
    }

    /// Buffers for one group of samples.
    pub fn workspace(&self) -> Workspace {
        let buffers = || {
            let mut buffers = vec![vec![Lanes::default(); size(self.input)]];
            buffers.extend(
                self.layers
                    .iter()
                    .map(|p| vec![Lanes::default(); size(p.layer.output())]),
            );
            buffers
        };
        let scratch = self.layers.iter().map(|p| p.layer.scratch()).max().unwrap_or(0);
        Workspace {
            activations: buffers(),
            gradients: buffers(),
            scratch: vec![Lanes::default(); scratch],
        }
    }

    /// Runs the layers forward on the group in `workspace.activations[0]`.
    pub fn forward(&self, theta: &[f32], workspace: &mut Workspace) {
        for (i, placed) in self.layers.iter().enumerate() {
            let (before, after) = workspace.activations.split_at_mut(i + 1);
            placed.layer.forward(
                &theta[placed.range.clone()],
                &before[i],
                &mut after[0],
                &mut workspace.scratch,
            );
        }
    }

    /// Gradients of `scale` × cross-entropy for the group in `workspace.activations[0]`, summed over each segment
    /// into `columns` (consecutive gradients of n numbers). Returns each sample's loss.
    ///
    /// Lanes beyond `labels` take no part.
    pub fn gradient(
        &self,
        theta: &[f32],
        workspace: &mut Workspace,
        labels: &[u32],
        scale: f32,
        segments: &[Segment],
        columns: &mut [f32],
    ) -> [f32; LANES] {
        self.forward(theta, workspace);
        let Workspace {
            activations,
            gradients,
            scratch,
        } = workspace;
        let depth = self.layers.len();
        let losses = super::loss::cross_entropy(&activations[depth], labels, scale, &mut gradients[depth]);
        let first_with_parameters = self
            .layers
            .iter()
            .position(|p| !p.range.is_empty())
            .unwrap_or(depth);
        for (i, placed) in self.layers.iter().enumerate().rev() {
            let (before, after) = gradients.split_at_mut(i + 1);
            let (input, grad_output) = (&activations[i], &after[0]);
            let theta = &theta[placed.range.clone()];
            let place = Place {
                stride: self.parameters,
                offset: placed.range.start,
            };
            placed
                .layer
                .gradient(input, grad_output, scratch, segments, columns, place);
            if i > first_with_parameters {
                placed.layer.backward(
                    theta,
                    input,
                    &activations[i + 1],
                    grad_output,
                    &mut before[i],
                    scratch,
                );
            }
        }
        losses
    }
}

/// Activations and their gradients for one group of sixteen samples, before each layer and after the last.
#[derive(Debug)]
pub struct Workspace {
    pub activations: Vec<Vec<Lanes>>,
    gradients: Vec<Vec<Lanes>>,
    scratch: Vec<Lanes>,
}

impl Workspace {
    /// Lays samples (row-major images) side by side as the network's input; absent lanes are zero.
    pub fn load<'a>(&mut self, images: impl Iterator<Item = &'a [f32]>) {
        let input = &mut self.activations[0];
        let mut filled = 0;
        for (lane, image) in images.take(LANES).enumerate() {
            for (lanes, value) in input.iter_mut().zip(image) {
                lanes.0[lane] = *value;
            }
            filled = lane + 1;
        }
        if filled < LANES {
            input.iter_mut().for_each(|lanes| lanes.0[filled..].fill(0.0));
        }
    }

    /// The logits of the last forward pass, [classes] × lanes.
    pub fn logits(&self) -> &[Lanes] {
        self.activations.last().map_or(&[], |logits| logits)
    }
}

/// A parameter tensor and where it lies in θ.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedParameter {
    /// PyTorch's name, such as `conv1.weight`.
    pub name: String,
    pub dims: Vec<usize>,
    /// Initial values are uniform in ±this.
    pub bound: f64,
    pub range: Range<usize>,
}
