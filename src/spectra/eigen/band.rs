//! First stage: a symmetric matrix to a band of half-width W, by orthogonal similarity (Bischof, Lang and Sun, "The SBR
//! Toolbox", 2000). Nearly all of its 4n³/3 operations are matrix products, which memory would slow down: each panel's
//! two are made of a block while it is in cache.
//!
//! Work is cut in blocks that do not depend on the number of threads, so neither does any bit of the result.

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::matmul::matmul;
use faer::linalg::qr::no_pivoting::factor::{qr_in_place, qr_in_place_scratch};
use faer::{Accum, Mat, MatMut, MatRef, Par};
use pulp::Arch;
use rayon::prelude::*;

use super::super::symmetric::{GRID, PANEL, Symmetric};
use super::band_kernel::BlockColumn;
use super::chase::Band;
use crate::memory::Pages;

/// Reflectors of one panel: Q = I − V S Vᵀ acts on the rows from `row` on.
pub struct Panel {
    pub row: usize,
    /// Unit lower trapezoidal.
    pub v: Mat<f64>,
    /// Upper triangular.
    pub s: Mat<f64>,
}

/// Tasks of one pass over the matrix, of about equal work: each has sums of its own, which are added in order.
const TASKS: usize = 4;

/// Reduces `a` to half-width W. Panels are returned in order if `keep`.
///
/// The matrix goes through memory once for each panel: what the panel before changes in a block is subtracted just
/// before the block is multiplied by the reflectors of the next.
pub fn reduce_to_band<const W: usize>(mut a: Symmetric, keep: bool) -> (Band<W>, Vec<Panel>) {
    let n = a.order();
    let (mut band, mut panels) = (Band::zeros(n), Vec::new());
    let mut room = Room::new::<W>(n);
    let mut change: Option<Change> = None;
    let mut column = 0;
    while column + W + 1 < n {
        let row = column + W;
        let mut strip = a.strip(column, row);
        if let Some(change) = &change {
            change.subtract(strip.as_mut());
        }
        let (v, s) = factor_panel(strip.as_mut().subrows_mut(W, n - row));
        band.set(column, strip.as_ref());
        room.pack_reflectors::<W>(row, v.as_ref());
        pass::<W>(&mut a, row, change.is_some(), &mut room);
        let next = room.change::<W>(row, v.as_ref(), s.as_ref());
        room.pack_change::<W>(row, &next);
        change = Some(next);
        if keep {
            panels.push(Panel { row, v, s });
        }
        column = row;
    }
    let mut rest = a.strip(column, n);
    if let Some(change) = change {
        change.subtract(rest.as_mut());
    }
    band.set(column, rest.as_ref());
    (band, panels)
}

/// What passes need, kept from one to the next, with a place for each row of the matrix.
struct Room {
    /// V of the panel at hand, row by row.
    v: Pages<f64>,
    /// V and W of the panel before, in panels of rows.
    change: Pages<f64>,
    /// Sums of the mirror images, row by row.
    across: Pages<f64>,
    /// Sums of each task, in panels of rows.
    down: Vec<Pages<f64>>,
}

impl Room {
    fn new<const W: usize>(n: usize) -> Self {
        let rows = n.next_multiple_of(GRID);
        Room {
            v: Pages::zeros(rows * W),
            change: Pages::zeros(rows * 2 * W),
            across: Pages::zeros(rows * W),
            down: (0..TASKS).map(|_| Pages::zeros(rows * W)).collect(),
        }
    }

    /// V, which has rows from `row` on.
    fn pack_reflectors<const W: usize>(&mut self, row: usize, v: MatRef<f64>) {
        let first = row / PANEL * PANEL;
        let rows = &mut self.v.as_chunks_mut::<W>().0[first..row + v.nrows()];
        rows.par_chunks_mut(2 * GRID)
            .enumerate()
            .for_each(|(number, rows)| {
                let start = first + number * 2 * GRID;
                // Those before `row` are done with, and the last panel of all may have fewer columns.
                rows.fill([0.0; W]);
                let skip = row.saturating_sub(start);
                for k in 0..v.ncols() {
                    let values = v.col(k).subrows(start + skip - row, rows.len() - skip);
                    for (row, value) in rows[skip..].iter_mut().zip(values.iter()) {
                        row[k] = *value;
                    }
                }
            });
    }

