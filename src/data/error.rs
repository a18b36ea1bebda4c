//! What can go wrong between a data set's files and a [`Dataset`](super::Dataset).

use std::path::PathBuf;

use super::idx::IdxProblem;

/// A data set that cannot be loaded.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum DataError {
    #[error("data set `{set}` is not on this machine; looked in{}", bullets(looked))]
    #[diagnostic(
        code(gradstudy::data::missing),
        help(
            "`gradstudy data fetch {set}` downloads it ({} MB); files that you already have are found with \
             `--data-dir DIR` or GRADSTUDY_DATA=DIR, as DIR/{set}/FILE or DIR/FILE, packed (.gz) or not",
            bytes.div_ceil(1_000_000)
        )
    )]
    Missing {
        set: String,
        /// Size of the download.
        bytes: u64,
        /// Every place tried, with the reason why it was and what was there.
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

    #[error("{} is a well-formed idx file, but its content is not that of `{set}`", path.display())]
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
}

fn bullets(lines: &[String]) -> String {
    lines.iter().map(|line| format!("\n  - {line}")).collect()
}
