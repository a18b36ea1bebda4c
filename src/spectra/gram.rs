//! Inner products of all pairs of gradients, added up block of parameters by block of parameters, and the moment
//! matrices that follow from them.
//!
//! Each block is shifted by its rows' means (rounded to f32) before it is multiplied, so that a mean far larger than
//! the noise costs no digits of the covariance; what the shift takes away is put back in f64 where it is wanted.

use std::ops::Range;

use rayon::prelude::*;

use super::error::SpectrumError;
use super::moments::{Moments, Side};
use super::products::Products;
use crate::stats::history_view::HistoryView;
use crate::stats::monitor::Monitor;

/// Rows of G taken together: bounds the copy (64 MB at T = 4096).
const BLOCK: usize = 4096;
/// Rows whose sums one thread takes: four cache lines of each column.
const STRIP: usize = 64;

/// Adds up the T × T inner products of a history that comes in blocks of rows (of a layer, say), in any sizes.
pub struct GramAccumulator {
    products: Products,
    samples: usize,
    mean: Vec<f64>,
    /// (g_t − r)·r for each t.
    along_shift: Vec<f64>,
    /// ‖r‖².
    shift_square: f64,
    /// The same along the distance r − c of the shift from a given centre c.
    along_centre: Option<(Vec<f64>, f64)>,
}

impl GramAccumulator {
    /// For `samples` gradients; `centred`: whether every block comes with a part of a given centre.
    pub fn new(samples: usize, centred: bool) -> Self {
        GramAccumulator {
            products: Products::new(samples),
            samples,
            mean: Vec::new(),
            along_shift: vec![0.0; samples],
            shift_square: 0.0,
            along_centre: centred.then(|| (vec![0.0; samples], 0.0)),
        }
    }

    /// Adds the rows `rows` of `view`; `centre` holds the given centre at these rows if one was announced.
    ///
    /// `Ok(false)` if cancelled: the sums are then of no use. Progress is told in values of G.
    pub fn add(
        &mut self,
        view: HistoryView,
        rows: Range<usize>,
        centre: Option<&[f32]>,
        monitor: &Monitor,
    ) -> Result<bool, SpectrumError> {
        assert_eq!(view.iterations, self.samples, "a block of another history");
        assert_eq!(centre.is_some(), self.along_centre.is_some());
        assert!(centre.is_none_or(|centre| centre.len() == rows.len()));
        let mut first = rows.start;
        while first < rows.end {
            if monitor.cancelled() {
                return Ok(false);
            }
            let block = first..rows.end.min(first + BLOCK);
            let centre = centre.map(|centre| &centre[block.start - rows.start..block.end - rows.start]);
            self.add_block(view, block.clone(), centre)?;
            (monitor.progress)((block.len() * self.samples) as u64);
            first = block.end;
        }
        Ok(true)
    }

    fn add_block(
        &mut self,
        view: HistoryView,
        rows: Range<usize>,
        centre: Option<&[f32]>,
    ) -> Result<(), SpectrumError> {
        let mean = row_means(view, rows.clone())?;
        let shift: Vec<f32> = mean.iter().map(|&mean| mean as f32).collect();
        let height = rows.len();
        let mut shifted = vec![0.0; height * self.samples];
        let largest = shifted
            .par_chunks_mut(height)
            .enumerate()
            .map(|(t, column)| {
                let mut largest = 0.0f32;
                for ((to, from), shift) in column.iter_mut().zip(&view.column(t)[rows.clone()]).zip(&shift) {
                    *to = from - shift;
                    largest = largest.max(to.abs());
                }
                largest
            })
            .reduce(|| 0.0, f32::max);
        let wide: Vec<f64> = shift.iter().map(|&r| f64::from(r)).collect();
        add_along(&mut self.along_shift, &shifted, &wide);
        self.shift_square += square(&wide);
        if let (Some((along, total)), Some(centre)) = (&mut self.along_centre, centre) {
            let away: Vec<f64> = wide.iter().zip(centre).map(|(r, &c)| r - f64::from(c)).collect();
            add_along(along, &shifted, &away);
            *total += square(&away);
        }
        self.mean.extend(mean);
        self.products.add(&mut shifted, height, largest);
        Ok(())
    }

    /// The sums, when every row of G was added.
    pub fn finish(self) -> Result<Moments, SpectrumError> {
        Moments::new(
            Side::Samples {
                along_shift: self.along_shift,
                shift_square: self.shift_square,
                along_centre: self.along_centre,
            },
            self.products,
            self.mean,
            self.samples,
        )
    }
}

