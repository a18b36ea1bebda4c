//! First stage: a symmetric matrix to a band of half-width W, by orthogonal similarity (Bischof, Lang and Sun, "The SBR
//! Toolbox", 2000). Nearly all of its 4n³/3 operations are matrix products, which memory would slow down: each panel's
//! two are made of a block while it is in cache.
//!
//! Work is cut in blocks that do not depend on the number of threads, so neither does any bit of the result.

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, Par};
use pulp::Arch;
use rayon::prelude::*;

use super::super::symmetric::{GRID, PANEL, Symmetric};
use super::WIDTH as W;
use super::band_kernel::BlockColumn;
use super::chase::Band;
use super::panel;
use super::panel_products::{Row, SLICE, Square, add_times, transposed, transposed_times};
use gradstudy_base::memory::Pages;

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
/// Where each stands, the largest first: halves and quarters of all are of about equal work, too.
const PLACES: [usize; TASKS] = [0, 2, 4, 6, 7, 5, 3, 1];

/// Reduces `a` to half-width W. Panels are returned in order if `keep`.
///
/// The matrix goes through memory once for each panel: what the panel before changes in a block is subtracted just
/// before the block is multiplied by the reflectors of the next.
pub fn reduce_to_band(mut a: Symmetric, keep: bool) -> (Band<W>, Vec<Panel>) {
    let n = a.order();
    let (mut band, mut panels, mut room) = (Band::zeros(n), Vec::new(), Room::new(n));
    let (mut column, mut changed) = (0, false);
    while column + W + 1 < n {
        let row = column + W;
        a.strip(column, rows(&mut room.strip, column..n));
        if changed {
            room.subtract(column, n);
        }
        let strip = rows(&mut room.strip, column..n);
        band.set_diagonal(column, W, |i, j| strip[i][j]);
        let panel::Factored { s, r } = panel::factor(&mut strip[W..]);
        band.set_corner(column, |i, j| r[i][j]);
        std::mem::swap(&mut room.strip, &mut room.v);
        // What the next pass reads of rows that are done with.
        rows(&mut room.v, row / PANEL * PANEL..row).fill([0.0; W]);
        if keep {
            panels.push(Panel::new(row, rows(&mut room.v, row..n), &s));
        }
        pass(&mut a, row, changed, &mut room);
        room.change(row, n, &s);
        (column, changed) = (row, true);
    }
    let (v, w) = (room.v.as_chunks::<W>().0, room.w.as_chunks::<W>().0);
    let dot = |a: &Row, b: &Row| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let last = |i: usize, j: usize| match changed {
        true => a[(i, j)] - dot(&v[i], &w[j]) - dot(&w[i], &v[j]),
        false => a[(i, j)],
    };
    band.set_diagonal(column, n - column, |i, j| last(column + i, column + j));
    (band, panels)
}

impl Panel {
    fn new(row: usize, v: &[Row], s: &Square) -> Self {
        let count = W.min(v.len());
        Panel {
            row,
            v: Mat::from_fn(v.len(), count, |i, k| v[i][k]),
            s: Mat::from_fn(count, count, |i, j| s[i][j]),
        }
    }
}

/// Some rows of an array that has W numbers for each.
fn rows(values: &mut [f64], range: std::ops::Range<usize>) -> &mut [Row] {
    &mut values.as_chunks_mut::<W>().0[range]
}

/// What passes need, kept from one to the next, with a place for each row of the matrix.
struct Room {
    /// The next panel's columns, row by row.
    strip: Pages<f64>,
    /// V of the panel at hand, row by row, zero beyond the matrix.
    v: Pages<f64>,
    /// W of the panel before.
    w: Pages<f64>,
    /// V and W of the panel before, in panels of rows.
    change: Pages<f64>,
    /// Sums of the mirror images, row by row.
    across: Pages<f64>,
    /// Sums of each task, in panels of rows.
    down: Vec<Pages<f64>>,
}

impl Room {
    fn new(n: usize) -> Self {
        let count = n.next_multiple_of(GRID) * W;
        Room {
            strip: Pages::zeros(count),
            v: Pages::zeros(count),
            w: Pages::zeros(count),
            change: Pages::zeros(2 * count),
            across: Pages::zeros(count),
            down: (0..TASKS).map(|_| Pages::zeros(count)).collect(),
        }
    }

    /// Takes V Wᵀ + W Vᵀ from the strip, whose first row and column `column` is.
    fn subtract(&mut self, column: usize, n: usize) {
        let [v, w] = [&self.v, &self.w].map(|factor| &factor.as_chunks::<W>().0[column..n]);
        let (right_v, right_w) = (transposed(&v[..W], -1.0), transposed(&w[..W], -1.0));
        let strip = rows(&mut self.strip, column..n).par_chunks_mut(SLICE);
        let slices = strip.zip(v.par_chunks(SLICE)).zip(w.par_chunks(SLICE));
        slices.for_each(|((strip, v), w)| {
            add_times(strip, v, &right_w);
            add_times(strip, w, &right_v);
        });
    }

