//! The folder of a run: its data, and the documents made of them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::error::RunError;
use super::layout::{self, Layout};
use super::manifest::{self, Manifest};
use crate::figures;
use crate::plots;
use crate::report::{self, Drawing, Report, ReportError, Table, Templates, tabulate};
use crate::results::{self, Measurement, Results, Spectra};
use crate::stats::sample_values::{SampleValues, SampleValuesByStep};
use crate::stats::verdicts::{Verdicts, VerdictsByStep};
use crate::study::FigureSpec;

pub(super) const RESULTS: &str = "results.yaml";
/// JSON: thousands of numbers are no reading matter.
const SPECTRA: &str = "spectra.json";
const VERDICTS: &str = "verdicts.safetensors";
/// Numbers of each row and column, by step.
pub const SAMPLES: &str = "samples.safetensors";
const RESOLVED: &str = "resolved.yaml";
const LAYOUT: &str = "layout.yaml";
const STUDY: &str = "study.study";
/// A folder that has one is a run.
pub const MANIFEST: &str = "manifest.yaml";

/// A run as data: everything in its folder that is not a document made of the rest.
#[derive(Debug)]
pub struct Run {
    pub study_text: String,
    /// The study with every default written out, as YAML.
    pub resolved: String,
    pub manifest: Manifest,
    pub layout: Layout,
    pub results: Results,
    pub spectra: Spectra,
}

/// Makes the folder of reports of the study `slug`, and tries whether it can be written to: better before the work than
/// after.
///
/// # Errors
/// It cannot be made or written to.
pub fn check_writable(reports: &Path, slug: &str) -> Result<(), RunError> {
    let folder = reports.join(slug);
    fs::create_dir_all(&folder).map_err(write_error(&folder))?;
    tempfile::tempfile_in(&folder).map_err(write_error(&folder))?;
    Ok(())
}

impl Run {
    /// The tables that the study asked for.
    ///
    /// # Errors
    /// A column or key that this gradstudy does not know.
    pub fn tables(&self) -> Result<Vec<Table>, RunError> {
        let tables = self.layout.tables.iter();
        let tables = tables.map(|layout| {
            let table = tabulate(&self.results, &layout.spec, &layout.conventions)?;
            let definitions = layout.definitions.clone();
            Ok::<_, ReportError>(Table { definitions, ..table })
        });
        Ok(tables.collect::<Result<_, _>>()?)
    }

    fn figures(&self) -> Result<Vec<Drawing>, RunError> {
        let specs: Vec<FigureSpec> = self.layout.figures.iter().map(|it| it.spec.clone()).collect();
        let mut figures = plots::draw_all(&specs, &self.results, &self.spectra)?;
        for figure in &mut figures {
            let layout = self.layout.figures.iter().find(|it| it.spec.name == figure.name);
            if let Some(definitions) = layout.and_then(|layout| layout.definitions.as_ref()) {
                figure.caption = format!("{}. {definitions}", figure.caption.trim_end_matches('.'));
            }
        }
        Ok(figures.iter().map(figures::documents).collect::<Result<_, _>>()?)
    }

    /// What `check` doubts in the study, and what could not be made.
    pub fn warnings(&self) -> Vec<String> {
        let failures = self.manifest.failures.iter();
        let failures = failures.map(|it| format!("not made: {}: {}", it.what, it.message));
        self.manifest.warnings.iter().cloned().chain(failures).collect()
    }

    /// Writes every table, figure and report into `directory`; each file is whole or absent. Returns the files.
    ///
    /// # Errors
    /// What cannot be tabulated, drawn, rendered or written.
    pub fn render(&self, directory: &Path, templates: &Templates) -> Result<Vec<PathBuf>, RunError> {
        let (tables, figures) = (self.tables()?, self.figures()?);
        let provenance = serde_json::to_value(&self.manifest);
        let report = Report {
            title: &self.manifest.study,
            tables: &tables,
            figures: &figures,
            warnings: &self.warnings(),
            provenance: without_steps(provenance.map_err(|error| write_error(directory)(error.into()))?),
            timings: &self.manifest.timings(),
            study: &self.study_text,
            resolved: &self.resolved,
        };
        Ok(report::write_all(directory, &report, templates)?)
    }

