//! Convolutions whose images fit a multiprocessor's shared memory: forward, backward, and the weight gradient of each
//! minibatch.

use cubecl::prelude::*;

use super::convolution::{Convolution, Taps, Tiles};
use super::{Buffer, Gpu, Rows};

impl Gpu {
    /// The convolution of each of `samples` inputs, with the weights (and biases) at `offset` of `theta`.
    pub fn convolve(
        &self,
        layer: Convolution,
        theta: &Buffer,
        offset: usize,
        input: &Buffer,
        samples: usize,
    ) -> Buffer {
        let output = self.empty(samples * layer.outputs());
        let tiles = layer.tiles(self.threads.div_ceil(2));
        convolve::launch(
            &self.client,
            CubeCount::Static(samples.div_ceil(tiles.samples) as u32, 1, 1),
            CubeDim::new_1d(tiles.threads as u32),
            input.arg(),
            theta.arg(),
            output.arg(),
            offset,
            samples,
            layer,
            tiles,
        );
        output
    }

    /// Weight gradients (and bias gradients behind them) summed over each of `minibatches` minibatches of `batch`, to
    /// `column` of the rows of `gradients` from `row` on, which are `stride` long.
    #[allow(clippy::too_many_arguments)]
    pub fn convolution_gradient(
        &self,
        layer: Convolution,
        input: &Buffer,
        delta: &Buffer,
        minibatches: usize,
        batch: usize,
        gradients: &Buffer,
        place: Rows,
    ) {
        let taps = layer.taps(self.threads);
        convolution_gradient::launch(
            &self.client,
            CubeCount::Static(minibatches as u32, 1, 1),
            CubeDim::new_1d(taps.threads as u32),
            gradients.address(),
            input.arg(),
            delta.arg(),
            gradients.arg(),
            batch,
            place.row,
            place.stride,
            place.column,
            layer,
            taps,
        );
        if layer.bias {
            let column = place.column + layer.weights();
            let size = [layer.o, layer.oh * layer.ow];
            self.channel_sums(
                delta,
                size,
                minibatches,
                batch,
                gradients,
                Rows { column, ..place },
            );
        }
    }
}

/// Copies `count` images to shared memory, with zeros around them.
#[cube]
fn stage(
    input: &Tensor<f32>,
    image: &mut Shared<[f32]>,
    first: usize,
    end: usize,
    #[comptime] layer: Convolution,
    #[comptime] count: usize,
    #[comptime] threads: usize,
) {
    let width = comptime!(layer.w + 2 * layer.padding);
    let height = comptime!(layer.h + 2 * layer.padding);
    let one = comptime!(layer.c * height * width);
    let total = comptime!(count * one);
    let mut i = UNIT_POS as usize;
    while i < total {
        let sample = first + i / one;
        let within = i % one;
        let channel = within / comptime!(height * width);
        let y = within / width % height;
        let x = within % width;
        let mut value = 0.0f32;
        let inside = y >= comptime!(layer.padding)
            && y < comptime!(layer.h + layer.padding)
            && x >= comptime!(layer.padding)
            && x < comptime!(layer.w + layer.padding)
            && sample < end;
        if inside {
            let row =
                (sample * comptime!(layer.c) + channel) * comptime!(layer.h) + y - comptime!(layer.padding);
            value = input[row * comptime!(layer.w) + x - comptime!(layer.padding)];
        }
        image[i] = value;
        i += threads;
    }
}

#[cube(launch)]
fn convolve(
    input: &Tensor<f32>,
    theta: &Tensor<f32>,
    output: &mut Tensor<f32>,
    offset: usize,
    samples: usize,
    #[comptime] layer: Convolution,
    #[comptime] tiles: Tiles,
) {
    let threads = comptime!(tiles.threads);
    let width = comptime!(layer.w + 2 * layer.padding);
    let plane = comptime!((layer.h + 2 * layer.padding) * width);
    let taps = comptime!(layer.c * layer.k * layer.k);
    let area = comptime!(layer.k * layer.k);
    let mut image = Shared::<[f32]>::new_slice(comptime!(tiles.samples * layer.c * plane));
    let mut weights = Shared::<[f32]>::new_slice(comptime!(taps * layer.o));
    let first = CUBE_POS_X as usize * comptime!(tiles.samples);
    stage(
        input,
        &mut image,
        first,
        samples,
        layer,
        comptime!(tiles.samples),
        threads,
    );
    // Weights of a tap lie together, one for each output channel.
    let mut i = UNIT_POS as usize;
    while i < comptime!(taps * layer.o) {
        let tap = i / comptime!(layer.o);
        let o = i % comptime!(layer.o);
        let mut from = o * taps + tap;
        if comptime!(layer.transposed) {
            let c = tap / area;
            from = (c * comptime!(layer.o) + o) * area + comptime!(area - 1) - tap % area;
        }
        weights[i] = theta[offset + from];
        i += threads;
    }
    sync_cube();

    let across = comptime!(layer.ow / tiles.positions);
    let groups = comptime!(layer.o / tiles.channels);
    let each = comptime!(groups * layer.oh * across);
    let mut task = UNIT_POS as usize;
    while task < comptime!(tiles.samples * each) {
        let s = task / each;
        let o = task / comptime!(layer.oh * across) % groups * comptime!(tiles.channels);
        let y = task / across % comptime!(layer.oh);
        let x = task % across * comptime!(tiles.positions);
        let mut sums = Array::<f32>::new(comptime!(tiles.positions * tiles.channels));
        #[unroll]
        for g in 0..tiles.channels {
            let mut start = 0.0f32;
            if comptime!(layer.bias) {
                start = theta[offset + comptime!(taps * layer.o) + o + g];
            }
            #[unroll]
            for p in 0..tiles.positions {
                sums[p * tiles.channels + g] = start;
            }
        }
        for c in 0..layer.c {
            for ky in 0..layer.k {
                let line = (s * comptime!(layer.c) + c) * plane
                    + (y * comptime!(layer.stride) + ky) * width
                    + x * comptime!(layer.stride);
                let tap = (c * comptime!(layer.k) + ky) * comptime!(layer.k * layer.o) + o;
                #[unroll]
                for kx in 0..layer.k {
                    #[unroll]
                    for g in 0..tiles.channels {
                        let weight = weights[tap + kx * layer.o + g];
                        #[unroll]
                        for p in 0..tiles.positions {
                            sums[p * tiles.channels + g] += image[line + p * layer.stride + kx] * weight;
                        }
                    }
                }
            }
        }
        let sample = first + s;
        if sample < samples {
            #[unroll]
            for g in 0..tiles.channels {
                let to = ((sample * comptime!(layer.o) + o + g) * comptime!(layer.oh) + y)
                    * comptime!(layer.ow)
                    + x;
                #[unroll]
                for p in 0..tiles.positions {
                    output[to + p] = sums[p * tiles.channels + g];
                }
            }
        }
        task += threads;
    }
}

