//! Derivatives of batch normalisation, and of its gradients, along a direction.
//!
//! Of x̂ = (x − μ) r with r = 1/√(σ² + ε), the derivative along ẋ is r (ẋ − mean ẋ − x̂ mean ẋx̂), and that of r is
//! −r² mean ẋx̂, the means over a minibatch's channel; where statistics are constants, the means are zero.

use cubecl::prelude::*;

use super::batch_norm::{Size, place, scale};
use super::reduce::total;
use super::{Buffer, Gpu, Rows};

/// One batch normalisation amid samples.
#[derive(Clone, Copy)]
pub struct Normalised<'a> {
    pub input: &'a Buffer,
    /// Mean and variance of each minibatch's channels.
    pub moments: &'a Buffer,
    /// Values with γ and β, and where.
    pub theta: &'a Buffer,
    pub offset: usize,
    /// Channels and positions.
    pub size: Size,
    pub minibatches: usize,
    pub batch: usize,
    /// Whether the statistics are constants.
    pub constant: bool,
}

impl Normalised<'_> {
    /// What makes a sum over a minibatch's channel the mean that counts.
    pub(super) fn share(&self) -> f32 {
        match self.constant {
            true => 0.0,
            false => 1.0 / (self.batch * self.size[1]) as f32,
        }
    }

    /// Σ v x̂, then Σ v, over each minibatch's channels.
    pub(super) fn sums(&self, gpu: &Gpu, v: &Buffer) -> Buffer {
        let stride = 2 * self.size[0];
        let sums = gpu.empty(self.minibatches * stride);
        let place = Rows {
            row: 0,
            stride,
            column: 0,
        };
        let (size, minibatches, batch) = (self.size, self.minibatches, self.batch);
        gpu.normalisation_gradient(
            self.input,
            self.moments,
            v,
            size,
            minibatches,
            batch,
            &sums,
            place,
        );
        sums
    }
}

impl Gpu {
    /// The output's derivative along `tangent` in the input and `direction` in all values.
    pub fn normalise_tangent(&self, norm: &Normalised, tangent: &Buffer, direction: &Buffer) -> Buffer {
        let sums = norm.sums(self, tangent);
        let output = self.empty(tangent.len);
        let (cubes, threads) = self.elementwise(output.len);
        normalise_tangent::launch(
            &self.client,
            cubes,
            threads,
            norm.input.arg(),
            norm.moments.arg(),
            norm.theta.arg(),
            direction.arg(),
            tangent.arg(),
            sums.arg(),
            output.arg(),
            norm.offset,
            norm.batch,
            norm.share(),
            norm.size,
        );
        output
    }

    /// Σ δ ẋ̂ over each minibatch's channels, ẋ̂ being the derivative of x̂ along `tangent`: to `gradients` at γ's place.
    pub fn normalisation_cross(
        &self,
        norm: &Normalised,
        tangent: &Buffer,
        delta: &Buffer,
        gradients: &Buffer,
        place: Rows,
    ) {
        let sums = norm.sums(self, tangent);
        let (cubes, threads) = self.per_channel(norm.size, norm.minibatches);
        cross_sums::launch(
            &self.client,
            cubes,
            threads,
            gradients.address(),
            norm.input.arg(),
            norm.moments.arg(),
            tangent.arg(),
            sums.arg(),
            delta.arg(),
            gradients.arg(),
            norm.batch,
            norm.share(),
            place.row,
            place.stride,
            place.column,
            norm.size,
            self.threads,
        );
    }

    /// The derivative of δ of the input, from δ of the output and its own derivative `delta_tangent`. `cross` holds
    /// what [`Gpu::normalisation_cross`] has put there.
    pub fn normalise_back_tangent(
        &self,
        norm: &Normalised,
        tangent: &Buffer,
        direction: &Buffer,
        delta: &Buffer,
        delta_tangent: &Buffer,
        (cross, place): (&Buffer, Rows),
    ) -> Buffer {
        let of_tangent = norm.sums(self, tangent);
        let of_delta = norm.sums(self, delta);
        let of_both = norm.sums(self, delta_tangent);
        let back = self.empty(delta.len);
        let (cubes, threads) = self.elementwise(back.len);
        normalise_back_tangent::launch(
            &self.client,
            cubes,
            threads,
            cross.address(),
            norm.input.arg(),
            norm.moments.arg(),
            norm.theta.arg(),
            direction.arg(),
            tangent.arg(),
            of_tangent.arg(),
            delta.arg(),
            of_delta.arg(),
            delta_tangent.arg(),
            of_both.arg(),
            cross.arg(),
            back.arg(),
            norm.offset,
            norm.batch,
            norm.share(),
            place.row,
            place.stride,
            place.column,
            norm.size,
        );
        back
    }
}

