//! 3×3 correlations of stride 1 by minimal filtering F(2×2, 3×3) over lanes of samples: 16 multiply-adds for each tile
//! of four outputs in place of 36 (Winograd 1980; Lavin and Gray 2016).
//!
//! y = Aᵀ[(G w Gᵀ) ⊙ (Bᵀ d B)]A for tiles d of 4 × 4 inputs and y of 2 × 2 outputs. The sixteen products are sums over
//! input channels: at each of the sixteen points a matrix product, in registers as in the blocked kernels.

use pulp::{Simd, WithSimd};

use super::conv2d_blocked::blocks;
use super::lanes::{Lanes, vectors, vectors_mut, vectors_per_lanes};

/// Points of a tile.
pub const POINTS: usize = 16;

/// Tiles that are transformed together: what belongs to them stays in the second-level cache.
const TILES: usize = 4;

/// Filters that are transformed together.
const FILTERS: usize = 16;

/// `output` ← the correlation of `input` with 3×3 filters, zeros around the input (padding 1).
pub struct Correlate<'a> {
    /// \[inputs, height, width\].
    pub input: &'a [Lanes],
    /// \[outputs, height, width\].
    pub output: &'a mut [Lanes],
    /// Inputs and outputs.
    pub channels: [usize; 2],
    /// Height and width.
    pub size: [usize; 2],
    /// By [`transform`].
    pub filters: &'a [f32],
    /// The filter of output o and input c at a point is number `strides[0]` o + `strides[1]` c of that point's.
    pub strides: [usize; 2],
    /// Whether the filters are turned by 180°, for the gradient of the input.
    pub turned: bool,
    /// One per output, or empty for none.
    pub bias: &'a [f32],
    /// At least [`scratch`].
    pub scratch: &'a mut [Lanes],
}

/// Lanes of scratch for so many inputs and outputs.
pub fn scratch(channels: [usize; 2]) -> usize {
    POINTS * TILES * (channels[0] + channels[1])
}

/// G w Gᵀ of `weights` \[filters, 3, 3\]: all filters at the first point, then at the next.
pub struct Transform<'a> {
    pub weights: &'a [f32],
    pub filters: &'a mut [f32],
}

impl WithSimd for Transform<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let count = self.weights.len() / 9;
        let mut planes = self.filters.chunks_exact_mut(count);
        let planes: [&mut [f32]; POINTS] = std::array::from_fn(|_| planes.next().expect("sixteen points"));
        for (first, nine) in (0..count).step_by(FILTERS).zip(self.weights.chunks(9 * FILTERS)) {
            let filled = nine.len() / 9;
            let mut g = [[0f32; FILTERS]; 9];
            for (f, filter) in nine.chunks_exact(9).enumerate() {
                for k in 0..9 {
                    g[k][f] = filter[k];
                }
            }
            // Rows, then columns.
            let mut t = [[[0f32; FILTERS]; 3]; 4];
            for k in 0..3 {
                let (a, b, c) = (&g[k], &g[3 + k], &g[6 + k]);
                for f in 0..FILTERS {
                    let (even, odd) = (0.5 * (a[f] + c[f]), 0.5 * b[f]);
                    t[0][k][f] = a[f];
                    t[1][k][f] = even + odd;
                    t[2][k][f] = even - odd;
                    t[3][k][f] = c[f];
                }
            }
            for r in 0..4 {
                let [a, b, c] = &t[r];
                let mut u = [[0f32; FILTERS]; 4];
                for f in 0..FILTERS {
                    let (even, odd) = (0.5 * (a[f] + c[f]), 0.5 * b[f]);
                    u[0][f] = a[f];
                    u[1][f] = even + odd;
                    u[2][f] = even - odd;
                    u[3][f] = c[f];
                }
                for k in 0..4 {
                    planes[4 * r + k][first..first + filled].copy_from_slice(&u[k][..filled]);
                }
            }
        }
    }
}

impl WithSimd for Correlate<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let [height, width] = self.size;
        let across = width.div_ceil(2);
        let tiles = height.div_ceil(2) * across;
        let scratch = std::mem::take(&mut self.scratch);
        let (points, sums) = scratch.split_at_mut(POINTS * TILES * self.channels[0]);
        let sums = &mut sums[..POINTS * TILES * self.channels[1]];
        for first in (0..tiles).step_by(TILES) {
            let count = TILES.min(tiles - first);
            for tile in 0..count {
                let place = [(first + tile) / across, (first + tile) % across];
                self.read::<S>(simd, place, tile, points);
            }
            for point in 0..POINTS {
                for (first, size) in blocks(self.channels[1]) {
                    match size {
                        6 => self.products::<S, 6>(simd, point, first, points, sums),
                        5 => self.products::<S, 5>(simd, point, first, points, sums),
                        4 => self.products::<S, 4>(simd, point, first, points, sums),
                        3 => self.products::<S, 3>(simd, point, first, points, sums),
                        2 => self.products::<S, 2>(simd, point, first, points, sums),
                        _ => self.products::<S, 1>(simd, point, first, points, sums),
                    }
                }
            }
            for tile in 0..count {
                let place = [(first + tile) / across, (first + tile) % across];
                self.write::<S>(simd, place, tile, sums);
            }
        }
    }
}

