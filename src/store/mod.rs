//! The cache of finished steps: one folder a step, complete or absent.
//!
//! A step's folder is `steps/<id>-<device class>/`: what was asked says which step it is, and results made on
//! another class of device are never taken for one's own. It is filled under a temporary name and renamed. Each of its files
//! is checked against its hash before it is read; a damaged step is set aside and made again.

mod cache_lock;
mod contents;
mod cost;
pub mod inventory;
pub mod leftovers;
mod lock;

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use miette::Diagnostic;
use thiserror::Error;

use crate::integrity::Block;
use crate::plan::{Step, StepId, StepKey};

pub use cache_lock::{CacheLock, has_no_locks};
pub use contents::Extent;
pub use cost::StepCost;
pub use leftovers::temporary_name;
pub use lock::StepLock;

/// The cache, as one class of device sees it.
#[derive(Debug, Clone)]
pub struct Store {
    steps: PathBuf,
    costs: PathBuf,
    class: String,
    /// Folders that were looked at, as they were then, and what of them is damaged.
    looked_at: Arc<Mutex<HashMap<(PathBuf, bool), Looked>>>,
}

/// What tells whether a step was published anew, and the file of it that is damaged.
type Looked = (Stamp, Option<String>);

/// When `key.json` was written, and its length.
type Stamp = (Option<SystemTime>, u64);

/// The file that says what was asked.
const KEY: &str = "key.json";

/// What names of folders of damaged steps begin with.
const DAMAGED: &str = ".damaged-";

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
            looked_at: Arc::default(),
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

    /// Whether the step is finished, and as it was written: its small files whole, its large ones of their length.
    pub fn has(&self, id: &StepId) -> bool {
        self.directory(id).join(KEY).is_file() && self.damage(id, Extent::Small).is_none()
    }

    /// The file of a finished step that is not as it was written; `None` where all are, or there is no such step.
    pub fn damage(&self, id: &StepId, extent: Extent) -> Option<String> {
        let folder = self.directory(id);
        let key = fs::metadata(folder.join(KEY)).ok()?;
        let stamp = (key.modified().ok(), key.len());
        let place = (folder, extent == Extent::All);
        let looked_at = || self.looked_at.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, damage)) = looked_at().get(&place)
            && *of == stamp
        {
            return damage.clone();
        }
        let damage = contents::damaged(&place.0, extent);
        looked_at().insert(place, (stamp, damage.clone()));
        damage
    }

    /// Whether the step is finished and every byte of it as it was written; a damaged one is set aside, and `warn` is
    /// told.
    ///
    /// # Errors
    /// A damaged step cannot be moved.
    pub fn has_whole(&self, id: &StepId, warn: &dyn Fn(&str)) -> Result<bool, StoreError> {
        let folder = self.directory(id);
        if !folder.join(KEY).is_file() {
            return Ok(false);
        }
        let Some(file) = self.damage(id, Extent::All) else {
            return Ok(true);
        };
        let aside = self.set_aside(&folder)?;
        warn(&format!(
            "`{}` of step {} in the cache is not as it was written: the step is made again, and what was there is kept in `{}`",
            file,
            id.short(),
            aside.display(),
        ));
        Ok(false)
    }

    /// Renames the folder of a damaged step.
    fn set_aside(&self, folder: &Path) -> Result<PathBuf, StoreError> {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let aside = |number: u32| self.steps.join(format!("{DAMAGED}{name}-{number}"));
        let free = (1..).map(aside).find(|path| !path.exists());
        let free = free.expect("numbers do not end before folders do");
        match fs::rename(folder, &free) {
            // Another process was first.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(free),
            Err(error) => Err(StoreError::write(folder)(error)),
            Ok(()) => Ok(free),
        }
    }

    /// Reads one file of a finished step.
    pub fn read(&self, id: &StepId, name: &str) -> Result<Vec<u8>, StoreError> {
        let path = self.directory(id).join(name);
        fs::read(&path).map_err(|reason| StoreError::Read { path, reason })
    }

    /// Makes a finished step of `files`.
    pub fn put(&self, step: &Step, files: &[(&str, &[u8])]) -> Result<(), StoreError> {
        let temporary = tempfile::Builder::new()
            .prefix(&leftovers::temporary_prefix())
            .tempdir_in(&self.steps)
            .map_err(StoreError::write(&self.steps))?;
        for (name, bytes) in files {
            write_file(&temporary.path().join(name), bytes)?;
        }
        self.publish(step, temporary.path(), &[])?;
        // Renamed away, or removed where another process was first: there is nothing left to remove.
        let _ = temporary.keep();
        Ok(())
    }

    /// Makes a finished step of a folder that holds its files, by renaming the folder. Where another process has made the
    /// step meanwhile, its result stays, and the folder is removed. Hashes of files that are `known` are not made again.
    ///
    /// # Errors
    /// Nothing can be written; the folder is then where it was.
    pub fn publish(&self, step: &Step, folder: &Path, known: &[(&str, &[Block])]) -> Result<(), StoreError> {
        contents::describe(&step.key, folder, known)?;
        let target = self.directory(&step.id);
        let rename = || fs::rename(folder, &target).map_err(StoreError::write(&target));
        if let Err(error) = rename() {
            // There may be a folder that is not empty.
            if !target.is_dir() {
                return Err(error);
            }
            if target.join(KEY).is_file() && self.damage(&step.id, Extent::All).is_none() {
                return fs::remove_dir_all(folder).map_err(StoreError::write(folder));
            }
            self.set_aside(&target)?;
            rename()?;
        }
        sync_folder(&self.steps)
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

/// Writes a file under a temporary name and renames it: readers see the old content or the new, also after a loss of
/// power.
pub fn replace_file(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let temporary = temporary_name(path);
    let written = write_file(&temporary, bytes)
        .and_then(|()| fs::rename(&temporary, path).map_err(StoreError::write(path)));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written?;
    path.parent().map_or(Ok(()), sync_folder)
}

/// Has the names in a folder on the disk: a renamed file may else be gone after a loss of power.
fn sync_folder(folder: &Path) -> Result<(), StoreError> {
    // Windows has no such call for folders.
    match cfg!(unix) {
        true => File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(StoreError::write(folder)),
        false => Ok(()),
    }
}

/// What an interrupted step left in a file, of which the hash stands behind the bytes.
#[derive(Debug)]
pub enum Left {
    Nothing,
    /// The file is not as it was written.
    Damaged,
    Whole(Vec<u8>),
}

/// Reads a file that was written with [`replace_sealed`].
pub fn read_sealed(path: &Path) -> Left {
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Left::Nothing,
        Err(_) => Left::Damaged,
        Ok(bytes) => match crate::integrity::unseal(&bytes) {
            Some(content) => Left::Whole(content.to_vec()),
            None => Left::Damaged,
        },
    }
}

/// [`replace_file`], with the hash of the bytes behind them.
pub fn replace_sealed(path: &Path, bytes: Vec<u8>) -> Result<(), StoreError> {
    replace_file(path, &crate::integrity::seal(bytes))
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