#[cube(launch)]
fn normalise_tangent(
    input: &Tensor<f32>,
    moments: &Tensor<f32>,
    theta: &Tensor<f32>,
    direction: &Tensor<f32>,
    tangent: &Tensor<f32>,
    sums: &Tensor<f32>,
    output: &mut Tensor<f32>,
    offset: usize,
    batch: usize,
    share: f32,
    #[comptime] size: Size,
) {
    let at = ABSOLUTE_POS;
    if at < output.len() {
        let channel = at / comptime!(size[1]) % comptime!(size[0]);
        let minibatch = at / comptime!(size[0] * size[1]) / batch;
        let from = minibatch * comptime!(2 * size[0]) + channel;
        let rate = scale(moments[from + comptime!(size[0])]);
        let x = (input[at] - moments[from]) * rate;
        let along = sums[from] * share;
        let mean = sums[from + comptime!(size[0])] * share;
        let own = rate * (tangent[at] - mean - x * along);
        let bias = direction[offset + comptime!(size[0]) + channel];
        output[at] = theta[offset + channel] * own + direction[offset + channel] * x + bias;
    }
}

#[cube(launch, address_type = "dynamic")]
fn cross_sums(
    input: &Tensor<f32>,
    moments: &Tensor<f32>,
    tangent: &Tensor<f32>,
    sums: &Tensor<f32>,
    delta: &Tensor<f32>,
    gradients: &mut Tensor<f32>,
    batch: usize,
    share: f32,
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
    let rate = scale(moments[from + comptime!(size[0])]);
    let along = sums[from] * share;
    let mean = sums[from + comptime!(size[0])] * share;
    let mut sum = 0.0f32;
    let mut i = UNIT_POS as usize;
    while i < batch * comptime!(size[1]) {
        let at = place(i, minibatch, batch, channel, size);
        let x = (input[at] - moments[from]) * rate;
        sum += delta[at] * (tangent[at] - mean - x * along);
        i += threads;
    }
    let sum = total::<f32>(sum, &mut parts, threads) * rate;
    if UNIT_POS == 0 {
        gradients[(row + minibatch) * stride + column + channel] = sum;
    }
}

#[cube(launch, address_type = "dynamic")]
fn normalise_back_tangent(
    input: &Tensor<f32>,
    moments: &Tensor<f32>,
    theta: &Tensor<f32>,
    direction: &Tensor<f32>,
    tangent: &Tensor<f32>,
    of_tangent: &Tensor<f32>,
    delta: &Tensor<f32>,
    of_delta: &Tensor<f32>,
    delta_tangent: &Tensor<f32>,
    of_both: &Tensor<f32>,
    cross: &Tensor<f32>,
    back: &mut Tensor<f32>,
    offset: usize,
    batch: usize,
    share: f32,
    row: usize,
    stride: usize,
    column: usize,
    #[comptime] size: Size,
) {
    let at = ABSOLUTE_POS;
    if at < back.len() {
        let channels = comptime!(size[0]);
        let channel = at / comptime!(size[1]) % comptime!(size[0]);
        let minibatch = at / comptime!(size[0] * size[1]) / batch;
        let from = minibatch * comptime!(2 * size[0]) + channel;
        let rate = scale(moments[from + channels]);
        let x = (input[at] - moments[from]) * rate;
        let along = of_tangent[from] * share;
        let x_tangent = rate * (tangent[at] - of_tangent[from + channels] * share - x * along);

        let mean = of_delta[from + channels] * share;
        let slope = of_delta[from] * share;
        let passed = delta[at] - mean - x * slope;

        let crossed = cross[(row + minibatch) * stride + column + channel];
        let mean_tangent = of_both[from + channels] * share;
        let slope_tangent = (of_both[from] + crossed) * share;
        let passed_tangent = delta_tangent[at] - mean_tangent - x_tangent * slope - x * slope_tangent;

        let weight = theta[offset + channel];
        let of_scales = direction[offset + channel] - weight * rate * along;
        back[at] = rate * (of_scales * passed + weight * passed_tangent);
    }
}
