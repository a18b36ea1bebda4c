//! A network: named layers, what each takes as its input, and the flat parameter vector θ ∈ Rⁿ they share.
//!
//! Most networks are a row of layers. A residual network is a directed graph: a layer may take an earlier activation
//! than the last one, and may add one to its output. Activation 0 is the network's input, activation i + 1 the
//! output of layer i.
//!
//! A network's *values* are θ and, after it, the buffers (running statistics) of its batch normalisations.

use std::borrow::Cow;
use std::ops::Range;

use crate::layers::{BatchNormMode, Initial, Layer, Parameter, Shape, size};

use super::ModelError;

/// Layers in order, each at its place in θ.
#[derive(Debug)]
pub struct Network {
    /// As printed in tables, such as `LeNet`.
    pub name: &'static str,
    /// Shape of one sample.
    pub input: Shape,
    /// Logits at each position.
    pub classes: usize,
    /// Predictions for each sample: 1, or the tokens of a sequence.
    pub positions: usize,
    pub layers: Vec<Placed>,
    parameters: usize,
    buffers: usize,
}

/// A layer, its name (PyTorch's module name), what it takes, and where its numbers lie among the values.
#[derive(Debug)]
pub struct Placed {
    pub name: String,
    pub layer: Box<dyn Layer>,
    /// Its parameters, in θ.
    pub range: Range<usize>,
    /// Its buffers, in the values (behind θ).
    pub buffers: Range<usize>,
    /// The activation that it takes.
    pub from: usize,
    /// An activation that is added to its output. Such a layer's backward pass must not look at its output.
    pub plus: Option<usize>,
}

/// How activations depend on each other.
#[derive(Debug)]
pub struct Flow {
    /// For each activation: the last layer to use it, which sets its gradient; the others add to it.
    pub last_use: Vec<Option<usize>>,
    /// For each activation: whether parameters come before it.
    pub depends: Vec<bool>,
}

/// Puts layers together.
#[derive(Debug)]
pub struct Builder {
    input: Shape,
    layers: Vec<Placed>,
    /// Of the layers so far.
    parameters: usize,
}

impl Builder {
    /// No layers yet, for samples of shape `input`.
    pub fn new(input: Shape) -> Self {
        Builder {
            input,
            layers: Vec::new(),
            parameters: 0,
        }
    }

    /// Parameters of the layers so far.
    pub fn parameter_count(&self) -> usize {
        self.parameters
    }

    /// The last activation so far.
    pub fn last(&self) -> usize {
        self.layers.len()
    }

    /// Shape of an activation.
    pub fn shape_of(&self, activation: usize) -> Shape {
        match activation.checked_sub(1) {
            None => self.input,
            Some(layer) => self.layers[layer].layer.output(),
        }
    }

    /// Shape of the last activation.
    pub fn shape(&self) -> Shape {
        self.shape_of(self.last())
    }

    /// Adds a layer that takes the last activation.
    pub fn push(&mut self, name: impl Into<String>, layer: impl Layer + 'static) {
        self.push_from(self.last(), name, layer);
    }

    /// Adds a layer that takes activation `from`.
    pub fn push_from(&mut self, from: usize, name: impl Into<String>, layer: impl Layer + 'static) {
        self.push_boxed(from, name.into(), Box::new(layer));
    }

    /// Adds a layer that takes activation `from`.
    pub fn push_boxed(&mut self, from: usize, name: String, layer: Box<dyn Layer>) {
        self.parameters += layer.parameters().iter().map(Parameter::len).sum::<usize>();
        self.layers.push(Placed {
            name,
            layer,
            range: 0..0,
            buffers: 0..0,
            from,
            plus: None,
        });
    }

    /// Whether [`Builder::plus`] may add `activation` to the output of the last layer.
    pub fn takes_sum(&self, activation: usize) -> bool {
        let free = |placed: &Placed| {
            placed.plus.is_none() && placed.from != activation && !placed.layer.reads_output()
        };
        self.layers.last().is_some_and(free)
    }

    /// Adds `activation` to the output of the last layer, which must be of its shape.
    pub fn plus(&mut self, activation: usize) {
        let taken = self.layers.last().map(|placed| placed.from);
        assert_ne!(
            taken,
            Some(activation),
            "a layer is added to, not its input to itself"
        );
        assert_eq!(
            self.shape_of(activation),
            self.shape(),
            "a skip connection keeps its shape"
        );
        if let Some(placed) = self.layers.last_mut() {
            placed.plus = Some(activation);
        }
    }

    /// The network, its layers' parameters one after the other in θ and their buffers behind them.
    pub fn build(self, name: &'static str) -> Network {
        self.finish(name, false)
    }

    /// The same of a network that makes a prediction at each position of its last activation.
    pub fn build_sequence(self, name: &'static str) -> Network {
        self.finish(name, true)
    }

    fn finish(mut self, name: &'static str, sequence: bool) -> Network {
        let count = |tensors: Vec<Parameter>| tensors.iter().map(Parameter::len).sum::<usize>();
        let mut offset = 0;
        for placed in &mut self.layers {
            let end = offset + count(placed.layer.parameters());
            placed.range = offset..end;
            offset = end;
        }
        let parameters = offset;
        for placed in &mut self.layers {
            let end = offset + count(placed.layer.buffers());
            placed.buffers = offset..end;
            offset = end;
        }
        let logits = self.shape();
        let positions = if sequence { logits[1] * logits[2] } else { 1 };
        Network {
            name,
            input: self.input,
            classes: size(logits) / positions,
            positions,
            layers: self.layers,
            parameters,
            buffers: offset - parameters,
        }
    }
}

