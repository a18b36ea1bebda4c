//! Batch normalisation by each minibatch's own statistics, sums over channels, means over positions.

use cubecl::prelude::*;

use super::batch_norm_second_order::Normalised;
use super::reduce::total;
use super::{Buffer, Gpu, Rows};

/// Channels and positions.
pub(super) type Size = [usize; 2];

impl Gpu {
    /// Mean and biased variance of each minibatch's channels: \[minibatches, 2, channels\].
    pub fn moments(&self, input: &Buffer, size: Size, minibatches: usize, batch: usize) -> Buffer {
        let moments = self.empty(minibatches * 2 * size[0]);
        let (cubes, threads) = self.per_channel(size, minibatches);
        moments_of_channels::launch(
            &self.client,
            cubes,
            threads,
            input.arg(),
            moments.arg(),
            batch,
            size,
            self.threads,
        );
        moments
    }

    /// γ (x − μ) / √(σ² + ε) + β, with γ and β at `offset` of `theta`.
    pub fn normalise(
        &self,
        input: &Buffer,
        moments: &Buffer,
        theta: &Buffer,
        offset: usize,
        size: Size,
        batch: usize,
    ) -> Buffer {
        let output = self.empty(input.len);
        let (cubes, threads) = self.elementwise(input.len);
        normalise::launch(
            &self.client,
            cubes,
            threads,
            input.arg(),
            moments.arg(),
            theta.arg(),
            output.arg(),
            offset,
            batch,
            size,
        );
        output
    }

    /// Σ δ x̂ and Σ δ over each minibatch's channels: the gradients of γ and β.
    #[allow(clippy::too_many_arguments)]
    pub fn normalisation_gradient(
        &self,
        input: &Buffer,
        moments: &Buffer,
        delta: &Buffer,
        size: Size,
        minibatches: usize,
        batch: usize,
        gradients: &Buffer,
        place: Rows,
    ) {
        let (cubes, threads) = self.per_channel(size, minibatches);
        normalisation_sums::launch(
            &self.client,
            cubes,
            threads,
            gradients.address(),
            input.arg(),
            moments.arg(),
            delta.arg(),
            gradients.arg(),
            batch,
            place.row,
            place.stride,
            place.column,
            size,
            self.threads,
        );
    }

    /// Gradients with respect to the input.
    pub fn normalise_back(&self, norm: &Normalised, delta: &Buffer) -> Buffer {
        let sums = norm.sums(self, delta);
        let back = self.empty(norm.input.len);
        let (cubes, threads) = self.elementwise(back.len);
        normalise_back::launch(
            &self.client,
            cubes,
            threads,
            norm.input.arg(),
            norm.moments.arg(),
            norm.theta.arg(),
            delta.arg(),
            sums.arg(),
            back.arg(),
            norm.offset,
            norm.batch,
            norm.share(),
            norm.size,
        );
        back
    }

    /// Σ δ over each minibatch's channels: the gradients of biases.
    pub fn channel_sums(
        &self,
        delta: &Buffer,
        size: Size,
        minibatches: usize,
        batch: usize,
        gradients: &Buffer,
        place: Rows,
    ) {
        let (cubes, threads) = self.per_channel(size, minibatches);
        channel_sums::launch(
            &self.client,
            cubes,
            threads,
            gradients.address(),
            delta.arg(),
            gradients.arg(),
            batch,
            place.row,
            place.stride,
            place.column,
            size,
            self.threads,
        );
    }

    /// The mean of each channel of each sample.
    pub fn channel_means(&self, input: &Buffer, positions: usize) -> Buffer {
        let means = self.empty(input.len / positions);
        let (cubes, threads) = self.elementwise(means.len);
        channel_means::launch(&self.client, cubes, threads, input.arg(), means.arg(), positions);
        means
    }

    /// δ of a mean, in equal parts to its positions.
    pub fn channel_means_back(&self, delta: &Buffer, positions: usize) -> Buffer {
        let back = self.empty(delta.len * positions);
        let (cubes, threads) = self.elementwise(back.len);
        channel_means_back::launch(&self.client, cubes, threads, delta.arg(), back.arg(), positions);
        back
    }

    pub(super) fn per_channel(&self, size: Size, minibatches: usize) -> (CubeCount, CubeDim) {
        (
            CubeCount::Static(size[0] as u32, minibatches as u32, 1),
            CubeDim::new_1d(self.threads as u32),
        )
    }
}

/// Where number `i` of a minibatch's channel lies.
#[cube]
pub(super) fn place(
    i: usize,
    minibatch: usize,
    batch: usize,
    channel: usize,
    #[comptime] size: Size,
) -> usize {
    let sample = minibatch * batch + i / comptime!(size[1]);
    (sample * comptime!(size[0]) + channel) * comptime!(size[1]) + i % comptime!(size[1])
}

#[cube(launch)]
fn moments_of_channels(
    input: &Tensor<f32>,
    moments: &mut Tensor<f32>,
    batch: usize,
    #[comptime] size: Size,
    #[comptime] threads: usize,
) {
    let mut parts = Shared::<[f32]>::new_slice(threads);
    let channel = CUBE_POS_X as usize;
    let minibatch = CUBE_POS_Y as usize;
    let count = batch * comptime!(size[1]);
    let mut sum = 0.0f32;
    let mut i = UNIT_POS as usize;
    while i < count {
        sum += input[place(i, minibatch, batch, channel, size)];
        i += threads;
    }
    let mean = total::<f32>(sum, &mut parts, threads) / f32::cast_from(count as u32);
    let mut squares = 0.0f32;
    let mut i = UNIT_POS as usize;
    while i < count {
        let away = input[place(i, minibatch, batch, channel, size)] - mean;
        squares += away * away;
        i += threads;
    }
    let variance = total::<f32>(squares, &mut parts, threads) / f32::cast_from(count as u32);
    if UNIT_POS == 0 {
        let to = minibatch * comptime!(2 * size[0]) + channel;
        moments[to] = mean;
        moments[to + comptime!(size[0])] = variance;
    }
}