    /// Makes W of the panel with this S, given the sums of A V.
    ///
    /// A ← QᵀAQ is A − V Wᵀ − W Vᵀ with W = X − V(SᵀVᵀX)/2 and X = A V S.
    fn change(&mut self, row: usize, n: usize, s: &Square) {
        let v = &self.v.as_chunks::<W>().0[row..n];
        let (across, down) = (&self.across, &self.down);
        let w = rows(&mut self.w, row..n);
        let slices = w.par_chunks_mut(SLICE).enumerate();
        slices.for_each(|(number, w)| {
            let product = product(across, down, row + number * SLICE, w.len());
            w.fill([0.0; W]);
            add_times(w, &product, s);
        });
        let vx = transposed_times(v, w);
        let mut half = [[0.0; W]; W];
        add_times(&mut half, &transposed(s, -0.5), &vx);
        let slices = w.par_chunks_mut(SLICE).zip(v.par_chunks(SLICE));
        slices.for_each(|(w, v)| add_times(w, v, &half));
        self.pack_change(row, n);
    }

    /// From the panel on that holds `row`.
    fn pack_change(&mut self, row: usize, n: usize) {
        let [v, w] = [&self.v, &self.w].map(|factor| factor.as_chunks::<W>().0);
        let (first, last) = (row / PANEL, n.div_ceil(PANEL));
        let panels = self.change.as_chunks_mut::<PANEL>().0;
        let panels = panels[first * 2 * W..last * 2 * W].par_chunks_mut(2 * W);
        panels.enumerate().with_min_len(20).for_each(|(number, panel)| {
            panel.fill([0.0; PANEL]);
            let start = (first + number) * PANEL;
            for i in start.max(row)..n.min(start + PANEL) {
                for k in 0..W {
                    panel[k][i - start] = v[i][k];
                    panel[W + k][i - start] = w[i][k];
                }
            }
        });
    }
}

/// `count` rows of A V from `from` on: the sums of all tasks.
fn product(across: &Pages<f64>, down: &[Pages<f64>], from: usize, count: usize) -> Vec<Row> {
    let mut product = across.as_chunks::<W>().0[from..from + count].to_vec();
    for panel in from / PANEL..(from + count).div_ceil(PANEL) {
        let mut sums = [[0.0; PANEL]; W];
        for down in down {
            let down = &down.as_chunks::<PANEL>().0[panel * W..(panel + 1) * W];
            for (sum, part) in sums.as_flattened_mut().iter_mut().zip(down.as_flattened()) {
                *sum += part;
            }
        }
        for i in from.max(panel * PANEL)..(from + count).min((panel + 1) * PANEL) {
            for k in 0..W {
                product[i - from][k] += sums[k][i % PANEL];
            }
        }
    }
    product
}

/// A column of blocks, and where its sums across go.
struct Column<'a> {
    number: usize,
    blocks: &'a mut [f64],
    across: &'a mut [f64],
}

/// Subtracts the change in `room` from the rows and columns from `row` on if there is one, and multiplies what is then
/// there by the reflectors in `room`.
fn pass(a: &mut Symmetric, row: usize, changed: bool, room: &mut Room) {
    let order = a.order();
    let mut tasks: Vec<Vec<Column>> = (0..TASKS).map(|_| Vec::new()).collect();
    let across = room.across.chunks_exact_mut(GRID * W).skip(row / GRID);
    // Columns of blocks become shorter to the right: dealt out to and fro, all tasks have much the same.
    for (place, ((number, blocks), across)) in a.columns_mut(row).into_iter().zip(across).enumerate() {
        let (round, task) = (place / TASKS, place % TASKS);
        let task = if round % 2 == 0 { task } else { TASKS - 1 - task };
        tasks[PLACES[task]].push(Column {
            number,
            blocks,
            across,
        });
    }
    let change = changed.then_some(room.change.as_chunks::<PANEL>().0);
    let v = room.v.as_chunks::<W>().0;
    let arch = Arch::new();
    let tasks = tasks.into_par_iter().zip(room.down.par_iter_mut());
    tasks.for_each(|(columns, down)| {
        let down = down.as_chunks_mut::<PANEL>().0;
        down[row / PANEL * W..].fill([0.0; PANEL]);
        for column in columns {
            let across = column.across.as_chunks_mut::<W>().0;
            across.fill([0.0; W]);
            arch.dispatch(BlockColumn {
                blocks: column.blocks,
                first: column.number * GRID,
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
