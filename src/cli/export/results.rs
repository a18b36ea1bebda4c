//! What a run found: outcomes, spectra, and the numbers of each row or column.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use safetensors::tensor::{Dtype, TensorView};
use serde_json::{Value, json};

use super::error::ExportError;
use super::{AlongWord, Export, What, extension, write_error, write_whole};
use crate::arrays::write::{Columns, csv, npy, parquet};
use crate::cli::{Failure, print};
use crate::results::{EffectiveNumbers, MeasuredSpectrum, Measurement, Results, Spectra};
use crate::run::tables::{self, Samples, is_at, measurement_name, spectrum_name};
use crate::run::{find, open_manifest, open_results, open_spectra};
use crate::stats::outcome::Direction;

/// Of the JSON; raised when a reader of the old layout would misread the new.
pub(super) const FORMAT_VERSION: u32 = 1;

const TABLES: &str = "name a `.parquet` or `.csv` file: outcomes are words and numbers";
const ARRAYS: &str = "name a `.parquet`, `.csv`, `.npy` or `.safetensors` file";

/// A run's results, as far as they were asked for.
struct Found {
    results: Results,
    /// Of the whole run, whatever was asked for.
    effective: EffectiveNumbers,
    spectra: Spectra,
    samples: Vec<Samples>,
}

impl Export {
    pub(super) fn results(&self) -> Result<ExitCode, Failure> {
        let folder = find(&self.reports.reports_dir, &self.what_of)?;
        let found = self.found(&folder)?;
        let Some(to) = &self.to else {
            match self.json {
                true => print(&listed_json(&folder, &found)),
                false => print(&listed(&found)),
            }
            return Ok(ExitCode::SUCCESS);
        };
        let said = match self.what.ok_or(ExportError::What)? {
            What::Outcomes => outcomes(to, &found)?,
            What::Spectra if found.spectra.spectra.is_empty() => {
                return Err(self.nothing(&folder, "spectra").into());
            }
            What::Spectra => spectra(to, &found.spectra.spectra.iter().collect::<Vec<_>>())?,
            What::Samples if found.samples.is_empty() => {
                return Err(self.nothing(&folder, "samples").into());
            }
            What::Samples => samples(to, &found.samples.iter().collect::<Vec<_>>())?,
        };
        print(&format!("{}: {said}\n", to.display()));
        Ok(ExitCode::SUCCESS)
    }

    /// What fits the options.
    fn found(&self, folder: &Path) -> Result<Found, Failure> {
        let fits = |name: &str, record: &str, seed: u64, levels: &[(String, String)]| {
            self.name.as_ref().is_none_or(|wanted| wanted == name)
                && self.record.as_ref().is_none_or(|wanted| wanted == record)
                && self.seed.is_none_or(|wanted| wanted == seed)
                && is_at(levels, &self.at)
        };
        let direction = self.along.map(|along| match along {
            AlongWord::Dimension => Direction::Dimension,
            AlongWord::Iteration => Direction::Iteration,
            AlongWord::Spectrum => Direction::Spectrum,
        });
        let mut results = open_results(folder)?;
        let effective = EffectiveNumbers::of(&results);
        results.measurements.retain(|it| {
            fits(&it.test, &it.record, it.seed, &it.levels)
                && direction.is_none_or(|wanted| wanted == it.direction)
        });
        let mut spectra = open_spectra(folder)?;
        spectra
            .spectra
            .retain(|it| fits(&it.name, &it.record, it.seed, &it.levels));
        let samples = tables::samples(folder, &results)?;
        Ok(Found {
            results,
            effective,
            spectra,
            samples,
        })
    }

