//! What is known of each row of a history before its values are multiplied, from one pass over its columns.

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::error::SpectrumError;
use gradstudy_stats::history_view::HistoryView;

/// Columns whose sums one thread takes at a time.
const COLUMNS: usize = 256;

/// Sums over some columns, for each row.
struct RowSums {
    sum: Vec<f64>,
    squares: Vec<f64>,
    largest: Vec<f32>,
}

impl RowSums {
    fn new(rows: usize) -> Self {
        RowSums {
            sum: vec![0.0; rows],
            squares: vec![0.0; rows],
            largest: vec![0.0; rows],
        }
    }
}

/// Adds a column to the sums.
struct Add<'a> {
    sums: &'a mut RowSums,
    column: &'a [f32],
}

impl WithSimd for Add<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let RowSums {
            sum,
            squares,
            largest,
        } = self.sums;
        simd.vectorize(
            #[inline(always)]
            || {
                let sums = sum.iter_mut().zip(squares).zip(largest);
                for (((sum, square), largest), &value) in sums.zip(self.column) {
                    *sum += f64::from(value);
                    *square += f64::from(value) * f64::from(value);
                    *largest = largest.max(value.abs());
                }
            },
        );
    }
}

/// ḡ and Σ (g − ḡ)² of each row from Σ g and Σ g² of `count` numbers.
pub(super) fn mean_and_energy(sums: &[f64], squares: &[f64], count: usize) -> (Vec<f64>, Vec<f64>) {
    let t = count as f64;
    let mean: Vec<f64> = sums.iter().map(|sum| sum / t).collect();
    let energy = squares.iter().zip(&mean);
    let energy = energy
        .map(|(square, mean)| (square - t * mean * mean).max(0.0))
        .collect();
    (mean, energy)
}

/// What is known of each row before its values are multiplied.
pub(super) struct Rows {
    pub mean: Vec<f64>,
    /// Σ_t (g − ḡ)².
    pub energy: Vec<f64>,
    /// Largest absolute value of all.
    pub largest: f32,
}

impl Rows {
    /// A value that is not finite is an error.
    pub fn of(view: HistoryView, rows: Range<usize>) -> Result<Self, SpectrumError> {
        let parts: Vec<RowSums> = (0..view.iterations)
            .into_par_iter()
            .step_by(COLUMNS)
            .map(|first| {
                let mut sums = RowSums::new(rows.len());
                let columns = first..view.iterations.min(first + COLUMNS);
                let arch = Arch::new();
                for column in columns.map(|t| &view.column(t)[rows.clone()]) {
                    arch.dispatch(Add {
                        sums: &mut sums,
                        column,
                    });
                }
                sums
            })
            .collect();
        let (mut mean, mut energy) = (vec![0.0f64; rows.len()], vec![0.0f64; rows.len()]);
        let mut largest = 0.0f32;
        for part in &parts {
            mean.iter_mut()
                .zip(&part.sum)
                .for_each(|(sum, part)| *sum += part);
            energy
                .iter_mut()
                .zip(&part.squares)
                .for_each(|(sum, part)| *sum += part);
            largest = part.largest.iter().fold(largest, |a, &b| a.max(b));
        }
        let (mean, energy) = mean_and_energy(&mean, &energy, view.iterations);
        match mean.iter().position(|mean| !mean.is_finite()) {
            None => Ok(Rows {
                mean,
                energy,
                largest,
            }),
            Some(offset) => {
                let row = rows.start + offset;
                let found = (0..view.iterations).find(|&t| !view.column(t)[row].is_finite());
                let iteration = found.expect("finite f32 values have a finite f64 sum");
                Err(SpectrumError::NotFinite {
                    parameter: row as u64,
                    iteration: iteration as u64,
                    value: view.column(iteration)[row],
                })
            }
        }
    }
}
