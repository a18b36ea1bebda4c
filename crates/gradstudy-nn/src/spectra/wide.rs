//! Columns of a matrix in f64, for entrywise products of two XᵀX.

use rayon::prelude::*;

use super::products::WIDTH;
use super::products_kernel::WIDE_PANEL;
use gradstudy_base::memory::Pages;

/// The columns of a matrix in f64, packed for products with each other.
pub struct Wide {
    pub(super) height: usize,
    values: Pages<f64>,
}

impl Wide {
    /// `order` columns of `height` > 0 numbers; `column` gives each.
    pub fn new<'a>(order: usize, height: usize, column: impl Fn(usize) -> &'a [f32] + Sync) -> Self {
        let panels = order.div_ceil(WIDTH) * (WIDTH / WIDE_PANEL);
        // What stands beyond the last column is of no account, only finite.
        let mut values = Pages::zeros(panels * height * WIDE_PANEL);
        values
            .par_chunks_exact_mut(height * WIDE_PANEL)
            .enumerate()
            .for_each(|(number, panel)| {
                let columns = number * WIDE_PANEL..order.min((number + 1) * WIDE_PANEL);
                for (place, j) in columns.enumerate() {
                    for (row, value) in panel.as_chunks_mut::<WIDE_PANEL>().0.iter_mut().zip(column(j)) {
                        row[place] = f64::from(*value);
                    }
                }
            });
        Wide { height, values }
    }

    /// The columns of one tile's side.
    pub(super) fn tile(&self, number: usize) -> &[f64] {
        let side = WIDTH * self.height;
        &self.values[number * side..][..side]
    }
}
