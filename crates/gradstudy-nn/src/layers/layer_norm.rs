//! Layer normalisation over the channels of each position (`nn.LayerNorm(channels)`): mean 0 and variance 1, then a
//! scale and a shift for each channel.

use burn::Tensor;
use gradstudy_base::signature::Signature;
use pulp::{Arch, Simd, WithSimd};

use super::kind::alone;
use super::lanes::{LANES, Lanes, Segment, scatter};
use super::{Initial, Layer, LayerKind, Parameter, Place, Products, Shape};

/// What PyTorch adds to the variance, which is the biased one.
const EPSILON: f32 = 1e-5;

/// `nn.LayerNorm(channels)`.
pub static KIND: LayerKind = LayerKind {
    signature: &Signature {
        name: "layer_norm",
        summary: "normalisation of each position over its channels, with a scale and a shift for each channel",
        params: &[],
        version: 1,
    },
    place: |_, here| alone(LayerNorm { shape: here.shape }),
};

/// y = weight · (x − mean) / √(variance + 1e-5) + bias, over the channels of each position.
#[derive(Debug)]
pub struct LayerNorm {
    pub shape: Shape,
}

impl LayerNorm {
    fn channels(&self) -> usize {
        self.shape[0]
    }

    fn positions(&self) -> usize {
        self.shape[1] * self.shape[2]
    }
}

/// `to` ← `operation`(to, from), lane by lane.
#[inline(always)]
fn each(to: &mut Lanes, from: &Lanes, operation: impl Fn(f32, f32) -> f32) {
    for lane in 0..LANES {
        to.0[lane] = operation(to.0[lane], from.0[lane]);
    }
}

/// Mean and 1/√(variance + ε) of each position's channels.
#[inline(always)]
fn moments(input: &[Lanes], mean: &mut [Lanes], scale: &mut [Lanes]) {
    let positions = mean.len();
    let over = 1.0 / (input.len() / positions) as f32;
    mean.fill(Lanes::default());
    for channel in input.chunks_exact(positions) {
        mean.iter_mut()
            .zip(channel)
            .for_each(|(sum, x)| each(sum, x, |sum, x| sum + x));
    }
    mean.iter_mut()
        .for_each(|mean| mean.0.iter_mut().for_each(|mean| *mean *= over));
    scale.fill(Lanes::default());
    for channel in input.chunks_exact(positions) {
        for ((sum, x), mean) in scale.iter_mut().zip(channel).zip(&*mean) {
            for lane in 0..LANES {
                let centred = x.0[lane] - mean.0[lane];
                sum.0[lane] = centred.mul_add(centred, sum.0[lane]);
            }
        }
    }
    scale.iter_mut().for_each(|scale| {
        let of = |sum: &mut f32| *sum = 1.0 / sum.mul_add(over, EPSILON).sqrt();
        scale.0.iter_mut().for_each(of);
    });
}

struct Forward<'a> {
    theta: &'a [f32],
    input: &'a [Lanes],
    output: &'a mut [Lanes],
    mean: &'a mut [Lanes],
    scale: &'a mut [Lanes],
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let positions = self.mean.len();
        moments(self.input, self.mean, self.scale);
        let (weight, bias) = self.theta.split_at(self.theta.len() / 2);
        let rows = self.input.chunks_exact(positions).zip(weight.iter().zip(bias));
        for (row, (x, (weight, bias))) in self.output.chunks_exact_mut(positions).zip(rows) {
            for (p, (y, x)) in row.iter_mut().zip(x).enumerate() {
                for lane in 0..LANES {
                    let normal = (x.0[lane] - self.mean[p].0[lane]) * self.scale[p].0[lane];
                    y.0[lane] = weight.mul_add(normal, *bias);
                }
            }
        }
    }
}

struct Backward<'a> {
    weight: &'a [f32],
    input: &'a [Lanes],
    grad_output: &'a [Lanes],
    grad_input: &'a mut [Lanes],
    mean: &'a mut [Lanes],
    scale: &'a mut [Lanes],
    /// For each position: the means over the channels of wδ and of wδ times the normalised input.
    sums: [&'a mut [Lanes]; 2],
}

impl WithSimd for Backward<'_> {
    type Output = ();

    /// dx = scale · (wδ − mean(wδ) − x̂ · mean(wδ x̂)).
    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let positions = self.mean.len();
        let over = 1.0 / self.weight.len() as f32;
        moments(self.input, self.mean, self.scale);
        let (mean, scale) = (&*self.mean, &*self.scale);
        let [plain, along] = self.sums;
        plain.fill(Lanes::default());
        along.fill(Lanes::default());
        let rows = || {
            self.input
                .chunks_exact(positions)
                .zip(self.grad_output.chunks_exact(positions))
        };
        for ((x, delta), weight) in rows().zip(self.weight) {
            for p in 0..positions {
                for lane in 0..LANES {
                    let normal = (x[p].0[lane] - mean[p].0[lane]) * scale[p].0[lane];
                    let delta = weight * delta[p].0[lane];
                    plain[p].0[lane] += delta;
                    along[p].0[lane] = delta.mul_add(normal, along[p].0[lane]);
                }
            }
        }
        for (row, ((x, delta), weight)) in self
            .grad_input
            .chunks_exact_mut(positions)
            .zip(rows().zip(self.weight))
        {
            for p in 0..positions {
                for lane in 0..LANES {
                    let normal = (x[p].0[lane] - mean[p].0[lane]) * scale[p].0[lane];
                    let common = normal.mul_add(along[p].0[lane], plain[p].0[lane]) * over;
                    row[p].0[lane] = scale[p].0[lane] * weight.mul_add(delta[p].0[lane], -common);
                }
            }
        }
    }
}

