//! 2-D convolution (a cross-correlation, as in PyTorch): square kernels, a stride, symmetric zero padding.
//!
//! Few weights and stride 1 (LeNet): the weight gradient of every lane stays in registers. Many weights or a stride
//! (ResNet): blocked kernels, and the weight gradient as a matrix product over the samples of a segment.

use burn::tensor::ops::{ConvOptions, UnfoldOptions};
use burn::tensor::{Tensor, module};
use pulp::Arch;

use super::conv2d_blocked::{self, Tap};
use super::conv2d_kernels::{Correlate, WeightGradient};
use super::conv2d_wide::{Geometry, weight_gradient};
use super::lanes::{Lanes, Segment, floats_mut, scatter};
use super::second_order::SecondOrder;
use super::{Initial, Layer, Parameter, Place, Shape, size};

/// Convolution with square kernels.
#[derive(Debug)]
pub struct Conv2d {
    pub input: Shape,
    pub out_channels: usize,
    /// Side of the kernel, k.
    pub kernel: usize,
    /// Step between output positions.
    pub stride: usize,
    /// Zeros added on each side, at most k − 1.
    pub padding: usize,
    /// Whether a number per output channel is added.
    pub bias: bool,
}

/// Weights beyond which a gradient per lane would not stay in the first caches.
const FEW_WEIGHTS: usize = 8192;

impl Conv2d {
    fn weights(&self) -> usize {
        self.out_channels * self.input[0] * self.kernel * self.kernel
    }

    fn biases(&self) -> usize {
        if self.bias { self.out_channels } else { 0 }
    }

    /// Whether the kernels for few channels do it.
    fn is_narrow(&self) -> bool {
        self.stride == 1 && self.weights() <= FEW_WEIGHTS
    }

    fn geometry(&self) -> Geometry {
        Geometry {
            input: self.input,
            output: self.output(),
            kernel: self.kernel,
            stride: self.stride,
            padding: self.padding,
        }
    }

    fn padded_width(&self) -> usize {
        self.input[2] + 2 * self.padding
    }

    /// Zeros before each row of δ for the gradient of the input (with a stride fewer would do).
    fn grad_padding(&self) -> usize {
        self.kernel - 1 - self.padding
    }

    /// Columns of δ, with those before it and those behind it that the last input positions ask for.
    fn padded_grad_width(&self) -> usize {
        let last = (self.input[2] - 1 + self.padding) / self.stride;
        self.grad_padding() + self.output()[2].max(last + 1)
    }

    /// Lanes that hold the packed weights.
    fn packed_len(&self) -> usize {
        self.weights().div_ceil(super::lanes::LANES)
    }

    /// The input, padded in x.
    fn padded<'a>(&self, input: &'a [Lanes], scratch: &'a mut [Lanes]) -> &'a [Lanes] {
        if self.padding == 0 {
            return input;
        }
        let [channels, height, width] = self.input;
        let padded = &mut scratch[..channels * height * self.padded_width()];
        pad_rows(input, width, self.padding, self.padding, padded);
        padded
    }

    fn narrow_forward(&self, theta: &[f32], input: &[Lanes], output: &mut [Lanes], scratch: &mut [Lanes]) {
        let (weights, bias) = theta.split_at(self.weights());
        let (packed, padded) = scratch.split_at_mut(self.packed_len());
        let packed = &mut floats_mut(packed)[..self.weights()];
        let taps = self.weights() / self.out_channels;
        for (o, filter) in weights.chunks_exact(taps).enumerate() {
            for (tap, weight) in filter.iter().enumerate() {
                packed[tap * self.out_channels + o] = *weight;
            }
        }
        let [channels, height, _] = self.input;
        Arch::new().dispatch(Correlate {
            input: self.padded(input, padded),
            in_shape: [channels, height, self.padded_width()],
            packed,
            kernel: [self.kernel; 2],
            bias,
            pad_y: self.padding,
            output,
            out_shape: self.output(),
        });
    }