    /// Why there is nothing: the options leave nothing, or the run never had any.
    fn nothing(&self, folder: &Path, what: &'static str) -> ExportError {
        let all = Export::everything(folder);
        let any = all.as_ref().is_some_and(|all| match what {
            "spectra" => !all.spectra.spectra.is_empty(),
            "samples" => !all.samples.is_empty(),
            _ => !all.results.measurements.is_empty(),
        });
        match all.filter(|_| any) {
            Some(all) => ExportError::WhichResults {
                found: 0,
                what,
                why: "",
                known: listed(&all),
            },
            None => ExportError::None {
                what,
                remedy: match open_manifest(folder) {
                    Ok(_) if what == "samples" && of_spectra(folder) => {
                        "samples are rows and columns of G, and its tests are of spectra: `--what outcomes` has what they \
                         found, `--what spectra` the eigenvalues"
                            .to_string()
                    }
                    Ok(manifest) if what == "samples" => format!(
                        "it was made by an older gradstudy, which kept none: `{} --cache-dir NEW`",
                        manifest.command
                    ),
                    _ => "its study has no `spectrum` statement".to_string(),
                },
            },
        }
    }

    fn everything(folder: &Path) -> Option<Found> {
        let results = open_results(folder).ok()?;
        Some(Found {
            spectra: open_spectra(folder).ok()?,
            samples: tables::samples(folder, &results).ok()?,
            effective: EffectiveNumbers::of(&results),
            results,
        })
    }
}

/// Whether the run in `folder` tested single samples alone.
fn of_spectra(folder: &Path) -> bool {
    let single = |it: &Measurement| it.direction == Direction::Spectrum;
    open_results(folder).is_ok_and(|results| results.measurements.iter().all(single))
}

fn outcomes(to: &Path, found: &Found) -> Result<String, ExportError> {
    let measurements: Vec<&Measurement> = found.results.measurements.iter().collect();
    if measurements.is_empty() {
        return Err(ExportError::WhichResults {
            found: 0,
            what: "outcomes",
            why: "",
            known: "without `--to` they are listed".to_string(),
        });
    }
    if !["parquet", "csv"].contains(&extension(to).as_str()) {
        return Err(ExportError::Format {
            path: to.to_path_buf(),
            formats: TABLES,
        });
    }
    table(to, &tables::outcomes(&measurements, &found.effective))
}

fn spectra(to: &Path, found: &[&MeasuredSpectrum]) -> Result<String, ExportError> {
    match (extension(to).as_str(), found) {
        ("parquet" | "csv", _) => table(to, &tables::spectra(found)),
        ("npy", [one]) => array(to, &[one.spectrum.values.len()], one.spectrum.values.clone()),
        ("npy", several) => Err(ExportError::WhichResults {
            found: several.len(),
            what: "spectra",
            why: ", as a .npy file holds one",
            known: lines(several.iter().map(|it| spectrum_line(it))),
        }),
        ("safetensors", _) => {
            let name = |it: &&MeasuredSpectrum| (spectrum_name(it), numbers(&it.spectrum.values));
            tensors(to, found.iter().map(name).collect())
        }
        _ => Err(ExportError::Format {
            path: to.to_path_buf(),
            formats: ARRAYS,
        }),
    }
}

fn samples(to: &Path, found: &[&Samples]) -> Result<String, ExportError> {
    match (extension(to).as_str(), found) {
        ("parquet" | "csv", _) => table(to, &tables::each_sample(found)),
        ("npy", [one]) if !one.values.is_empty() => {
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
            known: lines(several.iter().map(|it| sample_line(it))),
        }),
        ("safetensors", _) => {
            let mut all = Vec::new();
            for it in found {
                let name = measurement_name(&it.measurement);
                for (column, values) in it.values.columns() {
                    all.push((format!("{name}/{column}"), numbers(values)));
                }
                if !it.verdicts.is_empty() {
                    let verdicts = it.verdicts.iter().map(u8::from).collect();
                    all.push((format!("{name}/accepted"), (Dtype::U8, verdicts)));
                }
            }
            tensors(to, all)
        }
        _ => Err(ExportError::Format {
            path: to.to_path_buf(),
            formats: ARRAYS,
        }),
    }
}

