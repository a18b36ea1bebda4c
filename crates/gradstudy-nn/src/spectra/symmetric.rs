//! Symmetric matrices in f64, in the order in which the [eigenvalue solver](super::eigen) goes through them.

use std::ops::Index;

use faer::{Mat, MatRef};
use rayon::prelude::*;

use gradstudy_base::memory::Pages;

/// Rows that lie side by side: three vectors of AVX-512.
pub(super) const PANEL: usize = 24;
/// Rows and columns of a block, which stays in the second-level cache together with the factors that change it.
pub(super) const GRID: usize = 10 * PANEL;
/// Numbers of a block.
pub(super) const SIZE: usize = GRID * GRID;

/// A symmetric matrix by the square blocks on and below its diagonal: those of the first columns from the diagonal down,
/// then those of the next. In a block, PANEL rows of each column lie side by side, those of its first panel first; beyond
/// the matrix there are zeros. Blocks on the diagonal are whole.
#[derive(Debug)]
pub struct Symmetric {
    order: usize,
    blocks: Pages<f64>,
}

impl Symmetric {
    /// The matrix of `entry(i, j)`, which is asked for i ≥ j.
    pub fn new(order: usize, entry: impl Fn(usize, usize) -> f64 + Sync) -> Self {
        let side = order.div_ceil(GRID);
        let places = (0..side).flat_map(|column| (column..side).map(move |row| (row, column)));
        let places: Vec<(usize, usize)> = places.collect();
        let mut blocks = Pages::zeros(places.len() * SIZE);
        let filled = blocks.par_chunks_exact_mut(SIZE).zip(places);
        filled.for_each(|(block, (row, column))| {
            let (top, left) = (row * GRID, column * GRID);
            for j in left..order.min(left + GRID) {
                for i in top.max(j)..order.min(top + GRID) {
                    let value = entry(i, j);
                    block[place(i - top, j - left)] = value;
                    if row == column {
                        block[place(j - left, i - top)] = value;
                    }
                }
            }
        });
        Symmetric { order, blocks }
    }

    /// The lower triangle of `matrix` and its mirror image.
    pub fn of_lower(matrix: MatRef<f64>) -> Self {
        assert_eq!(matrix.nrows(), matrix.ncols());
        Symmetric::new(matrix.nrows(), |i, j| matrix[(i, j)])
    }

    /// Rows, and columns.
    pub fn order(&self) -> usize {
        self.order
    }

    /// The same times `factor`.
    pub fn scaled(&self, factor: f64) -> Self {
        let mut blocks = Pages::zeros(self.blocks.len());
        let copies = blocks.par_chunks_exact_mut(SIZE);
        copies
            .zip(self.blocks.par_chunks_exact(SIZE))
            .for_each(|(copy, block)| {
                for (to, from) in copy.iter_mut().zip(block) {
                    *to = from * factor;
                }
            });
        Symmetric {
            order: self.order,
            blocks,
        }
    }

    /// The largest size of an entry; `None` if one is not finite.
    pub fn largest(&self) -> Option<f64> {
        let of_block = |block: &[f64]| {
            let largest = block
                .iter()
                .fold(0.0f64, |largest, value| largest.max(value.abs()));
            // A maximum passes over NaN.
            block.iter().all(|value| value.is_finite()).then_some(largest)
        };
        let blocks = self.blocks.par_chunks_exact(SIZE);
        blocks.map(of_block).try_reduce(|| 0.0, |a, b| Some(a.max(b)))
    }

    /// Σ λ.
    pub fn trace(&self) -> f64 {
        (0..self.order).map(|j| self[(j, j)]).sum()
    }

    /// Σ λ²: the sum of all squares.
    pub fn square_trace(&self) -> f64 {
        let columns: Vec<f64> = (0..self.order)
            .into_par_iter()
            .map(|j| {
                let below: f64 = (j + 1..self.order).map(|i| self[(i, j)].powi(2)).sum();
                self[(j, j)].powi(2) + 2.0 * below
            })
            .collect();
        columns.iter().sum()
    }

    /// All of it.
    pub fn whole(&self) -> Mat<f64> {
        Mat::from_fn(self.order, self.order, |i, j| self[(i, j)])
    }

