//! Weight gradients of convolutions of any size, as products of the outputs' gradients with patches of the images.

use cubecl::prelude::*;

use super::conv2d_product::gathered;
use super::tile::{DEPTH, Tile, WIDE, member, multiply, zero};
use super::{Buffer, Convolution, Gpu, Rows};

/// Cubes that keep a large GPU busy.
const CUBES: usize = 1024;

impl Gpu {
    /// As [`Gpu::convolution_gradient`], for convolutions of any size.
    #[allow(clippy::too_many_arguments)]
    pub fn convolution_gradient_large(
        &self,
        layer: Convolution,
        input: &Buffer,
        delta: &Buffer,
        minibatches: usize,
        batch: usize,
        gradients: &Buffer,
        place: Rows,
    ) {
        let (rows, columns) = (layer.o, layer.c * layer.k * layer.k);
        let tile = self.tile(rows);
        let tiles = rows.div_ceil(tile.rows()) * columns.div_ceil(tile.columns());
        let shares = CUBES.div_ceil(tiles * minibatches).clamp(1, batch);
        let each = batch.div_ceil(shares);
        let shares = batch.div_ceil(each);
        let partial = self.empty(minibatches * shares * layer.weights());
        weight_product::launch(
            &self.client,
            CubeCount::Static(tiles as u32, shares as u32, minibatches as u32),
            CubeDim::new_1d(tile.threads() as u32),
            partial.address(),
            input.arg(),
            delta.arg(),
            partial.arg(),
            batch,
            each,
            layer,
            tile,
        );
        let (cubes, threads) = self.elementwise(minibatches * layer.weights());
        gather_shares::launch(
            &self.client,
            cubes,
            threads,
            gradients.address().max(partial.address()),
            partial.arg(),
            gradients.arg(),
            shares,
            layer.weights(),
            minibatches,
            place.row,
            place.stride,
            place.column,
        );
        if layer.bias {
            let column = place.column + layer.weights();
            let place = Rows { column, ..place };
            let size = [layer.o, layer.oh * layer.ow];
            self.channel_sums(delta, size, minibatches, batch, gradients, place);
        }
    }
}

/// Σ over the samples of one share of a minibatch: δ times the patches, transposed.
#[cube(launch, address_type = "dynamic")]
fn weight_product(
    input: &Tensor<f32>,
    delta: &Tensor<f32>,
    partial: &mut Tensor<f32>,
    batch: usize,
    each: usize,
    #[comptime] layer: Convolution,
    #[comptime] tile: Tile,
) {
    let threads = comptime!(tile.threads());
    let patches = comptime!(layer.patches());
    let area = comptime!(layer.oh * layer.ow);
    let columns = comptime!(layer.c * layer.k * layer.k);
    let across = comptime!(columns.div_ceil(tile.columns()));
    let mut left = Shared::<[f32]>::new_aligned_slice(comptime!(DEPTH * tile.left_pitch()), 16usize);
    let mut right = Shared::<[f32]>::new_aligned_slice(comptime!(DEPTH * tile.right_pitch()), 16usize);
    let unit = UNIT_POS as usize;
    let row = CUBE_POS_X as usize / across * comptime!(tile.rows());
    let column = CUBE_POS_X as usize % across * comptime!(tile.columns());
    let share = CUBE_POS_Y as usize;
    let minibatch = CUBE_POS_Z as usize;
    let shares = CUBE_COUNT_Y as usize;
    let ty = unit / comptime!(tile.side);
    let tx = unit % comptime!(tile.side);
    let mut sums = zero(tile);
    let sample = minibatch * batch + share * each;
    let mut end = (share + 1) * each;
    if end > batch {
        end = batch;
    }
    let depth = (end - share * each) * area;
    // Eight neighbouring numbers of four rows at a time: neither reads nor writes get in each other's way.
    let left_loads = comptime!((DEPTH * tile.rows()).div_ceil(tile.threads()));
    let right_loads = comptime!((DEPTH * tile.columns()).div_ceil(tile.threads()));
    let mut next_left = Array::<f32>::new(left_loads);
    let mut next_right = Array::<f32>::new(right_loads);
    let parts = depth.div_ceil(DEPTH);
    for part in 0..parts + 1 {
        if part < parts {
            let first = part * DEPTH;
            #[unroll]
            for i in 0..left_loads {
                let at = unit + i * threads;
                let k = first + at % 8 + at / comptime!(8 * tile.rows()) * 8;
                let r = row + at / 8 % comptime!(tile.rows());
                let mut value = 0.0f32;
                if k < depth && r < comptime!(layer.o) {
                    value = delta[((sample + k / area) * comptime!(layer.o) + r) * area + k % area];
                }
                next_left[i] = value;
            }
            #[unroll]
            for i in 0..right_loads {
                let at = unit + i * threads;
                let k = first + at % 8 + at / comptime!(8 * tile.columns()) * 8;
                let c = column + at / 8 % comptime!(tile.columns());
                let mut value = 0.0f32;
                if k < depth && c < columns {
                    let within = k % area;
                    value = gathered(
                        input,
                        sample + k / area,
                        c / comptime!(layer.k * layer.k),
                        c / comptime!(layer.k) % comptime!(layer.k),
                        c % comptime!(layer.k),
                        within / comptime!(layer.ow),
                        within % comptime!(layer.ow),
                        patches,
                    );
                }
                next_right[i] = value;
            }
        }
        if part > 0 {
            multiply(&left, &right, &mut sums, ty, tx, tile);
        }
        sync_cube();
        if part < parts {
            #[unroll]
            for i in 0..left_loads {
                let at = unit + i * threads;
                let k = at % 8 + at / comptime!(8 * tile.rows()) * 8;
                left[k * comptime!(tile.left_pitch()) + at / 8 % comptime!(tile.rows())] = next_left[i];
            }
            #[unroll]
            for i in 0..right_loads {
                let at = unit + i * threads;
                let k = at % 8 + at / comptime!(8 * tile.columns()) * 8;
                right[k * comptime!(tile.right_pitch()) + at / 8 % comptime!(tile.columns())] = next_right[i];
            }
        }
        sync_cube();
    }
    let to = (minibatch * shares + share) * comptime!(layer.o * layer.c * layer.k * layer.k);
    #[unroll]
    for i in 0..tile.tall {
        let r = row + member(ty, i, tile.side);
        #[unroll]
        for j in 0..WIDE {
            let c = column + member(tx, j, tile.side);
            if r < comptime!(layer.o) && c < columns {
                partial[to + r * columns + c] = sums[i * WIDE + j];
            }
        }
    }
}

/// Adds each minibatch's shares up.
#[cube(launch, address_type = "dynamic")]
fn gather_shares(
    partial: &Tensor<f32>,
    gradients: &mut Tensor<f32>,
    shares: usize,
    weights: usize,
    minibatches: usize,
    row: usize,
    stride: usize,
    column: usize,
) {
    let at = ABSOLUTE_POS;
    if at < minibatches * weights {
        let minibatch = at / weights;
        let weight = at % weights;
        let mut sum = 0.0f32;
        for share in 0..shares {
            sum += partial[(minibatch * shares + share) * weights + weight];
        }
        gradients[(row + minibatch) * stride + column + weight] = sum;
    }
}