#[cube(launch, address_type = "dynamic")]
fn convolution_gradient(
    input: &Tensor<f32>,
    delta: &Tensor<f32>,
    gradients: &mut Tensor<f32>,
    batch: usize,
    row: usize,
    stride: usize,
    column: usize,
    #[comptime] layer: Convolution,
    #[comptime] division: Taps,
) {
    let threads = comptime!(division.threads);
    let width = comptime!(layer.w + 2 * layer.padding);
    let plane = comptime!((layer.h + 2 * layer.padding) * width);
    let area = comptime!(layer.oh * layer.ow);
    let weights = comptime!(layer.weights());
    let channels = comptime!(division.channels);
    let tasks = comptime!(layer.o / division.channels * layer.c * layer.k);
    let shares = comptime!(division.shares);
    let mut image = Shared::<[f32]>::new_slice(comptime!(layer.c * plane));
    let mut error = Shared::<[f32]>::new_slice(comptime!(layer.o * area));
    let mut partial = Shared::<[f32]>::new_slice(comptime!(shares * weights));
    let minibatch = CUBE_POS_X as usize;

    // Every task of this thread (more than one only if there are more tasks than threads) sums over all samples.
    let rounds = comptime!((tasks * shares).div_ceil(threads));
    let mut sums = Array::<f32>::new(comptime!(rounds * channels * layer.k));
    #[unroll]
    for i in 0..comptime!(rounds * channels * layer.k) {
        sums[i] = 0.0f32;
    }
    for b in 0..batch {
        let sample = minibatch * batch + b;
        sync_cube();
        stage(input, &mut image, sample, sample + 1, layer, 1usize, threads);
        let mut i = UNIT_POS as usize;
        while i < comptime!(layer.o * area) {
            error[i] = delta[sample * comptime!(layer.o * area) + i];
            i += threads;
        }
        sync_cube();
        #[unroll]
        for round in 0..rounds {
            let unit = UNIT_POS as usize + round * threads;
            if unit < comptime!(tasks * shares) {
                let share = unit / tasks;
                let task = unit % tasks;
                let o = task / comptime!(layer.c * layer.k) * channels;
                let c = task / comptime!(layer.k) % comptime!(layer.c);
                let ky = task % comptime!(layer.k);
                let mut y = share;
                while y < comptime!(layer.oh) {
                    let line = c * plane + (y * comptime!(layer.stride) + ky) * width;
                    let from = (o * comptime!(layer.oh) + y) * comptime!(layer.ow);
                    for x in 0..layer.ow {
                        #[unroll]
                        for g in 0..channels {
                            let d = error[from + g * area + x];
                            #[unroll]
                            for kx in 0..layer.k {
                                sums[(round * channels + g) * layer.k + kx] +=
                                    d * image[line + x * comptime!(layer.stride) + kx];
                            }
                        }
                    }
                    y += shares;
                }
            }
        }
    }
    #[unroll]
    for round in 0..rounds {
        let unit = UNIT_POS as usize + round * threads;
        if unit < comptime!(tasks * shares) {
            let share = unit / tasks;
            let task = unit % tasks;
            let o = task / comptime!(layer.c * layer.k) * channels;
            let within = task % comptime!(layer.c * layer.k);
            #[unroll]
            for g in 0..channels {
                #[unroll]
                for kx in 0..layer.k {
                    let at = ((o + g) * comptime!(layer.c * layer.k) + within) * comptime!(layer.k) + kx;
                    partial[share * weights + at] = sums[(round * channels + g) * layer.k + kx];
                }
            }
        }
    }
    sync_cube();
    let to = (row + minibatch) * stride + column;
    let mut i = UNIT_POS as usize;
    while i < weights {
        let mut sum = 0.0f32;
        for share in 0..shares {
            sum += partial[share * weights + i];
        }
        gradients[to + i] = sum;
        i += threads;
    }
}
