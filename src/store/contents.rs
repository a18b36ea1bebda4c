//! What the folder of a finished step holds, and whether it is as it was written.
//!
//! `key.json` says what was asked, lists the step's files with their hashes, and ends with a hash of itself:
//!
//! ```json
//! { "operation": "train", …, "files": { "weights.safetensors": { "bytes": 8, "blocks": […] } }, "check": "…" }
//! ```

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{KEY, StoreError, sync_folder, write_file};
use crate::integrity::{self, Block};
use crate::plan::StepKey;

/// One file of a step.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct FileFacts {
    bytes: u64,
    blocks: Vec<Block>,
}

/// What `key.json` says beside the key.
#[derive(Debug, Deserialize)]
struct Listed {
    files: BTreeMap<String, FileFacts>,
}

#[derive(Serialize)]
struct KeyFile<'a> {
    #[serde(flatten)]
    key: &'a StepKey,
    files: BTreeMap<String, FileFacts>,
}

/// What stands before and behind the hash at the end of `key.json`.
const CHECK: [&str; 2] = [",\n  \"check\": \"", "\"\n}\n"];

/// Which of a step's files are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Those of up to [`integrity::BLOCK`] bytes; of others, that they have their length. For steps that may not be read at all.
    Small,
    /// All of them.
    All,
}

/// Writes the `key.json` of a folder that holds all files of a step. Hashes of files that are `known` are not made again.
pub(super) fn describe(key: &StepKey, folder: &Path, known: &[(&str, &[Block])]) -> Result<(), StoreError> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).map_err(StoreError::write(folder))? {
        let entry = entry.map_err(StoreError::write(folder))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name == KEY || !entry.path().is_file() {
            continue;
        }
        let blocks = known.iter().find(|(known, _)| *known == name);
        let facts = match blocks {
            Some((_, blocks)) => FileFacts {
                bytes: blocks.last().map_or(0, |last| last.end),
                blocks: blocks.to_vec(),
            },
            None => facts(&entry.path()).map_err(StoreError::write(&entry.path()))?,
        };
        files.insert(name, facts);
    }
    let text = serde_json::to_string_pretty(&KeyFile { key, files }).map_err(io::Error::from);
    let mut text = text.map_err(StoreError::write(folder))?;
    text.truncate(text.trim_end_matches('}').trim_end().len());
    let hash = integrity::hash(text.as_bytes());
    write_file(
        &folder.join(KEY),
        format!("{text}{}{hash}{}", CHECK[0], CHECK[1]).as_bytes(),
    )?;
    sync_folder(folder)
}

fn facts(path: &Path) -> io::Result<FileFacts> {
    let blocks = integrity::blocks_of(File::open(path)?)?;
    Ok(FileFacts {
        bytes: blocks.last().map_or(0, |last| last.end),
        blocks,
    })
}

/// Whether the step in `folder` is as it was written; the name of the first file that is not. Steps of versions of
/// gradstudy that wrote no hashes are taken as they are.
pub(super) fn damaged(folder: &Path, extent: Extent) -> Option<String> {
    let files = match fs::read(folder.join(KEY)).ok().and_then(|text| listed(&text)) {
        None => return Some(KEY.to_string()),
        Some(None) => return None,
        Some(Some(files)) => files,
    };
    let is_damaged = |(name, facts): &(&String, &FileFacts)| {
        let path = folder.join(name);
        let length = fs::metadata(&path).is_ok_and(|file| file.is_file() && file.len() == facts.bytes);
        let whole = || integrity::is_whole_file(File::open(&path)?, &facts.blocks);
        let looked_at = extent == Extent::All || facts.bytes <= integrity::BLOCK as u64;
        !length || (looked_at && !whole().unwrap_or(false))
    };
    files.iter().find(is_damaged).map(|(name, _)| name.clone())
}

/// The files that a `key.json` lists: `Some(None)` of a version that listed none, `None` of a file that is damaged.
fn listed(text: &[u8]) -> Option<Option<BTreeMap<String, FileFacts>>> {
    let text = std::str::from_utf8(text).ok()?;
    let checked = text
        .strip_suffix(CHECK[1])
        .and_then(|text| text.split_at_checked(text.len().checked_sub(64)?))
        .and_then(|(text, hash)| Some((text.strip_suffix(CHECK[0])?, hash)));
    if let Some((described, hash)) = checked {
        let whole = integrity::hash(described.as_bytes()) == hash;
        let listed = whole
            .then(|| serde_json::from_str::<Listed>(text).ok())
            .flatten()?;
        return Some(Some(listed.files));
    }
    // One changed bit hides one of these words, not both.
    let older = !text.contains("\"files\"") && !text.contains("\"check\"");
    let readable = || serde_json::from_str::<StepKey>(text).is_ok();
    (older && readable()).then_some(None)
}