impl Network {
    /// A row of layers.
    pub fn new(name: &'static str, input: Shape, layers: Vec<(&'static str, Box<dyn Layer>)>) -> Self {
        let mut builder = Builder::new(input);
        for (name, layer) in layers {
            builder.push_boxed(builder.last(), name.to_string(), layer);
        }
        builder.build(name)
    }

    /// n, the number of parameters.
    pub fn parameter_count(&self) -> usize {
        self.parameters
    }

    /// Running statistics behind θ in the values.
    pub fn buffer_count(&self) -> usize {
        self.buffers
    }

    /// Parameters and running statistics.
    pub fn value_count(&self) -> usize {
        self.parameters + self.buffers
    }

    /// Who uses which activation.
    pub fn flow(&self) -> Flow {
        let mut flow = Flow {
            last_use: vec![None; self.layers.len() + 1],
            depends: vec![false],
        };
        for (i, placed) in self.layers.iter().enumerate() {
            for activation in std::iter::once(placed.from).chain(placed.plus) {
                flow.last_use[activation] = Some(i);
            }
            let mut taken = std::iter::once(placed.from).chain(placed.plus);
            let depends = taken.any(|activation| flow.depends[activation]) || !placed.range.is_empty();
            flow.depends.push(depends);
        }
        flow
    }

    /// The version of the host kernels' mathematics: the latest of its layers.
    pub fn version(&self) -> u32 {
        let versions = self.layers.iter().map(|placed| placed.layer.version());
        versions.max().unwrap_or(1)
    }

    /// Whether the samples of a minibatch are coupled by batch normalisation.
    pub fn has_batch_norm(&self) -> bool {
        self.layers
            .iter()
            .any(|placed| placed.layer.batch_norm().is_some())
    }

    /// Whether minibatches of `batch` samples have statistics to normalise by. Errors: a single sample has none.
    pub fn check_batch(&self, batch: usize, mode: BatchNormMode) -> Result<(), ModelError> {
        if batch < 2 && mode == BatchNormMode::Batch && self.has_batch_norm() {
            return Err(ModelError::SingleSample { model: self.name });
        }
        Ok(())
    }

    /// Name, dimensions, initial values and range in θ of every parameter tensor, in the order of θ.
    pub fn parameters(&self) -> Vec<NamedParameter> {
        self.named(|placed| (placed.layer.parameters(), placed.range.start))
    }

    /// The same of every buffer, its range being behind θ in the values.
    pub fn buffers(&self) -> Vec<NamedParameter> {
        self.named(|placed| (placed.layer.buffers(), placed.buffers.start))
    }

    fn named(&self, tensors: impl Fn(&Placed) -> (Vec<Parameter>, usize)) -> Vec<NamedParameter> {
        let mut named = Vec::new();
        for placed in &self.layers {
            let (tensors, mut start) = tensors(placed);
            for tensor in tensors {
                let range = start..start + tensor.len();
                start = range.end;
                named.push(NamedParameter {
                    name: format!("{}.{}", placed.name, tensor.name),
                    dims: tensor.dims,
                    initial: tensor.initial,
                    range,
                });
            }
        }
        named
    }

    /// The parameters of layer `i` followed by its buffers, as [`Layer`] takes them.
    pub fn layer_values<'a>(&self, i: usize, values: &'a [f32]) -> Cow<'a, [f32]> {
        let placed = &self.layers[i];
        let theta = &values[placed.range.clone()];
        if placed.buffers.is_empty() {
            return Cow::Borrowed(theta);
        }
        Cow::Owned([theta, &values[placed.buffers.clone()]].concat())
    }

    /// Takes a training minibatch's mean and unbiased variances (in the order of the buffers) into the running
    /// statistics among the `values`, with PyTorch's momentum.
    pub fn update_running(&self, values: &mut [f32], statistics: &[f32]) {
        let momentum = crate::layers::batch_norm::MOMENTUM;
        for (running, new) in values[self.parameters..].iter_mut().zip(statistics) {
            *running = ((1.0 - momentum) * f64::from(*running) + momentum * f64::from(*new)) as f32;
        }
    }

    /// Bytes of one sample's activations and their gradients.
    pub fn bytes_per_sample(&self) -> usize {
        let outputs = self.layers.iter().map(|placed| size(placed.layer.output()));
        2 * size_of::<f32>() * (size(self.input) + outputs.sum::<usize>())
    }

    /// Floating-point operations of one sample's forward pass.
    pub fn forward_flops(&self) -> u64 {
        self.layers.iter().map(|placed| placed.layer.flops()).sum()
    }

    /// Floating-point operations of one sample's gradient: forward, input gradients, weight gradients.
    pub fn gradient_flops(&self) -> u64 {
        3 * self.forward_flops()
    }
}

/// A parameter tensor and where it lies in θ.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedParameter {
    /// PyTorch's name, such as `conv1.weight`.
    pub name: String,
    pub dims: Vec<usize>,
    pub initial: Initial,
    pub range: Range<usize>,
}
