//! The innermost loops of [`basis`](super::basis): some rows of all its vectors, on their way through the cache.

use pulp::{Simd, WithSimd};

/// Rows of a panel.
pub const ROWS: usize = 256;
/// Vectors of a block that are worked on at once.
pub const WIDTH: usize = 4;
/// Vectors of the basis that are subtracted, or multiplied, at once.
const TOGETHER: usize = WIDTH;

/// A number for each vector of a block.
pub type Row = [f64; WIDTH];
/// Some rows of a block, or of a few vectors of the basis; vectors of registers do not straddle cache lines.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub struct Tile(pub [[f64; ROWS]; WIDTH]);

impl Tile {
    pub const ZERO: Tile = Tile([[0.0; ROWS]; WIDTH]);
}

/// Subtracts vectors of the basis times `coefficients` from a tile, and adds its inner products with them to `sums`.
pub struct Visit<'a> {
    pub columns: &'a [[f32; ROWS]],
    pub coefficients: Option<&'a [Row]>,
    pub tile: &'a mut Tile,
    pub sums: Option<&'a mut [Row]>,
}

impl WithSimd for Visit<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Visit {
            columns,
            coefficients,
            tile,
            sums,
        } = self;
        let mut scratch = Tile::ZERO;
        if let Some(coefficients) = coefficients {
            let numbered = columns.chunks(TOGETHER).zip(coefficients.chunks(TOGETHER));
            for (columns, given) in numbered {
                // Fewer than all at the end: the others count nothing.
                let mut coefficients = [[0.0; WIDTH]; TOGETHER];
                coefficients[..given.len()].copy_from_slice(given);
                widen(simd, columns, &mut scratch);
                subtract(simd, &scratch, &coefficients, tile);
            }
        }
        if let Some(sums) = sums {
            for (columns, sums) in columns.chunks(TOGETHER).zip(sums.chunks_mut(TOGETHER)) {
                widen(simd, columns, &mut scratch);
                let products = multiply(simd, &scratch, tile);
                for (sum, product) in sums.iter_mut().zip(products) {
                    sum.iter_mut().zip(product).for_each(|(sum, value)| *sum += value);
                }
            }
        }
    }
}

/// Float32 to float64: what lies in the first-level cache is read again faster than it is converted once more.
#[inline(always)]
fn widen<S: Simd>(simd: S, columns: &[[f32; ROWS]], wide: &mut Tile) {
    simd.vectorize(
        #[inline(always)]
        || {
            for (wide, column) in wide.0.iter_mut().zip(columns) {
                for (to, from) in wide.iter_mut().zip(column) {
                    *to = f64::from(*from);
                }
            }
        },
    );
}

/// `tile` ← `tile` − `columns` · `coefficients`.
#[inline(always)]
fn subtract<S: Simd>(simd: S, columns: &Tile, coefficients: &[Row; TOGETHER], tile: &mut Tile) {
    simd.vectorize(
        #[inline(always)]
        || {
            let mut scales = [[simd.splat_f64s(0.0); WIDTH]; TOGETHER];
            for c in 0..TOGETHER {
                for j in 0..WIDTH {
                    scales[c][j] = simd.splat_f64s(-coefficients[c][j]);
                }
            }
            let columns = columns.0.each_ref().map(|column| S::as_simd_f64s(column).0);
            let [a, b, c, d] = tile.0.each_mut().map(|column| S::as_mut_simd_f64s(column).0);
            for k in 0..ROWS / S::F64_LANES {
                let mut sums = [a[k], b[k], c[k], d[k]];
                for c in 0..TOGETHER {
                    let v = columns[c][k];
                    for j in 0..WIDTH {
                        sums[j] = simd.mul_add_f64s(v, scales[c][j], sums[j]);
                    }
                }
                [a[k], b[k], c[k], d[k]] = sums;
            }
        },
    );
}

/// `columns`ᵀ · `tile`.
#[inline(always)]
fn multiply<S: Simd>(simd: S, columns: &Tile, tile: &Tile) -> [Row; TOGETHER] {
    let mut products = [[0.0; WIDTH]; TOGETHER];
    simd.vectorize(
        #[inline(always)]
        || {
            let columns = columns.0.each_ref().map(|column| S::as_simd_f64s(column).0);
            let tile = tile.0.each_ref().map(|column| S::as_simd_f64s(column).0);
            let mut sums = [[simd.splat_f64s(0.0); WIDTH]; TOGETHER];
            for k in 0..ROWS / S::F64_LANES {
                for c in 0..TOGETHER {
                    let v = columns[c][k];
                    for j in 0..WIDTH {
                        sums[c][j] = simd.mul_add_f64s(v, tile[j][k], sums[c][j]);
                    }
                }
            }
            for c in 0..TOGETHER {
                for j in 0..WIDTH {
                    products[c][j] = simd.reduce_sum_f64s(sums[c][j]);
                }
            }
        },
    );
    products
}

/// Float32 to float64.
pub struct Widen<'a>(pub &'a [f32], pub &'a mut [f64]);

impl WithSimd for Widen<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        simd.vectorize(
            #[inline(always)]
            || {
                let numbers = self.1.iter_mut().zip(self.0);
                numbers.for_each(|(wide, v)| *wide = f64::from(*v));
            },
        );
    }
}