    /// The last run of this study below `reports` if nothing in this one differs from it but times.
    pub fn written_before(&self, reports: &Path) -> Option<PathBuf> {
        let runs = super::find::all(reports).ok()?;
        let last = runs.into_iter().rfind(|run| run.slug == self.layout.slug)?;
        let mut manifest = open_manifest(&last.folder).ok()?;
        manifest.times = self.manifest.times.clone();
        (manifest == self.manifest).then_some(last.folder)
    }

    /// Writes `reports/<slug>/<name>/`, complete or not at all. Returns the folder: where there is one of that
    /// name already, another with a number behind.
    ///
    /// # Errors
    /// As for [`Run::render`].
    pub fn write(&self, reports: &Path, name: &str, templates: &Templates) -> Result<PathBuf, RunError> {
        let parent = reports.join(&self.layout.slug);
        fs::create_dir_all(&parent).map_err(write_error(&parent))?;
        let temporary = tempfile::Builder::new()
            .prefix(".new-")
            .permissions(permissions())
            .tempdir_in(&parent)
            .map_err(write_error(&parent))?;
        self.render(temporary.path(), templates)?;
        for (name, text) in [
            (STUDY, self.study_text.clone()),
            (RESOLVED, self.resolved.clone()),
            (LAYOUT, yaml(&self.layout)),
            (MANIFEST, yaml(&self.manifest)),
            (RESULTS, yaml(&self.results)),
        ] {
            let path = temporary.path().join(name);
            fs::write(&path, text).map_err(write_error(&path))?;
        }
        if !self.spectra.spectra.is_empty() {
            let path = temporary.path().join(SPECTRA);
            let text = serde_json::to_string(&self.spectra).map_err(|e| write_error(&path)(e.into()))?;
            fs::write(&path, text + "\n").map_err(write_error(&path))?;
        }
        let verdicts = verdicts(&self.results);
        if !verdicts.is_empty() {
            let path = temporary.path().join(VERDICTS);
            fs::write(&path, Verdicts::to_safetensors(&verdicts)).map_err(write_error(&path))?;
        }
        let samples = samples(&self.results);
        if !samples.is_empty() {
            let path = temporary.path().join(SAMPLES);
            fs::write(&path, SampleValues::to_safetensors(&samples)).map_err(write_error(&path))?;
        }
        let mut folder = parent.join(name);
        let mut copy = 2;
        while folder.exists() {
            folder = parent.join(format!("{name}-{copy}"));
            copy += 1;
        }
        fs::rename(temporary.path(), &folder).map_err(write_error(&folder))?;
        let _ = temporary.keep();
        Ok(folder)
    }

    /// The run in `folder`.
    ///
    /// # Errors
    /// A file that is missing, damaged or of another format.
    pub fn open(folder: &Path) -> Result<Self, RunError> {
        let text = |name: &str| {
            let path = folder.join(name);
            fs::read_to_string(&path).map_err(|reason| RunError::Read { path, reason })
        };
        let layout: Layout = read_yaml(&folder.join(LAYOUT))?;
        same_format(
            &folder.join(LAYOUT),
            layout.format_version,
            layout::FORMAT_VERSION,
        )?;
        Ok(Run {
            study_text: text(STUDY)?,
            resolved: text(RESOLVED)?,
            manifest: open_manifest(folder)?,
            layout,
            results: open_results(folder)?,
            spectra: open_spectra(folder)?,
        })
    }
}

