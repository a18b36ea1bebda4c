//! Fully-connected layers: products with the weights, and the weight gradient of each minibatch.

use cubecl::prelude::*;

use super::tile::{DEPTH, Tile, WIDE, member, multiply, zero};
use super::{Buffer, Gpu, Rows};

/// Outputs of one thread, which has one input, in a minibatch's outer products.
const OUTPUTS: usize = 8;

impl Gpu {
    /// a Wᵀ + b for each of `samples` inputs a, with W (outputs × inputs) and b at `offset` of `theta`.
    pub fn linear(
        &self,
        theta: &Buffer,
        offset: usize,
        [inputs, outputs]: [usize; 2],
        input: &Buffer,
        samples: usize,
    ) -> Buffer {
        let bias = Some(offset + inputs * outputs);
        self.product(
            (input, inputs),
            theta,
            (offset, inputs, 1),
            bias,
            [samples, outputs, inputs],
        )
    }

    /// δ W for each of `samples` δ.
    pub fn linear_backward(
        &self,
        theta: &Buffer,
        offset: usize,
        [inputs, outputs]: [usize; 2],
        delta: &Buffer,
        samples: usize,
    ) -> Buffer {
        self.product(
            (delta, outputs),
            theta,
            (offset, 1, inputs),
            None,
            [samples, inputs, outputs],
        )
    }

    fn product(
        &self,
        (a, a_stride): (&Buffer, usize),
        b: &Buffer,
        (offset, b_row, b_step): (usize, usize, usize),
        bias: Option<usize>,
        [rows, columns, depth]: [usize; 3],
    ) -> Buffer {
        let output = self.empty(rows * columns);
        let tile = Tile {
            side: self.side,
            tall: 4,
        };
        product::launch(
            &self.client,
            CubeCount::Static(
                rows.div_ceil(tile.rows()) as u32,
                columns.div_ceil(tile.columns()) as u32,
                1,
            ),
            CubeDim::new_1d(tile.threads() as u32),
            a.arg(),
            b.arg(),
            output.arg(),
            rows,
            columns,
            depth,
            a_stride,
            offset,
            bias.unwrap_or(0),
            [b_row, b_step],
            bias.is_some(),
            tile,
        );
        output
    }

    /// Σ δ aᵀ over each of `minibatches` minibatches of `batch` samples, and Σ δ behind it.
    #[allow(clippy::too_many_arguments)]
    pub fn linear_gradient(
        &self,
        [inputs, outputs]: [usize; 2],
        input: &Buffer,
        delta: &Buffer,
        minibatches: usize,
        batch: usize,
        gradients: &Buffer,
        place: Rows,
    ) {
        let threads = self.threads.div_ceil(2);
        outer_products::launch(
            &self.client,
            CubeCount::Static(
                minibatches as u32,
                outputs.div_ceil(OUTPUTS) as u32,
                inputs.div_ceil(threads) as u32,
            ),
            CubeDim::new_1d(threads as u32),
            gradients.address(),
            input.arg(),
            delta.arg(),
            gradients.arg(),
            batch,
            place.row,
            place.stride,
            place.column,
            [inputs, outputs],
            threads,
        );
    }
}

