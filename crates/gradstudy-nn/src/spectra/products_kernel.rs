//! The innermost loops of [`products`](super::products): a block of 48 × 8 inner products in registers.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use gradstudy_base::memory::{fetch_l1, fetch_l2};

/// Columns of X that lie side by side in memory: one vector of AVX-512.
pub const PANEL: usize = 16;
/// Columns of X on the left of one block of inner products: three vectors of AVX-512.
pub const GROUP: usize = 3 * PANEL;
/// Columns of X on its right: 24 of the 32 vector registers hold sums.
pub const SLIVER: usize = 8;
/// Rows of X that are summed in f32. `tests/spectra` shows what this costs in digits.
pub const RUN: usize = 128;
/// Rows that are in the first-level cache before they are read.
const AHEAD: usize = 8;

/// Adds `scale` times the inner products of one tile's columns to its sums.
pub struct SingleTile<'a> {
    /// Panels, one after the other: PANEL columns side by side, `height` rows.
    pub rows: &'a [f32],
    pub columns: &'a [f32],
    pub height: usize,
    /// Whether `rows` and `columns` are the same, so that blocks above the diagonal are not wanted.
    pub diagonal: bool,
    pub scale: f64,
    /// Blocks of SLIVER columns of GROUP values; those of the first group of rows first.
    pub sums: &'a mut [f64],
    /// `rows` and `columns` of the tile that comes next, whose sums lie behind these.
    pub next: [&'a [f32]; 2],
}

impl WithSimd for SingleTile<'_> {
    type Output = ();

    /// The columns of a sliver stay in the first-level cache while all rows pass by.
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let SingleTile {
            rows,
            columns,
            height,
            diagonal,
            scale,
            sums,
            next,
        } = self;
        let panel = height * PANEL;
        let groups = rows.len() / (GROUP / PANEL * panel);
        let slivers = columns.len() / panel * (PANEL / SLIVER);
        for start in (0..height).step_by(RUN) {
            let run = start * PANEL..height.min(start + RUN) * PANEL;
            let last = run.end == panel;
            let later = match last {
                true => (next, 0),
                false => ([rows, columns], run.end),
            };
            for sliver in 0..slivers {
                let (number, offset) = (sliver * SLIVER / PANEL, sliver * SLIVER % PANEL);
                for group in 0..groups {
                    if diagonal && sliver * SLIVER >= (group + 1) * GROUP {
                        continue;
                    }
                    let at = (group * slivers + sliver) * SLIVER * GROUP;
                    let share = (sliver * groups + group, groups * slivers);
                    let behind = if last { sums.len() } else { 0 };
                    let block = Block {
                        rows: &rows[group * (GROUP / PANEL) * panel..],
                        panel,
                        run: run.clone(),
                        columns: &columns[number * panel..][run.clone()],
                        offset,
                        scale,
                        ahead: Ahead::new(later, panel, share, sums.as_ptr().wrapping_add(behind + at)),
                    };
                    let sums = &mut sums[at..][..SLIVER * GROUP];
                    match S::F32_LANES {
                        16 => block.add::<S, 3, 8>(simd, sums),
                        8 => block.add::<S, 2, 4>(simd, sums),
                        _ => block.add::<S, 1, 4>(simd, sums),
                    }
                }
            }
        }
    }
}

/// What a block asks for in the second-level cache while it is summed: its share of the next run's rows and columns, and
/// sums. Without this the products of LeNet's gradients take 1.1 times as long.
struct Ahead {
    rows: *const f32,
    columns: *const f32,
    sums: *const f64,
}

impl Ahead {
    /// Block `share.0` of `share.1`. `later`: the panels of rows and columns, and where in each the next run begins.
    #[inline(always)]
    fn new(
        (panels, from): ([&[f32]; 2], usize),
        panel: usize,
        share: (usize, usize),
        sums: *const f64,
    ) -> Self {
        let parts = (share.1 * panel / panels[0].len()).max(1);
        let place = share.0 / parts * panel + from + share.0 % parts * RUN.div_ceil(parts) * PANEL;
        let [rows, columns] = panels.map(|panels| panels.as_ptr().wrapping_add(place));
        Ahead { rows, columns, sums }
    }

    /// In step `k` of RUN: a line of 16 rows or columns for eight steps, and all GROUP × SLIVER sums in the end.
    #[inline(always)]
    fn fetch(&self, k: usize) {
        fetch_l2(self.rows.wrapping_add(2 * k));
        fetch_l2(self.columns.wrapping_add(2 * k));
        fetch_l2(self.sums.wrapping_add(GROUP * SLIVER / RUN * k));
    }
}

struct Block<'a> {
    /// The first panel of the group, and what lies behind it.
    rows: &'a [f32],
    /// Length of a panel.
    panel: usize,
    /// The part of each panel that is summed.
    run: Range<usize>,
    /// The same part of the panel on the right.
    columns: &'a [f32],
    /// Where in it the sliver begins.
    offset: usize,
    scale: f64,
    ahead: Ahead,
}

