//! The innermost loops of [`band`](super::band): what a panel changes is subtracted from a block of the matrix, and the
//! block, still in cache, is multiplied by the reflectors of the next panel.

use std::ops::Range;

use pulp::{Simd, WithSimd};

/// Rows of the factors of a change that lie side by side.
pub const PANEL: usize = 8;

/// Columns `left..` of the trailing matrix from the diagonal down, on their way through the cache. Rows and columns are
/// counted from the first of the trailing matrix.
pub struct Columns<'a, const W: usize> {
    /// One column each, from row `left` on.
    pub values: &'a mut [&'a mut [f64]],
    pub left: usize,
    /// Where blocks of rows begin, from `left` on, and where the last ends.
    pub cuts: &'a [usize],
    /// V and W of what is subtracted, in panels of [`PANEL`] rows: W columns of V, then those of W.
    pub change: Option<&'a [[f64; PANEL]]>,
    /// The next panel's V, W numbers a row.
    pub v: &'a [f64],
    /// Sums of A V by rows of A that are stored: one column of `v` after the other.
    pub down: &'a mut [f64],
    /// The same of their mirror images, W numbers for each of these columns.
    pub across: &'a mut [f64],
}

impl<const W: usize> WithSimd for Columns<'_, W> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match S::F64_LANES {
            8 => self.run::<S, 3, 8, 6>(simd),
            4 => self.run::<S, 3, 4, 2>(simd),
            _ => self.run::<S, 2, 4, 2>(simd),
        }
    }
}

impl<const W: usize> Columns<'_, W> {
    /// In registers: V vectors of rows by N columns, or J columns by four vectors of `v`.
    #[inline(always)]
    fn run<S: Simd, const V: usize, const N: usize, const J: usize>(mut self, simd: S) {
        for pair in 0..self.cuts.len() - 1 {
            let rows = self.cuts[pair]..self.cuts[pair + 1];
            if self.change.is_some() {
                let mut column = 0;
                while column < self.values.len() {
                    if self.values.len() - column >= N {
                        self.subtract::<S, V, N>(simd, rows.clone(), column);
                        column += N;
                    } else {
                        self.subtract::<S, V, 1>(simd, rows.clone(), column);
                        column += 1;
                    }
                }
            }
            for n in (0..W).step_by(N) {
                self.add_down::<S, V, N>(simd, rows.clone(), n);
            }
            if rows.start > self.left {
                let mut column = 0;
                while column < self.values.len() {
                    if self.values.len() - column >= J {
                        self.add_across::<S, J>(simd, rows.clone(), column);
                        column += J;
                    } else {
                        self.add_across::<S, 1>(simd, rows.clone(), column);
                        column += 1;
                    }
                }
            }
        }
    }

    /// `rows` of N columns from `column` on, less their part of V Wᵀ + W Vᵀ.
    #[inline(always)]
    fn subtract<S: Simd, const V: usize, const N: usize>(
        &mut self,
        simd: S,
        rows: Range<usize>,
        column: usize,
    ) {
        let change = self.change.unwrap_or(&[]);
        let panel = |i: usize| &change[i / PANEL * 2 * W..][..2 * W];
        let at = self.left + column;
        let (right, offset) = (panel(at), at % PANEL);
        let columns = &mut self.values[column..column + N];
        let mut row = rows.start;
        while row + V * S::F64_LANES <= rows.end {
            let left: [&[[f64; PANEL]]; V] = std::array::from_fn(|v| panel(row + v * S::F64_LANES));
            let start = row % PANEL;
            subtract_piece::<S, V, N, W>(simd, left, start, right, offset, columns, row - self.left);
            row += V * S::F64_LANES;
        }
        while row + S::F64_LANES <= rows.end {
            subtract_piece::<S, 1, N, W>(
                simd,
                [panel(row)],
                row % PANEL,
                right,
                offset,
                columns,
                row - self.left,
            );
            row += S::F64_LANES;
        }
        for row in row..rows.end {
            let left = panel(row);
            for n in 0..N {
                let mut sum = 0.0;
                for k in 0..W {
                    sum += left[W + k][row % PANEL] * right[k][offset + n];
                    sum += left[k][row % PANEL] * right[W + k][offset + n];
                }
                columns[n][row - self.left] -= sum;
            }
        }
    }

    /// Adds `rows` of the block times N columns of `v` from `n` on.
    #[inline(always)]
    fn add_down<S: Simd, const V: usize, const N: usize>(&mut self, simd: S, rows: Range<usize>, n: usize) {
        let height = self.down.len() / W;
        let v = &self.v.as_chunks::<W>().0[self.left..][..self.values.len()];
        let mut row = rows.start;
        while row + V * S::F64_LANES <= rows.end {
            let sums = down_piece::<S, V, N, W>(simd, self.values, v, n, row - self.left);
            put_down(simd, sums, &mut self.down[n * height + row..], height);
            row += V * S::F64_LANES;
        }
        while row + S::F64_LANES <= rows.end {
            let sums = down_piece::<S, 1, N, W>(simd, self.values, v, n, row - self.left);
            put_down(simd, sums, &mut self.down[n * height + row..], height);
            row += S::F64_LANES;
        }
        for row in row..rows.end {
            for n in n..n + N {
                let products = self
                    .values
                    .iter()
                    .zip(v)
                    .map(|(column, v)| column[row - self.left] * v[n]);
                self.down[n * height + row] += products.sum::<f64>();
            }
        }
    }

    /// Adds `rows` of J columns, transposed, times the rows of `v`.
    #[inline(always)]
    fn add_across<S: Simd, const J: usize>(&mut self, simd: S, rows: Range<usize>, column: usize) {
        let count = rows.len();
        let v = &self.v.as_chunks::<W>().0[rows.clone()];
        let columns: [&[f64]; J] =
            std::array::from_fn(|j| &self.values[column + j][rows.start - self.left..][..count]);
        let width = 4 * S::F64_LANES;
        for n in (0..W).step_by(width) {
            let mut sums = [[simd.splat_f64s(0.0); 4]; J];
            for i in 0..count {
                let vectors = S::as_simd_f64s(&v[i][n..n + width]).0;
                for j in 0..J {
                    let value = simd.splat_f64s(columns[j][i]);
                    for q in 0..4 {
                        sums[j][q] = simd.mul_add_e_f64s(value, vectors[q], sums[j][q]);
                    }
                }
            }
            for j in 0..J {
                let to = &mut self.across[(column + j) * W + n..][..width];
                let to = S::as_mut_simd_f64s(to).0;
                for q in 0..4 {
                    to[q] = simd.add_f64s(to[q], sums[j][q]);
                }
            }
        }
    }
}

