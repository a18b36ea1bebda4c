//! One figure in every format.

use super::layout::layout;
use super::prepare::prepare;
use super::{Figure, FigureError, convert, csv, pgfplots, svg};
use crate::report::Drawing;

/// The figure as the report takes it: SVG for the page, and `.svg`, `.png`, `.pdf`, `.tex`, `-standalone.tex` and
/// `.csv` beside it. The same figure gives the same bytes on every machine.
///
/// # Errors
/// A series without points, nothing that the axes have a place for, or a format that cannot be made.
pub fn documents(figure: &Figure) -> Result<Drawing, FigureError> {
    let prepared = prepare(figure)?;
    let layout = layout(&prepared);
    let svg = svg::draw(&prepared, &layout)?;
    let tex = pgfplots::draw(&prepared, &layout);
    let files = vec![
        (".svg", svg.clone().into_bytes()),
        (".png", convert::to_png(&figure.name, &svg)?),
        (".pdf", convert::to_pdf(&figure.name, &svg)?),
        ("-standalone.tex", pgfplots::document(&tex).into_bytes()),
        (".tex", tex.into_bytes()),
        (".csv", csv::to_csv(figure)?),
    ];
    Ok(Drawing {
        name: figure.name.clone(),
        caption: figure.caption.clone(),
        notes: prepared.notes,
        svg,
        files,
    })
}