impl Correlate<'_> {
    /// Bᵀ d B of one tile, every channel, to its places \[point, channel, tile\].
    #[inline(always)]
    fn read<S: Simd>(&self, simd: S, place: [usize; 2], tile: usize, points: &mut [Lanes]) {
        let v = vectors_per_lanes::<S>();
        let [height, width] = self.size;
        let inputs = self.channels[0];
        let zero = simd.splat_f32s(0.0);
        let to = vectors_mut::<S>(points);
        for (c, plane) in vectors::<S>(self.input)
            .chunks_exact(height * width * v)
            .enumerate()
        {
            for i in 0..v {
                let mut d = [[zero; 4]; 4];
                for r in 0..4 {
                    // One row and one column of zeros lie before the input.
                    let y = (2 * place[0] + r).wrapping_sub(1);
                    if y >= height {
                        continue;
                    }
                    for k in 0..4 {
                        let x = (2 * place[1] + k).wrapping_sub(1);
                        if x < width {
                            d[r][k] = plane[(y * width + x) * v + i];
                        }
                    }
                }
                for k in 0..4 {
                    let column = differences(simd, [d[0][k], d[1][k], d[2][k], d[3][k]]);
                    for r in 0..4 {
                        d[r][k] = column[r];
                    }
                }
                for r in 0..4 {
                    let row = differences(simd, d[r]);
                    for k in 0..4 {
                        to[(((4 * r + k) * inputs + c) * TILES + tile) * v + i] = row[k];
                    }
                }
            }
        }
    }

    /// The products of outputs `first` … `first + C` at one point, of all tiles.
    #[inline(always)]
    fn products<S: Simd, const C: usize>(
        &self,
        simd: S,
        point: usize,
        first: usize,
        points: &[Lanes],
        sums: &mut [Lanes],
    ) {
        let v = vectors_per_lanes::<S>();
        let [inputs, outputs] = self.channels;
        let [across, along] = self.strides;
        // Turning exchanges the outer points of rows and of columns.
        let source = match self.turned {
            true => 4 * turned(point / 4) + turned(point % 4),
            false => point,
        };
        let filters = &self.filters[source * inputs * outputs..][..inputs * outputs];
        let points = &vectors::<S>(points)[point * inputs * TILES * v..][..inputs * TILES * v];
        let sums = &mut vectors_mut::<S>(sums)[(point * outputs + first) * TILES * v..][..C * TILES * v];
        for i in 0..v {
            let mut acc = [[simd.splat_f32s(0.0); TILES]; C];
            for (c, values) in points.chunks_exact(TILES * v).enumerate() {
                let filters = &filters[first * across + c * along..][..(C - 1) * across + 1];
                let mut tiles = [simd.splat_f32s(0.0); TILES];
                for j in 0..TILES {
                    tiles[j] = values[j * v + i];
                }
                for o in 0..C {
                    let filter = simd.splat_f32s(filters[o * across]);
                    for j in 0..TILES {
                        acc[o][j] = simd.mul_add_e_f32s(filter, tiles[j], acc[o][j]);
                    }
                }
            }
            for o in 0..C {
                for j in 0..TILES {
                    sums[(o * TILES + j) * v + i] = acc[o][j];
                }
            }
        }
    }

    /// Aᵀ m A of one tile, every channel, to the output.
    #[inline(always)]
    fn write<S: Simd>(&mut self, simd: S, place: [usize; 2], tile: usize, sums: &[Lanes]) {
        let v = vectors_per_lanes::<S>();
        let [height, width] = self.size;
        let outputs = self.channels[1];
        let from = vectors::<S>(sums);
        let planes = vectors_mut::<S>(self.output).chunks_exact_mut(height * width * v);
        for (o, plane) in planes.enumerate() {
            let bias = simd.splat_f32s(self.bias.get(o).copied().unwrap_or(0.0));
            for i in 0..v {
                let mut rows = [[bias; 4]; 2];
                for k in 0..4 {
                    let mut m = [bias; 4];
                    for r in 0..4 {
                        m[r] = from[(((4 * r + k) * outputs + o) * TILES + tile) * v + i];
                    }
                    let [a, b] = both(simd, m);
                    (rows[0][k], rows[1][k]) = (a, b);
                }
                for r in 0..2 {
                    let y = 2 * place[0] + r;
                    if y >= height {
                        continue;
                    }
                    let values = both(simd, rows[r]);
                    for k in 0..2 {
                        let x = 2 * place[1] + k;
                        if x < width {
                            plane[(y * width + x) * v + i] = simd.add_f32s(values[k], bias);
                        }
                    }
                }
            }
        }
    }
}

fn turned(point: usize) -> usize {
    [3, 1, 2, 0][point]
}

/// Bᵀ d.
#[inline(always)]
fn differences<S: Simd>(simd: S, d: [S::f32s; 4]) -> [S::f32s; 4] {
    [
        simd.sub_f32s(d[0], d[2]),
        simd.add_f32s(d[1], d[2]),
        simd.sub_f32s(d[2], d[1]),
        simd.sub_f32s(d[1], d[3]),
    ]
}

/// Aᵀ m.
#[inline(always)]
fn both<S: Simd>(simd: S, m: [S::f32s; 4]) -> [S::f32s; 2] {
    [
        simd.add_f32s(simd.add_f32s(m[0], m[1]), m[2]),
        simd.sub_f32s(simd.sub_f32s(m[1], m[2]), m[3]),
    ]
}
