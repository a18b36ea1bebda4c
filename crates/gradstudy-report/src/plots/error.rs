//! Why a figure cannot be drawn.

use miette::Diagnostic;
use thiserror::Error;

use crate::figures::FigureError;

/// Why a figure cannot be drawn.
#[derive(Debug, Error, Diagnostic)]
pub enum PlotError {
    #[error("figure `{figure}` has nothing to show: no result of {of}")]
    #[diagnostic(code(gradstudy::figure::empty), help("check `of` of the figure"))]
    Empty { figure: String, of: String },
    #[error("figure `{figure}` asks for a scale of numbers, `{key}` is `{label}` somewhere")]
    #[diagnostic(
        code(gradstudy::figure::not_a_number),
        help("leave `x` out: then names stand side by side; or label the levels by numbers")
    )]
    NotANumber {
        figure: String,
        key: String,
        label: String,
    },
    #[error("this gradstudy does not know {what}, which figure `{figure}` asks for")]
    #[diagnostic(
        code(gradstudy::figure::unknown),
        help("the run is of another version of gradstudy: run the study again")
    )]
    Unknown { figure: String, what: String },
    #[error(transparent)]
    #[diagnostic(transparent)]
    Figure(#[from] FigureError),
}