impl Block<'_> {
    /// By pieces of V vectors times N columns.
    #[inline(always)]
    fn add<S: Simd, const V: usize, const N: usize>(&self, simd: S, sums: &mut [f64]) {
        let height = V * S::F32_LANES;
        for row in (0..GROUP).step_by(height) {
            for column in (0..SLIVER).step_by(N) {
                // Vector v begins in this panel, at this column of it.
                let vectors: [(&[f32], usize); V] = std::array::from_fn(|v| {
                    let at = row + v * S::F32_LANES;
                    (
                        &self.rows[at / PANEL * self.panel..][self.run.clone()],
                        at % PANEL,
                    )
                });
                let piece = self.piece::<S, V, N>(simd, vectors, self.offset + column);
                for n in 0..N {
                    let sums = &mut sums[(column + n) * GROUP + row..][..height];
                    let piece: &[f32] = pulp::bytemuck::cast_slice(&piece[n]);
                    add_scaled(simd, sums, piece, self.scale);
                }
            }
        }
    }

    #[inline(always)]
    fn piece<S: Simd, const V: usize, const N: usize>(
        &self,
        simd: S,
        vectors: [(&[f32], usize); V],
        column: usize,
    ) -> [[S::f32s; V]; N] {
        let mut sums = [[simd.splat_f32s(0.0); V]; N];
        let right = self.columns.as_chunks::<PANEL>().0;
        let left: [&[[f32; PANEL]]; V] =
            std::array::from_fn(|v| &vectors[v].0.as_chunks::<PANEL>().0[..right.len()]);
        for k in 0..right.len() {
            for v in 0..V {
                fetch_l1(left[v].as_ptr().wrapping_add(k + AHEAD));
            }
            self.ahead.fetch(k);
            let a: [S::f32s; V] = std::array::from_fn(|v| {
                let (whole, _) = S::as_simd_f32s(&left[v][k][vectors[v].1..]);
                whole[0]
            });
            for n in 0..N {
                let b = simd.splat_f32s(right[k][column + n]);
                for v in 0..V {
                    sums[n][v] = simd.mul_add_e_f32s(a[v], b, sums[n][v]);
                }
            }
        }
        sums
    }
}

/// Columns of f64 values that lie side by side in memory: one vector of AVX-512.
pub const WIDE_PANEL: usize = 8;

/// As [`SingleTile`], in f64 throughout: `sums` ← the inner products of one tile's columns.
pub struct WideTile<'a> {
    /// Panels, one after the other: WIDE_PANEL columns side by side, `height` rows.
    pub rows: &'a [f64],
    pub columns: &'a [f64],
    pub height: usize,
    /// Whether blocks above the diagonal are not wanted: they are left as they are.
    pub diagonal: bool,
    /// Blocks of SLIVER columns of GROUP values; those of the first group of rows first.
    pub sums: &'a mut [f64],
}

impl WithSimd for WideTile<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let WideTile {
            rows,
            columns,
            height,
            diagonal,
            sums,
        } = self;
        let panel = height * WIDE_PANEL;
        let slivers = columns.len() / panel;
        for start in (0..height).step_by(RUN) {
            let run = start * WIDE_PANEL..height.min(start + RUN) * WIDE_PANEL;
            for (sliver, columns) in columns.chunks_exact(panel).enumerate() {
                let columns = &columns[run.clone()];
                for (group, rows) in rows.chunks_exact(GROUP / WIDE_PANEL * panel).enumerate() {
                    if diagonal && sliver * SLIVER >= (group + 1) * GROUP {
                        continue;
                    }
                    let rows = (rows, panel, run.clone());
                    let sums = &mut sums[(group * slivers + sliver) * SLIVER * GROUP..][..SLIVER * GROUP];
                    if start == 0 {
                        sums.fill(0.0);
                    }
                    match S::F64_LANES {
                        8 => wide_block::<S, 3, 8>(simd, rows, columns, sums),
                        4 => wide_block::<S, 2, 4>(simd, rows, columns, sums),
                        _ => wide_block::<S, 1, 4>(simd, rows, columns, sums),
                    }
                }
            }
        }
    }
}

/// GROUP × SLIVER inner products over the run of each panel on the left, by pieces of V vectors times N columns.
#[inline(always)]
fn wide_block<S: Simd, const V: usize, const N: usize>(
    simd: S,
    (rows, panel, run): (&[f64], usize, Range<usize>),
    columns: &[f64],
    sums: &mut [f64],
) {
    let height = V * S::F64_LANES;
    let right = columns.as_chunks::<WIDE_PANEL>().0;
    for row in (0..GROUP).step_by(height) {
        // Vector v begins in this panel, at this column of it.
        let left: [(&[[f64; WIDE_PANEL]], usize); V] = std::array::from_fn(|v| {
            let at = row + v * S::F64_LANES;
            let panel = &rows[at / WIDE_PANEL * panel..][run.clone()];
            (&panel.as_chunks::<WIDE_PANEL>().0[..right.len()], at % WIDE_PANEL)
        });
        for column in (0..SLIVER).step_by(N) {
            let mut acc = [[simd.splat_f64s(0.0); V]; N];
            for k in 0..right.len() {
                for v in 0..V {
                    fetch_l1(left[v].0.as_ptr().wrapping_add(k + AHEAD));
                }
                let mut a = [simd.splat_f64s(0.0); V];
                for v in 0..V {
                    a[v] = S::as_simd_f64s(&left[v].0[k][left[v].1..]).0[0];
                }
                for n in 0..N {
                    let b = simd.splat_f64s(right[k][column + n]);
                    for v in 0..V {
                        acc[n][v] = simd.mul_add_e_f64s(a[v], b, acc[n][v]);
                    }
                }
            }
            for n in 0..N {
                let to = &mut sums[(column + n) * GROUP + row..][..height];
                let to = S::as_mut_simd_f64s(to).0;
                for v in 0..V {
                    to[v] = simd.add_f64s(to[v], acc[n][v]);
                }
            }
        }
    }
}

#[inline(always)]
fn add_scaled<S: Simd>(simd: S, sums: &mut [f64], piece: &[f32], scale: f64) {
    simd.vectorize(
        #[inline(always)]
        || {
            for (sum, &value) in sums.iter_mut().zip(piece) {
                *sum = f64::from(value).mul_add(scale, *sum);
            }
        },
    );
}
