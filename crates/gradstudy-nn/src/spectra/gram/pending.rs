//! Rows of a history that wait until they fill a block.

use std::ops::Range;

use rayon::prelude::*;

use crate::spectra::products::ROWS;
use gradstudy_stats::history_view::HistoryView;

/// Fewer than [`ROWS`] rows, in columns of [`ROWS`] numbers.
#[derive(Default)]
pub(super) struct Pending {
    /// T columns; none before the first row comes.
    pub values: Vec<f32>,
    /// Which parameter each row is.
    pub parameters: Vec<u64>,
    /// The given centre at these rows, if there is one.
    pub centre: Vec<f32>,
}

impl Pending {
    /// Rows that wait.
    pub fn height(&self) -> usize {
        self.parameters.len()
    }

    /// Takes the rows `rows` of `view`, which are the parameters from `parameter` on. They must find room.
    pub fn take(&mut self, view: HistoryView, rows: Range<usize>, parameter: usize, centre: Option<&[f32]>) {
        let first = self.height();
        let place = first..first + rows.len();
        assert!(place.end <= ROWS, "more rows than a block has");
        if self.values.is_empty() {
            self.values = vec![0.0; ROWS * view.iterations];
        }
        self.values
            .par_chunks_exact_mut(ROWS)
            .enumerate()
            .for_each(|(t, column)| column[place.clone()].copy_from_slice(&view.column(t)[rows.clone()]));
        self.parameters
            .extend((parameter..).take(rows.len()).map(|it| it as u64));
        self.centre.extend_from_slice(centre.unwrap_or_default());
    }

    /// Everything that waits, in one list: what [`Pending::restore`] takes.
    pub fn save(&self, samples: usize) -> Vec<f64> {
        let height = self.height();
        let mut numbers = Vec::with_capacity(1 + height * (samples + 2));
        numbers.push(height as f64);
        numbers.extend(self.parameters.iter().map(|&it| it as f64));
        numbers.extend(self.centre.iter().map(|&it| f64::from(it)));
        for column in self.values.chunks_exact(ROWS) {
            numbers.extend(column[..height].iter().map(|&it| f64::from(it)));
        }
        numbers
    }

    /// What [`Pending::save`] gave for `samples` columns; `None` unless it fits.
    pub fn restore(numbers: &[f64], samples: usize, centred: bool) -> Option<Self> {
        let (&height, rest) = numbers.split_first()?;
        let height = (height < ROWS as f64).then_some(height as usize)?;
        if rest.len() != height * (samples + 1 + usize::from(centred)) {
            return None;
        }
        if height == 0 {
            return Some(Pending::default());
        }
        let (parameters, rest) = rest.split_at(height);
        let (centre, columns) = rest.split_at(if centred { height } else { 0 });
        let mut values = vec![0.0; ROWS * samples];
        for (to, from) in values.chunks_exact_mut(ROWS).zip(columns.chunks_exact(height)) {
            to.iter_mut().zip(from).for_each(|(to, &from)| *to = from as f32);
        }
        Some(Pending {
            values,
            parameters: parameters.iter().map(|&it| it as u64).collect(),
            centre: centre.iter().map(|&it| it as f32).collect(),
        })
    }
}
