//! What can be wrong with a table in text.

use std::io;

use gradstudy_base::limits;

/// A table that cannot be read, or in two ways.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextError {
    /// The line, from 1, where it is about one.
    pub line: Option<u64>,
    /// A sentence that follows the name of the file.
    pub problem: String,
    /// What to do about it.
    pub help: String,
}

const WITHOUT_ROWS: &str = "write a row for each line of numbers";

impl TextError {
    pub(crate) fn new(line: Option<u64>, problem: impl Into<String>, help: impl Into<String>) -> Self {
        TextError {
            line,
            problem: problem.into(),
            help: help.into(),
        }
    }

    /// A line, or a row between quotes, that takes more than may be held.
    pub(super) fn too_long(line: u64) -> Self {
        let problem = format!("is longer than {}", limits::words(limits::line()));
        TextError::new(Some(line), problem, limits::HELP)
    }

    /// A table without a row.
    pub(super) fn without_rows(comments: u64) -> Self {
        let problem = match comments {
            0 => "holds no row".to_string(),
            comments => format!("holds no row: all {comments} lines begin with `#`"),
        };
        TextError::new(None, problem, WITHOUT_ROWS)
    }

    /// Whether the table has no row.
    pub fn is_without_rows(&self) -> bool {
        self.help == WITHOUT_ROWS
    }

    /// More than one way to read the file; `setting` decides.
    pub(super) fn ambiguous(line: Option<u64>, problem: impl Into<String>, setting: &str) -> Self {
        TextError::new(line, problem, setting)
    }

    /// What the system says while the file is read.
    pub(super) fn unread(error: &io::Error) -> Self {
        TextError::new(None, format!("cannot be read: {error}"), "check the file")
    }
}

/// The remedy that names a setting with its two values, as the command line and as a study has it.
pub(super) fn choose(name: &str, values: [&str; 2], meaning: &str) -> String {
    let [first, second] = values;
    format!(
        "say which: `--{name} {first}` or `--{name} {second}`, in a study `{name}: {first}` or `{name}: {second}` \
         ({meaning})"
    )
}
