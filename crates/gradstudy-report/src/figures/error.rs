//! What can go wrong with a figure.

use miette::Diagnostic;
use thiserror::Error;

/// A figure that cannot be drawn.
#[derive(Debug, Clone, PartialEq, Error, Diagnostic)]
pub enum FigureError {
    #[error("figure `{figure}` has no series")]
    #[diagnostic(
        code(gradstudy::figures::no_series),
        help("name in the figure a test or spectrum that the study has for at least one condition")
    )]
    NoSeries { figure: String },

    #[error("series `{series}` of figure `{figure}` has no points")]
    #[diagnostic(
        code(gradstudy::figures::empty_series),
        help("take the condition out of the figure, or look in the results why nothing was measured for it")
    )]
    EmptySeries { figure: String, series: String },

    #[error("figure `{figure}` has nothing to draw: {}", reasons.join("; "))]
    #[diagnostic(
        code(gradstudy::figures::nothing_to_draw),
        help("use a linear axis for values that are zero or negative")
    )]
    NothingToDraw { figure: String, reasons: Vec<String> },

    #[error("series `{series}` of figure `{figure}` has {points} points but a band of {band}")]
    #[diagnostic(
        code(gradstudy::figures::band),
        help("a band has a low and a high end for each point of its series")
    )]
    Band {
        figure: String,
        series: String,
        points: usize,
        band: usize,
    },

    #[error("figure `{figure}` cannot be made as {format}: {reason}")]
    #[diagnostic(
        code(gradstudy::figures::format),
        help("the other formats do not depend on it; please report this with the figure's .svg")
    )]
    Format {
        figure: String,
        format: &'static str,
        reason: String,
    },
}
