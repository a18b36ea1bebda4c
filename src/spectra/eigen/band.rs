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

use super::band_kernel::{Columns, PANEL};

/// Rows (or columns) of one task. The diagonal blocks of this grid are kept whole, all others below the diagonal only.
const GRID: usize = 240;

/// Reflectors of one panel: Q = I − V S Vᵀ acts on the rows from `row` on.
pub struct Panel {
    pub row: usize,
    /// Unit lower trapezoidal.
    pub v: Mat<f64>,
    /// Upper triangular.
    pub s: Mat<f64>,
}

/// Tasks of one pass over the matrix, of about equal work: each has sums of its own, which are added in order.
const TASKS: usize = 8;

/// Reduces the lower triangle of `a` to half-width W (what lies further below is left as it falls).
///
/// Panels are returned in order if `keep`. The matrix goes through memory once for each panel: what the panel before
/// changes in a block is subtracted just before the block is multiplied by the reflectors of the next.
pub fn reduce_to_band<const W: usize>(a: &mut Mat<f64>, keep: bool) -> Vec<Panel> {
    let n = a.nrows();
    mirror_diagonal_blocks(a);
    let (mut panels, mut room) = (Vec::new(), Room::new::<W>(n));
    let mut change: Option<Change> = None;
    let mut column = 0;
    while column + W + 1 < n {
        let row = column + W;
        if let Some(change) = &change {
            change.subtract(a.as_mut().submatrix_mut(column, column, n - column, W));
        }
        let (v, s) = factor_panel(a.as_mut().submatrix_mut(row, column, n - row, W));
        room.pack_reflectors::<W>(v.as_ref());
        let product = pass::<W>(a.as_mut(), row, change.is_some(), &mut room);
        let next = Change::new(v.as_ref(), s.as_ref(), product);
        room.pack_change::<W>(&next);
        change = Some(next);
        if keep {
            panels.push(Panel { row, v, s });
        }
        column = row;
    }
    if let Some(change) = change {
        change.subtract(a.as_mut().submatrix_mut(column, column, n - column, n - column));
    }
    panels
}

/// What passes need, kept from one to the next.
struct Room {
    /// V of the panel at hand, row by row.
    v: Vec<f64>,
    /// V and W of the panel before, in panels of rows.
    change: Vec<[f64; PANEL]>,
    /// Sums of the mirror images, row by row.
    across: Vec<f64>,
    /// Sums of each task, column by column.
    down: Vec<Vec<f64>>,
}

impl Room {
    fn new<const W: usize>(n: usize) -> Self {
        Room {
            v: vec![0.0; n * W],
            change: vec![[0.0; PANEL]; n.div_ceil(PANEL) * 2 * W],
            across: vec![0.0; n * W],
            down: vec![vec![0.0; n * W]; TASKS],
        }
    }

    fn pack_reflectors<const W: usize>(&mut self, v: MatRef<f64>) {
        let rows = self.v.as_chunks_mut::<W>().0;
        for k in 0..v.ncols() {
            for (row, value) in rows.iter_mut().zip(v.col(k).iter()) {
                row[k] = *value;
            }
        }
        // The last panel may have fewer.
        for row in &mut rows[..v.nrows()] {
            row[v.ncols()..].fill(0.0);
        }
    }

    /// From the row on at which the next pass begins.
    fn pack_change<const W: usize>(&mut self, change: &Change) {
        let [w, v] = [0, change.count].map(|from| change.factors.subcols(from, change.count));
        let height = v.nrows();
        if height <= W {
            return;
        }
        let panels = self
            .change
            .par_chunks_mut(2 * W)
            .take((height - W).div_ceil(PANEL));
        panels.enumerate().with_min_len(64).for_each(|(number, panel)| {
            let first = W + number * PANEL;
            let inside = PANEL.min(height - first);
            for k in 0..W {
                panel[k] = [0.0; PANEL];
                panel[W + k] = [0.0; PANEL];
                for i in 0..inside {
                    panel[k][i] = v[(first + i, k)];
                    panel[W + k][i] = w[(first + i, k)];
                }
            }
        });
    }
}

fn mirror_diagonal_blocks(a: &mut Mat<f64>) {
    for j in 0..a.ncols() {
        for i in j / GRID * GRID..j {
            a[(i, j)] = a[(j, i)];
        }
    }
}

