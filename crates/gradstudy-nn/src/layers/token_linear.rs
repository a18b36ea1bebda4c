//! A fully-connected layer applied to each position of a sequence: `nn.Linear` on (…, tokens, features).

use burn::Tensor;

use super::lanes::{Lanes, Segment};
use super::second_order::SecondOrder;
use super::{Conv2d, Layer, Parameter, Place, Products, Shape};

/// y = W x + b at every position; computed as the 1×1 convolution that it is.
#[derive(Debug)]
pub struct TokenLinear(Conv2d);

impl TokenLinear {
    /// From `input` \[features, 1, tokens\] to \[outputs, 1, tokens\].
    pub fn new(input: Shape, outputs: usize) -> Self {
        TokenLinear(Conv2d {
            input,
            out_channels: outputs,
            kernel: 1,
            bias: true,
            ..Conv2d::default()
        })
    }
}

impl Layer for TokenLinear {
    fn kind(&self) -> &'static str {
        "Linear"
    }

    fn output(&self) -> Shape {
        self.0.output()
    }

    fn parameters(&self) -> Vec<Parameter> {
        let mut parameters = self.0.parameters();
        // A matrix, where the convolution has [outputs, features, 1, 1].
        parameters[0].dims.truncate(2);
        parameters
    }

    fn flops(&self) -> u64 {
        self.0.flops()
    }

    fn scratch(&self) -> usize {
        self.0.scratch()
    }

    fn forward(&self, theta: &[f32], input: &[Lanes], output: &mut [Lanes], scratch: &mut [Lanes]) {
        self.0.forward(theta, input, output, scratch);
    }

    fn backward(
        &self,
        theta: &[f32],
        input: &[Lanes],
        output: &[Lanes],
        grad_output: &[Lanes],
        grad_input: &mut [Lanes],
        scratch: &mut [Lanes],
    ) {
        self.0
            .backward(theta, input, output, grad_output, grad_input, scratch);
    }

    fn gradient(
        &self,
        theta: &[f32],
        input: &[Lanes],
        grad_output: &[Lanes],
        scratch: &mut [Lanes],
        segments: &[Segment],
        columns: &mut [f32],
        place: Place,
    ) {
        self.0
            .gradient(theta, input, grad_output, scratch, segments, columns, place);
    }

    fn second_order(&self) -> SecondOrder<'_> {
        self.0.second_order()
    }

    fn tensor_forward(&self, theta: Tensor<1>, input: Tensor<4>, products: Products) -> Tensor<4> {
        self.0.tensor_forward(theta, input, products)
    }

    fn tensor_gradient(
        &self,
        input: Tensor<4>,
        grad_output: Tensor<4>,
        minibatches: usize,
        products: Products,
    ) -> Option<Tensor<2>> {
        self.0.tensor_gradient(input, grad_output, minibatches, products)
    }
}
