//! Inner products of all pairs of gradients, added up block of parameters by block of parameters, and the moment
//! matrices that follow from them.
//!
//! Each block is shifted by its rows' means (rounded to f32) before it is multiplied, so that a mean far larger than
//! the noise costs no digits of the covariance; what the shift takes away is put back in f64 where it is wanted.

#[cfg(feature = "kernels")]
pub mod on_gpu;
mod pending;
mod whole;

use std::ops::Range;

use super::error::SpectrumError;
use super::moments::{Moments, Side};
use super::multiplier::Multiplier;
use super::products::{Precision, Products, ROWS};
use super::products_kernel::RUN;
use super::rows::Rows;
use pending::Pending;

pub use whole::{moments, moments_on};

use gradstudy_stats::history_view::HistoryView;
use gradstudy_stats::monitor::Monitor;

/// Adds up the T × T inner products of a history that comes in parts (the rows of a layer, say), in any sizes: rows are
/// multiplied in blocks of [`ROWS`] whatever they came in, so that the sums are the same to the bit.
pub struct GramAccumulator {
    products: Products,
    samples: usize,
    /// Rows that do not fill a block yet.
    pending: Pending,
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
            pending: Pending::default(),
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
        let first = rows.start;
        self.add_parameters(view, rows, first, centre, monitor)
    }

    /// As [`GramAccumulator::add`], of the parameters from `parameter` on: an error names one of these.
    pub fn add_parameters(
        &mut self,
        view: HistoryView,
        mut rows: Range<usize>,
        mut parameter: usize,
        mut centre: Option<&[f32]>,
        monitor: &Monitor,
    ) -> Result<bool, SpectrumError> {
        assert_eq!(view.iterations, self.samples, "a block of another history");
        assert_eq!(centre.is_some(), self.along_centre.is_some());
        assert!(centre.is_none_or(|centre| centre.len() == rows.len()));
        while !rows.is_empty() {
            if monitor.cancelled() {
                return Ok(false);
            }
            let height = rows.len().min(ROWS - self.pending.height());
            let block = rows.start..rows.start + height;
            let (of_block, rest) = match centre.map(|centre| centre.split_at(height)) {
                Some((block, rest)) => (Some(block), Some(rest)),
                None => (None, None),
            };
            if height == ROWS {
                let name = |row: u64| row - block.start as u64 + parameter as u64;
                self.add_block(view, block.clone(), of_block, name)?;
            } else {
                self.pending.take(view, block.clone(), parameter, of_block);
                if self.pending.height() == ROWS {
                    self.add_pending()?;
                }
            }
            (monitor.progress)((height * self.samples) as u64);
            rows.start = block.end;
            parameter += height;
            centre = rest;
        }
        Ok(true)
    }

    /// Multiplies the rows that do not fill a block: no more follow, or what follows is no rows.
    pub(super) fn add_pending(&mut self) -> Result<(), SpectrumError> {
        let pending = std::mem::take(&mut self.pending);
        if pending.height() == 0 {
            return Ok(());
        }
        let view = HistoryView::new(&pending.values, ROWS, self.samples);
        let centre = (!pending.centre.is_empty()).then_some(&pending.centre[..]);
        let name = |row: u64| pending.parameters[row as usize];
        self.add_block(view, 0..pending.height(), centre, name)
    }

    /// Adds at most [`ROWS`] rows of `view`; `name` says which parameter a row is.
    fn add_block(
        &mut self,
        view: HistoryView,
        rows: Range<usize>,
        centre: Option<&[f32]>,
        name: impl Fn(u64) -> u64,
    ) -> Result<(), SpectrumError> {
        let Rows {
            mean,
            energy,
            largest,
        } = Rows::of(view, rows.clone()).map_err(|error| error.renamed(name))?;
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

    /// Sums of nothing, of as many samples, made where these are.
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

    /// What the sums are made in.
    pub fn precision(&self) -> Precision {
        self.products.precision()
    }

    /// T.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// Parameters added so far.
    pub fn parameters(&self) -> usize {
        self.mean.len() + self.pending.height()
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
            ("pending", self.pending.save(self.samples)),
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
        let (Some(products), Some(mean), Some(along_shift), Some(pending), Some(numbers)) = (
            part("products"),
            part("mean"),
            part("along_shift"),
            part("pending"),
            part("numbers"),
        ) else {
            return false;
        };
        let centred = self.along_centre.is_some();
        let Some(pending) = Pending::restore(&pending, self.samples, centred) else {
            return false;
        };
        let along_centre = part("along_centre").filter(|sums| sums.len() == self.samples);
        if numbers.len() != 3 + usize::from(centred)
            || along_centre.is_some() != centred
            || along_shift.len() != self.samples
            || !self.products.restore(&products)
        {
            return false;
        }
        (self.mean, self.along_shift, self.pending) = (mean, along_shift, pending);
        (self.energy, self.shift_square) = ((numbers[0], numbers[1]), numbers[2]);
        self.along_centre = along_centre.map(|sums| (sums, numbers[3]));
        true
    }

    /// The sums, when every row of G was added.
    ///
    /// # Errors
    /// A value or a sum is not finite, or a GPU has failed.
    pub fn finish(mut self) -> Result<Moments, SpectrumError> {
        self.add_pending()?;
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
