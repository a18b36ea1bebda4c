//! Why nothing is exported.

use std::io;
use std::path::PathBuf;

use miette::Diagnostic;
use thiserror::Error;

#[derive(Debug, Error, Diagnostic)]
pub enum ExportError {
    #[error("{found} of the study's {what} fit what was asked for")]
    #[diagnostic(code(gradstudy::export::which), help("choose one:\n{known}"))]
    Which {
        found: usize,
        what: &'static str,
        known: String,
    },
    #[error("no factor of the study has the level `{at}`")]
    #[diagnostic(code(gradstudy::export::level), help("{}", levels(known)))]
    Level { at: String, known: String },
    #[error("{found} of the run's {what} fit what was asked for")]
    #[diagnostic(
        code(gradstudy::export::which_results),
        help("choose with --name, --layers, --seed, --at, --record and --along{why}:\n{known}")
    )]
    WhichResults {
        found: usize,
        what: &'static str,
        why: &'static str,
        known: String,
    },
    #[error("there are no {what}")]
    #[diagnostic(code(gradstudy::export::none), help("{remedy}"))]
    None { what: &'static str, remedy: String },
    #[error("it is not said which of the run's results to export")]
    #[diagnostic(
        code(gradstudy::export::what),
        help("add `--what outcomes`, `--what spectra` or `--what samples`; without `--to` they are listed")
    )]
    What,
    #[error("`{option}` is for {of}, which `{given}` is not")]
    #[diagnostic(
        code(gradstudy::export::option),
        help("a study ends in `.study`; anything else names a run")
    )]
    Option {
        option: String,
        of: &'static str,
        given: String,
    },
    #[error("cannot export to `{}`", path.display())]
    #[diagnostic(code(gradstudy::export::format), help("{formats}"))]
    Format { path: PathBuf, formats: &'static str },
    #[error("cannot write `{}`: {reason}", path.display())]
    #[diagnostic(
        code(gradstudy::export::write),
        help("check the folder, its permissions and the room on its disk")
    )]
    Write { path: PathBuf, reason: io::Error },
}

fn levels(known: &str) -> String {
    match known.is_empty() {
        true => "the study has no `vary` statement: leave `--at` out".to_string(),
        false => format!("write FACTOR=LABEL; there are {known}"),
    }
}
