//! Whether the files of a run are as they were written: the manifest has the hash of each that is read again, and ends
//! with one of itself.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use serde::Deserialize;

use super::error::RunError;
use super::folder::MANIFEST;
use crate::integrity;

/// Hashes (BLAKE3, in hex) by names of files.
pub type Contents = BTreeMap<String, String>;

/// What stands before the hash in the last line of a manifest: a comment of YAML.
const LAST_LINE: &str = "# BLAKE3 of the lines above: ";

/// A manifest's text with its hash as the last line.
pub(super) fn sealed(text: &str) -> String {
    format!("{text}{LAST_LINE}{}\n", integrity::hash(text.as_bytes()))
}

/// The text of the manifest in `folder`, as it was written. Those of versions without a hash are taken as they are.
///
/// # Errors
/// It cannot be read, or was changed.
pub(super) fn manifest(folder: &Path) -> Result<String, RunError> {
    let path = folder.join(MANIFEST);
    let bytes = fs::read(&path).map_err(|reason| RunError::Read {
        path: path.clone(),
        reason,
    })?;
    let Ok(text) = String::from_utf8(bytes) else {
        return Err(RunError::Changed { path });
    };
    let lines = text
        .trim_end_matches('\n')
        .rsplit_once('\n')
        .map_or(text.len(), |(lines, _)| lines.len() + 1);
    let whole = match text[lines..].strip_prefix(LAST_LINE) {
        Some(hash) => hash.trim_end() == integrity::hash(&text.as_bytes()[..lines]),
        // A changed bit in the last line may hide what it is, but not what the manifest lists.
        None => !text.contains("\ncontents:"),
    };
    match whole {
        true => Ok(text),
        false => Err(RunError::Changed { path }),
    }
}

/// One file of the run in `folder`, as it was written; `None` where it is not there. Results that are handed on without
/// their manifest, and those of versions without hashes, are taken as they are.
///
/// # Errors
/// It cannot be read, or was changed, or the manifest was.
pub(super) fn read(folder: &Path, name: &str) -> Result<Option<Vec<u8>>, RunError> {
    #[derive(Deserialize)]
    struct Listing {
        #[serde(default)]
        contents: Contents,
    }
    let path = folder.join(name);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(reason) => return Err(RunError::Read { path, reason }),
    };
    if !folder.join(MANIFEST).is_file() {
        return Ok(Some(bytes));
    }
    let listing: Listing = serde_yaml::from_str(&manifest(folder)?).map_err(|error| RunError::Damaged {
        path: folder.join(MANIFEST),
        reason: error.to_string(),
    })?;
    match listing.contents.get(name) {
        Some(hash) if *hash != integrity::hash(&bytes) => Err(RunError::Changed { path }),
        _ => Ok(Some(bytes)),
    }
}

/// Whether all files that a manifest lists are there as they were written.
pub(super) fn is_whole(folder: &Path, contents: &Contents) -> bool {
    let whole = |(name, hash): (&String, &String)| {
        fs::read(folder.join(name)).is_ok_and(|bytes| integrity::hash(&bytes) == *hash)
    };
    contents.iter().all(whole)
}
