//! First stage: a symmetric matrix to a band of half-width `width`, by orthogonal similarity (Bischof, Lang and Sun,
//! "The SBR Toolbox", 2000). Nearly all of its 4n³/3 operations are matrix products.
//!
//! Work is cut in blocks that do not depend on the number of threads, so neither does any bit of the result.

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::matmul::matmul;
use faer::linalg::qr::no_pivoting::factor::{qr_in_place, qr_in_place_scratch};
use faer::{Accum, Mat, MatMut, MatRef, Par};
use rayon::prelude::*;

/// Rows (or columns) of one task. The diagonal blocks of this grid are kept whole, all others below the diagonal only.
const GRID: usize = 256;

/// Reflectors of one panel: Q = I − V S Vᵀ acts on the rows from `row` on.
pub struct Panel {
    pub row: usize,
    /// Unit lower trapezoidal.
    pub v: Mat<f64>,
    /// Upper triangular.
    pub s: Mat<f64>,
}

/// Reduces the lower triangle of `a` to half-width `width` (what lies further below is left as it falls).
///
/// Panels are returned in order if `keep`.
pub fn reduce_to_band(a: &mut Mat<f64>, width: usize, keep: bool) -> Vec<Panel> {
    let n = a.nrows();
    mirror_diagonal_blocks(a);
    let mut panels = Vec::new();
    let mut column = 0;
    while column + width + 1 < n {
        let row = column + width;
        let (v, s) = factor_panel(a.as_mut().submatrix_mut(row, column, n - row, width));
        update(a.as_mut(), row, v.as_ref(), s.as_ref());
        if keep {
            panels.push(Panel { row, v, s });
        }
        column += width;
    }
    panels
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

/// A ← QᵀAQ from `row` on: A − V Wᵀ − W Vᵀ with W = X − V(SᵀVᵀX)/2 and X = A V S.
fn update(mut a: MatMut<f64>, row: usize, v: MatRef<f64>, s: MatRef<f64>) {
    let (n, count) = (a.nrows(), v.ncols());
    let cuts: Vec<usize> = std::iter::once(row)
        .chain((row / GRID + 1..n.div_ceil(GRID)).map(|block| block * GRID))
        .chain([n])
        .collect();
    let blocks: Vec<(usize, usize)> = cuts.windows(2).map(|pair| (pair[0], pair[1])).collect();
    let whole = a.as_ref();
    let parts: Vec<(Mat<f64>, Mat<f64>)> = blocks
        .par_iter()
        .map(|&(from, to)| {
            // The stored part of these rows, and that of their mirror images.
            let mut y = Mat::zeros(to - from, count);
            let left = whole.submatrix(from, row, to - from, to - row);
            matmul(
                y.as_mut(),
                Accum::Replace,
                left,
                v.subrows(0, to - row),
                1.0,
                Par::Seq,
            );
            let below = whole.submatrix(to, from, n - to, to - from);
            matmul(
                y.as_mut(),
                Accum::Add,
                below.transpose(),
                v.subrows(to - row, n - to),
                1.0,
                Par::Seq,
            );
            let mut x = Mat::zeros(to - from, count);
            matmul(x.as_mut(), Accum::Replace, y.as_ref(), s, 1.0, Par::Seq);
            let mut vx = Mat::zeros(count, count);
            let own = v.subrows(from - row, to - from);
            matmul(
                vx.as_mut(),
                Accum::Replace,
                own.transpose(),
                x.as_ref(),
                1.0,
                Par::Seq,
            );
            (x, vx)
        })
        .collect();
    let mut vx = Mat::<f64>::zeros(count, count);
    for (_, part) in &parts {
        vx += part;
    }
    let half = s.transpose() * vx * faer::Scale(-0.5);
    // Columns [W V W]: the first two thirds times the transposed last two are W Vᵀ + V Wᵀ.
    let mut factors = Mat::zeros(n - row, 3 * count);
    for (&(from, to), (mut x, _)) in blocks.iter().zip(parts) {
        let own = v.subrows(from - row, to - from);
        matmul(x.as_mut(), Accum::Add, own, half.as_ref(), 1.0, Par::Seq);
        let mut here = factors.as_mut().subrows_mut(from - row, to - from);
        here.as_mut().subcols_mut(0, count).copy_from(&x);
        here.as_mut().subcols_mut(count, count).copy_from(own);
        here.subcols_mut(2 * count, count).copy_from(&x);
    }
    let factors = factors.as_ref();
    let mut columns = Vec::with_capacity(blocks.len());
    let mut rest = a.as_mut().submatrix_mut(row, row, n - row, n - row);
    for &(from, to) in &blocks {
        let (now, later) = rest.split_at_col_mut(to - from);
        columns.push((from - row, now.subrows_mut(from - row, n - from)));
        rest = later;
    }
    columns.into_par_iter().for_each(|(from, block)| {
        let (height, width) = (block.nrows(), block.ncols());
        let left = factors.submatrix(from, 0, height, 2 * count);
        let right = factors.submatrix(from, count, width, 2 * count);
        matmul(block, Accum::Add, left, right.transpose(), -1.0, Par::Seq);
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
