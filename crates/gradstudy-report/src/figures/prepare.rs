//! What is drawn of a figure: points that the axes have a place for, thinned, and the limits around them.

use super::axis::Range;
use super::scale::finite;
use super::thin::{self, thin};
use super::{Figure, FigureError, Scale, Series, SeriesKind};

/// Distance between markers, as a fraction of the axes, from which they no longer cover each other.
const MARKER_GAP: f64 = 0.012;

/// A figure with its limits and only what is drawn.
#[derive(Debug)]
pub(super) struct Prepared<'a> {
    pub figure: &'a Figure,
    pub x: Range,
    pub y: Range,
    pub series: Vec<Drawn<'a>>,
    /// The figure's notes, and what was left out.
    pub notes: Vec<String>,
}

/// What is drawn of one series, in data units.
#[derive(Debug)]
pub(super) struct Drawn<'a> {
    pub series: &'a Series,
    /// Where the line goes through.
    pub line: Vec<(f64, f64)>,
    pub markers: Vec<(f64, f64)>,
    /// x, low, high.
    pub band: Vec<(f64, f64, f64)>,
    pub fit: Vec<(f64, f64)>,
    /// Heights of horizontal lines.
    pub levels: Vec<f64>,
}

impl Prepared<'_> {
    /// Fractions of both axes.
    pub(super) fn place(&self, (x, y): (f64, f64)) -> (f64, f64) {
        (self.x.fraction(x), self.y.fraction(y))
    }
}

/// Leaves out what the axes have no place for, finds limits, and thins.
pub(super) fn prepare(figure: &Figure) -> Result<Prepared<'_>, FigureError> {
    if figure.series.is_empty() {
        return Err(FigureError::NoSeries {
            figure: figure.name.clone(),
        });
    }
    let mut notes = figure.notes.clone();
    let mut reasons = Vec::new();
    let mut shown = Vec::new();
    for series in &figure.series {
        let points = admitted(figure, series)?;
        let reason = left_out(series, points.len());
        if points.is_empty() {
            reasons.extend(reason.clone());
        } else {
            shown.push((series, points));
        }
        notes.extend(reason);
    }
    // Statistics that no sample allowed leave an empty frame, and notes: the report has the rest to show.
    let statistic = figure
        .series
        .iter()
        .all(|it| it.kind == SeriesKind::LineWithPoints);
    let undefined = figure
        .series
        .iter()
        .flat_map(|it| &it.points)
        .all(|it| !finite(it.1));
    if shown.is_empty() && !(statistic && undefined) {
        return Err(FigureError::NothingToDraw {
            figure: figure.name.clone(),
            reasons,
        });
    }
    let x = Range::of(&figure.x, x_values(&shown));
    let y = Range::of(&figure.y, y_values(&shown));
    let mut prepared = Prepared {
        figure,
        x,
        y,
        series: Vec::new(),
        notes,
    };
    prepared.series = shown
        .into_iter()
        .map(|(series, points)| draw(&prepared, series, points))
        .collect();
    Ok(prepared)
}

/// Indices of the points that both axes have a place for.
fn admitted(figure: &Figure, series: &Series) -> Result<Vec<usize>, FigureError> {
    if series.points.is_empty() {
        return Err(FigureError::EmptySeries {
            figure: figure.name.clone(),
            series: series.label.clone(),
        });
    }
    if let Some(band) = &series.band
        && band.len() != series.points.len()
    {
        return Err(FigureError::Band {
            figure: figure.name.clone(),
            series: series.label.clone(),
            points: series.points.len(),
            band: band.len(),
        });
    }
    let level = series.kind == SeriesKind::HorizontalLine;
    let has_place = |(x, y): (f64, f64)| (level || figure.x.scale.admits(x)) && figure.y.scale.admits(y);
    Ok((0..series.points.len())
        .filter(|i| has_place(series.points[*i]))
        .collect())
}

/// The note on points that are not drawn.
fn left_out(series: &Series, drawn: usize) -> Option<String> {
    let all = series.points.len();
    if drawn == all {
        return None;
    }
    let level = series.kind == SeriesKind::HorizontalLine;
    let is_finite = |(x, y): &&(f64, f64)| (level || finite(*x)) && finite(*y);
    let not_finite = all - series.points.iter().filter(is_finite).count();
    let not_positive = all - drawn - not_finite;
    let mut parts = Vec::new();
    if not_positive > 0 {
        parts.push(format!(
            "{not_positive} of {all} points are zero or negative, for which a logarithmic axis has no place"
        ));
    }
    if not_finite > 0 {
        parts.push(format!("{not_finite} of {all} points are not finite"));
    }
    Some(format!("Not drawn, {}: {}.", series.label, parts.join("; ")))
}

fn x_values<'a>(shown: &'a [(&Series, Vec<usize>)]) -> impl Iterator<Item = f64> + 'a {
    shown
        .iter()
        .filter(|(series, _)| series.kind != SeriesKind::HorizontalLine)
        .flat_map(|(series, points)| points.iter().map(|index| series.points[*index].0))
}

