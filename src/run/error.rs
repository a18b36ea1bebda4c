//! What can go wrong with runs.

use std::io;
use std::path::PathBuf;

use miette::Diagnostic;
use thiserror::Error;

use crate::figures::FigureError;
use crate::plots::PlotError;
use crate::report::ReportError;

/// Why a run cannot be written or read.
#[derive(Debug, Error, Diagnostic)]
pub enum RunError {
    #[error("cannot write `{}`: {reason}", path.display())]
    #[diagnostic(
        code(gradstudy::run::write),
        help(
            "name a folder that you may write to with `--reports-dir`; results are in the cache, a rerun is quick"
        )
    )]
    Write { path: PathBuf, reason: io::Error },
    #[error("cannot read `{}`: {reason}", path.display())]
    #[diagnostic(
        code(gradstudy::run::read),
        help("name the folder of a run, `reports/<study>/<run>`")
    )]
    Read { path: PathBuf, reason: io::Error },
    #[error("`{}` is damaged: {reason}", path.display())]
    #[diagnostic(
        code(gradstudy::run::damaged),
        help("run the study again: what is in the cache is reused")
    )]
    Damaged { path: PathBuf, reason: String },
    #[error("`{}` is not as it was written", path.display())]
    #[diagnostic(
        code(gradstudy::run::changed),
        help("take it from a copy, or run the study again: what is in the cache is reused")
    )]
    Changed { path: PathBuf },
    #[error("`{}` has format {found}, this gradstudy reads format {known}", path.display())]
    #[diagnostic(code(gradstudy::run::format), help("run the study again with this gradstudy"))]
    Format { path: PathBuf, found: u32, known: u32 },
    #[error("no run is called `{wanted}`")]
    #[diagnostic(
        code(gradstudy::run::not_found),
        help("name a run's folder, its id or the beginning of it, or `study@latest`; in `{}` there are\n{known}", reports.display())
    )]
    NotFound {
        wanted: String,
        reports: PathBuf,
        known: String,
    },
    #[error("{found} runs are called `{wanted}…`")]
    #[diagnostic(code(gradstudy::run::ambiguous), help("write more of it:\n{known}"))]
    Ambiguous {
        wanted: String,
        found: usize,
        known: String,
    },
    #[error("the index `{}` fails: {reason}", path.display())]
    #[diagnostic(
        code(gradstudy::run::index),
        help("remove that file: it is made anew from the runs")
    )]
    Index { path: PathBuf, reason: String },
    #[error(transparent)]
    #[diagnostic(transparent)]
    Report(#[from] ReportError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Plot(#[from] PlotError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Figure(#[from] FigureError),
}