    fn wide_forward(&self, theta: &[f32], input: &[Lanes], output: &mut [Lanes], scratch: &mut [Lanes]) {
        let (weights, bias) = theta.split_at(self.weights());
        let k = self.kernel;
        let taps: Vec<Tap> = (0..k * k)
            .map(|weight| Tap {
                weight,
                dy: (weight / k) as isize - self.padding as isize,
                dx: weight % k,
            })
            .collect();
        let [channels, height, _] = self.input;
        Arch::new().dispatch(conv2d_blocked::Correlate {
            input: self.padded(input, scratch),
            in_shape: [channels, height, self.padded_width()],
            taps: &taps,
            weight_taps: k * k,
            weights,
            strides: [channels * k * k, k * k],
            in_step: self.stride,
            bias,
            output,
            out_shape: self.output(),
            phase: [0, 0],
            out_step: 1,
        });
    }

    /// The gradient of the input is the correlation of δ with the kernel turned by 180°, channels exchanged.
    fn narrow_backward(
        &self,
        theta: &[f32],
        grad_output: &[Lanes],
        grad_input: &mut [Lanes],
        scratch: &mut [Lanes],
    ) {
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
        let pad = self.grad_padding();
        let padded = &mut padded[..out_channels * height * self.padded_grad_width()];
        pad_rows(grad_output, width, pad, pad, padded);
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

    /// The same for each phase of the stride: input positions that the same taps reach.
    fn wide_backward(
        &self,
        theta: &[f32],
        grad_output: &[Lanes],
        grad_input: &mut [Lanes],
        scratch: &mut [Lanes],
    ) {
        let (k, stride) = (self.kernel, self.stride);
        let [out_channels, height, width] = self.output();
        let pad = self.grad_padding();
        let padded_width = self.padded_grad_width();
        let padded = &mut scratch[..out_channels * height * padded_width];
        pad_rows(grad_output, width, pad, padded_width - pad - width, padded);
        // Input row i = stride·y + phase meets tap ky at row (i + p − ky) / stride of δ, if that is whole.
        let reach = |phase: usize, tap: usize| {
            let offset = (phase + self.padding) as isize - tap as isize;
            (offset.rem_euclid(stride as isize) == 0).then(|| offset.div_euclid(stride as isize))
        };
        for phase in (0..stride * stride).map(|phase| [phase / stride, phase % stride]) {
            if phase[0] >= self.input[1] || phase[1] >= self.input[2] {
                continue;
            }
            let taps: Vec<Tap> = (0..k * k)
                .filter_map(|weight| {
                    Some(Tap {
                        weight,
                        dy: reach(phase[0], weight / k)?,
                        dx: (reach(phase[1], weight % k)? + pad as isize) as usize,
                    })
                })
                .collect();
            Arch::new().dispatch(conv2d_blocked::Correlate {
                input: padded,
                in_shape: [out_channels, height, padded_width],
                taps: &taps,
                weight_taps: k * k,
                weights: &theta[..self.weights()],
                strides: [k * k, self.input[0] * k * k],
                in_step: 1,
                bias: &[],
                output: grad_input,
                out_shape: self.input,
                phase,
                out_step: stride,
            });
        }
    }
}

/// Copies rows of `width` into rows with `before` and `after` zeros at their ends.
fn pad_rows(rows: &[Lanes], width: usize, before: usize, after: usize, padded: &mut [Lanes]) {
    for (row, out) in rows
        .chunks_exact(width)
        .zip(padded.chunks_exact_mut(before + width + after))
    {
        out[..before].fill(Lanes::default());
        out[before..before + width].copy_from_slice(row);
        out[before + width..].fill(Lanes::default());
    }
}

impl Layer for Conv2d {
    fn kind(&self) -> &'static str {
        "Conv2d"
    }

    fn output(&self) -> Shape {
        let side = |n: usize| (n + 2 * self.padding - self.kernel) / self.stride + 1;
        [self.out_channels, side(self.input[1]), side(self.input[2])]
    }

