//! The terminals behind standard output and standard error: how wide they are and whether they show colours.

use std::io::IsTerminal;

use crate::report::Screen;

/// Narrower than this nothing is laid out: lines are broken by the terminal instead.
const NARROWEST: usize = 24;

/// What standard output goes to. A file or a pipe takes lines of any length.
pub fn screen() -> Screen {
    let output = std::io::stdout();
    match output.is_terminal() {
        true => Screen {
            width: width(terminal_size::terminal_size_of(&output)),
            colour: colours(),
        },
        false => Screen::default(),
    }
}

/// Columns of the terminal behind standard error; `None` where that is a file or a pipe.
pub fn width_of_errors() -> Option<usize> {
    let errors = std::io::stderr();
    match errors.is_terminal() {
        true => width(terminal_size::terminal_size_of(&errors)),
        false => None,
    }
}

/// `COLUMNS`, else what the terminal says.
fn width(size: Option<(terminal_size::Width, terminal_size::Height)>) -> Option<usize> {
    let asked = std::env::var("COLUMNS")
        .ok()
        .and_then(|text| text.trim().parse().ok());
    let own = || {
        size.map(|(width, _)| usize::from(width.0))
            .filter(|width| *width > 0)
    };
    asked
        .filter(|width| *width > 0)
        .or_else(own)
        .map(|width: usize| width.max(NARROWEST))
}

/// Whether a terminal is to be given colours.
pub fn colours() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && std::env::var_os("TERM").is_none_or(|name| name != "dumb")
}
