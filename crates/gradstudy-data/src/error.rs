//! What can go wrong between a data set's files and a [`Dataset`](super::Dataset).

use std::path::PathBuf;

use super::cifar_batch::BatchProblem;
use super::idx::IdxProblem;
use super::own::OwnError;
use super::source::{Origin, Source};
use super::table::TableError;

/// A data set that cannot be loaded.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum DataError {
    #[error(
        "data set `{set}` is not on this machine; looked for {names} in{}",
        bullets(looked)
    )]
    #[diagnostic(
        code(gradstudy::data::missing),
        help(
            "`gradstudy data fetch {set}` downloads it ({} MB); files that you already have are found with \
             `--data-dir DIR` or GRADSTUDY_DATA=DIR, as {}DIR/FILE, packed (.gz) or not",
            bytes.div_ceil(1_000_000), places(set, folders)
        )
    )]
    Missing {
        set: String,
        /// The files that are looked for.
        names: String,
        /// Folders of DIR in which they may lie, beside the set's own.
        folders: &'static [&'static str],
        /// Size of the download.
        bytes: u64,
        /// Every place tried, with the reason why it was and what was there.
        looked: Vec<String>,
    },

    #[error(
        "data set `{set}` is not on this machine; looked for {names} in{}",
        bullets(looked)
    )]
    #[diagnostic(
        code(gradstudy::data::missing_by_hand),
        help(
            "get {files} from {page} and put it into DIR/{set}/, DIR being what `--data-dir DIR` or \
             GRADSTUDY_DATA=DIR says; then run `gradstudy data verify {set}`"
        )
    )]
    MissingByHand {
        set: String,
        /// As in [`DataError::Missing`].
        names: String,
        /// Names of its files.
        files: String,
        /// The publisher's page.
        page: String,
        /// As in [`DataError::Missing`].
        looked: Vec<String>,
    },

    #[error("cannot read {}: {reason}", path.display())]
    #[diagnostic(
        code(gradstudy::data::read),
        help(
            "check the file's permissions and disk; `gradstudy data verify {set}` reads every file of the set"
        )
    )]
    Read {
        set: String,
        path: PathBuf,
        reason: std::io::Error,
    },

    #[error("{} {problem}", path.display())]
    #[diagnostic(
        code(gradstudy::data::malformed),
        help(
            "`gradstudy data verify {set}` checks every file of the set, `gradstudy data fetch {set}` replaces \
             the damaged ones"
        )
    )]
    Malformed {
        set: String,
        path: PathBuf,
        problem: IdxProblem,
    },

    #[error("{} {problem}", path.display())]
    #[diagnostic(
        code(gradstudy::data::malformed_batch),
        help(
            "`gradstudy data verify {set}` checks every file of the set; replace the damaged ones (`gradstudy \
             data fetch {set}` downloads the whole archive)"
        )
    )]
    MalformedBatch {
        set: String,
        path: PathBuf,
        problem: BatchProblem,
    },

    #[error("{} is a well-formed file, but its content is not that of `{set}`", path.display())]
    #[diagnostic(
        code(gradstudy::data::content),
        help(
            "another data set's file of the same name may lie there (MNIST and Fashion-MNIST share their file \
             names), or it is damaged: keep each set in a folder of its name, DIR/{set}/, and replace damaged \
             files with `gradstudy data fetch {set}`"
        )
    )]
    Content { set: String, path: PathBuf },

    #[error("data set `{set}` has no {split} split")]
    #[diagnostic(code(gradstudy::data::split), help("{remedy}"))]
    NoSplit {
        set: String,
        split: String,
        remedy: String,
    },

    #[error("`subset: {asked}` asks for more than the {available} {split} examples of `{set}`")]
    #[diagnostic(code(gradstudy::data::subset), help("leave `subset` out to take them all"))]
    Subset {
        set: String,
        split: String,
        asked: u64,
        available: u64,
    },

    #[error("`{set}` has no class {class}: its classes are 0 to {}", classes - 1)]
    #[diagnostic(
        code(gradstudy::data::unknown_class),
        help("list only existing classes in `classes`, or leave it out to keep all")
    )]
    UnknownClass { set: String, class: u32, classes: usize },

    #[error("`classes` lists class {class} twice")]
    #[diagnostic(code(gradstudy::data::repeated_class), help("remove one of the two"))]
    RepeatedClass { class: u32 },

    #[error("no {split} example of `{set}` is left")]
    #[diagnostic(
        code(gradstudy::data::empty),
        help("no example has a class that `classes` keeps: list others, or leave it out to keep all")
    )]
    Empty { set: String, split: String },

    #[error(transparent)]
    #[diagnostic(transparent)]
    Table(#[from] TableError),

    #[error(transparent)]
    #[diagnostic(transparent)]
    Own(#[from] OwnError),
}

impl DataError {
    /// That the files `names` of set `set` were found in none of the places `looked` at.
    pub(super) fn missing(set: &str, names: &str, source: &Source, mut looked: Vec<String>) -> Self {
        if looked.is_empty() {
            looked.push("nowhere: no folder was given".to_string());
        }
        let (set, names) = (set.to_string(), names.to_string());
        match &source.origin {
            Origin::Files {
                files,
                mirrors: [],
                page,
                ..
            } => DataError::MissingByHand {
                set,
                names,
                files: files
                    .iter()
                    .map(|file| file.name)
                    .collect::<Vec<_>>()
                    .join(" and "),
                page: page.to_string(),
                looked,
            },
            _ => DataError::Missing {
                set,
                names,
                folders: source.folders().0,
                bytes: source.bytes(),
                looked,
            },
        }
    }
}

/// Where in DIR the files of `set` may lie, other than in itself; a comma or `or` after each.
fn places(set: &str, folders: &[&str]) -> String {
    let all: Vec<String> = std::iter::once(&set)
        .chain(folders)
        .map(|folder| format!("DIR/{folder}/FILE"))
        .collect();
    format!("{} or ", all.join(", "))
}

fn bullets(lines: &[String]) -> String {
    lines.iter().map(|line| format!("\n  - {line}")).collect()
}
