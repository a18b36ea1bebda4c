//! A gradient history G as the tests see it: borrowed numbers, wherever they are kept.

use std::ops::Range;

/// G (parameters × iterations), one iteration's gradient after the other.
#[derive(Debug, Clone, Copy)]
pub struct HistoryView<'a> {
    /// Column t is `values[t * parameters..(t + 1) * parameters]`.
    pub values: &'a [f32],
    /// Rows of G (n).
    pub parameters: usize,
    /// Columns of G (T).
    pub iterations: usize,
}

/// Columns that [`HistoryView::rows_into`] copies before it turns them: 16 floats fill a cache line.
const TILE: usize = 16;

impl<'a> HistoryView<'a> {
    /// A view of `parameters * iterations` numbers. Panics at another length: a mistake in gradstudy.
    pub fn new(values: &'a [f32], parameters: usize, iterations: usize) -> Self {
        assert_eq!(values.len(), parameters * iterations, "a gradient history of another shape");
        HistoryView { values, parameters, iterations }
    }

    /// Column `iteration`: one gradient over all parameters.
    pub fn column(&self, iteration: usize) -> &'a [f32] {
        &self.values[iteration * self.parameters..][..self.parameters]
    }

    /// Copies the rows `range` one after the other into `rows` (`range.len() * iterations` numbers).
    pub fn rows_into(&self, range: Range<usize>, rows: &mut [f32]) {
        let (height, width) = (range.len(), self.iterations);
        assert_eq!(rows.len(), height * width);
        // Each visit to a column takes all it has for this block; the turn then happens within the L1 cache.
        let mut tile = vec![0.0f32; TILE * height];
        let mut first = 0;
        while first < width {
            let columns = TILE.min(width - first);
            for (offset, part) in tile.chunks_exact_mut(height).take(columns).enumerate() {
                part.copy_from_slice(&self.column(first + offset)[range.clone()]);
            }
            for (row, line) in rows.chunks_exact_mut(width).enumerate() {
                for (offset, target) in line[first..first + columns].iter_mut().enumerate() {
                    *target = tile[offset * height + row];
                }
            }
            first += columns;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_the_transposed_columns() {
        let (parameters, iterations) = (37, 41);
        let values: Vec<f32> = (0..parameters * iterations).map(|i| i as f32).collect();
        let view = HistoryView::new(&values, parameters, iterations);
        let mut rows = vec![0.0; 5 * iterations];
        view.rows_into(30..35, &mut rows);
        for row in 0..5 {
            for t in 0..iterations {
                assert_eq!(rows[row * iterations + t], view.column(t)[30 + row]);
            }
        }
    }
}