    /// From the panel on that holds `row`.
    fn pack_change<const W: usize>(&mut self, row: usize, change: &Change) {
        let [w, v] = [0, change.count].map(|from| change.factors.subcols(from, change.count));
        let first = row / PANEL;
        let last = (row + v.nrows()).div_ceil(PANEL);
        let panels = self.change.as_chunks_mut::<PANEL>().0;
        let panels = panels[first * 2 * W..last * 2 * W]
            .par_chunks_mut(2 * W)
            .enumerate();
        panels.with_min_len(32).for_each(|(number, panel)| {
            panel.fill([0.0; PANEL]);
            let start = (first + number) * PANEL;
            let rows = start.max(row)..(start + PANEL).min(row + v.nrows());
            for k in 0..change.count {
                for i in rows.clone() {
                    panel[k][i - start] = v[(i - row, k)];
                    panel[W + k][i - start] = w[(i - row, k)];
                }
            }
        });
    }

    /// What the panel with these reflectors changes, given the sums of A V.
    ///
    /// A ← QᵀAQ is A − V Wᵀ − W Vᵀ with W = X − V(SᵀVᵀX)/2 and X = A V S.
    fn change<const W: usize>(&self, row: usize, v: MatRef<f64>, s: MatRef<f64>) -> Change {
        let (height, count) = (v.nrows(), v.ncols());
        let mut factors = Mat::zeros(height, 3 * count);
        let parts: Vec<Mat<f64>> = row_slices(factors.as_mut())
            .into_par_iter()
            .map(|(start, mut rows)| {
                let v = v.subrows(start, rows.nrows());
                let product = self.product::<W>(row + start, rows.nrows());
                let (mut x, mut rest) = rows.as_mut().split_at_col_mut(count);
                matmul(
                    x.as_mut(),
                    Accum::Replace,
                    product.as_ref().subcols(0, count),
                    s,
                    1.0,
                    Par::Seq,
                );
                rest.as_mut().subcols_mut(0, count).copy_from(v);
                let mut vx = Mat::zeros(count, count);
                matmul(
                    vx.as_mut(),
                    Accum::Replace,
                    v.transpose(),
                    x.as_ref(),
                    1.0,
                    Par::Seq,
                );
                vx
            })
            .collect();
        let mut vx = Mat::zeros(count, count);
        for part in &parts {
            vx += part;
        }
        let half = s.transpose() * vx * faer::Scale(-0.5);
        row_slices(factors.as_mut())
            .into_par_iter()
            .for_each(|(start, rows)| {
                let v = v.subrows(start, rows.nrows());
                let (mut w, rest) = rows.split_at_col_mut(count);
                matmul(w.as_mut(), Accum::Add, v, half.as_ref(), 1.0, Par::Seq);
                rest.split_at_col_mut(count).1.copy_from(w);
            });
        Change { count, factors }
    }

    /// Rows of A V.
    fn product<const W: usize>(&self, from: usize, count: usize) -> Mat<f64> {
        let across = &self.across.as_chunks::<W>().0[from..from + count];
        let mut product = Mat::from_fn(count, W, |i, k| across[i][k]);
        for down in &self.down {
            let panels = down.as_chunks::<PANEL>().0;
            for k in 0..W {
                let sums = product
                    .as_mut()
                    .col_mut(k)
                    .try_as_col_major_mut()
                    .expect("columns lie in one piece")
                    .as_slice_mut();
                let mut i = from;
                while i < from + count {
                    let next = (from + count).min((i / PANEL + 1) * PANEL);
                    let part = &panels[i / PANEL * W + k][i % PANEL..][..next - i];
                    sums[i - from..next - from]
                        .iter_mut()
                        .zip(part)
                        .for_each(|(sum, part)| *sum += part);
                    i = next;
                }
            }
        }
        product
    }
}

/// Slices of rows, and where each begins.
fn row_slices(mut matrix: MatMut<f64>) -> Vec<(usize, MatMut<f64>)> {
    let (mut slices, mut start) = (Vec::new(), 0);
    while matrix.nrows() > 0 {
        let height = (2 * GRID).min(matrix.nrows());
        let (slice, rest) = matrix.split_at_row_mut(height);
        slices.push((start, slice));
        (matrix, start) = (rest, start + height);
    }
    slices
}

