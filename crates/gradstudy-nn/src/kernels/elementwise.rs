//! What is done number by number, window by window or sample by sample.

use std::ops::Range;

use cubecl::prelude::*;

use super::{Buffer, Gpu};

impl Gpu {
    /// Cubes for one thread for each of `count` numbers.
    pub(super) fn elementwise(&self, count: usize) -> (CubeCount, CubeDim) {
        (
            CubeCount::Static(count.div_ceil(self.threads) as u32, 1, 1),
            CubeDim::new_1d(self.threads as u32),
        )
    }

    /// a + b.
    pub fn add(&self, a: &Buffer, b: &Buffer) -> Buffer {
        let sum = self.empty(a.len);
        let (cubes, threads) = self.elementwise(a.len);
        add::launch(&self.client, cubes, threads, a.arg(), b.arg(), sum.arg());
        sum
    }

    /// max(x, 0).
    pub fn relu(&self, input: &Buffer) -> Buffer {
        let output = self.empty(input.len);
        let (cubes, threads) = self.elementwise(input.len);
        relu::launch(&self.client, cubes, threads, input.arg(), output.arg());
        output
    }

    /// δ where the output of [`Gpu::relu`] is positive.
    pub fn relu_backward(&self, output: &Buffer, delta: &Buffer) -> Buffer {
        let back = self.empty(delta.len);
        let (cubes, threads) = self.elementwise(delta.len);
        relu_backward::launch(
            &self.client,
            cubes,
            threads,
            output.arg(),
            delta.arg(),
            back.arg(),
        );
        back
    }

    /// Maxima over windows of side `k` of planes of height and width `size`, multiples of `k`.
    pub fn max_pool(&self, input: &Buffer, size: [usize; 2], k: usize) -> Buffer {
        let output = self.empty(input.len / (k * k));
        let (cubes, threads) = self.elementwise(output.len);
        max_pool::launch(&self.client, cubes, threads, input.arg(), output.arg(), size, k);
        output
    }

    /// δ to the first maximum of each window, zero to the others.
    pub fn max_pool_backward(&self, input: &Buffer, delta: &Buffer, size: [usize; 2], k: usize) -> Buffer {
        let back = self.empty(input.len);
        let (cubes, threads) = self.elementwise(delta.len);
        max_pool_backward::launch(
            &self.client,
            cubes,
            threads,
            input.arg(),
            delta.arg(),
            back.arg(),
            size,
            k,
        );
        back
    }

    /// The cross-entropy −ln p_y of each sample, p being the softmax of its `classes` logits and y its label, and
    /// `scale` (p − e_y).
    pub fn cross_entropy(
        &self,
        logits: &Buffer,
        labels: &Buffer,
        classes: usize,
        scale: f32,
    ) -> (Buffer, Buffer) {
        let (losses, delta) = (self.empty(labels.len), self.empty(logits.len));
        let (cubes, threads) = self.elementwise(logits.len / classes);
        cross_entropy::launch(
            &self.client,
            cubes,
            threads,
            logits.arg(),
            labels.arg(),
            losses.arg(),
            delta.arg(),
            scale,
            classes,
        );
        (losses, delta)
    }

    /// The columns `range` of rows of length `stride`.
    pub fn columns(&self, values: &Buffer, stride: usize, range: Range<usize>) -> Buffer {
        let output = self.empty(values.len / stride * range.len());
        let (cubes, threads) = self.elementwise(output.len);
        columns::launch(
            &self.client,
            cubes,
            threads,
            values.address(),
            values.arg(),
            output.arg(),
            stride,
            range.start,
            range.len(),
        );
        output
    }

    /// The rows `indices` of `values`, which are `size` long.
    pub fn gather(&self, values: &Buffer, indices: &Buffer, size: usize) -> Buffer {
        let output = self.empty(indices.len * size);
        let (cubes, threads) = self.elementwise(output.len);
        gather::launch(
            &self.client,
            cubes,
            threads,
            values.arg(),
            indices.arg(),
            output.arg(),
            size,
        );
        output
    }
}

#[cube(launch, address_type = "dynamic")]
fn columns(values: &Tensor<f32>, output: &mut Tensor<f32>, stride: usize, first: usize, width: usize) {
    if ABSOLUTE_POS < output.len() {
        output[ABSOLUTE_POS] = values[ABSOLUTE_POS / width * stride + first + ABSOLUTE_POS % width];
    }
}

