//! Direct 2-D convolution (stride 1) over lanes of samples: forward, and the weight gradient.
//!
//! A block of output channels × positions is accumulated in registers while the loop runs over input channels and
//! taps; blocks are const-generic so that the accumulators never leave the registers.

use pulp::{Simd, WithSimd};

use super::lanes::{Lanes, vectors, vectors_mut, vectors_per_lanes};

/// Positions of a row accumulated at once.
const BLOCK: usize = 4;

/// A stride-1 correlation of `input` (already padded in x by the caller) with `packed` weights.
///
/// Taps that fall outside the input in y (`y + ky < pad_y`, or too far down) contribute nothing.
pub struct Correlate<'a> {
    /// \[in_channels, in_height, in_width\].
    pub input: &'a [Lanes],
    pub in_shape: [usize; 3],
    /// \[in_channels, kernel_height, kernel_width, out_channels\].
    pub packed: &'a [f32],
    pub kernel: [usize; 2],
    /// One per output channel, or empty for none.
    pub bias: &'a [f32],
    pub pad_y: usize,
    /// \[out_channels, out_height, out_width\].
    pub output: &'a mut [Lanes],
    pub out_shape: [usize; 3],
}

impl WithSimd for Correlate<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let out_channels = self.out_shape[0];
        // Blocks of `BLOCK` positions: 24 accumulators of 32 registers, 12 of 16.
        let blocks = out_channels.div_ceil(if has_many_registers::<S>() { 6 } else { 3 });
        let mut first = 0;
        for block in 0..blocks {
            // Nearly equal blocks: of six channels at most, 16 = 6 + 5 + 5.
            let channels = (out_channels - first).div_ceil(blocks - block);
            match channels {
                6 => correlate_channels::<S, 6>(simd, &mut self, first),
                5 => correlate_channels::<S, 5>(simd, &mut self, first),
                4 => correlate_channels::<S, 4>(simd, &mut self, first),
                3 => correlate_channels::<S, 3>(simd, &mut self, first),
                2 => correlate_channels::<S, 2>(simd, &mut self, first),
                _ => correlate_channels::<S, 1>(simd, &mut self, first),
            }
            first += channels;
        }
    }
}

#[inline(always)]
fn correlate_channels<S: Simd, const C: usize>(simd: S, job: &mut Correlate<'_>, first: usize) {
    let [_, out_height, out_width] = job.out_shape;
    for y in 0..out_height {
        let mut x = 0;
        while x + BLOCK <= out_width {
            correlate_block::<S, C, BLOCK>(simd, job, first, y, x);
            x += BLOCK;
        }
        while x < out_width {
            correlate_block::<S, C, 1>(simd, job, first, y, x);
            x += 1;
        }
    }
}

#[inline(always)]
fn correlate_block<S: Simd, const C: usize, const X: usize>(
    simd: S,
    job: &mut Correlate<'_>,
    first: usize,
    y: usize,
    x: usize,
) {
    let v = vectors_per_lanes::<S>();
    let [in_channels, in_height, in_width] = job.in_shape;
    let [out_channels, out_height, out_width] = job.out_shape;
    let [kernel_height, kernel_width] = job.kernel;
    let input = vectors::<S>(job.input);
    for i in 0..v {
        let mut acc = [[simd.splat_f32s(0.0); X]; C];
        if !job.bias.is_empty() {
            for c in 0..C {
                acc[c] = [simd.splat_f32s(job.bias[first + c]); X];
            }
        }
        for channel in 0..in_channels {
            for ky in 0..kernel_height {
                let Some(row) = (y + ky).checked_sub(job.pad_y).filter(|row| *row < in_height) else {
                    continue;
                };
                let start = (channel * in_height + row) * in_width + x;
                let row = &input[start * v..][..(kernel_width + X - 1) * v];
                let taps = &job.packed[(channel * kernel_height + ky) * kernel_width * out_channels..];
                for kx in 0..kernel_width {
                    let weights = &taps[kx * out_channels + first..][..C];
                    let window = &row[kx * v..][..(X - 1) * v + i + 1];
                    for c in 0..C {
                        let weight = simd.splat_f32s(weights[c]);
                        for j in 0..X {
                            acc[c][j] = simd.mul_add_e_f32s(weight, window[j * v + i], acc[c][j]);
                        }
                    }
                }
            }
        }
        let output = vectors_mut::<S>(job.output);
        for c in 0..C {
            let start = ((first + c) * out_height + y) * out_width + x;
            let row = &mut output[start * v..][..X * v];
            for j in 0..X {
                row[j * v + i] = acc[c][j];
            }
        }
    }
}

/// The weight gradient of a stride-1 correlation, lane by lane.
pub struct WeightGradient<'a> {
    /// \[in_channels, in_height, in_width\], padded in x.
    pub input: &'a [Lanes],
    pub in_shape: [usize; 3],
    /// \[out_channels, out_height, out_width\].
    pub grad_output: &'a [Lanes],
    pub out_shape: [usize; 3],
    pub kernel: [usize; 2],
    pub pad_y: usize,
    /// \[out_channels, in_channels, kernel_height, kernel_width\], then the bias \[out_channels\].
    pub gradient: &'a mut [Lanes],
}

