//! The innermost loops of [`band`](super::band): what a panel changes is subtracted from a block of the matrix, and the
//! block, still in cache, is multiplied by the reflectors of the next panel.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::super::symmetric::{GRID, PANEL, SIZE};
use super::WIDTH as W;
use super::panel_products::Row;
use gradstudy_base::memory::fetch_l1;

/// A column of blocks from the diagonal down, on its way through the cache.
///
/// Other arrays have a place for each row of the whole matrix, up to the end of the last panel; what they say of rows
/// that are done with is zero.
pub struct BlockColumn<'a> {
    pub blocks: &'a mut [f64],
    /// First row and column of the first block.
    pub first: usize,
    /// Rows of the matrix.
    pub order: usize,
    /// Rows and columns before this are done with.
    pub from: usize,
    /// V and W of what is subtracted, 2W numbers for each row: W of V, then those of W, in panels of rows.
    pub change: Option<&'a [[f64; PANEL]]>,
    /// The next V, row by row.
    pub v: &'a [Row],
    /// Sums of A V by the rows of A that are stored, W numbers for each row, in panels of rows.
    pub down: &'a mut [[f64; PANEL]],
    /// The same of their mirror images, for each of these columns.
    pub across: &'a mut [Row],
}

impl WithSimd for BlockColumn<'_> {
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

impl BlockColumn<'_> {
    /// In registers: V vectors of rows by N columns, or J columns by four vectors of `v`.
    #[inline(always)]
    fn run<S: Simd, const V: usize, const N: usize, const J: usize>(self, simd: S) {
        let BlockColumn {
            blocks,
            first,
            order,
            from,
            change,
            v,
            down,
            across,
        } = self;
        let start = from.max(first) / PANEL * PANEL - first;
        let columns = start..(order.min(first + GRID) - first).next_multiple_of(PANEL);
        for (number, block) in blocks.as_chunks_mut::<SIZE>().0.iter_mut().enumerate() {
            let top = first + number * GRID;
            let panels = from.max(top) / PANEL..order.min(top + GRID).div_ceil(PANEL);
            let mut pair = panels.start;
            while pair < panels.end {
                let next = panels.end.min(pair + 2);
                for panel in pair..next {
                    let values = &mut block[(panel - top / PANEL) * PANEL * GRID..][..PANEL * GRID];
                    let values = values.as_chunks_mut::<PANEL>().0;
                    let values = &mut values[columns.clone()];
                    if let Some(change) = change {
                        let left = &change[panel * 2 * W..][..2 * W];
                        let right = &change[(first + columns.start) * 2 * W / PANEL..];
                        subtract::<S, V, N>(simd, values, left, right);
                    }
                    let v = &v[first + columns.start..first + columns.end];
                    add_down::<S, V, N>(simd, values, v, &mut down[panel * W..][..W]);
                }
                if number > 0 {
                    let local = pair - top / PANEL..next - top / PANEL;
                    let v = &v[pair * PANEL..next * PANEL];
                    add_across::<S, J>(simd, block, local, columns.clone(), v, across);
                }
                pair = next;
            }
        }
    }
}

/// A panel less its part of V Wᵀ + W Vᵀ.
#[inline(always)]
fn subtract<S: Simd, const V: usize, const N: usize>(
    simd: S,
    values: &mut [[f64; PANEL]],
    left: &[[f64; PANEL]],
    right: &[[f64; PANEL]],
) {
    for (number, columns) in values.chunks_exact_mut(N).enumerate() {
        let right = &right[number * N / PANEL * 2 * W..][..2 * W];
        let right = right.as_flattened().as_chunks::<N>().0;
        let offset = number * N % PANEL / N;
        // The next columns, which come from memory: without this a pass takes 1.1 times as long.
        let ahead = columns.as_ptr().wrapping_add(N).cast::<f64>();
        for line in (0..N * PANEL).step_by(8) {
            fetch_l1(ahead.wrapping_add(line));
        }
        for start in (0..PANEL / S::F64_LANES).step_by(V) {
            let mut sums = [[simd.splat_f64s(0.0); V]; N];
            for (from, to) in [(W, 0), (0, W)] {
                for k in 0..W {
                    let whole = S::as_simd_f64s(&left[from + k]).0;
                    let a: [S::f64s; V] = std::array::from_fn(|v| whole[start + v]);
                    let b = &right[(to + k) * (PANEL / N) + offset];
                    for n in 0..N {
                        let b = simd.splat_f64s(b[n]);
                        for v in 0..V {
                            sums[n][v] = simd.mul_add_e_f64s(a[v], b, sums[n][v]);
                        }
                    }
                }
            }
            for n in 0..N {
                let values = S::as_mut_simd_f64s(&mut columns[n]).0;
                for v in 0..V {
                    values[start + v] = simd.sub_f64s(values[start + v], sums[n][v]);
                }
            }
        }
    }
}

/// Adds a panel times `v` to `down`.
#[inline(always)]
fn add_down<S: Simd, const V: usize, const N: usize>(
    simd: S,
    values: &[[f64; PANEL]],
    v: &[Row],
    down: &mut [[f64; PANEL]],
) {
    for (number, down) in down.chunks_exact_mut(N).enumerate() {
        for start in (0..PANEL / S::F64_LANES).step_by(V) {
            let mut sums = [[simd.splat_f64s(0.0); V]; N];
            for (column, v) in values.iter().zip(v) {
                let whole = S::as_simd_f64s(column).0;
                let a: [S::f64s; V] = std::array::from_fn(|v| whole[start + v]);
                let b = &v.as_chunks::<N>().0[number];
                for n in 0..N {
                    let b = simd.splat_f64s(b[n]);
                    for v in 0..V {
                        sums[n][v] = simd.mul_add_e_f64s(a[v], b, sums[n][v]);
                    }
                }
            }
            for n in 0..N {
                let to = S::as_mut_simd_f64s(&mut down[n]).0;
                for v in 0..V {
                    to[start + v] = simd.add_f64s(to[start + v], sums[n][v]);
                }
            }
        }
    }
}

/// Adds `panels` of a block, transposed, times the rows of `v` to `across`.
#[inline(always)]
fn add_across<S: Simd, const J: usize>(
    simd: S,
    block: &[f64; SIZE],
    panels: Range<usize>,
    columns: Range<usize>,
    v: &[Row],
    across: &mut [Row],
) {
    for column in columns.step_by(J) {
        for part in (0..W / S::F64_LANES).step_by(4) {
            let mut sums = [[simd.splat_f64s(0.0); 4]; J];
            for (panel, v) in panels.clone().zip(v.as_chunks::<PANEL>().0) {
                let values = &block[(panel * GRID + column) * PANEL..][..J * PANEL];
                let values = values.as_chunks::<PANEL>().0;
                let values: &[[f64; PANEL]; J] = values.try_into().expect("J columns");
                for i in 0..PANEL {
                    let whole = S::as_simd_f64s(&v[i]).0;
                    let vectors: [S::f64s; 4] = std::array::from_fn(|q| whole[part + q]);
                    for j in 0..J {
                        let value = simd.splat_f64s(values[j][i]);
                        for q in 0..4 {
                            sums[j][q] = simd.mul_add_e_f64s(value, vectors[q], sums[j][q]);
                        }
                    }
                }
            }
            for j in 0..J {
                let to = S::as_mut_simd_f64s(&mut across[column + j]).0;
                for q in 0..4 {
                    to[part + q] = simd.add_f64s(to[part + q], sums[j][q]);
                }
            }
        }
    }
}
