//! 2-D convolution (a cross-correlation, as in PyTorch), stride 1, symmetric zero padding, with bias.

use burn::tensor::ops::{ConvOptions, UnfoldOptions};
use burn::tensor::{Tensor, module};
use pulp::Arch;

use super::conv2d_kernels::{Correlate, WeightGradient};
use super::lanes::{Lanes, Segment, floats_mut, scatter};
use super::second_order::SecondOrder;
use super::{Initial, Layer, Parameter, Place, Shape, size};

/// Convolution with square kernels and stride 1.
#[derive(Debug)]
pub struct Conv2d {
    pub input: Shape,
    pub out_channels: usize,
    /// Side of the kernel, k.
    pub kernel: usize,
    /// Zeros added on each side.
    pub padding: usize,
}

impl Conv2d {
    fn weights(&self) -> usize {
        self.out_channels * self.input[0] * self.kernel * self.kernel
    }

    fn padded_width(&self) -> usize {
        self.input[2] + 2 * self.padding
    }

    /// δ is padded by k − 1 − p in x for the gradient of the input.
    fn padded_grad_width(&self) -> usize {
        self.output()[2] + 2 * (self.kernel - 1 - self.padding)
    }

    /// Lanes that hold the packed weights.
    fn packed_len(&self) -> usize {
        self.weights().div_ceil(super::lanes::LANES)
    }
}

/// Copies rows of `width` into rows of `width + 2 * pad` with zeros at both ends.
fn pad_rows(rows: &[Lanes], width: usize, pad: usize, padded: &mut [Lanes]) {
    for (row, out) in rows
        .chunks_exact(width)
        .zip(padded.chunks_exact_mut(width + 2 * pad))
    {
        out[..pad].fill(Lanes::default());
        out[pad..pad + width].copy_from_slice(row);
        out[pad + width..].fill(Lanes::default());
    }
}