/// The moments of a history that lies in memory, through the smaller of GᵀG and GGᵀ; `Ok(None)` if cancelled.
///
/// `centre` is a vector other than the history's mean that a covariance will be taken around (n values).
pub fn moments(
    view: HistoryView,
    centre: Option<&[f32]>,
    monitor: &Monitor,
) -> Result<Option<Moments>, SpectrumError> {
    let HistoryView {
        parameters,
        iterations,
        ..
    } = view;
    if parameters == 0 || iterations == 0 {
        return Err(SpectrumError::Empty {
            parameters: parameters as u64,
            samples: iterations as u64,
        });
    }
    if let Some(centre) = centre.filter(|centre| centre.len() != parameters) {
        return Err(SpectrumError::Centre {
            found: centre.len() as u64,
            parameters: parameters as u64,
        });
    }
    if parameters < iterations {
        return scatter(view, centre, monitor);
    }
    let mut sums = GramAccumulator::new(iterations, centre.is_some());
    match sums.add(view, 0..parameters, centre, monitor)? {
        true => sums.finish().map(Some),
        false => Ok(None),
    }
}

/// n < T: the n × n matrix Σ (g − r)(g − r)ᵀ, from blocks of columns.
fn scatter(
    view: HistoryView,
    centre: Option<&[f32]>,
    monitor: &Monitor,
) -> Result<Option<Moments>, SpectrumError> {
    let n = view.parameters;
    let mean = row_means(view, 0..n)?;
    let shift: Vec<f32> = mean.iter().map(|&mean| mean as f32).collect();
    let mut products = Products::new(n);
    let mut first = 0;
    while first < view.iterations {
        if monitor.cancelled() {
            return Ok(None);
        }
        let columns = first..view.iterations.min(first + BLOCK);
        let width = columns.len();
        let part = HistoryView::new(&view.values[columns.start * n..columns.end * n], n, width);
        let mut turned = vec![0.0; n * width];
        let largest = turned
            .par_chunks_mut(width * STRIP)
            .enumerate()
            .map(|(strip, rows)| {
                let range = strip * STRIP..n.min((strip + 1) * STRIP);
                part.rows_into(range.clone(), rows);
                let mut largest = 0.0f32;
                for (row, shift) in rows.chunks_mut(width).zip(&shift[range]) {
                    for value in row {
                        *value -= shift;
                        largest = largest.max(value.abs());
                    }
                }
                largest
            })
            .reduce(|| 0.0, f32::max);
        products.add(&mut turned, width, largest);
        (monitor.progress)((n * width) as u64);
        first = columns.end;
    }
    let centre = centre.map(|centre| centre.iter().map(|&c| f64::from(c)).collect());
    Moments::new(
        Side::Parameters { shift, centre },
        products,
        mean,
        view.iterations,
    )
    .map(Some)
}

/// Mean of each row over all columns, in f64; the first value that is not finite is an error.
fn row_means(view: HistoryView, rows: Range<usize>) -> Result<Vec<f64>, SpectrumError> {
    let mut means = vec![0.0; rows.len()];
    means.par_chunks_mut(STRIP).enumerate().for_each(|(strip, sums)| {
        let range = rows.start + strip * STRIP..rows.start + strip * STRIP + sums.len();
        for t in 0..view.iterations {
            for (sum, &value) in sums.iter_mut().zip(&view.column(t)[range.clone()]) {
                *sum += f64::from(value);
            }
        }
        for sum in sums {
            *sum /= view.iterations as f64;
        }
    });
    match means.iter().position(|mean| !mean.is_finite()) {
        None => Ok(means),
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

/// along_t += column_t · direction, in f64.
fn add_along(along: &mut [f64], columns: &[f32], direction: &[f64]) {
    along
        .par_iter_mut()
        .zip(columns.par_chunks(direction.len()))
        .for_each(|(sum, column)| {
            *sum += dot(column, direction);
        });
}

/// In eight lanes, so that it vectorises.
fn dot(column: &[f32], direction: &[f64]) -> f64 {
    let mut lanes = [0.0; 8];
    let (a, b) = (column.as_chunks::<8>(), direction.as_chunks::<8>());
    for (a, b) in a.0.iter().zip(b.0) {
        for lane in 0..8 {
            lanes[lane] += f64::from(a[lane]) * b[lane];
        }
    }
    let rest: f64 = a.1.iter().zip(b.1).map(|(&a, b)| f64::from(a) * b).sum();
    lanes.iter().sum::<f64>() + rest
}

fn square(values: &[f64]) -> f64 {
    values.iter().map(|v| v * v).sum()
}
