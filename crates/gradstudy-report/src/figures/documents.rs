//! One figure in every format.

use super::layout::{Layout, layout};
use super::prepare::prepare;
use super::{Figure, FigureError, convert, csv, font, pgfplots, svg};
use crate::report::Drawing;

/// The figure as the report takes it: SVG for the page, and `.svg`, `.png`, `.pdf`, `.tex`, `-standalone.tex` and
/// `.csv` beside it. The same figure gives the same bytes on every machine.
///
/// # Errors
/// A series without points, nothing that the axes have a place for, or a format that cannot be made.
pub fn documents(figure: &Figure) -> Result<Drawing, FigureError> {
    let prepared = prepare(figure)?;
    let layout = layout(&prepared);
    let svg = svg::draw(&prepared, &layout);
    let tex = pgfplots::draw(&prepared, &layout);
    let files = vec![
        (".svg", svg.clone().into_bytes()),
        (".png", convert::to_png(&figure.name, &svg)?),
        (".pdf", convert::to_pdf(&figure.name, &svg)?),
        ("-standalone.tex", pgfplots::document(&tex).into_bytes()),
        (".tex", tex.into_bytes()),
        (".csv", csv::to_csv(figure)?),
    ];
    let mut notes = prepared.notes.clone();
    notes.extend(without_glyph(figure));
    notes.extend(shortened(figure, &layout));
    Ok(Drawing {
        name: figure.name.clone(),
        caption: figure.caption.clone(),
        notes,
        svg,
        files,
    })
}

/// Says that names were too long for their place.
fn shortened(figure: &Figure, layout: &Layout) -> Option<String> {
    let mut entries = layout.legend.iter().flat_map(|legend| &legend.entries);
    let own = figure.series.iter().any(|it| it.label.contains('…'));
    let in_legend = !own && entries.any(|entry| entry.text.contains('…'));
    let whole = &figure.x.categories;
    let below = layout
        .x
        .major
        .iter()
        .zip(whole)
        .any(|((_, label), name)| label.text != *name);
    (in_legend || below).then(|| "Names with … are shortened; the CSV has them whole.".to_string())
}

/// Says which characters of labels and names are drawn as boxes. Those in LaTeX are the document's.
fn without_glyph(figure: &Figure) -> Option<String> {
    let labels = [&figure.x.label, &figure.y.label].into_iter();
    let names = figure
        .x
        .categories
        .iter()
        .chain(figure.series.iter().map(|it| &it.label));
    let mut lacking: Vec<char> = labels.chain(names).flat_map(|text| font::lacking(text)).collect();
    lacking.sort_unstable();
    lacking.dedup();
    let listed: Vec<String> = lacking.iter().map(|it| it.to_string()).collect();
    (!listed.is_empty()).then(|| {
        format!(
            "The fonts of SVG, PNG and PDF have no glyph for {}: a box stands for it.",
            listed.join(", ")
        )
    })
}