fn table(to: &Path, columns: &Columns) -> Result<String, ExportError> {
    let write = |file: &mut (dyn Write + Send)| match extension(to).as_str() {
        "csv" => csv(columns, file),
        _ => parquet(columns, file),
    };
    write_whole(to, write).map_err(write_error(to))?;
    let rows = columns.first().map_or(0, |(_, column)| column.len());
    let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
    Ok(format!("{rows} rows of {}", names.join(", ")))
}

fn array(to: &Path, shape: &[usize], values: Vec<f64>) -> Result<String, ExportError> {
    let axes: Vec<u64> = shape.iter().map(|&axis| axis as u64).collect();
    write_whole(to, |file| npy(&axes, values, file)).map_err(write_error(to))?;
    Ok(format!("{shape:?}"))
}

type Tensor = (Dtype, Vec<u8>);

fn numbers(values: &[f64]) -> Tensor {
    (
        Dtype::F64,
        values.iter().flat_map(|value| value.to_le_bytes()).collect(),
    )
}

fn tensors(to: &Path, tensors: Vec<(String, Tensor)>) -> Result<String, ExportError> {
    let views: Result<Vec<_>, _> = tensors
        .iter()
        .map(|(name, (ty, bytes))| {
            let length = bytes.len() / if *ty == Dtype::U8 { 1 } else { 8 };
            TensorView::new(*ty, vec![length], bytes).map(|view| (name, view))
        })
        .collect();
    let bytes = views.and_then(|views| safetensors::serialize(views, None));
    let bytes = bytes.map_err(|error| write_error(to)(io::Error::other(error)))?;
    write_whole(to, |file| file.write_all(&bytes)).map_err(write_error(to))?;
    Ok(format!("{} tensors", tensors.len()))
}

fn options(name: &str, seed: u64, levels: &[(String, String)]) -> String {
    let levels = levels
        .iter()
        .map(|(factor, label)| format!(" --at {factor}={label}"));
    format!("--name {name} --seed {seed}{}", levels.collect::<String>())
}

fn spectrum_line(it: &MeasuredSpectrum) -> String {
    let options = options(&it.name, it.seed, &it.levels);
    format!("--what spectra {options}: {} values", it.spectrum.values.len())
}

fn sample_line(it: &Samples) -> String {
    let options = options(&it.measurement.test, it.measurement.seed, &it.measurement.levels);
    format!(
        "--what samples {options} --along {}: {} × {}",
        it.measurement.direction.word(),
        it.len(),
        names(it).join(", ")
    )
}

fn names(it: &Samples) -> Vec<&str> {
    let verdicts = (!it.verdicts.is_empty()).then_some("accepted");
    verdicts
        .into_iter()
        .chain(it.values.columns().iter().map(|(name, _)| name.as_str()))
        .collect()
}

fn lines(lines: impl Iterator<Item = String>) -> String {
    lines
        .map(|line| format!("  {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}

fn listed(found: &Found) -> String {
    let mut all = vec![format!(
        "--what outcomes: {} measurements",
        found.results.measurements.len()
    )];
    all.extend(found.spectra.spectra.iter().map(spectrum_line));
    all.extend(found.samples.iter().map(sample_line));
    lines(all.into_iter()) + "\n"
}

fn listed_json(folder: &Path, found: &Found) -> String {
    let spectrum = |it: &MeasuredSpectrum| -> Value {
        json!({"name": it.name, "record": it.record, "seed": it.seed, "levels": it.levels, "values": it.spectrum.values.len()})
    };
    let sample = |it: &Samples| -> Value {
        let of = &it.measurement;
        json!({
            "name": of.test, "record": of.record, "seed": of.seed, "levels": of.levels, "along": of.direction.word(),
            "samples": it.len(), "columns": names(it),
        })
    };
    let all = json!({
        "format_version": FORMAT_VERSION,
        "folder": folder,
        "outcomes": {"measurements": found.results.measurements.len()},
        "spectra": found.spectra.spectra.iter().map(spectrum).collect::<Vec<_>>(),
        "samples": found.samples.iter().map(sample).collect::<Vec<_>>(),
    });
    serde_json::to_string_pretty(&all).expect("words and numbers") + "\n"
}
