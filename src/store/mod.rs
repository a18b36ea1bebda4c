//! The cache of finished steps: one folder a step, complete or absent.
//!
//! A step's folder is `steps/<id>-<device class>/`: what was asked says which step it is, and results made on
//! another class of device are never taken for one's own. It is filled under a temporary name and renamed.

mod cost;
pub mod inventory;
mod lock;

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use thiserror::Error;

use crate::plan::{Step, StepId, StepKey};

pub use cost::StepCost;
pub use lock::StepLock;

/// The cache, as one class of device sees it.
#[derive(Debug, Clone)]
pub struct Store {
    steps: PathBuf,
    costs: PathBuf,
    class: String,
}

/// The file that says what was asked.
const KEY: &str = "key.json";

impl Store {
    /// The cache under `root` (made if it is not there) for devices of `class`.
    pub fn open(root: &Path, class: &str) -> Result<Self, StoreError> {
        let steps = root.join("steps");
        let costs = root.join("costs");
        for folder in [&steps, &costs] {
            fs::create_dir_all(folder).map_err(StoreError::write(folder))?;
        }
        Ok(Store {
            steps,
            costs,
            class: class.to_string(),
        })
    }

    /// Where a finished step's files are.
    pub fn directory(&self, id: &StepId) -> PathBuf {
        self.steps.join(format!("{}-{}", id.0, self.class))
    }

    /// Where an unfinished step keeps what it has.
    pub fn partial(&self, id: &StepId) -> PathBuf {
        self.steps.join(format!("{}-{}.partial", id.0, self.class))
    }

    /// Whether the step is finished.
    pub fn has(&self, id: &StepId) -> bool {
        self.directory(id).join(KEY).is_file()
    }

    /// Reads one file of a finished step.
    pub fn read(&self, id: &StepId, name: &str) -> Result<Vec<u8>, StoreError> {
        let path = self.directory(id).join(name);
        fs::read(&path).map_err(|reason| StoreError::Read { path, reason })
    }

    /// Makes a finished step of `files`.
    pub fn put(&self, step: &Step, files: &[(&str, &[u8])]) -> Result<(), StoreError> {
        let temporary = tempfile::Builder::new()
            .prefix(".new-")
            .tempdir_in(&self.steps)
            .map_err(StoreError::write(&self.steps))?;
        for (name, bytes) in files {
            write_file(&temporary.path().join(name), bytes)?;
        }
        self.publish(step, temporary.path())?;
        // Renamed away: there is nothing left to remove.
        let _ = temporary.keep();
        Ok(())
    }

    /// Makes a finished step of a folder that holds its files, by renaming the folder.
    pub fn publish(&self, step: &Step, folder: &Path) -> Result<(), StoreError> {
        let key = serde_json::to_vec_pretty(&step.key).map_err(io::Error::from);
        let key = key.map_err(StoreError::write(folder))?;
        write_file(&folder.join(KEY), &key)?;
        let target = self.directory(&step.id);
        if target.exists() {
            fs::remove_dir_all(&target).map_err(StoreError::write(&target))?;
        }
        fs::rename(folder, &target).map_err(StoreError::write(&target))
    }

    /// What was asked of a finished step; `None` if it is not here.
    pub fn key(&self, id: &str) -> Option<StepKey> {
        let folder = self.directory(&StepId(id.to_string()));
        serde_json::from_slice(&fs::read(folder.join(KEY)).ok()?).ok()
    }

    /// Bytes free on the disk of the cache; 0 if the system does not say.
    pub fn free_space(&self) -> u64 {
        fs4::available_space(&self.steps).unwrap_or(0)
    }

    /// Forgets an unfinished step.
    pub fn discard_partial(&self, id: &StepId) -> Result<(), StoreError> {
        let path = self.partial(id);
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(StoreError::write(&path)(error)),
            _ => Ok(()),
        }
    }
}

/// Writes a file whole, and knows that it reached the disk.
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let write = || {
        let mut file = File::create(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(StoreError::write(path))
}

/// Writes a file under a temporary name and renames it: readers see the old content or the new.
pub fn replace_file(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let temporary = path.with_extension("new");
    write_file(&temporary, bytes)?;
    fs::rename(&temporary, path).map_err(StoreError::write(path))
}

/// Why the cache cannot be used.
#[derive(Debug, Error, Diagnostic)]
pub enum StoreError {
    #[error("cannot write `{}`: {reason}", path.display())]
    #[diagnostic(
        code(gradstudy::store::write),
        help(
            "make room or choose another place with `--cache-dir`; finished steps are kept, so a rerun goes on"
        )
    )]
    Write { path: PathBuf, reason: io::Error },
    #[error("cannot read `{}`: {reason}", path.display())]
    #[diagnostic(
        code(gradstudy::store::read),
        help("remove that folder of the cache and run the study again")
    )]
    Read { path: PathBuf, reason: io::Error },
    #[error("`{}` is damaged: {reason}", path.display())]
    #[diagnostic(
        code(gradstudy::store::damaged),
        help("remove that folder of the cache and run the study again")
    )]
    Damaged { path: PathBuf, reason: String },
}

impl StoreError {
    /// For `map_err` after an attempt to write `path`.
    pub fn write(path: &Path) -> impl Fn(io::Error) -> StoreError + use<> {
        let path = path.to_path_buf();
        move |reason| StoreError::Write {
            path: path.clone(),
            reason,
        }
    }
}
