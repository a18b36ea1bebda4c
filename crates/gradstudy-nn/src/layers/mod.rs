//! The layers that networks are made of: one file each, with a host kernel, a burn form and their parameters.
//!
//! The host form ([`Layer::forward`], [`Layer::backward`], [`Layer::gradient`]) works on groups of sixteen samples
//! in the [`lanes`] layout; the burn form ([`Layer::tensor_forward`], [`Layer::tensor_gradient`]) runs on any burn
//! device and is what the host form is tested against.

pub mod attention;
mod attention_kernels;
pub mod avg_pool2d;
pub mod batch_norm;
pub(crate) mod batch_norm_kernels;
pub(crate) mod batch_norm_second_order;
pub mod conv2d;
mod conv2d_blocked;
mod conv2d_group;
mod conv2d_kernels;
mod conv2d_wide;
mod conv2d_winograd;
mod conv2d_winograd_gradient;
pub mod elementwise;
pub mod elu;
pub mod embedding;
pub mod gelu;
pub mod global_avg_pool;
pub mod identity;
mod kind;
pub mod lanes;
pub mod layer_norm;
pub mod leaky_relu;
pub mod linear;
mod linear_kernels;
pub mod max_pool2d;
pub mod positions;
pub mod products;
pub mod relu;
pub mod scale;
pub mod second_order;
pub mod sigmoid;
pub mod silu;
pub mod softplus;
pub mod tanh;
#[cfg(test)]
mod tests;
pub mod token_linear;
pub mod vector_math;

pub use attention::Attention;
pub use avg_pool2d::AvgPool2d;
pub use batch_norm::{BatchNorm, BatchNormMode};
pub use conv2d::Conv2d;
pub use elementwise::Elementwise;
pub use embedding::Embedding;
pub use gelu::Gelu;
pub use global_avg_pool::GlobalAvgPool;
pub use identity::Identity;
pub use kind::{Here, LayerKind, Misfit, Row, in_words};
pub use layer_norm::LayerNorm;
pub use linear::Linear;
pub use max_pool2d::MaxPool2d;
pub use positions::Positions;
pub use products::Products;
pub use relu::Relu;
pub use scale::Scale;
pub use tanh::Tanh;
pub use token_linear::TokenLinear;

use burn::Tensor;
use lanes::{Lanes, Segment};
use second_order::SecondOrder;

/// Every layer that a network written in a study can name, in alphabetical order.
pub static LAYERS: &[&LayerKind] = &[
    &attention::KIND,
    &avg_pool2d::KIND,
    &batch_norm::KIND,
    &conv2d::KIND,
    &elu::KIND,
    &embedding::KIND,
    &identity::FLATTEN,
    &gelu::KIND,
    &global_avg_pool::KIND,
    &identity::KIND,
    &layer_norm::KIND,
    &leaky_relu::KIND,
    &linear::KIND,
    &max_pool2d::KIND,
    &positions::KIND,
    &relu::KIND,
    &scale::KIND,
    &sigmoid::KIND,
    &silu::KIND,
    &softplus::KIND,
    &tanh::KIND,
];

/// Shape of one sample's activation: channels, height, width. A flat vector is `[features, 1, 1]`.
pub type Shape = [usize; 3];

/// Numbers in an activation of this shape.
pub fn size(shape: Shape) -> usize {
    shape.iter().product()
}

/// One parameter tensor of a layer.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// `weight` or `bias`, as PyTorch calls it.
    pub name: &'static str,
    /// Row-major dimensions.
    pub dims: Vec<usize>,
    pub initial: Initial,
}

/// How the numbers of a tensor start.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Initial {
    /// Uniform in ±this (PyTorch's default for `Linear` and `Conv2d`: 1/√fan_in for both weight and bias).
    Uniform(f64),
    /// Normal with mean 0 and this standard deviation (PyTorch's default for `Embedding`: 1).
    Normal(f64),
    /// All this number.
    Constant(f64),
}

impl Parameter {
    /// Numbers in the tensor.
    pub fn len(&self) -> usize {
        self.dims.iter().product()
    }

