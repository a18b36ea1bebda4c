//! What was submitted: everything that a task needs to know, fixed when it was asked for.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::pack::Task;
use super::{MANIFEST, SubmissionError, make_folder, replace};
use crate::plan::StepId;
use crate::plan::units::{Estimate, UnitKind};
use crate::store::StoreError;
use crate::syntax::Source;

/// The layout of `manifest.json`; raised when a reader of the old layout would misread the new.
pub const FORMAT_VERSION: u32 = 1;

/// A submission. Its units are all of the plan's, so that their numbers stay; tasks are added with each round, so that a
/// task's number never comes to mean other work.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Manifest {
    pub format_version: u32,
    pub gradstudy: String,
    pub build: String,
    pub binary: Binary,
    /// Its title.
    pub study: String,
    pub slug: String,
    /// Hash of all steps.
    pub plan: String,
    /// The working directory: paths of data, and `source`, are from there.
    pub directory: PathBuf,
    /// The study's file, as it was named.
    pub source: PathBuf,
    pub profile: Option<String>,
    pub set: Vec<String>,
    /// The study and the files that it takes by `use` or `include`, the study first.
    pub texts: Vec<Text>,
    /// As it was given.
    pub data_dir: Option<PathBuf>,
    /// Where data sets are looked for, each with the reason.
    pub search: Vec<(String, PathBuf)>,
    pub cache: PathBuf,
    pub reports: PathBuf,
    /// Class of the device, which results are kept apart by.
    pub class: String,
    /// What the tasks compute on.
    pub device: String,
    /// The device as it was asked for.
    pub asked: String,
    pub precision: String,
    /// Bytes that a history may take in memory: routes follow from it.
    pub memory: u64,
    /// Bytes that one thing read whole from a file may take, as `--limit`; the default where it does not say.
    #[serde(default)]
    pub limit: Option<u64>,
    pub threads: u16,
    /// How often the study was submitted.
    pub round: u32,
    pub units: Vec<Unit>,
    pub tasks: Vec<Task>,
}

/// The program that submitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binary {
    pub path: PathBuf,
    pub blake3: String,
}

/// A text of the study, kept as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    /// Of the file that it is of, from the working directory.
    pub path: PathBuf,
    /// In the submission's folder.
    pub file: String,
}

/// A piece of the study.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Unit {
    /// Names its file of state.
    pub id: String,
    /// What it is, for people.
    pub label: String,
    pub kind: UnitKind,
    /// From operations and sizes alone.
    pub estimate: Estimate,
    /// By estimate, and by what others of its kind took here.
    pub seconds: f64,
    /// Peak memory, likewise, in bytes.
    pub bytes: u64,
    /// Its memory class, in MB.
    pub memory: u64,
    /// How often its class was doubled for want of memory.
    pub raised: u32,
    pub gpu: bool,
    /// The units that make its inputs.
    pub inputs: Vec<usize>,
    /// Ids of its steps, inputs first; those that are asked for by themselves are marked.
    pub steps: Vec<(StepId, bool)>,
}

impl Unit {
    /// The steps that are missing where the cache has them not.
    pub fn asked(&self) -> impl Iterator<Item = &StepId> {
        self.steps.iter().filter(|(_, asked)| *asked).map(|(id, _)| id)
    }
}

impl Binary {
    /// The program of this process.
    ///
    /// # Errors
    /// The system does not say where it is, or it cannot be read.
    pub fn this() -> Result<Binary, SubmissionError> {
        let unknown = PathBuf::from("gradstudy");
        let path = std::env::current_exe().map_err(|reason| StoreError::Read {
            path: unknown,
            reason,
        })?;
        let bytes = fs::read(&path).map_err(|reason| StoreError::Read {
            path: path.clone(),
            reason,
        })?;
        let blake3 = blake3::hash(&bytes).to_hex().to_string();
        Ok(Binary { path, blake3 })
    }
}

impl Manifest {
    /// Reads that of the submission in `folder`.
    ///
    /// # Errors
    /// It cannot be read, is damaged, or of another format.
    pub fn open(folder: &Path) -> Result<Manifest, SubmissionError> {
        let path = folder.join(MANIFEST);
        let bytes = fs::read(&path).map_err(|reason| StoreError::Read {
            path: path.clone(),
            reason,
        })?;
        let damaged = |reason: String| SubmissionError::Damaged {
            path: path.clone(),
            reason,
        };
        let manifest: Manifest = serde_json::from_slice(&bytes).map_err(|error| {
            #[derive(Deserialize)]
            struct Format {
                format_version: u32,
            }
            match serde_json::from_slice::<Format>(&bytes) {
                Ok(Format {
                    format_version: found,
                }) if found != FORMAT_VERSION => SubmissionError::Format {
                    path: path.clone(),
                    found,
                    known: FORMAT_VERSION,
                },
                _ => damaged(error.to_string()),
            }
        })?;
        let (units, tasks) = (manifest.units.len(), &manifest.tasks);
        let named = manifest.units.iter().flat_map(|unit| &unit.inputs);
        let mut named = named.chain(tasks.iter().flat_map(|task| &task.units));
        if named.any(|unit| *unit >= units) {
            return Err(damaged("it speaks of units that it has not".to_string()));
        }
        Ok(manifest)
    }

    /// Writes it, with the texts of the study.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, folder: &Path, texts: &[Source]) -> Result<(), SubmissionError> {
        for name in ["study", "scripts", "logs", "tasks", "ended"] {
            make_folder(&folder.join(name))?;
        }
        for (text, source) in self.texts.iter().zip(texts) {
            replace(&folder.join(&text.file), source.text.as_bytes())?;
        }
        let bytes = serde_json::to_vec(self).expect("a manifest is data");
        replace(&folder.join(MANIFEST), &bytes)
    }

    /// The study as it was submitted.
    ///
    /// # Errors
    /// A text cannot be read.
    pub fn source(&self, folder: &Path) -> Result<Source, SubmissionError> {
        let mut texts = Vec::new();
        for text in &self.texts {
            let path = folder.join(&text.file);
            let read = fs::read_to_string(&path).map_err(|reason| StoreError::Read { path, reason })?;
            texts.push((text.path.clone(), Arc::<str>::from(read)));
        }
        let Some((path, text)) = texts.first().cloned() else {
            let (path, reason) = (folder.join(MANIFEST), "it has no study".to_string());
            return Err(SubmissionError::Damaged { path, reason });
        };
        let mut source = Source::new(path, text);
        source.kept = texts.into();
        Ok(source)
    }
}
