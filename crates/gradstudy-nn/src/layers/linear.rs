//! Fully-connected layer with bias; takes an image as its row-major flattening.

use burn::Tensor;
use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use gradstudy_base::signature::{Default, Param, ParamType, Signature};
use pulp::Arch;

use super::kind::alone;
use super::lanes::{LANES, Lanes, Segment, floats, floats_mut, scatter};
use super::linear_kernels::{Backward, Forward, OuterProduct, transpose};
use super::second_order::SecondOrder;
use super::{Initial, Layer, LayerKind, Parameter, Place, Products, Shape, TokenLinear, size};

/// `nn.Linear`, behind an `nn.Flatten` where the activation is an image.
pub static KIND: LayerKind = LayerKind {
    signature: &Signature {
        name: "linear",
        summary: "W x + b of all numbers of an activation, or of those at each position of a sequence",
        params: &[
            Param {
                name: "outputs",
                ty: ParamType::Integer { min: 1, max: 100_000 },
                default: Default::Required,
                doc: "numbers that come out (PyTorch's out_features)",
            },
            Param {
                name: "positionwise",
                ty: ParamType::Boolean,
                default: Default::Text("false"),
                doc: "whether each position has its own outputs from the channels there, as in transformers; else an image \
                      is flattened",
            },
        ],
        version: 1,
    },
    place: |args, here| {
        let (input, outputs) = (here.shape, args.integer("outputs") as usize);
        match args.boolean("positionwise") {
            true => alone(TokenLinear::new(input, outputs)),
            false => alone(Linear { input, outputs }),
        }
    },
};

/// y = W x + b.
#[derive(Debug)]
pub struct Linear {
    pub input: Shape,
    pub outputs: usize,
}

impl Linear {
    fn inputs(&self) -> usize {
        size(self.input)
    }

    fn weights(&self) -> usize {
        self.outputs * self.inputs()
    }
}

impl Layer for Linear {
    fn kind(&self) -> &'static str {
        "Linear"
    }

    fn output(&self) -> Shape {
        [self.outputs, 1, 1]
    }

    fn parameters(&self) -> Vec<Parameter> {
        let bound = 1.0 / (self.inputs() as f64).sqrt();
        vec![
            Parameter {
                name: "weight",
                dims: vec![self.outputs, self.inputs()],
                initial: Initial::Uniform(bound),
            },
            Parameter {
                name: "bias",
                dims: vec![self.outputs],
                initial: Initial::Uniform(bound),
            },
        ]
    }

    fn flops(&self) -> u64 {
        2 * self.weights() as u64
    }

    fn scratch(&self) -> usize {
        self.inputs()
    }

    fn forward(&self, theta: &[f32], input: &[Lanes], output: &mut [Lanes], _scratch: &mut [Lanes]) {
        let (weights, bias) = theta.split_at(self.weights());
        Arch::new().dispatch(Forward {
            weights,
            bias,
            input,
            output,
        });
    }

    fn backward(
        &self,
        theta: &[f32],
        _input: &[Lanes],
        _output: &[Lanes],
        grad_output: &[Lanes],
        grad_input: &mut [Lanes],
        _scratch: &mut [Lanes],
    ) {
        Arch::new().dispatch(Backward {
            weights: &theta[..self.weights()],
            grad_output,
            grad_input,
        });
    }

    fn gradient(
        &self,
        _theta: &[f32],
        input: &[Lanes],
        grad_output: &[Lanes],
        scratch: &mut [Lanes],
        segments: &[Segment],
        columns: &mut [f32],
        place: Place,
    ) {
        let inputs = self.inputs();
        let samples = &mut floats_mut(&mut scratch[..inputs])[..];
        if segments.iter().any(|segment| segment.lanes.len() == 1) {
            transpose(input, samples);
        }
        for segment in segments {
            let weight = &mut columns[segment.column * place.stride + place.offset..][..self.weights()];
            let (lanes, k) = (segment.lanes.clone(), segment.lanes.len());
            if k == 1 {
                Arch::new().dispatch(OuterProduct {
                    a: &samples[lanes.start * inputs..][..inputs],
                    grad_output,
                    lane: lanes.start,
                    add: !segment.first,
                    weight,
                });
                continue;
            }
            // (δ aᵀ)ᵀ = a δᵀ, so that the row-major weight is a column-major matrix of shape [inputs, outputs].
            let a = MatRef::from_row_major_slice(floats(input), inputs, LANES).subcols(lanes.start, k);
            let delta = MatRef::from_column_major_slice(floats(grad_output), LANES, self.outputs);
            let product = MatMut::from_column_major_slice_mut(weight, inputs, self.outputs);
            let accumulate = if segment.first { Accum::Replace } else { Accum::Add };
            matmul(
                product,
                accumulate,
                a,
                delta.subrows(lanes.start, k),
                1.0,
                Par::Seq,
            );
        }
        let bias = Place {
            offset: place.offset + self.weights(),
            ..place
        };
        scatter(grad_output, segments, columns, bias);
    }

    fn outer_product(&self) -> Option<(usize, usize)> {
        Some((self.inputs(), self.outputs))
    }

    fn second_order(&self) -> SecondOrder<'_> {
        SecondOrder::Linear
    }

    #[cfg(feature = "kernels")]
    fn kernel(&self) -> Option<Box<dyn crate::kernels::Kernel>> {
        let size = [self.inputs(), self.outputs];
        Some(Box::new(crate::kernels::FullyConnected(size)))
    }

    fn tensor_forward(&self, theta: Tensor<1>, input: Tensor<4>, products: Products) -> Tensor<4> {
        let samples = input.dims()[0];
        let weight = theta
            .clone()
            .slice([0..self.weights()])
            .reshape([self.outputs, self.inputs()]);
        let bias = theta
            .slice([self.weights()..self.weights() + self.outputs])
            .reshape([1, self.outputs]);
        let input = input.reshape([samples, self.inputs()]);
        let output = products.of(input, weight.transpose()) + bias;
        output.reshape([samples, self.outputs, 1, 1])
    }

    fn tensor_gradient(
        &self,
        input: Tensor<4>,
        grad_output: Tensor<4>,
        minibatches: usize,
        products: Products,
    ) -> Option<Tensor<2>> {
        let batch = input.dims()[0] / minibatches;
        let a = input.reshape([minibatches, batch, self.inputs()]);
        let delta = grad_output.reshape([minibatches, batch, self.outputs]);
        let bias = delta.clone().sum_dim(1).reshape([minibatches, self.outputs]);
        let weight = products
            .of(delta.swap_dims(1, 2), a)
            .reshape([minibatches, self.weights()]);
        Some(Tensor::cat(vec![weight, bias], 1))
    }
}
