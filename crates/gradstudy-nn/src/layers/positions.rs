//! A learned vector for each position, added to what stands there.

use burn::Tensor;
use gradstudy_base::signature::{Default, Param, ParamType, Signature};

use super::kind::alone;
use super::lanes::{Lanes, Segment, floats, floats_mut, scatter};
use super::{Initial, Layer, LayerKind, Parameter, Place, Products, Shape, size};

/// An `nn.Embedding` of the positions, added to what stands there.
pub static KIND: LayerKind = LayerKind {
    signature: &Signature {
        name: "positions",
        summary: "a learned vector for each position, added; an image becomes the sequence of its positions",
        params: &[Param {
            name: "sd",
            ty: ParamType::Number { min: 0.0, max: 1e6 },
            default: Default::Text("1"),
            doc: "standard deviation of the initial vectors; PyTorch's default is 1, vision transformers take 0.02",
        }],
        version: 1,
    },
    place: |args, here| {
        alone(Positions {
            input: here.shape,
            sd: args.number("sd"),
        })
    },
};

/// y = x + E with E of shape \[positions, channels\], the weight of an `nn.Embedding`; an image becomes the row of its
/// positions: \[channels, 1, positions\].
#[derive(Debug)]
pub struct Positions {
    pub input: Shape,
    /// Standard deviation of the initial vectors.
    pub sd: f64,
}

impl Positions {
    fn channels(&self) -> usize {
        self.input[0]
    }

    fn positions(&self) -> usize {
        self.input[1] * self.input[2]
    }
}

impl Layer for Positions {
    fn kind(&self) -> &'static str {
        "position embedding"
    }

    fn output(&self) -> Shape {
        [self.channels(), 1, self.positions()]
    }

    fn parameters(&self) -> Vec<Parameter> {
        vec![Parameter {
            name: "weight",
            dims: vec![self.positions(), self.channels()],
            initial: Initial::Normal(self.sd),
        }]
    }

    fn flops(&self) -> u64 {
        size(self.input) as u64
    }

    fn scratch(&self) -> usize {
        size(self.input)
    }

    fn forward(&self, theta: &[f32], input: &[Lanes], output: &mut [Lanes], _scratch: &mut [Lanes]) {
        let (channels, positions) = (self.channels(), self.positions());
        for (i, (y, x)) in output.iter_mut().zip(input).enumerate() {
            let vector = theta[i % positions * channels + i / positions];
            *y = Lanes(x.0.map(|x| x + vector));
        }
    }

    fn backward(
        &self,
        _theta: &[f32],
        _input: &[Lanes],
        _output: &[Lanes],
        grad_output: &[Lanes],
        grad_input: &mut [Lanes],
        _scratch: &mut [Lanes],
    ) {
        floats_mut(grad_input).copy_from_slice(floats(grad_output));
    }

    fn gradient(
        &self,
        _theta: &[f32],
        _input: &[Lanes],
        grad_output: &[Lanes],
        scratch: &mut [Lanes],
        segments: &[Segment],
        columns: &mut [f32],
        place: Place,
    ) {
        let (channels, positions) = (self.channels(), self.positions());
        let turned = &mut scratch[..size(self.input)];
        for (i, delta) in grad_output.iter().enumerate() {
            turned[i % positions * channels + i / positions] = *delta;
        }
        scatter(turned, segments, columns, place);
    }

    fn tensor_forward(&self, theta: Tensor<1>, input: Tensor<4>, _products: Products) -> Tensor<4> {
        let (channels, positions) = (self.channels(), self.positions());
        let samples = input.dims()[0];
        let vectors = theta
            .reshape([positions, channels])
            .transpose()
            .reshape([1, channels, 1, positions]);
        input.reshape([samples, channels, 1, positions]) + vectors
    }

    fn tensor_gradient(
        &self,
        input: Tensor<4>,
        grad_output: Tensor<4>,
        minibatches: usize,
        _products: Products,
    ) -> Option<Tensor<2>> {
        let (channels, positions) = (self.channels(), self.positions());
        let batch = input.dims()[0] / minibatches;
        let sums = grad_output
            .reshape([minibatches, batch, channels, positions])
            .sum_dim(1)
            .reshape([minibatches, channels, positions]);
        Some(sums.swap_dims(1, 2).reshape([minibatches, channels * positions]))
    }
}