fn y_values<'a>(shown: &'a [(&Series, Vec<usize>)]) -> impl Iterator<Item = f64> + 'a {
    shown.iter().flat_map(|(series, points)| {
        let band = series.band.as_ref();
        let ends = points
            .iter()
            .filter_map(move |index| Some(band?[*index]))
            .flat_map(|(low, high)| [low, high]);
        points.iter().map(|index| series.points[*index].1).chain(ends)
    })
}

fn draw<'a>(figure: &Prepared, series: &'a Series, points: Vec<usize>) -> Drawn<'a> {
    let points_of = |indices: &[usize]| {
        indices
            .iter()
            .map(|index| series.points[*index])
            .collect::<Vec<_>>()
    };
    let mut drawn = Drawn {
        series,
        line: Vec::new(),
        markers: Vec::new(),
        band: Vec::new(),
        fit: fit(figure, series),
        levels: Vec::new(),
    };
    if series.kind == SeriesKind::HorizontalLine {
        drawn.levels = points.iter().map(|index| series.points[*index].1).collect();
        drawn.levels.dedup();
        return drawn;
    }
    let places: Vec<(f64, f64)> = points
        .iter()
        .map(|index| figure.place(series.points[*index]))
        .collect();
    let chosen = |gap: f64| -> Vec<usize> {
        thin(&places, thin::TOLERANCE, gap)
            .into_iter()
            .map(|index| points[index])
            .collect()
    };
    if series.kind != SeriesKind::Points {
        drawn.line = points_of(&chosen(f64::INFINITY));
    }
    match series.kind {
        SeriesKind::Points => drawn.markers = points_of(&chosen(MARKER_GAP)),
        SeriesKind::LineWithPoints => drawn.markers = points_of(&spread(&points, &places)),
        SeriesKind::Line | SeriesKind::HorizontalLine => {}
    }
    if let Some(band) = &series.band {
        drawn.band = shade(figure, series, band, &points);
    }
    drawn
}

/// The band at enough points for both of its edges.
fn shade(figure: &Prepared, series: &Series, band: &[(f64, f64)], points: &[usize]) -> Vec<(f64, f64, f64)> {
    let bottom = figure.y.value(0.0);
    let ends = |index: &usize| {
        let ((x, y), (low, high)) = (series.points[*index], band[*index]);
        // An end that is zero or negative lies below the frame; one that is not finite is not known.
        let low = match figure.y.scale.admits(low) {
            true => low,
            false if finite(low) => bottom,
            false => y,
        };
        (x, low, if figure.y.scale.admits(high) { high } else { y })
    };
    let ends: Vec<(f64, f64, f64)> = points.iter().map(ends).collect();
    let edge = |edge: fn(&(f64, f64, f64)) -> (f64, f64)| {
        let places: Vec<_> = ends.iter().map(|it| figure.place(edge(it))).collect();
        thin(&places, thin::TOLERANCE, f64::INFINITY)
    };
    let mut kept = edge(|(x, low, _)| (*x, *low));
    kept.extend(edge(|(x, _, high)| (*x, *high)));
    kept.sort_unstable();
    kept.dedup();
    kept.into_iter().map(|index| ends[index]).collect()
}

/// Points so far apart that their markers can be told from each other; the first and the last are among them.
fn spread(points: &[usize], places: &[(f64, f64)]) -> Vec<usize> {
    const APART: f64 = 0.03;
    let mut chosen: Vec<usize> = Vec::new();
    let mut last: Option<(f64, f64)> = None;
    for (index, place) in points.iter().zip(places) {
        let far = last.is_none_or(|(x, y)| (place.0 - x).hypot(place.1 - y) >= APART);
        if far || *index == points[points.len() - 1] {
            chosen.push(*index);
            last = Some(*place);
        }
    }
    chosen
}

/// The fitted line within the frame: its ends on log-log axes, where it is straight, else close points of it.
fn fit(figure: &Prepared, series: &Series) -> Vec<(f64, f64)> {
    let Some(fit) = &series.fit else {
        return Vec::new();
    };
    const STEPS: usize = 256;
    let (from, to) = (
        figure.x.fraction(fit.from).max(0.0),
        figure.x.fraction(fit.to).min(1.0),
    );
    // NaN where an end is no place on the axis.
    if !(from < to && fit.exponent.is_finite() && fit.coefficient.is_finite()) {
        return Vec::new();
    }
    let at = |step: usize| from + (to - from) * step as f64 / STEPS as f64;
    let inside = (0..=STEPS)
        .map(|step| figure.x.value(at(step)))
        .map(|x| (x, fit.at(x)))
        .filter(|(_, y)| figure.y.scale.admits(*y) && (0.0..=1.0).contains(&figure.y.fraction(*y)));
    let inside: Vec<(f64, f64)> = inside.collect();
    match (figure.x.scale, figure.y.scale) {
        (Scale::Log, Scale::Log) if inside.len() > 2 => vec![inside[0], inside[inside.len() - 1]],
        _ => inside,
    }
}