/// 1/√(σ² + ε), ε being PyTorch's default.
#[cube]
pub(super) fn scale(variance: f32) -> f32 {
    1.0f32 / (variance + 1e-5f32).sqrt()
}

#[cube(launch)]
fn normalise(
    input: &Tensor<f32>,
    moments: &Tensor<f32>,
    theta: &Tensor<f32>,
    output: &mut Tensor<f32>,
    offset: usize,
    batch: usize,
    #[comptime] size: Size,
) {
    let at = ABSOLUTE_POS;
    if at < output.len() {
        let channel = at / comptime!(size[1]) % comptime!(size[0]);
        let minibatch = at / comptime!(size[0] * size[1]) / batch;
        let from = minibatch * comptime!(2 * size[0]) + channel;
        let x = (input[at] - moments[from]) * scale(moments[from + comptime!(size[0])]);
        output[at] = x * theta[offset + channel] + theta[offset + comptime!(size[0]) + channel];
    }
}

#[cube(launch, address_type = "dynamic")]
fn normalisation_sums(
    input: &Tensor<f32>,
    moments: &Tensor<f32>,
    delta: &Tensor<f32>,
    gradients: &mut Tensor<f32>,
    batch: usize,
    row: usize,
    stride: usize,
    column: usize,
    #[comptime] size: Size,
    #[comptime] threads: usize,
) {
    let mut parts = Shared::<[f32]>::new_slice(threads);
    let channel = CUBE_POS_X as usize;
    let minibatch = CUBE_POS_Y as usize;
    let from = minibatch * comptime!(2 * size[0]) + channel;
    let mean = moments[from];
    let rate = scale(moments[from + comptime!(size[0])]);
    let mut products = 0.0f32;
    let mut sum = 0.0f32;
    let mut i = UNIT_POS as usize;
    while i < batch * comptime!(size[1]) {
        let at = place(i, minibatch, batch, channel, size);
        let d = delta[at];
        products += d * (input[at] - mean);
        sum += d;
        i += threads;
    }
    let products = total::<f32>(products, &mut parts, threads) * rate;
    let sum = total::<f32>(sum, &mut parts, threads);
    if UNIT_POS == 0 {
        let to = (row + minibatch) * stride + column + channel;
        gradients[to] = products;
        gradients[to + comptime!(size[0])] = sum;
    }
}

#[cube(launch)]
fn normalise_back(
    input: &Tensor<f32>,
    moments: &Tensor<f32>,
    theta: &Tensor<f32>,
    delta: &Tensor<f32>,
    sums: &Tensor<f32>,
    back: &mut Tensor<f32>,
    offset: usize,
    batch: usize,
    share: f32,
    #[comptime] size: Size,
) {
    let at = ABSOLUTE_POS;
    if at < back.len() {
        let channel = at / comptime!(size[1]) % comptime!(size[0]);
        let minibatch = at / comptime!(size[0] * size[1]) / batch;
        let from = minibatch * comptime!(2 * size[0]) + channel;
        let rate = scale(moments[from + comptime!(size[0])]);
        let x = (input[at] - moments[from]) * rate;
        let mean = sums[from + comptime!(size[0])] * share;
        let along = sums[from] * share;
        back[at] = theta[offset + channel] * rate * (delta[at] - mean - x * along);
    }
}

#[cube(launch, address_type = "dynamic")]
fn channel_sums(
    delta: &Tensor<f32>,
    gradients: &mut Tensor<f32>,
    batch: usize,
    row: usize,
    stride: usize,
    column: usize,
    #[comptime] size: Size,
    #[comptime] threads: usize,
) {
    let mut parts = Shared::<[f32]>::new_slice(threads);
    let channel = CUBE_POS_X as usize;
    let minibatch = CUBE_POS_Y as usize;
    let mut sum = 0.0f32;
    let mut i = UNIT_POS as usize;
    while i < batch * comptime!(size[1]) {
        sum += delta[place(i, minibatch, batch, channel, size)];
        i += threads;
    }
    let sum = total::<f32>(sum, &mut parts, threads);
    if UNIT_POS == 0 {
        gradients[(row + minibatch) * stride + column + channel] = sum;
    }
}

#[cube(launch)]
fn channel_means(input: &Tensor<f32>, means: &mut Tensor<f32>, #[comptime] positions: usize) {
    if ABSOLUTE_POS < means.len() {
        let mut sum = 0.0f32;
        for i in 0..positions {
            sum += input[ABSOLUTE_POS * positions + i];
        }
        means[ABSOLUTE_POS] = sum * comptime!(1.0 / positions as f32);
    }
}

#[cube(launch)]
fn channel_means_back(delta: &Tensor<f32>, back: &mut Tensor<f32>, #[comptime] positions: usize) {
    if ABSOLUTE_POS < back.len() {
        back[ABSOLUTE_POS] = delta[ABSOLUTE_POS / positions] * comptime!(1.0 / positions as f32);
    }
}