    fn parameters(&self) -> Vec<Parameter> {
        let fan_in = self.input[0] * self.kernel * self.kernel;
        let initial = Initial::Uniform(1.0 / (fan_in as f64).sqrt());
        let weight = Parameter {
            name: "weight",
            dims: vec![self.out_channels, self.input[0], self.kernel, self.kernel],
            initial,
        };
        let bias = Parameter {
            name: "bias",
            dims: vec![self.out_channels],
            initial,
        };
        if self.bias {
            vec![weight, bias]
        } else {
            vec![weight]
        }
    }

    fn flops(&self) -> u64 {
        2 * (self.input[0] * self.kernel * self.kernel * size(self.output())) as u64
    }

    fn scratch(&self) -> usize {
        let packed = if self.is_narrow() { self.packed_len() } else { 0 };
        let padded = self.input[0] * self.input[1] * self.padded_width();
        let forward = packed + padded;
        let backward = packed + self.output()[0] * self.output()[1] * self.padded_grad_width();
        let gradient = match self.is_narrow() {
            true => self.weights() + self.out_channels + padded,
            false => self.geometry().scratch().max(self.out_channels),
        };
        forward.max(backward).max(gradient)
    }

    fn forward(&self, theta: &[f32], input: &[Lanes], output: &mut [Lanes], scratch: &mut [Lanes]) {
        match self.is_narrow() {
            true => self.narrow_forward(theta, input, output, scratch),
            false => self.wide_forward(theta, input, output, scratch),
        }
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
        match self.is_narrow() {
            true => self.narrow_backward(theta, grad_output, grad_input, scratch),
            false => self.wide_backward(theta, grad_output, grad_input, scratch),
        }
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
        if !self.is_narrow() {
            for segment in segments {
                let weight = &mut columns[segment.column * place.stride + place.offset..][..self.weights()];
                weight_gradient(&self.geometry(), input, grad_output, scratch, segment, weight);
            }
            let plane = self.output()[1] * self.output()[2];
            let place = Place {
                offset: place.offset + self.weights(),
                ..place
            };
            let sums = &mut scratch[..self.biases()];
            for (sum, plane) in sums.iter_mut().zip(grad_output.chunks_exact(plane)) {
                *sum = Lanes::default();
                for delta in plane {
                    sum.0.iter_mut().zip(delta.0).for_each(|(sum, d)| *sum += d);
                }
            }
            scatter(sums, segments, columns, place);
            return;
        }
        let (gradient, padded) = scratch.split_at_mut(self.weights() + self.out_channels);
        let [channels, height, _] = self.input;
        Arch::new().dispatch(WeightGradient {
            input: self.padded(input, padded),
            in_shape: [channels, height, self.padded_width()],
            grad_output,
            out_shape: self.output(),
            kernel: [self.kernel; 2],
            pad_y: self.padding,
            gradient,
        });
        scatter(
            &gradient[..self.weights() + self.biases()],
            segments,
            columns,
            place,
        );
    }

    fn second_order(&self) -> SecondOrder<'_> {
        SecondOrder::Linear
    }

    fn tensor_forward(&self, theta: Tensor<1>, input: Tensor<4>) -> Tensor<4> {
        let (o, c, k) = (self.out_channels, self.input[0], self.kernel);
        let weight = theta.clone().slice([0..self.weights()]).reshape([o, c, k, k]);
        let bias = self
            .bias
            .then(|| theta.slice([self.weights()..self.weights() + o]));
        let (s, p) = ([self.stride; 2], [self.padding; 2]);
        module::conv2d(input, weight, bias, ConvOptions::new(s, p, [1, 1], 1))
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
        let (s, p) = ([self.stride; 2], [self.padding; 2]);
        // a: [minibatches, taps, batch·positions], δ: [minibatches, out, batch·positions].
        let a = module::unfold4d(input, [self.kernel; 2], UnfoldOptions::new(s, p, [1, 1]))
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
        if !self.bias {
            return Some(weight);
        }
        let bias = delta.sum_dim(2).reshape([minibatches, o]);
        Some(Tensor::cat(vec![weight, bias], 1))
    }
}
