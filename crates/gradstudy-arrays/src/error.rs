//! What can be wrong with a file of numbers.

use std::io;
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use thiserror::Error;

use super::text::TextError;

/// Why a file gives no matrix.
#[derive(Debug, Error, Diagnostic)]
pub enum ArraysError {
    #[error("cannot read `{}`: {reason}", path.display())]
    #[diagnostic(code(gradstudy::arrays::file), help("check the path and its permissions"))]
    File { path: PathBuf, reason: io::Error },
    #[error("`{}` is of no known kind", path.display())]
    #[diagnostic(
        code(gradstudy::arrays::kind),
        help(
            "known: .npy, .npz, .safetensors, .pt (.pth, .bin, .ckpt), .arrow (.feather, .ipc), .parquet, and tables in text: .csv, .tsv, \
             .txt, .dat, .data, packed (.gz) or not"
        )
    )]
    Kind { path: PathBuf },
    #[error("`{}` {problem}", path.display())]
    #[diagnostic(code(gradstudy::arrays::malformed), help("write the file anew"))]
    Malformed { path: PathBuf, problem: String },
    #[error("`{}` has no array `{name}`", path.display())]
    #[diagnostic(code(gradstudy::arrays::absent), help("{known}"))]
    Absent {
        path: PathBuf,
        name: String,
        known: String,
    },
    #[error("{place} holds {found}, not real numbers")]
    #[diagnostic(
        code(gradstudy::arrays::element),
        help("known: floats of 2 (also bfloat16), 4 and 8 bytes, whole numbers of 1 to 8 bytes, booleans")
    )]
    Element { place: String, found: String },
    #[error("`{}`, line {line}: column {column} is `{text}`, which is no number", path.display())]
    #[diagnostic(
        code(gradstudy::arrays::field),
        help(
            "correct the value, or leave the field empty where it is missing; a header is said with `header: true`"
        )
    )]
    Field {
        path: PathBuf,
        line: u64,
        column: String,
        text: String,
    },
    #[error("`{}`{place} {problem}", path.display())]
    #[diagnostic(code(gradstudy::arrays::text), help("{help}"))]
    Text {
        path: PathBuf,
        /// Empty, or `, line 3:`.
        place: String,
        problem: String,
        help: String,
    },
    #[error("`{setting}` says how tables in text are read, `{}` is none", path.display())]
    #[diagnostic(code(gradstudy::arrays::setting), help("leave `{setting}` out"))]
    Setting { path: PathBuf, setting: &'static str },
    #[error("cannot write a temporary file: {reason}")]
    #[diagnostic(
        code(gradstudy::arrays::temporary),
        help("it takes eight bytes for each number; set TMPDIR to a folder with room")
    )]
    Temporary { reason: io::Error },
}

impl ArraysError {
    pub fn file(path: &Path, reason: io::Error) -> Self {
        ArraysError::File {
            path: path.into(),
            reason,
        }
    }

    pub(super) fn malformed(path: &Path, problem: impl std::fmt::Display) -> Self {
        ArraysError::Malformed {
            path: path.into(),
            problem: problem.to_string(),
        }
    }

    pub(super) fn text(path: &Path, error: TextError) -> Self {
        ArraysError::Text {
            path: path.into(),
            place: error.line.map_or(String::new(), |line| format!(", line {line}:")),
            problem: error.problem,
            help: error.help,
        }
    }

    pub(super) fn absent(path: &Path, name: &str, known: Vec<String>) -> Self {
        let known = match known.is_empty() {
            true => "there is no array in it".to_string(),
            false => format!("it has {}", known.join(", ")),
        };
        ArraysError::Absent {
            path: path.into(),
            name: name.to_string(),
            known,
        }
    }

    pub(super) fn temporary(reason: io::Error) -> Self {
        ArraysError::Temporary { reason }
    }
}
