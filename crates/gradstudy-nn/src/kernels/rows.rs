//! Sums over the rows of a gradient history on a GPU, and the history without their means.

use std::ops::Range;

use cubecl::prelude::*;

use super::reduce::total;
use super::{Buffer, Gpu};

/// Columns that one thread adds up.
const COLUMNS: usize = 256;

impl Gpu {
    /// Σ g, then Σ g², of each of the columns `range` of rows of length `stride`, in float64.
    pub fn sums_of_columns(&self, values: &Buffer, stride: usize, range: Range<usize>) -> Buffer {
        let (height, width) = (values.len / stride, range.len());
        let shares = height.div_ceil(COLUMNS);
        let parts = self.empty_wide(shares * 2 * width);
        let (_, threads) = self.elementwise(width);
        column_sums::launch(
            &self.client,
            CubeCount::Static(width.div_ceil(self.threads) as u32, shares as u32, 1),
            threads,
            values.address().max(parts.address()),
            values.arg(),
            parts.arg(),
            stride,
            range.start,
            width,
            height,
        );
        let sums = self.empty_wide(2 * width);
        let (cubes, threads) = self.elementwise(sums.len);
        add_up::launch(
            &self.client,
            cubes,
            threads,
            parts.address(),
            parts.arg(),
            sums.arg(),
        );
        sums
    }

    /// The columns `range` of rows of length `stride`, less `shift`, which has a number for each of them.
    pub fn shifted_columns(
        &self,
        values: &Buffer,
        stride: usize,
        range: Range<usize>,
        shift: &Buffer,
    ) -> Buffer {
        let output = self.empty(values.len / stride * range.len());
        let (cubes, threads) = self.elementwise(output.len);
        shifted_columns::launch(
            &self.client,
            cubes,
            threads,
            values.address(),
            values.arg(),
            shift.arg(),
            output.arg(),
            stride,
            range.start,
            range.len(),
        );
        output
    }

    /// The inner product of each row of `values` with `direction`, in float64.
    pub fn along(&self, values: &Buffer, direction: &Buffer) -> Buffer {
        let output = self.empty_wide(values.len / direction.len);
        along::launch(
            &self.client,
            CubeCount::Static(output.len as u32, 1, 1),
            CubeDim::new_1d(self.threads as u32),
            values.address(),
            values.arg(),
            direction.arg(),
            output.arg(),
            self.threads,
        );
        output
    }
}

#[cube(launch, address_type = "dynamic")]
fn column_sums(
    values: &Tensor<f32>,
    parts: &mut Tensor<f64>,
    stride: usize,
    first: usize,
    width: usize,
    height: usize,
) {
    let column = ABSOLUTE_POS_X as usize;
    let share = CUBE_POS_Y as usize;
    if column < width {
        let mut sum = 0.0f64;
        let mut squares = 0.0f64;
        let end = min((share + 1) * COLUMNS, height);
        for row in share * COLUMNS..end {
            let value = f64::cast_from(values[row * stride + first + column]);
            sum += value;
            squares += value * value;
        }
        parts[share * 2 * width + column] = sum;
        parts[(share * 2 + 1) * width + column] = squares;
    }
}

/// The sum of consecutive vectors.
#[cube(launch, address_type = "dynamic")]
fn add_up(parts: &Tensor<f64>, sums: &mut Tensor<f64>) {
    if ABSOLUTE_POS < sums.len() {
        let mut sum = 0.0f64;
        let mut at = ABSOLUTE_POS;
        while at < parts.len() {
            sum += parts[at];
            at += sums.len();
        }
        sums[ABSOLUTE_POS] = sum;
    }
}

#[cube(launch, address_type = "dynamic")]
fn shifted_columns(
    values: &Tensor<f32>,
    shift: &Tensor<f32>,
    output: &mut Tensor<f32>,
    stride: usize,
    first: usize,
    width: usize,
) {
    if ABSOLUTE_POS < output.len() {
        let column = ABSOLUTE_POS % width;
        output[ABSOLUTE_POS] = values[ABSOLUTE_POS / width * stride + first + column] - shift[column];
    }
}

#[cube(launch, address_type = "dynamic")]
fn along(
    values: &Tensor<f32>,
    direction: &Tensor<f64>,
    output: &mut Tensor<f64>,
    #[comptime] threads: usize,
) {
    let mut parts = Shared::<[f64]>::new_slice(threads);
    let first = CUBE_POS_X as usize * direction.len();
    let mut sum = 0.0f64;
    let mut i = UNIT_POS as usize;
    while i < direction.len() {
        sum += f64::cast_from(values[first + i]) * direction[i];
        i += threads;
    }
    let sum = total::<f64>(sum, &mut parts, threads);
    if UNIT_POS == 0 {
        output[CUBE_POS_X as usize] = sum;
    }
}
