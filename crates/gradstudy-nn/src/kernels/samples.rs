//! The rows and columns of a gradient history on a GPU, as samples.

use std::ops::Range;

use cubecl::prelude::*;

use super::{Buffer, Gpu};

/// Rows and columns that are turned at a time.
const SIDE: usize = 32;

impl Gpu {
    /// The columns `range` of rows of length `stride`, one after the other.
    pub fn turned(&self, values: &Buffer, stride: usize, range: Range<usize>) -> Buffer {
        let width = values.len / stride;
        let output = self.empty(range.len() * width);
        turn::launch(
            &self.client,
            CubeCount::Static(range.len().div_ceil(SIDE) as u32, width.div_ceil(SIDE) as u32, 1),
            CubeDim::new_1d(self.threads as u32),
            values.address().max(output.address()),
            values.arg(),
            output.arg(),
            stride,
            range.start,
            range.len(),
            width,
            self.threads,
        );
        output
    }

    /// Numbers of consecutive samples: the i-th is `values[(first + i / points) * between + indices[i] * within]`.
    pub fn points(
        &self,
        values: &Buffer,
        indices: &Buffer,
        first: usize,
        points: usize,
        between: usize,
        within: usize,
    ) -> Buffer {
        let output = self.empty(indices.len);
        let (cubes, threads) = self.elementwise(output.len);
        points_of_samples::launch(
            &self.client,
            cubes,
            threads,
            values.address(),
            values.arg(),
            indices.arg(),
            output.arg(),
            first,
            points,
            between,
            within,
        );
        output
    }
}

#[cube(launch, address_type = "dynamic")]
fn turn(
    values: &Tensor<f32>,
    output: &mut Tensor<f32>,
    stride: usize,
    first: usize,
    height: usize,
    width: usize,
    #[comptime] threads: usize,
) {
    // One more than there are numbers: neighbouring threads read numbers that lie a pitch apart.
    let pitch = comptime!(SIDE + 1);
    let mut square = Shared::<[f32]>::new_slice(comptime!(SIDE * (SIDE + 1)));
    let row = CUBE_POS_X as usize * SIDE;
    let column = CUBE_POS_Y as usize * SIDE;
    let mut at = UNIT_POS as usize;
    while at < comptime!(SIDE * SIDE) {
        let r = at % SIDE;
        let c = at / SIDE;
        if row + r < height && column + c < width {
            square[c * pitch + r] = values[(column + c) * stride + first + row + r];
        }
        at += threads;
    }
    sync_cube();
    let mut at = UNIT_POS as usize;
    while at < comptime!(SIDE * SIDE) {
        let r = at / SIDE;
        let c = at % SIDE;
        if row + r < height && column + c < width {
            output[(row + r) * width + column + c] = square[c * pitch + r];
        }
        at += threads;
    }
}

#[cube(launch, address_type = "dynamic")]
fn points_of_samples(
    values: &Tensor<f32>,
    indices: &Tensor<u32>,
    output: &mut Tensor<f32>,
    first: usize,
    points: usize,
    between: usize,
    within: usize,
) {
    if ABSOLUTE_POS < output.len() {
        let sample = first + ABSOLUTE_POS / points;
        output[ABSOLUTE_POS] = values[sample * between + indices[ABSOLUTE_POS] as usize * within];
    }
}