impl Layer for Conv2d {
    fn kind(&self) -> &'static str {
        "Conv2d"
    }

    fn output(&self) -> Shape {
        let side = |n: usize| n + 2 * self.padding + 1 - self.kernel;
        [self.out_channels, side(self.input[1]), side(self.input[2])]
    }

    fn parameters(&self) -> Vec<Parameter> {
        let fan_in = self.input[0] * self.kernel * self.kernel;
        let bound = 1.0 / (fan_in as f64).sqrt();
        vec![
            Parameter {
                name: "weight",
                dims: vec![self.out_channels, self.input[0], self.kernel, self.kernel],
                initial: Initial::Uniform(bound),
            },
            Parameter {
                name: "bias",
                dims: vec![self.out_channels],
                initial: Initial::Uniform(bound),
            },
        ]
    }

    fn flops(&self) -> u64 {
        2 * (self.input[0] * self.kernel * self.kernel * size(self.output())) as u64
    }

    fn scratch(&self) -> usize {
        let forward = self.packed_len() + self.input[0] * self.input[1] * self.padded_width();
        let backward = self.packed_len() + self.output()[0] * self.output()[1] * self.padded_grad_width();
        let gradient =
            self.weights() + self.out_channels + self.input[0] * self.input[1] * self.padded_width();
        forward.max(backward).max(gradient)
    }

    fn forward(&self, theta: &[f32], input: &[Lanes], output: &mut [Lanes], scratch: &mut [Lanes]) {
        let (weights, bias) = theta.split_at(self.weights());
        let (packed, padded) = scratch.split_at_mut(self.packed_len());
        let packed = &mut floats_mut(packed)[..self.weights()];
        let taps = self.weights() / self.out_channels;
        for (o, filter) in weights.chunks_exact(taps).enumerate() {
            for (tap, weight) in filter.iter().enumerate() {
                packed[tap * self.out_channels + o] = *weight;
            }
        }
        let [channels, height, width] = self.input;
        let input = if self.padding == 0 {
            input
        } else {
            let padded = &mut padded[..channels * height * self.padded_width()];
            pad_rows(input, width, self.padding, padded);
            padded
        };
        Arch::new().dispatch(Correlate {
            input,
            in_shape: [channels, height, self.padded_width()],
            packed,
            kernel: [self.kernel; 2],
            bias,
            pad_y: self.padding,
            output,
            out_shape: self.output(),
        });
    }

    fn backward(
        &self,
        theta: &[f32],
        _input: &[Lanes],
        _output: &[Lanes],
        grad_output: &[Lanes],
        grad_input: &mut [Lanes],
        scratch: &mut [Lanes],
    ) {
        // The gradient of the input is the correlation of δ with the kernel turned by 180°, channels exchanged.
        let in_channels = self.input[0];
        let taps = self.kernel * self.kernel;
        let (packed, padded) = scratch.split_at_mut(self.packed_len());
        let packed = &mut floats_mut(packed)[..self.weights()];
        for o in 0..self.out_channels {
            for c in 0..in_channels {
                for tap in 0..taps {
                    packed[(o * taps + taps - 1 - tap) * in_channels + c] =
                        theta[(o * in_channels + c) * taps + tap];
                }
            }
        }
        let [out_channels, height, width] = self.output();
        let pad = self.kernel - 1 - self.padding;
        let padded = &mut padded[..out_channels * height * self.padded_grad_width()];
        pad_rows(grad_output, width, pad, padded);
        Arch::new().dispatch(Correlate {
            input: padded,
            in_shape: [out_channels, height, self.padded_grad_width()],
            packed,
            kernel: [self.kernel; 2],
            bias: &[],
            pad_y: pad,
            output: grad_input,
            out_shape: self.input,
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
        let (gradient, padded) = scratch.split_at_mut(self.weights() + self.out_channels);
        let [channels, height, width] = self.input;
        let input = if self.padding == 0 {
            input
        } else {
            let padded = &mut padded[..channels * height * self.padded_width()];
            pad_rows(input, width, self.padding, padded);
            padded
        };
        Arch::new().dispatch(WeightGradient {
            input,
            in_shape: [channels, height, self.padded_width()],
            grad_output,
            out_shape: self.output(),
            kernel: [self.kernel; 2],
            pad_y: self.padding,
            gradient,
        });
        scatter(gradient, segments, columns, place);
    }

    fn second_order(&self) -> SecondOrder<'_> {
        SecondOrder::Linear
    }

    fn tensor_forward(&self, theta: Tensor<1>, input: Tensor<4>) -> Tensor<4> {
        let (o, c, k) = (self.out_channels, self.input[0], self.kernel);
        let weight = theta.clone().slice([0..self.weights()]).reshape([o, c, k, k]);
        let bias = theta.slice([self.weights()..self.weights() + o]);
        let p = [self.padding; 2];
        module::conv2d(input, weight, Some(bias), ConvOptions::new([1, 1], p, [1, 1], 1))
    }

    fn tensor_gradient(
        &self,
        input: Tensor<4>,
        grad_output: Tensor<4>,
        minibatches: usize,
    ) -> Option<Tensor<2>> {
        let [_, height, width] = self.output();
        let (o, positions) = (self.out_channels, height * width);
        let taps = self.weights() / o;
        let samples = input.dims()[0];
        let batch = samples / minibatches;
        let p = [self.padding; 2];
        // a: [minibatches, taps, batch·positions], δ: [minibatches, out, batch·positions].
        let a = module::unfold4d(input, [self.kernel; 2], UnfoldOptions::new([1, 1], p, [1, 1]))
            .reshape([minibatches, batch, taps, positions])
            .swap_dims(1, 2)
            .reshape([minibatches, taps, batch * positions]);
        let delta = grad_output
            .reshape([minibatches, batch, o, positions])
            .swap_dims(1, 2)
            .reshape([minibatches, o, batch * positions]);
        let weight = delta
            .clone()
            .matmul(a.swap_dims(1, 2))
            .reshape([minibatches, o * taps]);
        let bias = delta.sum_dim(2).reshape([minibatches, o]);
        Some(Tensor::cat(vec![weight, bias], 1))
    }
}