/// QR of the panel, whose upper triangle becomes R; gives V and S.
fn factor_panel(mut panel: MatMut<f64>) -> (Mat<f64>, Mat<f64>) {
    let (height, width) = (panel.nrows(), panel.ncols());
    let count = height.min(width);
    let mut v = panel.to_owned();
    let mut s = Mat::zeros(count, count);
    let mut memory = MemBuffer::new(qr_in_place_scratch::<f64>(
        height,
        width,
        count,
        Par::Seq,
        Default::default(),
    ));
    qr_in_place(
        v.as_mut(),
        s.as_mut(),
        Par::Seq,
        MemStack::new(&mut memory),
        Default::default(),
    );
    for j in 0..width {
        for i in 0..height.min(j + 1) {
            panel[(i, j)] = v[(i, j)];
            v[(i, j)] = f64::from(i == j);
        }
    }
    v.resize_with(height, count, |_, _| 0.0);
    // faer's block reflector is I − V T⁻¹ Vᵀ, with an infinite tᵢᵢ where there was nothing to annihilate.
    let mut inverse = Mat::zeros(count, count);
    for j in 0..count {
        inverse[(j, j)] = 1.0 / s[(j, j)];
        for i in 0..j {
            let sum: f64 = (i..j).map(|k| inverse[(i, k)] * s[(k, j)]).sum();
            inverse[(i, j)] = -sum * inverse[(j, j)];
        }
    }
    (v, inverse)
}

/// What a panel subtracts from the rows and columns that its reflectors act on: V Wᵀ + W Vᵀ.
struct Change {
    count: usize,
    /// Columns [W V W]: the first two thirds times the transposed last two are W Vᵀ + V Wᵀ.
    factors: Mat<f64>,
}

impl Change {
    /// Subtracts its part from the first columns of the rows and columns that it acts on.
    fn subtract(&self, block: MatMut<f64>) {
        let (width, count) = (block.ncols(), self.count);
        let right = self.factors.submatrix(0, count, width, 2 * count);
        row_slices(block).into_par_iter().for_each(|(start, rows)| {
            let left = self.factors.submatrix(start, 0, rows.nrows(), 2 * count);
            matmul(rows, Accum::Add, left, right.transpose(), -1.0, Par::Seq);
        });
    }
}

/// Subtracts the change in `room` from the rows and columns from `row` on if there is one, and multiplies what is then
/// there by the reflectors in `room`.
fn pass<const W: usize>(a: &mut Symmetric, row: usize, changed: bool, room: &mut Room) {
    let order = a.order();
    let mut tasks: Vec<Vec<(usize, &mut [f64], &mut [f64])>> = (0..TASKS).map(|_| Vec::new()).collect();
    let across = room.across.chunks_exact_mut(GRID * W).skip(row / GRID);
    // Columns of blocks become shorter to the right: dealt out to and fro, all tasks have much the same.
    for (number, ((column, blocks), across)) in a.columns_mut(row).into_iter().zip(across).enumerate() {
        let (round, place) = (number / TASKS, number % TASKS);
        let task = if round % 2 == 0 { place } else { TASKS - 1 - place };
        tasks[task].push((column, blocks, across));
    }
    let change = changed.then_some(room.change.as_chunks::<PANEL>().0);
    let v = room.v.as_chunks::<W>().0;
    let arch = Arch::new();
    tasks
        .into_par_iter()
        .zip(room.down.par_iter_mut())
        .for_each(|(columns, down)| {
            let down = down.as_chunks_mut::<PANEL>().0;
            down[row / PANEL * W..].fill([0.0; PANEL]);
            for (column, blocks, across) in columns {
                let across = across.as_chunks_mut::<W>().0;
                across.fill([0.0; W]);
                arch.dispatch(BlockColumn::<W> {
                    blocks,
                    first: column * GRID,
                    order,
                    from: row,
                    change,
                    v,
                    down,
                    across,
                });
            }
        });
}

/// X ← Q X for the Q of all panels.
pub fn apply_panels(panels: &[Panel], x: &mut Mat<f64>) {
    let mut slices = Vec::new();
    let mut rest = x.as_mut();
    while rest.ncols() > 0 {
        let width = (GRID / 4).min(rest.ncols());
        let (slice, later) = rest.split_at_col_mut(width);
        slices.push(slice);
        rest = later;
    }
    slices.into_par_iter().for_each(|mut slice| {
        let (height, width) = (slice.nrows(), slice.ncols());
        for Panel { row, v, s } in panels.iter().rev() {
            let mut rows = slice.as_mut().subrows_mut(*row, height - row);
            let count = v.ncols();
            let (mut vx, mut svx) = (Mat::zeros(count, width), Mat::zeros(count, width));
            matmul(
                vx.as_mut(),
                Accum::Replace,
                v.transpose(),
                rows.as_ref(),
                1.0,
                Par::Seq,
            );
            matmul(
                svx.as_mut(),
                Accum::Replace,
                s.as_ref(),
                vx.as_ref(),
                1.0,
                Par::Seq,
            );
            matmul(
                rows.as_mut(),
                Accum::Add,
                v.as_ref(),
                svx.as_ref(),
                -1.0,
                Par::Seq,
            );
        }
    });
}