    /// The columns from `from` on, as many as `rows` has, from row `from` on; what stands above the diagonal is left.
    pub(super) fn strip<const W: usize>(&self, from: usize, rows: &mut [[f64; W]]) {
        let panels = 4;
        let first = from / PANEL;
        let slices = cut(rows, (first + panels) * PANEL - from, panels * PANEL);
        slices.into_par_iter().for_each(|(start, rows)| {
            let (start, end) = (from + start, from + start + rows.len());
            for j in from..(from + W).min(end) {
                let mut i = start.max(j);
                while i < end {
                    let next = end.min((i / PANEL + 1) * PANEL);
                    let at = self.start(j / GRID) + (i / GRID - j / GRID) * SIZE + place(i % GRID, j % GRID);
                    for (row, value) in rows[i - start..next - start].iter_mut().zip(&self.blocks[at..]) {
                        row[j - from] = *value;
                    }
                    i = next;
                }
            }
        });
    }

    /// From the column of blocks on that holds column `from`: the number of each, and its blocks.
    pub(super) fn columns_mut(&mut self, from: usize) -> Vec<(usize, &mut [f64])> {
        let side = self.order.div_ceil(GRID);
        let (first, start) = (from / GRID, self.start(from / GRID));
        let mut rest = &mut self.blocks[start..];
        let mut columns = Vec::with_capacity(side - first);
        for column in first..side {
            let (blocks, later) = rest.split_at_mut((side - column) * SIZE);
            columns.push((column, blocks));
            rest = later;
        }
        columns
    }

    /// Where a column of blocks begins.
    fn start(&self, column: usize) -> usize {
        let side = self.order.div_ceil(GRID);
        let rest = side - column;
        (side * (side + 1) - rest * (rest + 1)) / 2 * SIZE
    }
}

impl Index<(usize, usize)> for Symmetric {
    type Output = f64;

    fn index(&self, (i, j): (usize, usize)) -> &f64 {
        let (i, j) = (i.max(j), i.min(j));
        assert!(i < self.order);
        let block = self.start(j / GRID) + (i / GRID - j / GRID) * SIZE;
        &self.blocks[block + place(i % GRID, j % GRID)]
    }
}

/// Slices of `first` and then `length` rows, and where each begins.
fn cut<T>(rows: &mut [T], first: usize, length: usize) -> Vec<(usize, &mut [T])> {
    let (mut rest, mut start, mut count) = (rows, 0, first);
    let mut slices = Vec::new();
    while !rest.is_empty() {
        let (slice, later) = rest.split_at_mut(count.min(rest.len()));
        slices.push((start, slice));
        (rest, start, count) = (later, start + count, length);
    }
    slices
}

/// Where a block keeps its entry in row `i` and column `j`.
fn place(i: usize, j: usize) -> usize {
    (i / PANEL * GRID + j) * PANEL + i % PANEL
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_where_they_were_put() {
        let order = 2 * GRID + 5;
        let matrix = Symmetric::new(order, |i, j| (1000 * i + j) as f64);
        for (i, j) in [
            (0, 0),
            (7, 3),
            (GRID, GRID - 1),
            (order - 1, 2),
            (order - 1, order - 1),
        ] {
            assert_eq!(matrix[(i, j)], (1000 * i + j) as f64);
            assert_eq!(matrix[(j, i)], (1000 * i + j) as f64);
        }
        let mut strip = vec![[0.0; 7]; order + 3 - GRID];
        matrix.strip(GRID - 3, &mut strip);
        for j in 0..7 {
            for i in j..order + 3 - GRID {
                assert_eq!(strip[i][j], matrix[(GRID - 3 + i, GRID - 3 + j)]);
            }
        }
        assert_eq!(matrix.scaled(2.0)[(9, 4)], 2.0 * matrix[(9, 4)]);
        assert_eq!(
            Symmetric::of_lower(matrix.whole().as_ref())[(4, 9)],
            matrix[(9, 4)]
        );
    }

    #[test]
    fn traces_and_the_largest_entry() {
        let matrix = Symmetric::new(250, |i, j| {
            if i == j {
                2.0
            } else {
                f64::from(i == 249 && j == 1) * -3.0
            }
        });
        assert_eq!(matrix.trace(), 500.0);
        assert_eq!(matrix.square_trace(), 4.0 * 250.0 + 2.0 * 9.0);
        assert_eq!(matrix.largest(), Some(3.0));
        let broken = Symmetric::new(250, |i, j| if i == 249 && j == 1 { f64::NAN } else { 1.0 });
        assert_eq!(broken.largest(), None);
        assert_eq!(Symmetric::new(0, |_, _| 1.0).largest(), Some(0.0));
    }
}
