//! Functions of one number, applied element by element: a function with its first two derivatives is a layer.

use std::fmt::Debug;

use burn::Tensor;

use super::lanes::{Lanes, floats, floats_mut};
use super::second_order::{Curved, SecondOrder, Tangent};
use super::{Layer, Products, Shape, size};

/// A real function and its derivatives, in float32.
pub trait Function: Debug + Send + Sync + 'static {
    /// PyTorch's name, such as `SiLU`.
    const KIND: &'static str;
    /// Whether the second derivative is 0 wherever it exists.
    const IS_PIECEWISE_LINEAR: bool = false;

    /// f(x).
    fn value(&self, x: f32) -> f32;

    /// f'(x); at a kink the side that PyTorch takes.
    fn slope(&self, x: f32) -> f32;

    /// f''(x).
    fn curvature(&self, x: f32) -> f32;

    /// f of each element, on burn tensors.
    fn tensor(&self, x: Tensor<4>) -> Tensor<4>;
}

/// A function as a layer.
#[derive(Debug)]
pub struct Elementwise<F> {
    pub shape: Shape,
    pub function: F,
}

/// 1 / (1 + exp −x), by an exponential that does not overflow.
pub fn logistic(x: f32) -> f32 {
    let small = (-x.abs()).exp();
    match x >= 0.0 {
        true => 1.0 / (1.0 + small),
        false => small / (1.0 + small),
    }
}

impl<F: Function> Tangent for Elementwise<F> {
    fn tangent(
        &self,
        input: &[Lanes],
        _output: &[Lanes],
        input_tangent: &[Lanes],
        output_tangent: &mut [Lanes],
    ) {
        // The derivative is diagonal: forwards and backwards it is the same slope.
        let inputs = floats(input).iter().zip(floats(input_tangent));
        for (to, (x, tangent)) in floats_mut(output_tangent).iter_mut().zip(inputs) {
            *to = self.function.slope(*x) * tangent;
        }
    }
}

impl<F: Function> Curved for Elementwise<F> {
    fn add_curvature(
        &self,
        input: &[Lanes],
        _output: &[Lanes],
        input_tangent: &[Lanes],
        grad_output: &[Lanes],
        grad_input_tangent: &mut [Lanes],
    ) {
        let inputs = floats(input)
            .iter()
            .zip(floats(input_tangent))
            .zip(floats(grad_output));
        for (sum, ((x, tangent), delta)) in floats_mut(grad_input_tangent).iter_mut().zip(inputs) {
            *sum += self.function.curvature(*x) * tangent * delta;
        }
    }
}

impl<F: Function> Layer for Elementwise<F> {
    fn kind(&self) -> &'static str {
        F::KIND
    }

    fn output(&self) -> Shape {
        self.shape
    }

    fn flops(&self) -> u64 {
        // About what one evaluation of an exponential costs.
        20 * size(self.shape) as u64
    }

    fn forward(&self, _theta: &[f32], input: &[Lanes], output: &mut [Lanes], _scratch: &mut [Lanes]) {
        for (y, x) in floats_mut(output).iter_mut().zip(floats(input)) {
            *y = self.function.value(*x);
        }
    }

    fn backward(
        &self,
        _theta: &[f32],
        input: &[Lanes],
        output: &[Lanes],
        grad_output: &[Lanes],
        grad_input: &mut [Lanes],
        _scratch: &mut [Lanes],
    ) {
        self.tangent(input, output, grad_output, grad_input);
    }

    fn second_order(&self) -> SecondOrder<'_> {
        match F::IS_PIECEWISE_LINEAR {
            true => SecondOrder::Piecewise(self),
            false => SecondOrder::Smooth(self),
        }
    }

    fn tensor_forward(&self, _theta: Tensor<1>, input: Tensor<4>, _products: Products) -> Tensor<4> {
        self.function.tensor(input)
    }
}
