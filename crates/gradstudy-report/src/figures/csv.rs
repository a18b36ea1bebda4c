//! The data of a figure as CSV: every point, thinned or left out of the drawing or not.

use super::{Figure, FigureError, SeriesKind};
use gradstudy_base::spreadsheet::cell;

/// One line a point: series, x (a number, or the name of a category), y, the ends of the band, and the fitted line at
/// x where it is drawn. Values are those of the results to the last digit: what is drawn in percent stands here as a
/// fraction, as in the CSV of tables. What is missing or not finite is empty.
///
/// # Errors
/// None in practice: writing to memory does not fail.
pub fn to_csv(figure: &Figure) -> Result<Vec<u8>, FigureError> {
    write(figure).map_err(|error| FigureError::Format {
        figure: figure.name.clone(),
        format: "CSV",
        reason: error.to_string(),
    })
}

fn write(figure: &Figure) -> Result<Vec<u8>, csv::Error> {
    let number = |value: f64| {
        if value.is_finite() {
            value.to_string()
        } else {
            String::new()
        }
    };
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["series", "x", "y", "low", "high", "fit"])?;
    for series in &figure.series {
        for (index, (x, y)) in series.points.iter().enumerate() {
            let band = series.band.as_ref().and_then(|band| band.get(index));
            let fit = series.fit.as_ref().filter(|fit| (fit.from..=fit.to).contains(x));
            let category = figure.x.categories.get((*x as usize).wrapping_sub(1));
            let place = match category {
                // A horizontal line has no x.
                _ if series.kind == SeriesKind::HorizontalLine => String::new(),
                Some(name) => cell(name).into_owned(),
                None => number(*x),
            };
            writer.write_record([
                cell(&series.label).into_owned(),
                place,
                number(*y),
                band.map_or_else(String::new, |(low, _)| number(*low)),
                band.map_or_else(String::new, |(_, high)| number(*high)),
                fit.map_or_else(String::new, |fit| number(fit.at(*x))),
            ])?;
        }
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}
