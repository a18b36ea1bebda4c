//! The folder of a run: its data, and the documents made of them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::contents;
use super::error::RunError;
use super::layout::{self, Layout};
use super::manifest::Manifest;
use super::open::{open_manifest, open_results, open_spectra, read_text, read_yaml, same_format};
use crate::figures;
use crate::plots;
use crate::report::{self, Drawing, Report, ReportError, Table, Templates, tabulate};
use crate::results::{Measurement, Results, Spectra};
use crate::stats::sample_values::{SampleValues, SampleValuesByStep};
use crate::stats::verdicts::{Verdicts, VerdictsByStep};
use crate::store::inventory::remove_folder;
use crate::store::leftovers::{sweep, temporary_prefix};
use crate::study::FigureSpec;

pub(super) const RESULTS: &str = "results.yaml";
/// JSON: thousands of numbers are no reading matter.
pub(super) const SPECTRA: &str = "spectra.json";
pub(super) const VERDICTS: &str = "verdicts.safetensors";
/// Numbers of each row and column, by step.
pub const SAMPLES: &str = "samples.safetensors";
pub(super) const RESOLVED: &str = "resolved.yaml";
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

/// What was made of a run.
#[derive(Debug)]
pub struct Rendered {
    pub files: Vec<PathBuf>,
    /// Why figures could not be drawn.
    pub undrawn: Vec<String>,
}

