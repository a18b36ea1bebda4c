//! XᵀX in f64 from products in f32: short inner products are summed in f32, their sums in f64.
//!
//! Why: one f32 sum over all n parameters loses the small eigenvalues (its errors are of the order of 2⁻²⁴ of the
//! largest one), while f64 products take three times as long.

use faer::linalg::matmul::matmul;
use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::{Accum, Mat, MatMut, MatRef, Par};
use rayon::prelude::*;

/// Columns of X in one tile of XᵀX: its f64 sums and f32 product stay in the L2 cache.
const TILE: usize = 256;
/// Rows of X that are summed in f32. `tests/spectra` shows what this costs in digits.
pub const RUN: usize = 256;

/// The lower triangle of XᵀX, in tiles.
pub struct Products {
    order: usize,
    tiles: Vec<Tile>,
}

struct Tile {
    row: usize,
    column: usize,
    /// Column-major; of a tile on the diagonal the lower triangle counts.
    sums: Mat<f64>,
}

impl Products {
    /// Zero sums for `order` columns.
    pub fn new(order: usize) -> Self {
        let starts = || (0..order).step_by(TILE);
        let size = |start: usize| TILE.min(order - start);
        let tiles = starts().flat_map(|column| {
            starts().filter(move |&row| row >= column).map(move |row| Tile {
                row,
                column,
                sums: Mat::zeros(size(row), size(column)),
            })
        });
        Products {
            order,
            tiles: tiles.collect(),
        }
    }

    /// Adds XᵀX for the `height` × order matrix `x` (column-major), whose largest absolute value is `largest`.
    ///
    /// `x` is scaled by a power of two on the way, so that no product overflows or falls among the subnormals.
    pub fn add(&mut self, x: &mut [f32], height: usize, largest: f32) {
        assert_eq!(x.len(), height * self.order);
        if largest == 0.0 || !largest.is_finite() {
            // Nothing to add, or nothing that can be added: `largest` then shows in the sums.
            for tile in &mut self.tiles {
                tile.sums[(0, 0)] += f64::from(largest);
            }
            return;
        }
        let exponent = largest.log2().floor() as i32;
        let (down, up) = (2f64.powi(-exponent), 2f64.powi(2 * exponent));
        if exponent.abs() > 30 {
            x.par_iter_mut()
                .for_each(|value| *value = (f64::from(*value) * down) as f32);
        }
        let scale = if exponent.abs() > 30 { up } else { 1.0 };
        let x = MatRef::from_column_major_slice(&*x, height, self.order);
        self.tiles.par_iter_mut().for_each_init(
            || vec![0f32; TILE * TILE],
            |product, tile| tile.add(x, scale, product),
        );
    }

    /// The whole symmetric matrix.
    pub fn into_matrix(self) -> Mat<f64> {
        let mut matrix = Mat::zeros(self.order, self.order);
        for Tile { row, column, sums } in self.tiles {
            for j in 0..sums.ncols() {
                let from = if row == column { j } else { 0 };
                for i in from..sums.nrows() {
                    matrix[(row + i, column + j)] = sums[(i, j)];
                    matrix[(column + j, row + i)] = sums[(i, j)];
                }
            }
        }
        matrix
    }
}

impl Tile {
    fn add(&mut self, x: MatRef<f32>, scale: f64, product: &mut [f32]) {
        let (m, n) = (self.sums.nrows(), self.sums.ncols());
        let mut start = 0;
        while start < x.nrows() {
            let run = x.subrows(start, RUN.min(x.nrows() - start));
            let (a, b) = (run.subcols(self.row, m), run.subcols(self.column, n));
            let mut c = MatMut::from_column_major_slice_mut(&mut product[..m * n], m, n);
            if self.row == self.column {
                use BlockStructure::{Rectangular, TriangularLower};
                triangular::matmul(
                    c.as_mut(),
                    TriangularLower,
                    Accum::Replace,
                    a.transpose(),
                    Rectangular,
                    b,
                    Rectangular,
                    1.0,
                    Par::Seq,
                );
            } else {
                matmul(c.as_mut(), Accum::Replace, a.transpose(), b, 1.0, Par::Seq);
            }
            for j in 0..n {
                let column = self
                    .sums
                    .col_mut(j)
                    .try_as_col_major_mut()
                    .expect("columns are contiguous");
                for (sum, &value) in column.as_slice_mut().iter_mut().zip(&product[j * m..][..m]) {
                    *sum += scale * f64::from(value);
                }
            }
            start += RUN;
        }
    }
}