/// V vectors of rows from `row` of the columns on; `start` is the first row's place in its panel.
#[inline(always)]
fn subtract_piece<S: Simd, const V: usize, const N: usize, const W: usize>(
    simd: S,
    left: [&[[f64; PANEL]]; V],
    start: usize,
    right: &[[f64; PANEL]],
    offset: usize,
    columns: &mut [&mut [f64]],
    row: usize,
) {
    // Vectors of fewer lanes than a panel has begin within it.
    let place = |v: usize| (start + v * S::F64_LANES) % PANEL;
    let mut sums = [[simd.splat_f64s(0.0); V]; N];
    for (from, to) in [(W, 0), (0, W)] {
        let right = &right[to..to + W];
        let left: [&[[f64; PANEL]]; V] = std::array::from_fn(|v| &left[v][from..from + W]);
        for k in 0..W {
            let mut a = [simd.splat_f64s(0.0); V];
            for v in 0..V {
                a[v] = S::as_simd_f64s(&left[v][k][place(v)..]).0[0];
            }
            for n in 0..N {
                let b = simd.splat_f64s(right[k][offset + n]);
                for v in 0..V {
                    sums[n][v] = simd.mul_add_e_f64s(a[v], b, sums[n][v]);
                }
            }
        }
    }
    for n in 0..N {
        let values = &mut columns[n][row..row + V * S::F64_LANES];
        let values = S::as_mut_simd_f64s(values).0;
        for v in 0..V {
            values[v] = simd.sub_f64s(values[v], sums[n][v]);
        }
    }
}

#[inline(always)]
fn down_piece<S: Simd, const V: usize, const N: usize, const W: usize>(
    simd: S,
    columns: &[&mut [f64]],
    v: &[[f64; W]],
    n: usize,
    row: usize,
) -> [[S::f64s; V]; N] {
    let mut sums = [[simd.splat_f64s(0.0); V]; N];
    for (column, right) in columns.iter().zip(v) {
        let a = S::as_simd_f64s(&column[row..row + V * S::F64_LANES]).0;
        let right = &right[n..n + N];
        for n in 0..N {
            let b = simd.splat_f64s(right[n]);
            for v in 0..V {
                sums[n][v] = simd.mul_add_e_f64s(a[v], b, sums[n][v]);
            }
        }
    }
    sums
}

#[inline(always)]
fn put_down<S: Simd, const V: usize, const N: usize>(
    simd: S,
    sums: [[S::f64s; V]; N],
    down: &mut [f64],
    height: usize,
) {
    for n in 0..N {
        let to = S::as_mut_simd_f64s(&mut down[n * height..][..V * S::F64_LANES]).0;
        for v in 0..V {
            to[v] = simd.add_f64s(to[v], sums[n][v]);
        }
    }
}
