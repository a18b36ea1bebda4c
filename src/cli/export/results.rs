//! What a run found: outcomes, spectra, and the numbers of each row or column.

use std::collections::HashMap;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use serde_json::{Map, Value, json};

use super::error::ExportError;
use super::reasons::why_no_samples;
use super::{AlongWord, Export, What, extension, listing, write_error, write_whole};
use crate::arrays::write::{self, Columns, Tensor};
use crate::cli::{Failure, print};
use crate::results::{EffectiveNumbers, MeasuredSpectrum, Measurement, Results, Spectra};
use crate::run::keys::{self, measurement_name, spectrum_name};
use crate::run::levels::LevelColumns;
use crate::run::tables::{self, Samples, is_at};
use crate::run::{find, open_manifest, open_results, open_settings, open_spectra};
use crate::stats::outcome::Direction;

const TABLES: &str = "name a `.parquet` or `.csv` file: outcomes are words and numbers";
const ARRAYS: &str = "name a `.parquet`, `.csv`, `.npy` or `.safetensors` file";

/// A run's results, as far as they were asked for.
pub(super) struct Found {
    pub results: Results,
    pub spectra: Spectra,
    pub samples: Vec<Samples>,
    /// Of the whole run.
    pub levels: LevelColumns,
    pub effective: EffectiveNumbers,
}

impl Export {
    pub(super) fn results(&self) -> Result<ExitCode, Failure> {
        let folder = find(&self.reports.reports_dir, &self.what_of)?;
        let found = self.found(&folder)?;
        let Some(to) = &self.to else {
            match self.json {
                true => print(&listing::json(&folder, &found)),
                false => print(&listing::text(&found)),
            }
            return Ok(ExitCode::SUCCESS);
        };
        let what = self.what.ok_or(ExportError::What)?;
        let said = match what {
            What::Outcomes if found.results.measurements.is_empty() => {
                return Err(nothing(&folder, what)?.into());
            }
            What::Spectra if found.spectra.spectra.is_empty() => return Err(nothing(&folder, what)?.into()),
            What::Samples if found.results.measurements.is_empty() => {
                return Err(nothing(&folder, what)?.into());
            }
            What::Samples if found.samples.is_empty() => {
                return Err(why_no_samples(&folder, &found.results.measurements).into());
            }
            What::Outcomes => outcomes(to, &found)?,
            What::Spectra => spectra(to, &found)?,
            _ => samples(to, &folder, &found)?,
        };
        print(&format!("{}: {said}\n", to.display()));
        Ok(ExitCode::SUCCESS)
    }

    /// What fits the options.
    fn found(&self, folder: &Path) -> Result<Found, Failure> {
        let fits =
            |name: &str, record: &str, layers: &Option<String>, seed: u64, levels: &[(String, String)]| {
                self.name.as_ref().is_none_or(|wanted| wanted == name)
                    && self.record.as_ref().is_none_or(|wanted| wanted == record)
                    && self
                        .layers
                        .as_ref()
                        .is_none_or(|wanted| Some(wanted) == layers.as_ref())
                    && self.seed.is_none_or(|wanted| wanted == seed)
                    && is_at(levels, &self.at)
            };
        let direction = self.along.map(|along| match along {
            AlongWord::Dimension => Direction::Dimension,
            AlongWord::Iteration => Direction::Iteration,
            AlongWord::Spectrum => Direction::Spectrum,
        });
        let mut found = everything(folder)?;
        let measured = |it: &Measurement| {
            fits(&it.test, &it.record, &it.subject.layers, it.seed, &it.levels)
                && direction.is_none_or(|wanted| wanted == it.direction)
        };
        found.results.measurements.retain(measured);
        found.samples.retain(|it| measured(&it.measurement));
        found
            .spectra
            .spectra
            .retain(|it| fits(&it.name, &it.record, &it.subject.layers, it.seed, &it.levels));
        Ok(found)
    }
}

fn everything(folder: &Path) -> Result<Found, Failure> {
    let (results, spectra) = (open_results(folder)?, open_spectra(folder)?);
    Ok(Found {
        samples: tables::samples(folder, &results)?,
        levels: LevelColumns::of(&results, &spectra),
        effective: EffectiveNumbers::of(&results),
        results,
        spectra,
    })
}

/// Why no measurement or spectrum fits: the options leave none, or the run has none.
fn nothing(folder: &Path, what: What) -> Result<ExportError, Failure> {
    let all = everything(folder)?;
    let (kind, any) = match what {
        What::Spectra => ("spectra", !all.spectra.spectra.is_empty()),
        What::Samples => ("samples", !all.samples.is_empty()),
        _ => ("outcomes", !all.results.measurements.is_empty()),
    };
    if any {
        return Ok(ExportError::WhichResults {
            found: 0,
            what: kind,
            why: "",
            known: listing::of(&all, what),
        });
    }
    if what == What::Samples && !all.results.measurements.is_empty() {
        return Ok(why_no_samples(folder, &all.results.measurements));
    }
    let has_spectra = || {
        let settings = open_settings(folder)?;
        let mut cases = settings.get("cases")?.as_array()?.iter();
        Some(cases.any(|case| case.get("spectra").is_some()))
    };
    let remedy = match what {
        What::Spectra if has_spectra() == Some(true) => format!(
            "`spectra.json` is not in `{}`: copy it there from the run, or make it again: `{}`",
            folder.display(),
            open_manifest(folder)?.command
        ),
        What::Spectra => "its study has no `spectrum` statement".to_string(),
        _ => "its study has no `test` statement".to_string(),
    };
    Ok(ExportError::None { what: kind, remedy })
}

