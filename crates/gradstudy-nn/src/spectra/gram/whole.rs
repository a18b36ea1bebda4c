//! The moments of a history that lies in memory whole.

use rayon::prelude::*;

use super::GramAccumulator;
use crate::spectra::error::SpectrumError;
use crate::spectra::moments::{Moments, Side};
use crate::spectra::multiplier::Multiplier;
use crate::spectra::products::{Precision, Products, ROWS};
use crate::spectra::products_kernel::RUN;
use crate::spectra::rows::Rows;
use gradstudy_stats::history_view::HistoryView;
use gradstudy_stats::monitor::Monitor;

/// Rows that are turned at a time: four cache lines of each column.
const STRIP: usize = 64;

/// The moments of a history that lies in memory, through the smaller of GᵀG and GGᵀ; `Ok(None)` if cancelled.
///
/// `centre` is a vector other than the history's mean that a covariance will be taken around (n values).
pub fn moments(
    view: HistoryView,
    centre: Option<&[f32]>,
    precision: Precision,
    monitor: &Monitor,
) -> Result<Option<Moments>, SpectrumError> {
    moments_on(&Multiplier::Host, view, centre, precision, monitor)
}

/// As [`moments`], with the products where `multiplier` says.
pub fn moments_on(
    multiplier: &Multiplier,
    view: HistoryView,
    centre: Option<&[f32]>,
    precision: Precision,
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
        return scatter(view, centre, precision, monitor);
    }
    let mut sums = GramAccumulator::new(iterations, centre.is_some(), precision).on(multiplier);
    match sums.add(view, 0..parameters, centre, monitor)? {
        true => sums.finish().map(Some),
        false => Ok(None),
    }
}

/// n < T: the n × n matrix Σ (g − r)(g − r)ᵀ, from blocks of columns.
fn scatter(
    view: HistoryView,
    centre: Option<&[f32]>,
    precision: Precision,
    monitor: &Monitor,
) -> Result<Option<Moments>, SpectrumError> {
    let n = view.parameters;
    let Rows { mean, largest, .. } = Rows::of(view, 0..n)?;
    let shift: Vec<f32> = mean.iter().map(|&mean| mean as f32).collect();
    let mut products = Products::new(n, precision);
    let mut first = 0;
    while first < view.iterations {
        if monitor.cancelled() {
            return Ok(None);
        }
        let columns = first..view.iterations.min(first + ROWS);
        let width = columns.len();
        let part = HistoryView::new(&view.values[columns.start * n..columns.end * n], n, width);
        let mut turned = vec![0.0; n * width];
        turned
            .par_chunks_mut(width * STRIP)
            .enumerate()
            .for_each(|(strip, rows)| part.rows_into(strip * STRIP..n.min((strip + 1) * STRIP), rows));
        products.add(width, largest, |row, column| {
            for (to, from) in column.iter_mut().zip(&turned[row * width..][..width]) {
                *to = from - shift[row];
            }
        });
        (monitor.progress)((n * width) as u64);
        first = columns.end;
    }
    // Every run of iterations holds the same part of the energy.
    let concentration = (view.iterations as f64 / RUN as f64).max(1.0).sqrt().recip();
    let centre = centre.map(|centre| centre.iter().map(|&c| f64::from(c)).collect());
    Moments::new(
        Side::Parameters { shift, centre },
        products,
        mean,
        concentration,
        view.iterations,
    )
    .map(Some)
}