/// QR of the panel, which becomes R; gives V and S.
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
        for i in 0..height {
            panel[(i, j)] = if i <= j { v[(i, j)] } else { 0.0 };
            if i <= j {
                v[(i, j)] = f64::from(i == j);
            }
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
    /// A ← QᵀAQ is A − V Wᵀ − W Vᵀ with W = X − V(SᵀVᵀX)/2 and X = A V S, given AV.
    fn new(v: MatRef<f64>, s: MatRef<f64>, product: Mat<f64>) -> Self {
        let (height, count) = (v.nrows(), v.ncols());
        let mut factors = Mat::zeros(height, 3 * count);
        let mut x = factors.as_mut().subcols_mut(0, count);
        let product = product.as_ref().subcols(0, count);
        matmul(x.as_mut(), Accum::Replace, product, s, 1.0, Par::Seq);
        let mut vx = Mat::zeros(count, count);
        matmul(
            vx.as_mut(),
            Accum::Replace,
            v.transpose(),
            x.as_ref(),
            1.0,
            Par::Seq,
        );
        let half = s.transpose() * vx * faer::Scale(-0.5);
        matmul(x.as_mut(), Accum::Add, v, half.as_ref(), 1.0, Par::Seq);
        let (first, rest) = factors.as_mut().split_at_col_mut(count);
        let (mut second, mut third) = rest.split_at_col_mut(count);
        second.copy_from(v);
        third.copy_from(first);
        Change { count, factors }
    }

    /// Subtracts its part from the first columns of the rows and columns that it acts on.
    fn subtract(&self, block: MatMut<f64>) {
        let (width, count) = (block.ncols(), self.count);
        let left = self.factors.subcols(0, 2 * count);
        let right = self.factors.submatrix(0, count, width, 2 * count);
        matmul(block, Accum::Add, left, right.transpose(), -1.0, Par::Seq);
    }
}

/// A block of columns of the trailing matrix, from the diagonal down, and where its sums across go.
struct Block<'a> {
    number: usize,
    values: Vec<&'a mut [f64]>,
    across: &'a mut [f64],
}

/// Subtracts the change in `room` from the rows and columns from `row` on if there is one, and multiplies what is then
/// there by the reflectors in `room`.
fn pass<const W: usize>(a: MatMut<f64>, row: usize, changed: bool, room: &mut Room) -> Mat<f64> {
    let n = a.nrows();
    let height = n - row;
    let cuts: Vec<usize> = std::iter::once(0)
        .chain((row / GRID + 1..n.div_ceil(GRID)).map(|block| block * GRID - row))
        .chain([height])
        .collect();
    // Columns of blocks become shorter to the right: dealt out to and fro, all tasks have much the same.
    let mut tasks: Vec<Vec<Block>> = (0..TASKS).map(|_| Vec::new()).collect();
    let mut across = &mut room.across[..height * W];
    across.fill(0.0);
    let mut columns = a.submatrix_mut(row, row, height, height).col_iter_mut();
    for (number, pair) in cuts.windows(2).enumerate() {
        let (left, width) = (pair[0], pair[1] - pair[0]);
        let slices = columns.by_ref().take(width);
        let slices = slices.map(|column| {
            let whole = column
                .try_as_col_major_mut()
                .expect("columns lie in one piece")
                .as_slice_mut();
            &mut whole[left..]
        });
        let (now, later) = across.split_at_mut(width * W);
        across = later;
        let (round, place) = (number / TASKS, number % TASKS);
        let task = if round % 2 == 0 { place } else { TASKS - 1 - place };
        tasks[task].push(Block {
            number,
            values: slices.collect(),
            across: now,
        });
    }
    let (cuts, v) = (&cuts, &room.v[..height * W]);
    let change = changed.then_some(&room.change[..]);
    let arch = Arch::new();
    let down = room.down.par_iter_mut().map(|down| &mut down[..height * W]);
    tasks.into_par_iter().zip(down).for_each(|(blocks, down)| {
        down.fill(0.0);
        for mut block in blocks {
            arch.dispatch(Columns::<W> {
                values: &mut block.values,
                left: cuts[block.number],
                cuts: &cuts[block.number..],
                change,
                v,
                down,
                across: block.across,
            });
        }
    });
    let mut product = Mat::zeros(height, W);
    let (down, across) = (&room.down, &room.across);
    let columns: Vec<_> = product.as_mut().col_iter_mut().collect();
    columns
        .into_par_iter()
        .enumerate()
        .with_min_len(8)
        .for_each(|(k, column)| {
            let sums = column
                .try_as_col_major_mut()
                .expect("columns lie in one piece")
                .as_slice_mut();
            for down in down {
                let parts = &down[k * height..(k + 1) * height];
                sums.iter_mut().zip(parts).for_each(|(sum, part)| *sum += part);
            }
            let parts = across.as_chunks::<W>().0;
            sums.iter_mut().zip(parts).for_each(|(sum, part)| *sum += part[k]);
        });
    product
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