    /// Whether the tensor has no numbers.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A layer at its place in a network: what it does to an activation of a given shape, and how that is undone.
///
/// `theta` is the layer's own parameters, concatenated in the order of [`Layer::parameters`], and after them its
/// buffers in the order of [`Layer::buffers`].
pub trait Layer: std::fmt::Debug + Send + Sync {
    /// The layer's name as PyTorch has it, such as `Conv2d`.
    fn kind(&self) -> &'static str;

    /// Shape of the output.
    fn output(&self) -> Shape;

    /// Parameter tensors, in order; none by default.
    fn parameters(&self) -> Vec<Parameter> {
        Vec::new()
    }

    /// Tensors that training updates without a gradient, such as running statistics; none by default.
    fn buffers(&self) -> Vec<Parameter> {
        Vec::new()
    }

    /// The layer as batch normalisation, which couples the samples of a minibatch.
    fn batch_norm(&self) -> Option<&BatchNorm> {
        None
    }

    /// Raised where the host kernels' rounding changes: what was computed before is not taken from the cache.
    fn version(&self) -> u32 {
        1
    }

    /// Whether [`Layer::backward`], or a rule of [`Layer::second_order`], looks at the layer's output: nothing may then be
    /// added to it ([`crate::models::network::Placed::plus`]).
    fn reads_output(&self) -> bool {
        false
    }

    /// Floating-point operations of one forward pass of one sample (a multiply-add counts as two).
    fn flops(&self) -> u64;

    /// Numbers of scratch (as [`Lanes`]) that the kernels want.
    fn scratch(&self) -> usize {
        0
    }

    /// `output` ← layer(`input`).
    fn forward(&self, theta: &[f32], input: &[Lanes], output: &mut [Lanes], scratch: &mut [Lanes]);

    /// `grad_input` ← ∂loss/∂input, from the `output` of [`Layer::forward`] and ∂loss/∂output.
    fn backward(
        &self,
        theta: &[f32],
        input: &[Lanes],
        output: &[Lanes],
        grad_output: &[Lanes],
        grad_input: &mut [Lanes],
        scratch: &mut [Lanes],
    );

    /// Sums ∂loss/∂theta over each segment into `columns` at `place`; nothing for layers without parameters.
    #[allow(clippy::too_many_arguments)]
    fn gradient(
        &self,
        _theta: &[f32],
        _input: &[Lanes],
        _grad_output: &[Lanes],
        _scratch: &mut [Lanes],
        _segments: &[Segment],
        _columns: &mut [f32],
        _place: Place,
    ) {
    }

    /// Inputs d and outputs m of a layer whose gradient is, for each sample, δ aᵀ (m × d, row-major) followed by δ,
    /// with a its input and δ ∂loss/∂output: then ⟨g_i, g_j⟩ = (a_i·a_j + 1)(δ_i·δ_j). None by default.
    fn outer_product(&self) -> Option<(usize, usize)> {
        None
    }

    /// How second derivatives go through the layer; by default they do not.
    fn second_order(&self) -> SecondOrder<'_> {
        SecondOrder::Unknown
    }

    /// The layer as a kernel for GPUs; where a layer of a network has none, burn's tensors do it all.
    #[cfg(feature = "kernels")]
    fn kernel(&self) -> Option<Box<dyn crate::kernels::Kernel>> {
        None
    }

    /// The layer on burn tensors of shape [samples, channels, height, width].
    fn tensor_forward(&self, theta: Tensor<1>, input: Tensor<4>, products: Products) -> Tensor<4>;

    /// ∂loss/∂theta per minibatch on burn tensors: [minibatches, parameters] from the layer's input and ∂loss/∂output
    /// of `minibatches` equal, consecutive minibatches. None for layers without parameters.
    fn tensor_gradient(
        &self,
        _input: Tensor<4>,
        _grad_output: Tensor<4>,
        _minibatches: usize,
        _products: Products,
    ) -> Option<Tensor<2>> {
        None
    }
}

/// Where a layer's parameters lie in a block of gradients.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// Parameters of the whole network: the distance between two gradients.
    pub stride: usize,
    /// Index of the layer's first parameter.
    pub offset: usize,
}
