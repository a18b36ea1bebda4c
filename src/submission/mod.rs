//! A study handed to a scheduler: what there is to do, in pieces that processes on any machines of one file system can make,
//! and what has become of them.
//!
//! `CACHE/submissions/<study>-<hash>/` holds the manifest (the frozen study, units and tasks), scripts, logs, and a file for
//! each unit that says how it goes. Results are in the cache; these files are the only truth about the rest, and what a
//! scheduler says of its jobs only explains it.

pub mod clusters;
mod error;
pub mod jobs;
pub mod learn;
pub mod manifest;
pub mod pack;
pub mod prepare;
pub mod script;
pub mod shell;
pub mod slurm;
pub mod state;
pub mod status;
pub mod work;

use std::fs;
use std::path::{Path, PathBuf};

use crate::store::{StoreError, replace_file};

pub use error::SubmissionError;
pub use manifest::Manifest;

/// The folder of submissions in the cache.
pub const FOLDER: &str = "submissions";
/// A folder that has one is a submission.
pub const MANIFEST: &str = "manifest.json";
/// Exists where a submission was cancelled.
const CANCELLED: &str = "cancelled";

/// Writes a file so that readers see the old content or the new, whoever else writes.
///
/// # Errors
/// It cannot be written.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), SubmissionError> {
    Ok(replace_file(path, bytes)?)
}

/// Makes a folder and those above it.
pub fn make_folder(path: &Path) -> Result<(), SubmissionError> {
    Ok(fs::create_dir_all(path).map_err(StoreError::write(path))?)
}

/// Whether the submission in `folder` was cancelled.
pub fn is_cancelled(folder: &Path) -> bool {
    folder.join(CANCELLED).exists()
}

/// Marks the submission in `folder` as cancelled, or takes the mark away.
///
/// # Errors
/// The mark cannot be written or removed.
pub fn set_cancelled(folder: &Path, cancelled: bool) -> Result<(), SubmissionError> {
    let path = folder.join(CANCELLED);
    match cancelled {
        true => replace(&path, b""),
        false => match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(StoreError::write(&path)(error).into())
            }
            _ => Ok(()),
        },
    }
}

/// Where the submission of a plan is, on devices of one class.
pub fn folder_of(cache: &Path, slug: &str, plan: &str, class: &str) -> PathBuf {
    let hash = blake3::hash(format!("{plan} {class}").as_bytes()).to_hex();
    cache.join(FOLDER).join(format!("{slug}-{}", &hash[..8]))
}

/// Every submission of the cache, oldest first.
pub fn all(cache: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(cache.join(FOLDER)).into_iter().flatten().flatten();
    let folders = entries.map(|entry| entry.path());
    let mut found: Vec<_> = folders
        .filter_map(|folder| {
            let written = fs::metadata(folder.join(MANIFEST)).ok()?.modified().ok()?;
            Some((written, folder))
        })
        .collect();
    found.sort();
    found.into_iter().map(|(_, folder)| folder).collect()
}

/// The submission that `name` means: its folder, its name, or the beginning of one.
///
/// # Errors
/// There is none such, or several.
pub fn find(cache: &Path, name: &str) -> Result<PathBuf, SubmissionError> {
    let path = Path::new(name);
    if path.join(MANIFEST).is_file() {
        return Ok(std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf()));
    }
    let named = |folder: &PathBuf| {
        folder
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    };
    let all = all(cache);
    if let Some(folder) = all.iter().find(|folder| named(folder) == name) {
        return Ok(folder.clone());
    }
    let mut found = all
        .iter()
        .filter(|folder| !name.is_empty() && named(folder).starts_with(name));
    match (found.next(), found.next()) {
        (Some(folder), None) => Ok(folder.clone()),
        (first, _) => Err(SubmissionError::NotFound {
            name: name.to_string(),
            several: first.is_some(),
            known: all.iter().map(named).collect(),
        }),
    }
}
