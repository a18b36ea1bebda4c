//! The host kernels of a convolution of one group.
//!
//! Few weights, stride 1 and no dilation (LeNet): the weight gradient of every lane stays in registers. Anything else
//! (ResNet, transformers): blocked kernels, or minimal filtering where it takes fewer operations, and the weight
//! gradient as a matrix product over the samples of a segment.

use pulp::Arch;

use super::conv2d_blocked::{self, Tap};
use super::conv2d_kernels::{Correlate, WeightGradient};
use super::conv2d_wide::{Geometry, weight_gradient};
use super::lanes::{Lanes, Segment, floats_mut, scatter};
use super::{Conv2d, Layer, Place};
use super::{conv2d_winograd, conv2d_winograd_gradient};

/// Weights beyond which a gradient per lane would not stay in the first caches.
const FEW_WEIGHTS: usize = 8192;

/// Channels below which transforms cost more than minimal filtering saves.
const FEW_CHANNELS: usize = 16;

/// The same, of tiles, for the weight gradient.
const FEW_TILES: usize = 16;

impl Conv2d {
    fn biases(&self) -> usize {
        if self.bias { self.out_channels } else { 0 }
    }

    /// Whether the kernels for few channels do it.
    fn is_narrow(&self) -> bool {
        self.stride == 1 && self.dilation == 1 && self.kernel > 1 && self.weights() <= FEW_WEIGHTS
    }

    /// Whether minimal filtering does it: its transforms pay with many channels.
    pub(super) fn is_filtered(&self) -> bool {
        !self.is_narrow()
            && (self.kernel, self.stride, self.dilation, self.padding) == (3, 1, 1, 1)
            && self.input[0].min(self.out_channels) >= FEW_CHANNELS
    }

    /// Where minimal filtering makes the weight gradient: on few tiles its transform back costs what it saves.
    fn filtered_gradient(&self) -> Option<conv2d_winograd_gradient::Geometry> {
        let shape = conv2d_winograd_gradient::Geometry {
            inputs: self.input[0],
            outputs: self.out_channels,
            size: [self.input[1], self.input[2]],
        };
        (self.is_filtered() && shape.tiles() >= FEW_TILES).then_some(shape)
    }

    /// Lanes that hold the transformed filters.
    fn filters_len(&self) -> usize {
        (self.input[0] * self.out_channels * conv2d_winograd::POINTS).div_ceil(super::lanes::LANES)
    }

    /// Minimal filtering: the input's correlation with the filters, or δ's with the filters turned by 180°.
    fn filtered(
        &self,
        weights: &[f32],
        bias: &[f32],
        input: &[Lanes],
        output: &mut [Lanes],
        scratch: &mut [Lanes],
        turned: bool,
    ) {
        let (inputs, outputs) = (self.input[0], self.out_channels);
        let (filters, scratch) = scratch.split_at_mut(self.filters_len());
        let filters = &mut floats_mut(filters)[..inputs * outputs * conv2d_winograd::POINTS];
        Arch::new().dispatch(conv2d_winograd::Transform { weights, filters });
        let (channels, strides) = match turned {
            true => ([outputs, inputs], [1, inputs]),
            false => ([inputs, outputs], [inputs, 1]),
        };
        Arch::new().dispatch(conv2d_winograd::Correlate {
            input,
            output,
            channels,
            size: [self.input[1], self.input[2]],
            filters,
            strides,
            turned,
            bias,
            scratch,
        });
    }

    fn geometry(&self) -> Geometry {
        Geometry {
            input: self.input,
            output: self.output(),
            kernel: self.kernel,
            stride: self.stride,
            padding: self.padding,
            dilation: self.dilation,
        }
    }

    fn padded_width(&self) -> usize {
        self.input[2] + 2 * self.padding
    }

