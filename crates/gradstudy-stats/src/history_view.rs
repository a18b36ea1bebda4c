//! A gradient history G as the tests see it: borrowed numbers, wherever they are kept.

use std::ops::Range;

use pulp::Arch;

use super::missing::MissingValues;
use super::transpose::{TILE, turn};
use gradstudy_base::memory::prefetch;

/// G (parameters × iterations), one iteration's gradient after the other.
#[derive(Debug, Clone, Copy)]
pub struct HistoryView<'a> {
    /// Column t is `values[t * parameters..(t + 1) * parameters]`.
    pub values: &'a [f32],
    /// Rows of G (n).
    pub parameters: usize,
    /// Columns of G (T).
    pub iterations: usize,
    /// What is done with values that are no finite numbers, by what maps samples one by one.
    pub missing: MissingValues,
}

impl<'a> HistoryView<'a> {
    /// A view of `parameters * iterations` numbers. Panics at another length: a mistake in gradstudy.
    pub fn new(values: &'a [f32], parameters: usize, iterations: usize) -> Self {
        assert_eq!(
            values.len(),
            parameters * iterations,
            "a gradient history of another shape"
        );
        HistoryView {
            values,
            parameters,
            iterations,
            missing: MissingValues::default(),
        }
    }

    /// Column `iteration`: one gradient over all parameters.
    pub fn column(&self, iteration: usize) -> &'a [f32] {
        &self.values[iteration * self.parameters..][..self.parameters]
    }

    /// Copies the rows `range` one after the other into `rows` (`range.len() * iterations` numbers).
    pub fn rows_into(&self, range: Range<usize>, rows: &mut [f32]) {
        let (height, width) = (range.len(), self.iterations);
        assert_eq!(rows.len(), height * width);
        let mut first = 0;
        let arch = Arch::default();
        // Sixteen columns at once: their cache misses overlap, and each line written is a full cache line.
        while first + TILE <= width {
            let columns: [&[f32]; TILE] =
                std::array::from_fn(|offset| &self.column(first + offset)[range.clone()]);
            // Columns lie too far apart for the processor to foresee: without this the power-law test of all rows takes
            // 1.3 times as long.
            for next in first + TILE..width.min(first + 2 * TILE) {
                prefetch(&self.column(next)[range.clone()]);
            }
            turn(arch, &columns, rows, width, first);
            first += TILE;
        }
        for t in first..width {
            for (row, &value) in self.column(t)[range.clone()].iter().enumerate() {
                rows[row * width + t] = value;
            }
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
