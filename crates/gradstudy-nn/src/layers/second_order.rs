//! What second derivatives need to know of a layer beyond its forward and backward kernels.

use super::BatchNorm;
use super::lanes::Lanes;

/// How a layer's derivative depends on its parameters and its input ([`super::Layer::second_order`]).
#[derive(Clone, Copy)]
pub enum SecondOrder<'a> {
    /// No rule is known: a network with this layer has no Hessian-vector products here.
    Unknown,
    /// Linear in the input and linear in the parameters, up to those called `bias`, which are added. Every
    /// tangent then follows from the layer's own `forward`, `backward` and `gradient`.
    Linear,
    /// Without parameters and piecewise linear in the input.
    Piecewise(&'a dyn Tangent),
    /// Without parameters and twice differentiable in the input.
    Smooth(&'a dyn Curved),
    /// Batch normalisation, by running statistics or by those of a minibatch.
    Normalisation(&'a BatchNorm),
}

/// The derivative of a layer without parameters along a direction in its input.
pub trait Tangent {
    /// `output_tangent` ← D layer(`input`) · `input_tangent`, where `output` is what the forward pass gave: the
    /// same side of every kink, the same maximum of every window as the backward pass takes.
    fn tangent(
        &self,
        input: &[Lanes],
        output: &[Lanes],
        input_tangent: &[Lanes],
        output_tangent: &mut [Lanes],
    );
}

/// The second derivative of a layer without parameters.
pub trait Curved: Tangent {
    /// Adds (D² layer(`input`) · `input_tangent`)ᵀ `grad_output` to `grad_input_tangent`.
    fn add_curvature(
        &self,
        input: &[Lanes],
        output: &[Lanes],
        input_tangent: &[Lanes],
        grad_output: &[Lanes],
        grad_input_tangent: &mut [Lanes],
    );
}
