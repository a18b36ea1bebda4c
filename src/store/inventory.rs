//! What the cache holds, and how parts of it are removed.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use walkdir::WalkDir;

use super::leftovers::is_temporary;
use super::{DAMAGED, KEY, StoreError, has_no_locks, temporary_name};
use crate::plan::StepKey;

/// What became of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Finished,
    /// Stopped, to be gone on with; or left by a process that was killed.
    Unfinished,
    /// Set aside: a file of it was not as it was written.
    Damaged,
}

/// One step's folder.
#[derive(Debug, Clone)]
pub struct Item {
    pub folder: PathBuf,
    /// The step's id, or what else the folder's name begins with.
    pub id: String,
    pub state: State,
    /// The operation's verb; `unfinished` where that is not known.
    pub operation: String,
    pub bytes: u64,
    /// Since something was last written to it.
    pub age: Duration,
}

/// Every step below the cache `root`; none where there is no cache.
///
/// # Errors
/// The cache cannot be read.
pub fn inventory(root: &Path) -> Result<Vec<Item>, StoreError> {
    let steps = root.join("steps");
    if !steps.is_dir() {
        return Ok(Vec::new());
    }
    let fail = |reason| StoreError::Read {
        path: steps.clone(),
        reason,
    };
    let mut items = Vec::new();
    for entry in fs::read_dir(&steps).map_err(fail)? {
        let folder = entry.map_err(fail)?.path();
        // What is being filled is a process's at work, or swept away.
        if folder.is_dir() && !is_temporary(&folder) {
            items.push(item(folder));
        }
    }
    items.sort_by(|a, b| a.folder.cmp(&b.folder));
    Ok(items)
}

fn item(folder: PathBuf) -> Item {
    let name = folder
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let id = name.split('-').next().unwrap_or_default().to_string();
    let key = fs::read(folder.join(KEY)).ok();
    let key: Option<StepKey> = key.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let finished = key.is_some() && !name.ends_with(".partial") && !name.starts_with('.');
    let files: Vec<fs::Metadata> = WalkDir::new(&folder)
        .into_iter()
        .filter_map(|entry| entry.ok()?.metadata().ok())
        .collect();
    let written = files.iter().filter_map(|file| file.modified().ok()).max();
    Item {
        id,
        state: match (name.starts_with(DAMAGED), finished) {
            (true, _) => State::Damaged,
            (false, true) => State::Finished,
            (false, false) => State::Unfinished,
        },
        operation: match key.filter(|_| finished) {
            Some(key) => key.operation.verb().to_string(),
            None => "unfinished".to_string(),
        },
        bytes: files
            .iter()
            .filter(|file| file.is_file())
            .map(fs::Metadata::len)
            .sum(),
        age: written
            .and_then(|at| SystemTime::now().duration_since(at).ok())
            .unwrap_or_default(),
        folder,
    }
}

/// Removes a step, unless a process works on it; whether it did.
///
/// # Errors
/// The folder cannot be removed.
pub fn remove(item: &Item) -> Result<bool, StoreError> {
    let text = item.folder.display().to_string();
    let lock = PathBuf::from(format!("{}.lock", text.trim_end_matches(".partial")));
    let held = match lock.is_file() {
        true => Some(File::open(&lock).map_err(StoreError::write(&lock))?),
        false => None,
    };
    match held.as_ref().map_or(Ok(()), File::try_lock) {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(false),
        Err(TryLockError::Error(reason)) if has_no_locks(&reason) => {}
        Err(TryLockError::Error(reason)) => return Err(StoreError::write(&lock)(reason)),
    }
    remove_folder(&item.folder).map_err(StoreError::write(&item.folder))?;
    Ok(true)
}

/// Removes a folder that is there whole or not at all: it loses its name first, and what a killed process leaves of it is
/// swept away later.
///
/// # Errors
/// It cannot be renamed or removed.
pub fn remove_folder(folder: &Path) -> io::Result<()> {
    let name = temporary_name(folder)
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let unnamed = folder.with_file_name(format!(".new-{}", name.trim_start_matches('.')));
    fs::rename(folder, &unnamed)?;
    fs::remove_dir_all(&unnamed)
}
