//! Inner products of a history that lies on a GPU: only sums over its rows and its columns come from there.

use std::ops::Range;

use super::{GramAccumulator, square};
use crate::gradients::on_gpu::GpuHistory;
use crate::kernels::{Buffer, GpuError};
use crate::spectra::error::SpectrumError;
use crate::spectra::moments::Moments;
use crate::spectra::multiplier::Multiplier;
use crate::spectra::products::Precision;
use crate::spectra::rows;
use gradstudy_stats::monitor::Monitor;
use gradstudy_stats::outcome::Direction;
use gradstudy_stats::remote::RemoteHistory;

/// Bytes of the part of a history that is shifted and multiplied at a time.
const BLOCK: usize = 512 << 20;

/// The moments, T × T, of the rows `rows` of a history on a GPU; `Ok(None)` if cancelled. See [`super::moments`] for
/// `centre`.
pub fn moments(
    history: &GpuHistory,
    rows: &[Range<usize>],
    centre: Option<&[f32]>,
    monitor: &Monitor,
) -> Result<Option<Moments>, SpectrumError> {
    let t = history.iterations();
    let there = Multiplier::Gpu(history.gpu().clone());
    let mut sums = GramAccumulator::new(t, centre.is_some(), Precision::Double).on(&there);
    let height = (BLOCK / (t * size_of::<f32>())).max(1);
    let blocks = rows.iter().flat_map(|rows| {
        let firsts = rows.clone().step_by(height);
        firsts.map(move |first| first..rows.end.min(first + height))
    });
    for rows in blocks {
        if monitor.cancelled() {
            return Ok(None);
        }
        let centre = centre.map(|centre| &centre[rows.clone()]);
        sums.add_there(history, rows.clone(), centre)?;
        (monitor.progress)((rows.len() * t) as u64);
    }
    sums.finish().map(Some)
}

impl GramAccumulator {
    fn add_there(
        &mut self,
        history: &GpuHistory,
        rows: Range<usize>,
        centre: Option<&[f32]>,
    ) -> Result<(), SpectrumError> {
        self.add_pending()?;
        let (gpu, n) = (history.gpu(), history.parameters());
        let read = |buffer: &Buffer| gpu.read_wide(buffer).map_err(failed);
        let sums = read(&gpu.sums_of_columns(history.values(), n, rows.clone()))?;
        let (sums, squares) = sums.split_at(rows.len());
        let (mean, energy) = rows::mean_and_energy(sums, squares, self.samples);
        if let Some(offset) = mean.iter().position(|mean| !mean.is_finite()) {
            return Err(not_finite(history, rows.start + offset));
        }
        let shift: Vec<f32> = mean.iter().map(|&mean| mean as f32).collect();
        let shifted = gpu.shifted_columns(history.values(), n, rows, &gpu.upload(&shift));
        let along = |direction: &[f64]| read(&gpu.along(&shifted, &gpu.upload_wide(direction)));
        let wide: Vec<f64> = shift.iter().map(|&r| f64::from(r)).collect();
        let along_shift = along(&wide)?;
        let along_centre = match centre {
            None => None,
            Some(centre) => {
                let away: Vec<f64> = wide.iter().zip(centre).map(|(r, &c)| r - f64::from(c)).collect();
                Some((along(&away)?, square(&away)))
            }
        };
        self.products.add_there(&shifted);
        self.take(mean, &energy, (along_shift, square(&wide)), along_centre);
        Ok(())
    }
}

/// The first iteration at which parameter `row` is not finite.
fn not_finite(history: &GpuHistory, row: usize) -> SpectrumError {
    let all: Vec<u32> = (0..history.iterations() as u32).collect();
    let values = match history.points(Direction::Iteration, row, all.len(), &all) {
        Ok(values) => values,
        Err(error) => return SpectrumError::Device { reason: error.0 },
    };
    let found = values.iter().position(|value| !value.is_finite());
    let iteration = found.expect("finite f32 values have a finite f64 sum");
    SpectrumError::NotFinite {
        parameter: row as u64,
        iteration: iteration as u64,
        value: values[iteration],
    }
}

fn failed(error: GpuError) -> SpectrumError {
    SpectrumError::Device {
        reason: error.to_string(),
    }
}