/// Whether the CPU at hand has 32 vector registers, as with AVX-512, and not 16.
#[inline(always)]
fn has_many_registers<S: Simd>() -> bool {
    S::REGISTER_COUNT >= 32
}

impl WithSimd for WeightGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let out_channels = self.out_shape[0];
        let mut first = 0;
        while first < out_channels {
            // Up to five taps of each: 20 accumulators of 32 registers, 10 of 16.
            let channels = match (out_channels - first, has_many_registers::<S>()) {
                (6, true) => 3,
                (left, true) => left.min(4),
                (left, false) => left.min(2),
            };
            match channels {
                4 => weight_channels::<S, 4>(simd, &mut self, first),
                3 => weight_channels::<S, 3>(simd, &mut self, first),
                2 => weight_channels::<S, 2>(simd, &mut self, first),
                _ => weight_channels::<S, 1>(simd, &mut self, first),
            }
            first += channels;
        }
        bias_gradient(simd, &mut self);
    }
}

#[inline(always)]
fn bias_gradient<S: Simd>(simd: S, job: &mut WeightGradient<'_>) {
    let v = vectors_per_lanes::<S>();
    let [out_channels, out_height, out_width] = job.out_shape;
    let plane = out_height * out_width;
    let weights = out_channels * job.in_shape[0] * job.kernel[0] * job.kernel[1];
    let grad = vectors::<S>(job.grad_output);
    let bias = &mut vectors_mut::<S>(job.gradient)[weights * v..];
    for c in 0..out_channels {
        for i in 0..v {
            let mut sum = [simd.splat_f32s(0.0); 4];
            for (j, dy) in grad[c * plane * v..][..plane * v]
                .iter()
                .skip(i)
                .step_by(v)
                .enumerate()
            {
                sum[j % 4] = simd.add_f32s(sum[j % 4], *dy);
            }
            bias[c * v + i] = simd.add_f32s(simd.add_f32s(sum[0], sum[1]), simd.add_f32s(sum[2], sum[3]));
        }
    }
}

#[inline(always)]
fn weight_channels<S: Simd, const C: usize>(simd: S, job: &mut WeightGradient<'_>, first: usize) {
    let [kernel_height, kernel_width] = job.kernel;
    for channel in 0..job.in_shape[0] {
        for ky in 0..kernel_height {
            let mut kx = 0;
            while kx < kernel_width {
                let taps = (kernel_width - kx).min(5);
                match taps {
                    5 => weight_block::<S, C, 5>(simd, job, first, channel, ky, kx),
                    4 => weight_block::<S, C, 4>(simd, job, first, channel, ky, kx),
                    3 => weight_block::<S, C, 3>(simd, job, first, channel, ky, kx),
                    2 => weight_block::<S, C, 2>(simd, job, first, channel, ky, kx),
                    _ => weight_block::<S, C, 1>(simd, job, first, channel, ky, kx),
                }
                kx += taps;
            }
        }
    }
}

#[inline(always)]
fn weight_block<S: Simd, const C: usize, const K: usize>(
    simd: S,
    job: &mut WeightGradient<'_>,
    first: usize,
    channel: usize,
    ky: usize,
    kx: usize,
) {
    let v = vectors_per_lanes::<S>();
    let [in_channels, in_height, in_width] = job.in_shape;
    let [_, out_height, out_width] = job.out_shape;
    let [kernel_height, kernel_width] = job.kernel;
    let input = vectors::<S>(job.input);
    let grad_output = vectors::<S>(job.grad_output);
    for i in 0..v {
        let mut acc = [[simd.splat_f32s(0.0); K]; C];
        for y in 0..out_height {
            let Some(row) = (y + ky).checked_sub(job.pad_y).filter(|row| *row < in_height) else {
                continue;
            };
            let start = (channel * in_height + row) * in_width + kx;
            let row = &input[start * v..][..(out_width + K - 1) * v];
            let grads: [&[S::f32s]; C] = std::array::from_fn(|c| {
                &grad_output[((first + c) * out_height + y) * out_width * v..][..out_width * v]
            });
            for x in 0..out_width {
                let window = &row[x * v..][..(K - 1) * v + i + 1];
                let mut dy = [simd.splat_f32s(0.0); C];
                for c in 0..C {
                    dy[c] = grads[c][x * v + i];
                }
                for c in 0..C {
                    for k in 0..K {
                        acc[c][k] = simd.mul_add_e_f32s(dy[c], window[k * v + i], acc[c][k]);
                    }
                }
            }
        }
        let gradient = vectors_mut::<S>(job.gradient);
        for c in 0..C {
            let start = (((first + c) * in_channels + channel) * kernel_height + ky) * kernel_width + kx;
            for k in 0..K {
                gradient[(start + k) * v + i] = acc[c][k];
            }
        }
    }
}