#[cube(launch)]
fn add(a: &Tensor<f32>, b: &Tensor<f32>, sum: &mut Tensor<f32>) {
    if ABSOLUTE_POS < sum.len() {
        sum[ABSOLUTE_POS] = a[ABSOLUTE_POS] + b[ABSOLUTE_POS];
    }
}

#[cube(launch)]
fn relu(input: &Tensor<f32>, output: &mut Tensor<f32>) {
    if ABSOLUTE_POS < output.len() {
        output[ABSOLUTE_POS] = max(input[ABSOLUTE_POS], 0.0f32);
    }
}

#[cube(launch)]
fn relu_backward(output: &Tensor<f32>, delta: &Tensor<f32>, back: &mut Tensor<f32>) {
    if ABSOLUTE_POS < back.len() {
        let mut value = 0.0f32;
        if output[ABSOLUTE_POS] > 0.0f32 {
            value = delta[ABSOLUTE_POS];
        }
        back[ABSOLUTE_POS] = value;
    }
}

/// Where the window of output number `at` starts.
#[cube]
pub(super) fn window(at: usize, #[comptime] size: [usize; 2], #[comptime] k: usize) -> usize {
    let across = comptime!(size[1] / k);
    let down = comptime!(size[0] / k);
    let plane = at / comptime!(across * down);
    let y = at / across % down;
    (plane * comptime!(size[0]) + y * k) * comptime!(size[1]) + at % across * k
}

/// The first largest number of the window that starts at `first`, counted row by row.
#[cube]
pub(super) fn first_maximum(
    input: &Tensor<f32>,
    first: usize,
    #[comptime] size: [usize; 2],
    #[comptime] k: usize,
) -> usize {
    let mut best = input[first];
    let mut place = 0usize;
    #[unroll]
    for y in 0..k {
        #[unroll]
        for x in 0..k {
            let value = input[first + y * comptime!(size[1]) + x];
            if value > best {
                best = value;
                place = y * k + x;
            }
        }
    }
    place
}

#[cube(launch)]
fn max_pool(
    input: &Tensor<f32>,
    output: &mut Tensor<f32>,
    #[comptime] size: [usize; 2],
    #[comptime] k: usize,
) {
    if ABSOLUTE_POS < output.len() {
        let first = window(ABSOLUTE_POS, size, k);
        let mut best = input[first];
        #[unroll]
        for y in 0..k {
            #[unroll]
            for x in 0..k {
                best = max(best, input[first + y * comptime!(size[1]) + x]);
            }
        }
        output[ABSOLUTE_POS] = best;
    }
}

#[cube(launch)]
fn max_pool_backward(
    input: &Tensor<f32>,
    delta: &Tensor<f32>,
    back: &mut Tensor<f32>,
    #[comptime] size: [usize; 2],
    #[comptime] k: usize,
) {
    if ABSOLUTE_POS < delta.len() {
        let first = window(ABSOLUTE_POS, size, k);
        let place = first_maximum(input, first, size, k);
        let whole = delta[ABSOLUTE_POS];
        #[unroll]
        for y in 0..k {
            #[unroll]
            for x in 0..k {
                let mut value = 0.0f32;
                if place == y * k + x {
                    value = whole;
                }
                back[first + y * comptime!(size[1]) + x] = value;
            }
        }
    }
}

#[cube(launch)]
fn cross_entropy(
    logits: &Tensor<f32>,
    labels: &Tensor<u32>,
    losses: &mut Tensor<f32>,
    delta: &mut Tensor<f32>,
    scale: f32,
    #[comptime] classes: usize,
) {
    if ABSOLUTE_POS < labels.len() {
        let first = ABSOLUTE_POS * classes;
        let label = labels[ABSOLUTE_POS] as usize;
        let mut largest = logits[first];
        for c in 1..classes {
            largest = max(largest, logits[first + c]);
        }
        let mut total = 0.0f32;
        for c in 0..classes {
            total += (logits[first + c] - largest).exp();
        }
        losses[ABSOLUTE_POS] = total.ln() + largest - logits[first + label];
        for c in 0..classes {
            let mut value = (logits[first + c] - largest).exp() / total;
            if c == label {
                value -= 1.0f32;
            }
            delta[first + c] = value * scale;
        }
    }
}

#[cube(launch)]
fn gather(values: &Tensor<f32>, indices: &Tensor<u32>, output: &mut Tensor<f32>, #[comptime] size: usize) {
    if ABSOLUTE_POS < output.len() {
        let index = indices[ABSOLUTE_POS / size] as usize;
        output[ABSOLUTE_POS] = values[index * size + ABSOLUTE_POS % size];
    }
}
