//! Reads the files of a run's folder, each as it was written.

use std::io;
use std::path::Path;

use serde::de::DeserializeOwned;

use super::contents;
use super::error::RunError;
use super::folder::{MANIFEST, RESOLVED, RESULTS, SAMPLES, SPECTRA, VERDICTS};
use super::manifest::{self, Manifest};
use crate::results::{self, Results, Spectra};
use crate::stats::sample_values::{SampleValues, SampleValuesByStep};
use crate::stats::verdicts::{Verdicts, VerdictsByStep};

/// A file of a run that has to be there.
pub(super) fn read_text(folder: &Path, name: &str) -> Result<String, RunError> {
    let path = folder.join(name);
    let bytes = contents::read(folder, name)?.ok_or_else(|| RunError::Read {
        path: path.clone(),
        reason: io::ErrorKind::NotFound.into(),
    })?;
    String::from_utf8(bytes).map_err(|error| RunError::Damaged {
        path,
        reason: error.to_string(),
    })
}

/// A file of a run that has to be there, as data.
pub(super) fn read_yaml<T: DeserializeOwned>(folder: &Path, name: &str) -> Result<T, RunError> {
    from_yaml(&read_text(folder, name)?, &folder.join(name))
}

fn from_yaml<T: DeserializeOwned>(text: &str, path: &Path) -> Result<T, RunError> {
    serde_yaml::from_str(text).map_err(|error| RunError::Damaged {
        path: path.to_path_buf(),
        reason: error.to_string(),
    })
}

/// Refuses a file of another layout than this gradstudy reads.
pub(super) fn same_format(file: &Path, found: u32, known: u32) -> Result<(), RunError> {
    match found == known {
        true => Ok(()),
        false => Err(RunError::Format {
            path: file.to_path_buf(),
            found,
            known,
        }),
    }
}

/// The manifest of the run in `folder`.
///
/// # Errors
/// It is missing, damaged or of another format.
pub fn open_manifest(folder: &Path) -> Result<Manifest, RunError> {
    let file = folder.join(MANIFEST);
    let manifest: Manifest = from_yaml(&contents::manifest(folder)?, &file)?;
    same_format(&file, manifest.format_version, manifest::FORMAT_VERSION)?;
    Ok(manifest)
}

/// The results of the run at `path`: its folder, or its `results.yaml`; with the verdict on each sample where the
/// run has them.
///
/// # Errors
/// They are missing, damaged or of another format.
pub fn open_results(path: &Path) -> Result<Results, RunError> {
    let file = match path.is_dir() {
        true => path.join(RESULTS),
        false => path.to_path_buf(),
    };
    let folder = file.parent().unwrap_or(Path::new(""));
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let mut results: Results = read_yaml(folder, &name)?;
    same_format(&file, results.format_version, results::FORMAT_VERSION)?;
    let verdicts = open_verdicts(folder)?;
    for measurement in &mut results.measurements {
        let tested = measurement
            .outcome
            .acceptance()
            .map(|acceptance| acceptance.tested);
        let verdicts = verdicts
            .get(&measurement.step)
            .filter(|it| Some(it.len()) == tested);
        measurement
            .outcome
            .set_verdicts(verdicts.cloned().unwrap_or_default());
    }
    Ok(results)
}

/// The spectra of the run in `folder`; none where it computed none.
///
/// # Errors
/// They are damaged or of another format.
pub fn open_spectra(folder: &Path) -> Result<Spectra, RunError> {
    let file = folder.join(SPECTRA);
    let Some(bytes) = contents::read(folder, SPECTRA)? else {
        return Ok(Spectra::default());
    };
    // JSON is a part of YAML.
    let spectra: Spectra = serde_yaml::from_slice(&bytes).map_err(|error| RunError::Damaged {
        path: file.clone(),
        reason: error.to_string(),
    })?;
    same_format(&file, spectra.format_version, results::FORMAT_VERSION)?;
    Ok(spectra)
}

/// What the run in `folder` found of each row or column, by step; none where it tested none, an older gradstudy did, or
/// the file was left out of what was handed on.
///
/// # Errors
/// It is damaged.
pub fn open_samples(folder: &Path) -> Result<SampleValuesByStep, RunError> {
    match contents::read(folder, SAMPLES)? {
        Some(bytes) => SampleValues::from_safetensors(&bytes).map_err(|reason| RunError::Damaged {
            path: folder.join(SAMPLES),
            reason,
        }),
        None => Ok(SampleValuesByStep::default()),
    }
}

/// The verdicts of the run in `folder`; none where it tested no rows or columns, or an older gradstudy did.
fn open_verdicts(folder: &Path) -> Result<VerdictsByStep, RunError> {
    match contents::read(folder, VERDICTS)? {
        Some(bytes) => Verdicts::from_safetensors(&bytes).map_err(|reason| RunError::Damaged {
            path: folder.join(VERDICTS),
            reason,
        }),
        None => Ok(VerdictsByStep::default()),
    }
}

/// The resolved study of the run in `folder`, if it is there and as it was written.
pub fn open_settings(folder: &Path) -> Option<serde_json::Value> {
    serde_yaml::from_slice(&contents::read(folder, RESOLVED).ok()??).ok()
}
