//! What can go wrong between results and documents.

use std::io;
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use thiserror::Error;

/// A report that could not be made. Results are on disk before reports are made, so none of these loses them.
#[derive(Debug, Error, Diagnostic)]
pub enum ReportError {
    #[error("table `{table}` asks for the unknown column `{column}`")]
    #[diagnostic(code(gradstudy::report::unknown_column), help("the columns are {}", known.join(", ")))]
    UnknownColumn {
        table: String,
        column: String,
        known: Vec<String>,
    },

    #[error("table `{table}` asks for the unknown row key `{key}`")]
    #[diagnostic(code(gradstudy::report::unknown_row_key), help("rows can be told apart by {}", known.join(", ")))]
    UnknownRowKey {
        table: String,
        key: String,
        known: Vec<String>,
    },

    #[error("table `{table}` has no rows: no result is of {}", tests.join(", "))]
    #[diagnostic(
        code(gradstudy::report::no_rows),
        help("name a `test` statement of the study in the table's `of`, or run the study that has it")
    )]
    NoRows { table: String, tests: Vec<String> },

    #[error("table `{table}` mirrors table {number}, which the paper does not have")]
    #[diagnostic(code(gradstudy::report::unknown_paper_table), help("the paper's tables are {}", known.join(", ")))]
    UnknownPaperTable {
        table: String,
        number: u32,
        known: Vec<String>,
    },

    #[error("no directory of templates at {}", path.display())]
    #[diagnostic(
        code(gradstudy::report::template_directory),
        help("give a directory with at least one of {}", known.join(", "))
    )]
    TemplateDirectory { path: PathBuf, known: Vec<String> },

    /// `message` is the template engine's; `line` counts from 1.
    #[error("template {name}:{}: {message}", line.map_or("?".to_string(), |line| line.to_string()))]
    #[diagnostic(
        code(gradstudy::report::template),
        help("correct the template, or take your copy of it away to use the one that gradstudy carries")
    )]
    Template {
        name: String,
        line: Option<usize>,
        message: String,
    },

    #[error("two tables or figures would be written to {}", path.display())]
    #[diagnostic(
        code(gradstudy::report::twice),
        help("give one of them another name in the study")
    )]
    Twice { path: PathBuf },

    #[error("cannot write {}: {source}", path.display())]
    #[diagnostic(code(gradstudy::report::write), help("{}", write_help(source, path)))]
    Write { path: PathBuf, source: io::Error },
}

impl ReportError {
    /// For `map_err` on anything that writes `path`.
    pub fn write(path: &Path) -> impl FnOnce(io::Error) -> ReportError + '_ {
        move |source| ReportError::Write {
            path: path.to_path_buf(),
            source,
        }
    }
}

fn write_help(source: &io::Error, path: &Path) -> String {
    let directory = path.parent().unwrap_or(path).display();
    let cure = match source.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            format!("make {directory} writable or choose another directory for reports")
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            format!("free space on the disk that holds {directory} or choose another directory for reports")
        }
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists | io::ErrorKind::IsADirectory => {
            format!("a file stands where a directory is wanted, or the other way round: look at {directory}")
        }
        _ => format!("check that {directory} can be written to"),
    };
    format!("{cure}; what was computed is kept, and running again writes only the report")
}
