//! Inner products of all pairs of gradients, added up block of parameters by block of parameters, and the moment
//! matrices that follow from them.
//!
//! Each block is shifted by its rows' means (rounded to f32) before it is multiplied, so that a mean far larger than
//! the noise costs no digits of the covariance; what the shift takes away is put back in f64 where it is wanted.

#[cfg(feature = "kernels")]
pub mod on_gpu;

use std::ops::Range;

use rayon::prelude::*;

use super::error::SpectrumError;
use super::moments::{Moments, Side};
use super::multiplier::Multiplier;
use super::products::{Precision, Products, ROWS};
use super::products_kernel::RUN;
use super::rows::Rows;
use gradstudy_stats::history_view::HistoryView;
use gradstudy_stats::monitor::Monitor;

/// Rows that are turned at a time: four cache lines of each column.
const STRIP: usize = 64;

/// Adds up the T × T inner products of a history that comes in blocks of rows (of a layer, say), in any sizes.
pub struct GramAccumulator {
    products: Products,
    samples: usize,
    mean: Vec<f64>,
    /// Σ e and Σ e² over the runs' energies: what rounding in f32 is judged by.
    energy: (f64, f64),
    /// (g_t − r)·r for each t.
    along_shift: Vec<f64>,
    /// ‖r‖².
    shift_square: f64,
    /// The same along the distance r − c of the shift from a given centre c.
    along_centre: Option<(Vec<f64>, f64)>,
}

impl GramAccumulator {
    /// For `samples` gradients; `centred`: whether every block comes with a part of a given centre.
    pub fn new(samples: usize, centred: bool, precision: Precision) -> Self {
        GramAccumulator {
            products: Products::new(samples, precision),
            samples,
            mean: Vec::new(),
            energy: (0.0, 0.0),
            along_shift: vec![0.0; samples],
            shift_square: 0.0,
            along_centre: centred.then(|| (vec![0.0; samples], 0.0)),
        }
    }

    /// The same, with the products where `multiplier` says.
    pub fn on(self, multiplier: &Multiplier) -> Self {
        GramAccumulator {
            products: self.products.on(multiplier),
            ..self
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
            let block = first..rows.end.min(first + ROWS);
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
        let Rows {
            mean,
            energy,
            largest,
        } = Rows::of(view, rows.clone())?;
        let shift: Vec<f32> = mean.iter().map(|&mean| mean as f32).collect();
        let wide: Vec<f64> = shift.iter().map(|&r| f64::from(r)).collect();
        let away: Option<Vec<f64>> =
            centre.map(|centre| wide.iter().zip(centre).map(|(r, &c)| r - f64::from(c)).collect());
        let along = self.products.add(rows.len(), largest, |t, column| {
            let values = &view.column(t)[rows.clone()];
            for ((to, from), shift) in column.iter_mut().zip(values).zip(&shift) {
                *to = from - shift;
            }
            (
                dot(column, &wide),
                away.as_ref().map_or(0.0, |away| dot(column, away)),
            )
        });
        let (along_shift, along_centre): (Vec<f64>, Vec<f64>) = along.into_iter().unzip();
        let along_centre = away.map(|away| (along_centre, square(&away)));
        self.take(mean, &energy, (along_shift, square(&wide)), along_centre);
        Ok(())
    }

    /// Takes what is known of a block whose products were added: (g − r)·r and ‖r‖², (g − r)·(r − c) and ‖r − c‖².
    fn take(
        &mut self,
        mean: Vec<f64>,
        energy: &[f64],
        (along_shift, shift_square): (Vec<f64>, f64),
        along_centre: Option<(Vec<f64>, f64)>,
    ) {
        for run in energy.chunks(RUN).map(|run| run.iter().sum::<f64>()) {
            self.energy.0 += run;
            self.energy.1 += run * run;
        }
        let add = |sums: &mut Vec<f64>, parts: &[f64]| {
            sums.iter_mut().zip(parts).for_each(|(sum, part)| *sum += part);
        };
        add(&mut self.along_shift, &along_shift);
        self.shift_square += shift_square;
        if let (Some((sums, total)), Some((parts, square))) = (&mut self.along_centre, along_centre) {
            add(sums, &parts);
            *total += square;
        }
        self.mean.extend(mean);
    }

    /// The same with nothing added.
    pub fn emptied(&self) -> Self {
        GramAccumulator {
            products: self.products.emptied(),
            ..GramAccumulator::new(
                self.samples,
                self.along_centre.is_some(),
                self.products.precision(),
            )
        }
    }

    /// Takes what a GPU has summed so far, for [`GramAccumulator::save`]. Errors: the GPU has failed.
    pub fn settle(&mut self) -> Result<(), SpectrumError> {
        self.products.settle()
    }

    /// T.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// Parameters added so far.
    pub fn parameters(&self) -> usize {
        self.mean.len()
    }

    pub(super) fn products_mut(&mut self) -> &mut Products {
        &mut self.products
    }

    /// Takes the mean of parameters whose products were added without a shift, and their energy, which f64 summed.
    pub(super) fn extend_mean(&mut self, mean: Vec<f64>, energy: f64) {
        self.mean.extend(mean);
        self.energy.0 += energy;
    }

    /// Takes g·c of such parameters: their shift r is zero, so (g − r)·(r − c) is −g·c.
    pub(super) fn along(&mut self, products: &[f64], centre: &[f32]) {
        if let Some((sums, total)) = &mut self.along_centre {
            sums.iter_mut()
                .zip(products)
                .for_each(|(sum, value)| *sum -= value);
            *total += centre.iter().map(|&c| f64::from(c).powi(2)).sum::<f64>();
        }
    }

    /// Everything added so far, by name: what [`GramAccumulator::restore`] takes.
    pub fn save(&self) -> Vec<(&'static str, Vec<f64>)> {
        let mut state = vec![
            ("products", self.products.save()),
            ("mean", self.mean.clone()),
            ("along_shift", self.along_shift.clone()),
        ];
        let mut numbers = vec![self.energy.0, self.energy.1, self.shift_square];
        if let Some((sums, total)) = &self.along_centre {
            state.push(("along_centre", sums.clone()));
            numbers.push(*total);
        }
        state.push(("numbers", numbers));
        state
    }

    /// Puts back what [`GramAccumulator::save`] gave; false, and nothing changes, unless it fits.
    pub fn restore(&mut self, part: &dyn Fn(&str) -> Option<Vec<f64>>) -> bool {
        let (Some(products), Some(mean), Some(along_shift), Some(numbers)) = (
            part("products"),
            part("mean"),
            part("along_shift"),
            part("numbers"),
        ) else {
            return false;
        };
        let centred = self.along_centre.is_some();
        let along_centre = part("along_centre").filter(|sums| sums.len() == self.samples);
        if numbers.len() != 3 + usize::from(centred)
            || along_centre.is_some() != centred
            || along_shift.len() != self.samples
            || !self.products.restore(&products)
        {
            return false;
        }
        (self.mean, self.along_shift) = (mean, along_shift);
        (self.energy, self.shift_square) = ((numbers[0], numbers[1]), numbers[2]);
        self.along_centre = along_centre.map(|sums| (sums, numbers[3]));
        true
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
            self.energy.1.sqrt() / self.energy.0.max(f64::MIN_POSITIVE),
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