struct Gradient<'a> {
    input: &'a [Lanes],
    grad_output: &'a [Lanes],
    mean: &'a mut [Lanes],
    scale: &'a mut [Lanes],
    /// \[weight, bias\].
    sums: &'a mut [Lanes],
}

impl WithSimd for Gradient<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let positions = self.mean.len();
        moments(self.input, self.mean, self.scale);
        let (weights, biases) = self.sums.split_at_mut(self.sums.len() / 2);
        let rows = self
            .input
            .chunks_exact(positions)
            .zip(self.grad_output.chunks_exact(positions));
        for ((x, delta), (weight, bias)) in rows.zip(weights.iter_mut().zip(biases)) {
            let (mut along, mut plain) = (Lanes::default(), Lanes::default());
            for p in 0..positions {
                for lane in 0..LANES {
                    let normal = (x[p].0[lane] - self.mean[p].0[lane]) * self.scale[p].0[lane];
                    along.0[lane] = delta[p].0[lane].mul_add(normal, along.0[lane]);
                    plain.0[lane] += delta[p].0[lane];
                }
            }
            (*weight, *bias) = (along, plain);
        }
    }
}

impl Layer for LayerNorm {
    fn kind(&self) -> &'static str {
        "LayerNorm"
    }

    fn output(&self) -> Shape {
        self.shape
    }

    fn parameters(&self) -> Vec<Parameter> {
        let tensor = |name, value| Parameter {
            name,
            dims: vec![self.channels()],
            initial: Initial::Constant(value),
        };
        vec![tensor("weight", 1.0), tensor("bias", 0.0)]
    }

    fn flops(&self) -> u64 {
        8 * super::size(self.shape) as u64
    }

    fn scratch(&self) -> usize {
        4 * self.positions() + 2 * self.channels()
    }

    fn forward(&self, theta: &[f32], input: &[Lanes], output: &mut [Lanes], scratch: &mut [Lanes]) {
        let (mean, scale) = scratch[..2 * self.positions()].split_at_mut(self.positions());
        Arch::new().dispatch(Forward {
            theta,
            input,
            output,
            mean,
            scale,
        });
    }

    fn backward(
        &self,
        theta: &[f32],
        input: &[Lanes],
        _output: &[Lanes],
        grad_output: &[Lanes],
        grad_input: &mut [Lanes],
        scratch: &mut [Lanes],
    ) {
        let (moments, sums) = scratch[..4 * self.positions()].split_at_mut(2 * self.positions());
        let (mean, scale) = moments.split_at_mut(self.positions());
        let (plain, along) = sums.split_at_mut(self.positions());
        Arch::new().dispatch(Backward {
            weight: &theta[..self.channels()],
            input,
            grad_output,
            grad_input,
            mean,
            scale,
            sums: [plain, along],
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
        let (moments, sums) = scratch.split_at_mut(2 * self.positions());
        let (mean, scale) = moments.split_at_mut(self.positions());
        let sums = &mut sums[..2 * self.channels()];
        Arch::new().dispatch(Gradient {
            input,
            grad_output,
            mean,
            scale,
            sums: &mut *sums,
        });
        scatter(sums, segments, columns, place);
    }

    fn tensor_forward(&self, theta: Tensor<1>, input: Tensor<4>, _products: Products) -> Tensor<4> {
        let channels = self.channels();
        let of = |range| theta.clone().slice([range]).reshape([1, channels, 1, 1]);
        normalised(input) * of(0..channels) + of(channels..2 * channels)
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
        let sum = |values: Tensor<4>| {
            let values = values.reshape([minibatches, batch, channels, positions]);
            values.sum_dim(3).sum_dim(1).reshape([minibatches, channels])
        };
        let weight = sum(normalised(input) * grad_output.clone());
        Some(Tensor::cat(vec![weight, sum(grad_output)], 1))
    }
}

/// Mean 0 and variance 1 over the channels of each position.
fn normalised(input: Tensor<4>) -> Tensor<4> {
    let centred = input.clone() - input.mean_dim(1);
    let variance = (centred.clone() * centred.clone()).mean_dim(1);
    centred / (variance + EPSILON).sqrt()
}