fn write_error(path: &Path) -> impl FnOnce(io::Error) -> RunError + use<> {
    let path = path.to_path_buf();
    move |reason| RunError::Write { path, reason }
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

fn read_yaml<T: DeserializeOwned>(file: &Path) -> Result<T, RunError> {
    let path = file.to_path_buf();
    match fs::read_to_string(file) {
        Err(reason) => Err(RunError::Read { path, reason }),
        Ok(text) => serde_yaml::from_str(&text).map_err(|error| RunError::Damaged {
            path,
            reason: error.to_string(),
        }),
    }
}

fn same_format(file: &Path, found: u32, known: u32) -> Result<(), RunError> {
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
    let manifest: Manifest = read_yaml(&file)?;
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
    let mut results: Results = read_yaml(&file)?;
    same_format(&file, results.format_version, results::FORMAT_VERSION)?;
    let verdicts = open_verdicts(file.parent().unwrap_or(Path::new("")))?;
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
    let text = match fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Spectra::default()),
        Err(reason) => return Err(RunError::Read { path: file, reason }),
    };
    // serde_json rounds the last digit of what it reads; YAML, of which JSON is a part, is read exactly.
    let spectra: Spectra = serde_yaml::from_str(&text).map_err(|error| RunError::Damaged {
        path: file.clone(),
        reason: error.to_string(),
    })?;
    same_format(&file, spectra.format_version, results::FORMAT_VERSION)?;
    Ok(spectra)
}

/// The verdicts on the samples of each test that has more than one.
fn verdicts(results: &Results) -> VerdictsByStep {
    let of = |measurement: &Measurement| {
        let acceptance = measurement.outcome.acceptance()?;
        let kept = acceptance.tested > 1 && acceptance.verdicts.len() == acceptance.tested;
        kept.then(|| (measurement.step.clone(), acceptance.verdicts.clone()))
    };
    results.measurements.iter().filter_map(of).collect()
}

/// What each test of more than one sample found of each.
fn samples(results: &Results) -> SampleValuesByStep {
    let of = |measurement: &Measurement| {
        let samples = measurement
            .outcome
            .samples()
            .filter(|samples| !samples.is_empty())?;
        Some((measurement.step.clone(), samples.clone()))
    };
    results.measurements.iter().filter_map(of).collect()
}

/// What the run in `folder` found of each row or column, by step; none where it tested none, an older gradstudy did, or
/// the file was left out of what was handed on.
///
/// # Errors
/// It is damaged.
pub fn open_samples(folder: &Path) -> Result<SampleValuesByStep, RunError> {
    let path = folder.join(SAMPLES);
    match fs::read(&path) {
        Ok(bytes) => {
            SampleValues::from_safetensors(&bytes).map_err(|reason| RunError::Damaged { path, reason })
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(SampleValuesByStep::default()),
        Err(reason) => Err(RunError::Read { path, reason }),
    }
}

/// The verdicts of the run in `folder`; none where it tested no rows or columns, or an older gradstudy did.
fn open_verdicts(folder: &Path) -> Result<VerdictsByStep, RunError> {
    let path = folder.join(VERDICTS);
    match fs::read(&path) {
        Ok(bytes) => Verdicts::from_safetensors(&bytes).map_err(|reason| RunError::Damaged { path, reason }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(VerdictsByStep::default()),
        Err(reason) => Err(RunError::Read { path, reason }),
    }
}

/// Removes the run in `folder`.
///
/// # Errors
/// It is no run, or cannot be removed.
pub fn remove(folder: &Path) -> Result<(), RunError> {
    let manifest = folder.join(MANIFEST);
    fs::metadata(&manifest).map_err(|reason| RunError::Read {
        path: manifest,
        reason,
    })?;
    fs::remove_dir_all(folder).map_err(write_error(folder))
}

/// The resolved study of the run in `folder`, if it is there.
pub fn open_settings(folder: &Path) -> Option<serde_json::Value> {
    serde_yaml::from_str(&fs::read_to_string(folder.join(RESOLVED)).ok()?).ok()
}