fn outcomes(to: &Path, found: &Found) -> Result<String, ExportError> {
    if !["parquet", "csv"].contains(&extension(to).as_str()) {
        return Err(ExportError::Format {
            path: to.to_path_buf(),
            formats: TABLES,
        });
    }
    let measurements: Vec<&Measurement> = found.results.measurements.iter().collect();
    table(
        to,
        &tables::outcomes(&measurements, &found.levels, &found.effective),
    )
}

fn spectra(to: &Path, found: &Found) -> Result<String, ExportError> {
    let all: Vec<&MeasuredSpectrum> = found.spectra.spectra.iter().collect();
    match (extension(to).as_str(), &all[..]) {
        ("parquet" | "csv", _) => table(to, &tables::spectra(&all, &found.levels)),
        ("npy", [one]) => array(to, &[one.spectrum.values.len()], one.spectrum.values.clone()),
        ("npy", several) => Err(ExportError::WhichResults {
            found: several.len(),
            what: "spectra",
            why: ", as a .npy file holds one",
            known: listing::of(found, What::Spectra),
        }),
        ("safetensors", _) => {
            let mut tensors = Vec::new();
            for it in &all {
                let name = spectrum_name(it);
                tensors.extend(
                    it.spectrum
                        .residuals
                        .as_ref()
                        .map(|residuals| Tensor::of_numbers(format!("{name}/residual"), residuals)),
                );
                tensors.push(Tensor::of_numbers(name, &it.spectrum.values));
            }
            let names = all.iter().map(|it| spectrum_name(it));
            write_tensors(
                to,
                &tensors,
                names,
                keys::keys_of_spectra(all.iter().copied(), &found.levels),
            )
        }
        _ => Err(ExportError::Format {
            path: to.to_path_buf(),
            formats: ARRAYS,
        }),
    }
}

fn samples(to: &Path, folder: &Path, found: &Found) -> Result<String, ExportError> {
    let all: Vec<&Samples> = found.samples.iter().collect();
    match (extension(to).as_str(), &all[..]) {
        ("parquet" | "csv", _) => table(to, &tables::each_sample(&all, &found.levels)),
        // Of what only verdicts are known.
        ("npy", [one]) if one.values.is_empty() => {
            Err(why_no_samples(folder, std::slice::from_ref(&one.measurement)))
        }
        ("npy", [one]) => {
            let columns = one.values.columns();
            let rows = (0..one.len()).flat_map(|row| columns.iter().map(move |(_, values)| values[row]));
            let said = array(to, &[one.len(), columns.len()], rows.collect())?;
            let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
            Ok(format!("{said} of {}", names.join(", ")))
        }
        ("npy", several) => Err(ExportError::WhichResults {
            found: several.len(),
            what: "tests of several samples",
            why: ", as a .npy file holds the numbers of one",
            known: listing::of(found, What::Samples),
        }),
        ("safetensors", _) => {
            let mut tensors = Vec::new();
            for it in &all {
                let name = measurement_name(&it.measurement);
                for (column, values) in it.values.columns() {
                    tensors.push(Tensor::of_numbers(format!("{name}/{column}"), values));
                }
                if !it.verdicts.is_empty() {
                    tensors.push(Tensor::of_booleans(
                        format!("{name}/accepted"),
                        it.verdicts.iter(),
                    ));
                }
            }
            let measurements = || all.iter().map(|it| &it.measurement);
            let keys = keys::keys_of_measurements(measurements(), &found.levels);
            write_tensors(to, &tensors, measurements().map(measurement_name), keys)
        }
        _ => Err(ExportError::Format {
            path: to.to_path_buf(),
            formats: ARRAYS,
        }),
    }
}

pub(super) fn table(to: &Path, columns: &Columns) -> Result<String, ExportError> {
    let write = |file: &mut (dyn Write + Send)| match extension(to).as_str() {
        "csv" => write::csv(columns, file),
        _ => write::parquet(columns, file),
    };
    write_whole(to, write).map_err(write_error(to))?;
    let rows = columns.first().map_or(0, |(_, column)| column.len());
    let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
    Ok(format!("{rows} rows of {}", names.join(", ")))
}

pub(super) fn array<T: npyz::AutoSerialize>(
    to: &Path,
    shape: &[usize],
    values: Vec<T>,
) -> Result<String, ExportError> {
    let axes: Vec<u64> = shape.iter().map(|&axis| axis as u64).collect();
    write_whole(to, |file| write::npy(&axes, values, file)).map_err(write_error(to))?;
    Ok(format!("{shape:?}"))
}

/// Writes `tensors`, whose names begin with `names`; the metadata `keys` says what each of those is of.
fn write_tensors(
    to: &Path,
    tensors: &[Tensor],
    names: impl Iterator<Item = String>,
    keys: Vec<Value>,
) -> Result<String, ExportError> {
    let keys: Map<String, Value> = names.zip(keys).collect();
    let facts = HashMap::from([("keys".to_string(), json!(keys).to_string())]);
    write_whole(to, |file| write::safetensors(tensors, facts, file)).map_err(write_error(to))?;
    Ok(format!("{} tensors", tensors.len()))
}
