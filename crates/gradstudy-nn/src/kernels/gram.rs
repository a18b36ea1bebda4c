//! Inner products of gradients, in float64.

use cubecl::prelude::*;

use super::{Buffer, Gpu};

/// Length of the parts in which factors are read.
const DEPTH: usize = 16;
/// Rows and columns of one thread.
const REACH: usize = 8;

impl Gpu {
    /// Zeros of float64.
    pub fn zeros_wide(&self, len: usize) -> Buffer {
        let zeros = self.empty_wide(len);
        let (cubes, threads) = self.elementwise(len);
        fill_zeros::launch(&self.client, cubes, threads, zeros.address(), zeros.arg());
        zeros
    }

    /// `sums` += v_i · v_j of all pairs of `rows` rows of `values`, exact up to the rounding of float64 sums: the lower
    /// half of \[rows, rows\] and, in tiles on the diagonal, what mirrors it.
    pub fn add_products(&self, values: &Buffer, rows: usize, sums: &Buffer) {
        let tiles = rows.div_ceil(REACH * self.side) as u32;
        let pairs: Vec<u32> = (0..tiles)
            .flat_map(|i| (0..=i).flat_map(move |j| [i, j]))
            .collect();
        gram_tiles::launch(
            &self.client,
            CubeCount::Static(pairs.len() as u32 / 2, 1, 1),
            CubeDim::new_1d((self.side * self.side) as u32),
            values.address().max(sums.address()),
            values.arg(),
            self.upload_integers(&pairs).arg(),
            sums.arg(),
            rows,
            values.len / rows,
            self.side,
        );
    }
}

#[cube(launch, address_type = "dynamic")]
fn fill_zeros(values: &mut Tensor<f64>) {
    if ABSOLUTE_POS < values.len() {
        values[ABSOLUTE_POS] = 0.0f64;
    }
}

#[cube(launch, address_type = "dynamic")]
fn gram_tiles(
    values: &Tensor<f32>,
    pairs: &Tensor<u32>,
    gram: &mut Tensor<f64>,
    rows: usize,
    length: usize,
    #[comptime] side: usize,
) {
    let tile = comptime!(REACH * side);
    // One more than there are numbers: neighbouring threads write numbers that lie a pitch apart.
    let pitch = comptime!(REACH * side + 1);
    let threads = comptime!(side * side);
    let loads = comptime!((DEPTH * REACH * side).div_ceil(side * side));
    let mut left = Shared::<[f64]>::new_slice(comptime!(DEPTH * (REACH * side + 1)));
    let mut right = Shared::<[f64]>::new_slice(comptime!(DEPTH * (REACH * side + 1)));
    let unit = UNIT_POS as usize;
    let row = pairs[2 * CUBE_POS_X as usize] as usize * tile;
    let column = pairs[2 * CUBE_POS_X as usize + 1] as usize * tile;
    let ty = unit / side;
    let tx = unit % side;
    let mut sums = Array::<f64>::new(comptime!(REACH * REACH));
    #[unroll]
    for i in 0..comptime!(REACH * REACH) {
        sums[i] = 0.0f64;
    }
    let mut x = Array::<f32>::new(loads);
    let mut y = Array::<f32>::new(loads);
    let parts = length.div_ceil(DEPTH);
    for part in 0..parts + 1 {
        // The next part is read while the last one is multiplied.
        if part < parts {
            #[unroll]
            for i in 0..loads {
                let at = unit + i * threads;
                let k = part * DEPTH + at % DEPTH;
                let r = at / DEPTH;
                let mut a = 0.0f32;
                let mut b = 0.0f32;
                if k < length {
                    if row + r < rows {
                        a = values[(row + r) * length + k];
                    }
                    if column + r < rows {
                        b = values[(column + r) * length + k];
                    }
                }
                x[i] = a;
                y[i] = b;
            }
        }
        if part > 0 {
            #[unroll]
            for k in 0..DEPTH {
                let mut b = Array::<f64>::new(REACH);
                #[unroll]
                for j in 0..REACH {
                    b[j] = right[k * pitch + tx + j * side];
                }
                #[unroll]
                for i in 0..REACH {
                    let a = left[k * pitch + ty + i * side];
                    #[unroll]
                    for j in 0..REACH {
                        sums[i * REACH + j] = fma(a, b[j], sums[i * REACH + j]);
                    }
                }
            }
        }
        sync_cube();
        if part < parts {
            #[unroll]
            for i in 0..loads {
                let at = unit + i * threads;
                left[at % DEPTH * pitch + at / DEPTH] = f64::cast_from(x[i]);
                right[at % DEPTH * pitch + at / DEPTH] = f64::cast_from(y[i]);
            }
        }
        sync_cube();
    }
    #[unroll]
    for i in 0..REACH {
        #[unroll]
        for j in 0..REACH {
            let r = row + ty + i * side;
            let c = column + tx + j * side;
            if r < rows && c < rows {
                gram[r * rows + c] += sums[i * REACH + j];
            }
        }
    }
}