/// Makes the folder of reports of the study `slug`, removes what killed runs left half-written there, and tries whether it
/// can be written to: better before the work than after.
///
/// # Errors
/// It cannot be made or written to.
pub fn check_writable(reports: &Path, slug: &str) -> Result<(), RunError> {
    let folder = reports.join(slug);
    fs::create_dir_all(&folder).map_err(write_error(&folder))?;
    sweep(&folder);
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

    /// The figures that the study asked for, and why others cannot be drawn.
    fn figures(&self) -> Result<(Vec<Drawing>, Vec<String>), RunError> {
        let specs: Vec<FigureSpec> = self.layout.figures.iter().map(|it| it.spec.clone()).collect();
        let (mut figures, undrawn) = plots::draw_all(&specs, &self.results, &self.spectra)?;
        let mut undrawn: Vec<String> = undrawn.iter().map(|error| error.to_string()).collect();
        for figure in &mut figures {
            let layout = self.layout.figures.iter().find(|it| it.spec.name == figure.name);
            if let Some(definitions) = layout.and_then(|layout| layout.definitions.as_ref()) {
                figure.caption = format!("{}. {definitions}", figure.caption.trim_end_matches('.'));
            }
        }
        let mut drawings = Vec::new();
        for figure in &figures {
            match figures::documents(figure) {
                Ok(drawing) => drawings.push(drawing),
                Err(error) => undrawn.push(error.to_string()),
            }
        }
        Ok((drawings, undrawn))
    }

    /// What `check` doubts in the study, and what could not be made.
    pub fn warnings(&self) -> Vec<String> {
        let failures = self.manifest.failures.iter();
        let failures = failures.map(|it| format!("not made: {}: {}", it.what, it.message));
        self.manifest.warnings.iter().cloned().chain(failures).collect()
    }

    /// Writes every table, figure and report into `directory`; each file is whole or absent. A figure that cannot be drawn
    /// is named in the report.
    ///
    /// # Errors
    /// What cannot be tabulated, rendered or written.
    pub fn render(&self, directory: &Path, templates: &Templates) -> Result<Rendered, RunError> {
        let (tables, (figures, undrawn)) = (self.tables()?, self.figures()?);
        let warnings = [self.warnings(), undrawn.clone()].concat();
        let provenance = serde_json::to_value(&self.manifest);
        let report = Report {
            title: &self.manifest.study,
            tables: &tables,
            figures: &figures,
            warnings: &warnings,
            provenance: without_steps(provenance.map_err(|error| write_error(directory)(error.into()))?),
            timings: &self.manifest.timings(),
            study: &self.study_text,
            resolved: &self.resolved,
        };
        Ok(Rendered {
            files: report::write_all(directory, &report, templates)?,
            undrawn,
        })
    }

    /// The last run of this study below `reports` if nothing in this one differs from it but times, and its files are as
    /// they were written.
    pub fn written_before(&self, reports: &Path) -> Option<PathBuf> {
        let runs = super::find::all(reports).ok()?;
        let last = runs.into_iter().rfind(|run| run.slug == self.layout.slug)?;
        let mut manifest = open_manifest(&last.folder).ok()?;
        manifest.times = self.manifest.times.clone();
        let written = std::mem::take(&mut manifest.contents);
        manifest.undrawn.clone_from(&self.manifest.undrawn);
        let same = manifest == self.manifest && contents::is_whole(&last.folder, &written);
        same.then_some(last.folder)
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
            .prefix(&temporary_prefix())
            .permissions(permissions())
            .tempdir_in(&parent)
            .map_err(write_error(&parent))?;
        let rendered = self.render(temporary.path(), templates)?;
        let mut manifest = self.manifest.clone();
        manifest.undrawn = rendered.undrawn;
        let mut write = |name: &str, bytes: &[u8]| {
            manifest
                .contents
                .insert(name.to_string(), crate::integrity::hash(bytes));
            let path = temporary.path().join(name);
            fs::write(&path, bytes).map_err(write_error(&path))
        };
        write(STUDY, self.study_text.as_bytes())?;
        write(RESOLVED, self.resolved.as_bytes())?;
        write(LAYOUT, yaml(&self.layout).as_bytes())?;
        write(RESULTS, yaml(&self.results).as_bytes())?;
        if !self.spectra.spectra.is_empty() {
            let text = serde_json::to_string(&self.spectra);
            let text = text.map_err(|error| write_error(temporary.path())(error.into()))?;
            write(SPECTRA, (text + "\n").as_bytes())?;
        }
        let verdicts = verdicts(&self.results);
        if !verdicts.is_empty() {
            write(VERDICTS, &Verdicts::to_safetensors(&verdicts))?;
        }
        let samples = samples(&self.results);
        if !samples.is_empty() {
            write(SAMPLES, &SampleValues::to_safetensors(&samples))?;
        }
        let path = temporary.path().join(MANIFEST);
        fs::write(&path, contents::sealed(&yaml(&manifest))).map_err(write_error(&path))?;
        sync_contents(temporary.path())?;
        let folder = named(temporary.path(), &parent, name)?;
        let _ = temporary.keep();
        sync(&parent)?;
        Ok(folder)
    }

    /// The run in `folder`.
    ///
    /// # Errors
    /// A file that is missing, damaged or of another format.
    pub fn open(folder: &Path) -> Result<Self, RunError> {
        let layout: Layout = read_yaml(folder, LAYOUT)?;
        same_format(
            &folder.join(LAYOUT),
            layout.format_version,
            layout::FORMAT_VERSION,
        )?;
        Ok(Run {
            study_text: read_text(folder, STUDY)?,
            resolved: read_text(folder, RESOLVED)?,
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
        map.shift_remove("contents");
        map.shift_remove("undrawn");
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

/// Gives the folder of a run its name in `parent`: with a number behind where another run has it.
fn named(folder: &Path, parent: &Path, name: &str) -> Result<PathBuf, RunError> {
    let with_number = (2..).map(|copy| format!("{name}-{copy}"));
    for name in std::iter::once(name.to_string()).chain(with_number) {
        let target = parent.join(name);
        if target.exists() {
            continue;
        }
        match fs::rename(folder, &target) {
            // Another process was first.
            Err(_) if target.exists() && folder.exists() => {}
            Err(reason) => return Err(write_error(&target)(reason)),
            Ok(()) => return Ok(target),
        }
    }
    unreachable!("numbers do not end")
}

/// Has every file of a run on the disk, so that a loss of power does not take what has its name: all at once, which the disk
/// does together.
fn sync_contents(folder: &Path) -> Result<(), RunError> {
    let entries = fs::read_dir(folder).map_err(write_error(folder))?;
    let paths: Result<Vec<PathBuf>, io::Error> = entries.map(|entry| Ok(entry?.path())).collect();
    let paths = paths.map_err(write_error(folder))?;
    paths.par_iter().try_for_each(|path| sync(path))?;
    sync(folder)
}

/// Has a file, or the names in a folder, on the disk.
fn sync(path: &Path) -> Result<(), RunError> {
    // Windows has no such call for folders.
    match cfg!(unix) || path.is_file() {
        true => fs::File::open(path)
            .and_then(|file| file.sync_all())
            .map_err(write_error(path)),
        false => Ok(()),
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
    remove_folder(folder).map_err(write_error(folder))
}