    /// Zeros before each row of δ for the gradient of the input (with a stride fewer would do).
    fn grad_padding(&self) -> usize {
        self.dilation * (self.kernel - 1) - self.padding
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

    fn narrow_forward(
        &self,
        weights: &[f32],
        bias: &[f32],
        input: &[Lanes],
        output: &mut [Lanes],
        scratch: &mut [Lanes],
    ) {
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

    fn wide_forward(
        &self,
        weights: &[f32],
        bias: &[f32],
        input: &[Lanes],
        output: &mut [Lanes],
        scratch: &mut [Lanes],
    ) {
        let k = self.kernel;
        let taps: Vec<Tap> = (0..k * k)
            .map(|weight| Tap {
                weight,
                dy: (self.dilation * (weight / k)) as isize - self.padding as isize,
                dx: self.dilation * (weight % k),
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
        weights: &[f32],
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
                        weights[(o * in_channels + c) * taps + tap];
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
        weights: &[f32],
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
        // Input row i = stride·y + phase meets tap ky at row (i + p − ky·dilation) / stride of δ, if that is whole.
        let reach = |phase: usize, tap: usize| {
            let offset = (phase + self.padding) as isize - (self.dilation * tap) as isize;
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
                weights,
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

    pub(super) fn group_scratch(&self) -> usize {
        let packed = if self.is_narrow() { self.packed_len() } else { 0 };
        let padded = self.input[0] * self.input[1] * self.padded_width();
        let forward = packed + padded;
        let backward = packed + self.output()[0] * self.output()[1] * self.padded_grad_width();
        let gradient = match self.is_narrow() {
            true => self.weights() + self.out_channels + padded,
            false => self.geometry().scratch().max(self.out_channels),
        };
        let gradient = self
            .filtered_gradient()
            .map_or(gradient, |shape| shape.scratch().max(gradient));
        let filtered = match self.is_filtered() {
            true => self.filters_len() + conv2d_winograd::scratch([self.input[0], self.out_channels]),
            false => 0,
        };
        forward.max(backward).max(gradient).max(filtered)
    }

    /// `output` ← weights ⋆ `input` + bias.
    pub(super) fn group_forward(
        &self,
        weights: &[f32],
        bias: &[f32],
        input: &[Lanes],
        output: &mut [Lanes],
        scratch: &mut [Lanes],
    ) {
        match (self.is_narrow(), self.is_filtered()) {
            (true, _) => self.narrow_forward(weights, bias, input, output, scratch),
            (_, true) => self.filtered(weights, bias, input, output, scratch, false),
            _ => self.wide_forward(weights, bias, input, output, scratch),
        }
    }

    /// `grad_input` ← the gradient of the input.
    pub(super) fn group_backward(
        &self,
        weights: &[f32],
        grad_output: &[Lanes],
        grad_input: &mut [Lanes],
        scratch: &mut [Lanes],
    ) {
        match (self.is_narrow(), self.is_filtered()) {
            (true, _) => self.narrow_backward(weights, grad_output, grad_input, scratch),
            (_, true) => self.filtered(weights, &[], grad_output, grad_input, scratch, true),
            _ => self.wide_backward(weights, grad_output, grad_input, scratch),
        }
    }

    /// The gradients of the weights and of the bias into `columns` at their places.
    pub(super) fn group_gradient(
        &self,
        input: &[Lanes],
        grad_output: &[Lanes],
        scratch: &mut [Lanes],
        segments: &[Segment],
        columns: &mut [f32],
        [weight_place, bias_place]: [Place; 2],
    ) {
        if !self.is_narrow() {
            for segment in segments {
                let first = segment.column * weight_place.stride + weight_place.offset;
                let weight = &mut columns[first..][..self.weights()];
                match self.filtered_gradient() {
                    Some(shape) => {
                        conv2d_winograd_gradient::weight_gradient(
                            &shape,
                            input,
                            grad_output,
                            scratch,
                            segment,
                            weight,
                        );
                    }
                    None => weight_gradient(&self.geometry(), input, grad_output, scratch, segment, weight),
                }
            }
            let plane = self.output()[1] * self.output()[2];
            let sums = &mut scratch[..self.biases()];
            for (sum, plane) in sums.iter_mut().zip(grad_output.chunks_exact(plane)) {
                *sum = Lanes::default();
                for delta in plane {
                    sum.0.iter_mut().zip(delta.0).for_each(|(sum, d)| *sum += d);
                }
            }
            scatter(sums, segments, columns, bias_place);
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
        let (weights, biases) = gradient.split_at(self.weights());
        scatter(weights, segments, columns, weight_place);
        scatter(&biases[..self.biases()], segments, columns, bias_place);
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