/// C = A Bᵀ: C and A by rows, B at `offset` with strides `b`.
#[cube(launch)]
fn product(
    a: &Tensor<f32>,
    b: &Tensor<f32>,
    c: &mut Tensor<f32>,
    rows: usize,
    columns: usize,
    depth: usize,
    a_stride: usize,
    offset: usize,
    bias: usize,
    #[comptime] b_strides: [usize; 2],
    #[comptime] biased: bool,
    #[comptime] tile: Tile,
) {
    let threads = comptime!(tile.threads());
    let mut left = Shared::<[f32]>::new_aligned_slice(comptime!(DEPTH * tile.left_pitch()), 16usize);
    let mut right = Shared::<[f32]>::new_aligned_slice(comptime!(DEPTH * tile.right_pitch()), 16usize);
    let unit = UNIT_POS as usize;
    let row = CUBE_POS_X as usize * comptime!(tile.rows());
    let column = CUBE_POS_Y as usize * comptime!(tile.columns());
    let ty = unit / comptime!(tile.side);
    let tx = unit % comptime!(tile.side);
    let mut sums = zero(tile);
    let mut first = 0usize;
    while first < depth {
        let mut i = unit;
        while i < comptime!(DEPTH * tile.rows()) {
            let k = i % DEPTH;
            let r = i / DEPTH;
            let mut value = 0.0f32;
            if row + r < rows && first + k < depth {
                value = a[(row + r) * a_stride + first + k];
            }
            left[k * comptime!(tile.left_pitch()) + r] = value;
            i += threads;
        }
        let mut i = unit;
        while i < comptime!(DEPTH * tile.columns()) {
            // Neighbouring threads read neighbouring numbers.
            let mut k = i % DEPTH;
            let mut r = i / DEPTH;
            if comptime!(b_strides[1] != 1) {
                k = i / comptime!(tile.columns());
                r = i % comptime!(tile.columns());
            }
            let mut value = 0.0f32;
            if column + r < columns && first + k < depth {
                value = b
                    [offset + (column + r) * comptime!(b_strides[0]) + (first + k) * comptime!(b_strides[1])];
            }
            right[k * comptime!(tile.right_pitch()) + r] = value;
            i += threads;
        }
        sync_cube();
        multiply(&left, &right, &mut sums, ty, tx, tile);
        sync_cube();
        first += DEPTH;
    }
    #[unroll]
    for i in 0..tile.tall {
        #[unroll]
        for j in 0..WIDE {
            let r = row + member(ty, i, tile.side);
            let q = column + member(tx, j, tile.side);
            if r < rows && q < columns {
                let mut value = sums[i * WIDE + j];
                if biased {
                    value += b[bias + q];
                }
                c[r * columns + q] = value;
            }
        }
    }
}

#[cube(launch, address_type = "dynamic")]
fn outer_products(
    input: &Tensor<f32>,
    delta: &Tensor<f32>,
    gradients: &mut Tensor<f32>,
    batch: usize,
    row: usize,
    stride: usize,
    column: usize,
    #[comptime] size: [usize; 2],
    #[comptime] threads: usize,
) {
    let inputs = comptime!(size[0]);
    let outputs = comptime!(size[1]);
    let minibatch = CUBE_POS_X as usize;
    let o = CUBE_POS_Y as usize * comptime!(OUTPUTS);
    let i = CUBE_POS_Z as usize * threads + UNIT_POS as usize;
    let mut sums = Array::<f32>::new(comptime!(OUTPUTS));
    #[unroll]
    for j in 0..comptime!(OUTPUTS) {
        sums[j] = 0.0f32;
    }
    for b in 0..batch {
        let sample = minibatch * batch + b;
        let mut a = 0.0f32;
        if i < inputs {
            a = input[sample * inputs + i];
        }
        #[unroll]
        for j in 0..comptime!(OUTPUTS) {
            if o + j < outputs {
                sums[j] += a * delta[sample * outputs + o + j];
            }
        }
    }
    let to = (row + minibatch) * stride + column;
    if i < inputs {
        #[unroll]
        for j in 0..comptime!(OUTPUTS) {
            if o + j < outputs {
                gradients[to + (o + j) * inputs + i] = sums[j];
            }
        }
    }
    // The biases: a few threads of the first inputs' cube.
    if CUBE_POS_Z == 0 {
        let mut j = UNIT_POS as usize;
        while j < OUTPUTS {
            if o + j < outputs {
                let mut bias = 0.0f32;
                for b in 0..batch {
                    bias += delta[(minibatch * batch + b) * outputs + o + j];
                }
                gradients[to + comptime!(inputs * outputs) + o + j] = bias;
            }
            j += threads;
        }
    }
}
