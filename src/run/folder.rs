//! The folder of a run: study, resolved study, manifest, results, tables and report.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use thiserror::Error;

use super::Manifest;
use crate::report::{self, Drawing, Report, ReportError, Table, Templates, Timing};
use crate::results::{FORMAT_VERSION, Results, Spectra};

const RESULTS: &str = "results.yaml";
/// JSON: thousands of numbers are no reading matter.
const SPECTRA: &str = "spectra.json";
const RESOLVED: &str = "resolved.yaml";

/// Everything that goes into a run's folder.
pub struct Contents<'a> {
    pub study_text: &'a str,
    /// The study with every default written out, as YAML.
    pub resolved: &'a str,
    pub manifest: &'a Manifest,
    pub results: &'a Results,
    pub spectra: &'a Spectra,
    pub tables: &'a [Table],
    pub figures: &'a [Drawing],
    pub timings: &'a [Timing],
}

/// Writes `reports/<slug>/<run>/`, complete or not at all. Returns the folder.
pub fn write(
    reports: &Path,
    slug: &str,
    run: &str,
    contents: &Contents,
    templates: &Templates,
) -> Result<PathBuf, RunError> {
    let parent = reports.join(slug);
    let fail = |path: &Path| {
        let path = path.to_path_buf();
        move |reason| RunError::Write { path, reason }
    };
    fs::create_dir_all(&parent).map_err(fail(&parent))?;
    let temporary = tempfile::Builder::new()
        .prefix(".new-")
        .permissions(permissions())
        .tempdir_in(&parent)
        .map_err(fail(&parent))?;
    let provenance = serde_json::to_value(contents.manifest).map_err(|e| fail(&parent)(e.into()))?;
    let report = Report {
        title: &contents.manifest.study,
        tables: contents.tables,
        figures: contents.figures,
        warnings: &contents.manifest.warnings,
        provenance: without_steps(provenance),
        timings: contents.timings,
        study: contents.study_text,
        resolved: contents.resolved,
    };
    report::write_all(temporary.path(), &report, templates)?;
    for (name, text) in [
        ("study.study", contents.study_text.to_string()),
        (RESOLVED, contents.resolved.to_string()),
        ("manifest.yaml", yaml(contents.manifest)),
        (RESULTS, yaml(contents.results)),
    ] {
        let path = temporary.path().join(name);
        fs::write(&path, text).map_err(fail(&path))?;
    }
    if !contents.spectra.spectra.is_empty() {
        let path = temporary.path().join(SPECTRA);
        let text = serde_json::to_string(contents.spectra).map_err(|e| fail(&path)(e.into()))?;
        fs::write(&path, text + "\n").map_err(fail(&path))?;
    }
    let mut folder = parent.join(run);
    let mut copy = 2;
    while folder.exists() {
        folder = parent.join(format!("{run}-{copy}"));
        copy += 1;
    }
    fs::rename(temporary.path(), &folder).map_err(fail(&folder))?;
    let _ = temporary.keep();
    Ok(folder)
}

fn yaml(value: &impl serde::Serialize) -> String {
    serde_yaml::to_string(value).expect("manifests and results are made of text, numbers, lists and maps")
}

/// The manifest for readers: warnings, and single steps with their times, are listed elsewhere.
fn without_steps(mut provenance: serde_json::Value) -> serde_json::Value {
    if let Some(map) = provenance.as_object_mut() {
        map.shift_remove("steps");
        map.shift_remove("warnings");
        map.shift_remove("format_version");
        if let Some(times) = map.get_mut("times").and_then(|times| times.as_object_mut()) {
            times.shift_remove("steps");
        }
    }
    provenance
}

/// A report is for everyone whom the user's umask admits.
fn permissions() -> fs::Permissions {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::Permissions::from_mode(0o777)
    }
    #[cfg(not(unix))]
    {
        fs::metadata(".")
            .map(|m| m.permissions())
            .expect("the current folder is there")
    }
}

/// The results of the run at `path`: its folder, or its `results.yaml`.
pub fn open_results(path: &Path) -> Result<Results, RunError> {
    let file = if path.is_dir() {
        path.join(RESULTS)
    } else {
        path.to_path_buf()
    };
    let text = fs::read_to_string(&file).map_err(|reason| RunError::Read {
        path: file.clone(),
        reason,
    })?;
    let results: Results = serde_yaml::from_str(&text).map_err(|error| RunError::Damaged {
        path: file.clone(),
        reason: error.to_string(),
    })?;
    if results.format_version != FORMAT_VERSION {
        let found = results.format_version;
        return Err(RunError::Format {
            path: file,
            found,
            known: FORMAT_VERSION,
        });
    }
    Ok(results)
}

/// The spectra of the run at `path`; none where it computed none.
pub fn open_spectra(path: &Path) -> Result<Spectra, RunError> {
    let folder = if path.is_dir() {
        path
    } else {
        path.parent().unwrap_or(path)
    };
    let file = folder.join(SPECTRA);
    let text = match fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Spectra::default()),
        Err(reason) => return Err(RunError::Read { path: file, reason }),
    };
    let spectra: Spectra = serde_json::from_str(&text).map_err(|error| RunError::Damaged {
        path: file.clone(),
        reason: error.to_string(),
    })?;
    match spectra.format_version {
        FORMAT_VERSION => Ok(spectra),
        found => Err(RunError::Format {
            path: file,
            found,
            known: FORMAT_VERSION,
        }),
    }
}

/// The resolved study of the run at `path`, if it is there.
pub fn open_settings(path: &Path) -> Option<serde_json::Value> {
    let folder = if path.is_dir() { path } else { path.parent()? };
    serde_yaml::from_str(&fs::read_to_string(folder.join(RESOLVED)).ok()?).ok()
}

/// Why a run cannot be written or read.
#[derive(Debug, Error, Diagnostic)]
pub enum RunError {
    #[error("cannot write `{}`: {reason}", path.display())]
    #[diagnostic(
        code(gradstudy::run::write),
        help(
            "name a folder that you may write to with `--reports-dir`; results are in the cache, a rerun is quick"
        )
    )]
    Write { path: PathBuf, reason: io::Error },
    #[error("cannot read `{}`: {reason}", path.display())]
    #[diagnostic(
        code(gradstudy::run::read),
        help("name the folder of a run, `reports/<study>/<run>`")
    )]
    Read { path: PathBuf, reason: io::Error },
    #[error("`{}` is damaged: {reason}", path.display())]
    #[diagnostic(
        code(gradstudy::run::damaged),
        help("run the study again: what is in the cache is reused")
    )]
    Damaged { path: PathBuf, reason: String },
    #[error("`{}` has format {found}, this gradstudy reads format {known}", path.display())]
    #[diagnostic(code(gradstudy::run::format), help("run the study again with this gradstudy"))]
    Format { path: PathBuf, found: u32, known: u32 },
    #[error(transparent)]
    #[diagnostic(transparent)]
    Report(#[from] ReportError),
}
