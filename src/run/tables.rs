//! A run's data as flat tables for other programs: outcomes, spectra, and what was found of each row or column.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::RunError;
use super::keys::{self, Identity};
use super::levels::LevelColumns;
use crate::arrays::write::{Column, Columns};
use crate::report::columns::COLUMNS;
use crate::results::{EffectiveNumbers, MeasuredSpectrum, Measurement, Results};
use crate::stats::interval::Interval;
use crate::stats::sample_values::SampleValues;
use crate::stats::verdicts::Verdicts;

/// What was found of each of the samples of one measurement.
#[derive(Debug)]
pub struct Samples {
    pub measurement: Measurement,
    /// Empty where the run has none. Measurements of one step have them in common.
    pub values: Arc<SampleValues>,
    /// Empty for what has no verdict.
    pub verdicts: Verdicts,
}

/// The samples of every measurement of more than one, in the order of the results; those of which the run in `folder`
/// holds nothing are left out.
///
/// # Errors
/// A damaged file.
pub fn samples(folder: &Path, results: &Results) -> Result<Vec<Samples>, RunError> {
    let values = super::open_samples(folder)?.into_iter();
    let values: BTreeMap<String, Arc<SampleValues>> =
        values.map(|(step, values)| (step, Arc::new(values))).collect();
    let of = |measurement: &Measurement| {
        let acceptance = measurement.outcome.acceptance();
        Samples {
            measurement: measurement.clone(),
            values: values.get(&measurement.step).cloned().unwrap_or_default(),
            verdicts: acceptance.map(|it| it.verdicts.clone()).unwrap_or_default(),
        }
    };
    let mut samples: Vec<Samples> = results.measurements.iter().map(of).collect();
    samples.retain(|samples| !samples.is_empty());
    Ok(samples)
}

impl Samples {
    /// How many samples there are.
    pub fn len(&self) -> usize {
        self.values.len().max(self.verdicts.len() as usize)
    }

    /// Whether nothing is known of any sample.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// One row for each statistic of each measurement: `statistic`, `value`, and for rates `effective`, the independent samples
/// that the tested ones are worth, and the Wilson interval `low` to `high` of so many; NaN where that is not known.
pub fn outcomes(
    measurements: &[&Measurement],
    levels: &LevelColumns,
    effective: &EffectiveNumbers,
) -> Columns {
    let statistics: Vec<Vec<_>> = measurements
        .iter()
        .map(|measurement| {
            let effective = effective.find(measurement);
            let found = COLUMNS.iter().filter_map(|column| {
                let value = column.of(measurement)?;
                let counts = column.counts.and_then(|counts| counts(&measurement.outcome));
                let rate = counts.zip(effective);
                let interval = rate.map(|(counts, effective)| (effective, counts.interval(effective)));
                Some((column.name, value, interval))
            });
            found.collect()
        })
        .collect();
    let rows = || {
        measurements
            .iter()
            .zip(&statistics)
            .map(|(it, found)| (*it, found.len()))
    };
    let identity: Vec<_> = rows()
        .map(|(it, rows)| Identity::of_measurement(it, rows))
        .collect();
    let mut columns = keys::columns(&identity, levels);
    let all = || statistics.iter().flatten();
    let names = all().map(|(name, ..)| Some(name.to_string())).collect();
    columns.push(("statistic".to_string(), Column::Text(names)));
    columns.push((
        "value".to_string(),
        Column::Number(all().map(|it| it.1).collect()),
    ));
    type OfRate = fn((f64, Interval)) -> f64;
    let of_rates: [(&str, OfRate); 3] = [
        ("low", |(_, interval)| interval.low),
        ("high", |(_, interval)| interval.high),
        ("effective", |(effective, _)| effective),
    ];
    for (name, of_rate) in of_rates {
        let values = all().map(|(.., rate)| rate.map_or(f64::NAN, of_rate));
        columns.push((name.to_string(), Column::Number(values.collect())));
    }
    columns
}

/// One row for each eigenvalue: `rank` from 1, `value`, the spectrum's `accuracy` and `trace`, and the eigenvalue's
/// residual where there is one.
pub fn spectra(spectra: &[&MeasuredSpectrum], levels: &LevelColumns) -> Columns {
    let identity: Vec<_> = spectra
        .iter()
        .map(|it| Identity::of_spectrum(it, it.spectrum.values.len()))
        .collect();
    let mut columns = keys::columns(&identity, levels);
    let ranks = spectra
        .iter()
        .flat_map(|it| (1..=it.spectrum.values.len() as u64).map(Some));
    columns.push(("rank".to_string(), Column::Integer(ranks.collect())));
    let values = spectra.iter().flat_map(|it| it.spectrum.values.iter().copied());
    columns.push(("value".to_string(), Column::Number(values.collect())));
    let repeated = |value: fn(&MeasuredSpectrum) -> f64| {
        let values = spectra
            .iter()
            .flat_map(|it| std::iter::repeat_n(value(it), it.spectrum.values.len()));
        Column::Number(values.collect())
    };
    columns.push(("accuracy".to_string(), repeated(|it| it.spectrum.accuracy)));
    columns.push(("trace".to_string(), repeated(|it| it.spectrum.trace)));
    if spectra.iter().any(|it| it.spectrum.residuals.is_some()) {
        let residuals = spectra.iter().flat_map(|it| match &it.spectrum.residuals {
            Some(residuals) => residuals.clone(),
            None => vec![f64::NAN; it.spectrum.values.len()],
        });
        columns.push(("residual".to_string(), Column::Number(residuals.collect())));
    }
    columns
}

/// One row for each sample: `sample` (its number from 0), `accepted`, and what was found of it.
pub fn each_sample(samples: &[&Samples], levels: &LevelColumns) -> Columns {
    let rows = || samples.iter().map(|it| (&it.measurement, it.len()));
    let identity: Vec<_> = rows()
        .map(|(it, rows)| Identity::of_measurement(it, rows))
        .collect();
    let mut columns = keys::columns(&identity, levels);
    let numbers = rows().flat_map(|(_, rows)| (0..rows as u64).map(Some));
    columns.push(("sample".to_string(), Column::Integer(numbers.collect())));
    let accepted = samples.iter().flat_map(|it| match it.verdicts.is_empty() {
        true => vec![None; it.len()],
        false => it.verdicts.iter().map(Some).collect(),
    });
    columns.push(("accepted".to_string(), Column::Boolean(accepted.collect())));
    let mut names: Vec<&String> = Vec::new();
    for (name, _) in samples.iter().flat_map(|it| it.values.columns()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    for name in names {
        let values = samples.iter().flat_map(|it| {
            let found = it.values.columns().iter().find(|(known, _)| known == name);
            found.map_or_else(|| vec![f64::NAN; it.len()], |(_, values)| values.clone())
        });
        columns.push((name.clone(), Column::Number(values.collect())));
    }
    columns
}

/// Whether every word of `at`, as `FACTOR=LABEL`, is among `levels`.
pub fn is_at(levels: &[(String, String)], at: &[String]) -> bool {
    at.iter().all(|at| {
        levels
            .iter()
            .any(|(factor, label)| *at == format!("{factor}={label}"))
    })
}
