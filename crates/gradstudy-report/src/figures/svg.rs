//! A figure as SVG.

use super::axis::TickLabel;
use super::canvas::{Anchor, Canvas, Point};
use super::layout::{EXPONENT, LABEL, Layout, TICK, TICK_GAP, WIDTH, layout, width};
use super::legend::{GAP, SAMPLE, TEXT};
use super::marker::{Outline, marker};
use super::palette::{FINE_GRID, GRID, INK, PAPER, Rgb, TICK as TICK_COLOR, color, darker};
use super::prepare::{Drawn, Prepared, prepare};
use super::shapes::dashes;
use super::{Figure, FigureError, SeriesKind, accent, font};
use crate::report::symbols::{self, Level, Piece};

/// Radius of a marker alone, and of one on a line.
const MARKER: f64 = 0.5;
const LINE: f64 = 0.28;
const FIT: f64 = 0.3;
/// On and off, of fits and of horizontal lines.
const DASH: (f64, f64) = (1.7, 0.9);
const DOT: (f64, f64) = (0.5, 0.6);

/// The figure as an SVG document, 85 mm wide. Its text is text: see `docs/templates.md` for the fonts.
///
/// # Errors
/// A series without points, or nothing that the axes have a place for.
pub fn to_svg(figure: &Figure) -> Result<String, FigureError> {
    let prepared = prepare(figure)?;
    Ok(draw(&prepared, &layout(&prepared)))
}

pub(super) fn draw(prepared: &Prepared, layout: &Layout) -> String {
    let mut pen = Pen::default();
    // A little larger than the drawing: a picture has whole pixels.
    pen.rect((0.0, 0.0), (WIDTH + 1.0, layout.height + 1.0), PAPER);
    grid(&mut pen, prepared, layout);
    for drawn in &prepared.series {
        shade(&mut pen, prepared, layout, drawn);
    }
    for drawn in &prepared.series {
        data(&mut pen, prepared, layout, drawn);
    }
    for drawn in &prepared.series {
        let line: Vec<_> = drawn
            .fit
            .iter()
            .map(|it| layout.frame.at(prepared.place(*it)))
            .collect();
        pen.dashed(&line, DASH, darker(color(drawn.series.color)), FIT);
    }
    axes(&mut pen, prepared, layout);
    legend(&mut pen, prepared, layout);
    pen.canvas
        .document(WIDTH, layout.height, &prepared.figure.caption)
}

/// Draws on a canvas what figures are made of.
#[derive(Default)]
struct Pen {
    canvas: Canvas,
}

impl Pen {
    fn line(&mut self, points: &[Point], color: Rgb, width: f64) {
        self.canvas.line(points, color, width);
    }

    fn rect(&mut self, from: Point, to: Point, color: Rgb) {
        self.canvas.rect(from, to, color);
    }

    fn dashed(&mut self, points: &[(f64, f64)], (on, off): (f64, f64), color: Rgb, width: f64) {
        for dash in dashes(points, on, off) {
            self.line(&dash, color, width);
        }
    }

    fn marker(&mut self, (x, y): (f64, f64), index: usize) {
        let shift = |(dx, dy): &(f64, f64)| (x + MARKER * dx, y + MARKER * dy);
        match marker(index).outline {
            Outline::Circle(radius) => {
                self.canvas.circle((x, y), radius * MARKER, color(index));
            }
            Outline::Polygon(corners) => {
                self.canvas
                    .polygon(&corners.iter().map(shift).collect::<Vec<_>>(), color(index), 1.0);
            }
            Outline::Strokes(strokes) => {
                for stroke in strokes {
                    self.line(&stroke.iter().map(shift).collect::<Vec<_>>(), color(index), 0.25);
                }
            }
        }
    }

    /// One line of text with its symbols' sub- and superscripts set smaller, lower and higher.
    fn prose(&mut self, text: &str, (x, y): (f64, f64), size: f64, anchor: Anchor, turned: bool) {
        const SMALLER: f64 = 0.72;
        let text = font::one_line(text);
        let pieces = symbols::pieces(&text);
        let moved = |piece: &Piece| matches!(piece, Piece::Symbol(it) if it.plain.contains(['_', '^']));
        if !pieces.iter().any(moved) {
            return self.text(&text, (x, y), size, anchor, turned);
        }
        let runs = pieces.into_iter().flat_map(|piece| match piece {
            Piece::Text(text) => vec![(text, Level::Line)],
            Piece::Symbol(symbol) => symbol.runs(),
        });
        // Letters, their size, and how much lower they stand.
        let run = |(letters, level)| match level {
            Level::Line => (letters, size, 0.0),
            Level::Subscript => (letters, size * SMALLER, size * 0.2),
            Level::Superscript => (letters, size * SMALLER, size * -0.35),
        };
        let runs: Vec<(&str, f64, f64)> = runs.map(run).collect();
        // Blanks at an end of a text are neither measured nor drawn.
        let blank = font::width("n n", size) - font::width("nn", size);
        let before = |letters: &str| (letters.len() - letters.trim_start_matches(' ').len()) as f64 * blank;
        let behind = |letters: &str| (letters.len() - letters.trim_end_matches(' ').len()) as f64 * blank;
        let length =
            |letters: &str, size: f64| before(letters) + font::width(letters, size) + behind(letters);
        let total: f64 = runs.iter().map(|(letters, size, _)| length(letters, *size)).sum();
        let mut at = match anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => -total / 2.0,
            Anchor::End => -total,
        };
        for (letters, size, down) in runs {
            let start = at + before(letters);
            let place = match turned {
                true => (x + down, y - start),
                false => (x + start, y + down),
            };
            self.text(letters, place, size, Anchor::Start, turned);
            at += length(letters, size);
        }
    }

    /// One line of text with its baseline at `y`, accents drawn over their letters.
    fn text(&mut self, text: &str, (x, y): (f64, f64), size: f64, anchor: Anchor, turned: bool) {
        let (text, accents) = accent::split(&font::one_line(text));
        if text.is_empty() {
            return;
        }
        let length = font::width(&text, size);
        self.canvas.text(&text, (x, y), size, anchor, turned);
        let start = match anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => -length / 2.0,
            Anchor::End => -length,
        };
        for stroke in accent::strokes(&text, &accents, size) {
            let place = |(along, up): (f64, f64)| match turned {
                true => (x - up, y - start - along),
                false => (x + start + along, y - up),
            };
            let line: Vec<_> = stroke.into_iter().map(place).collect();
            self.line(&line, INK, accent::STROKE * size);
        }
    }

    /// The number at a tick: its left end, or its right end if `right`.
    fn number(&mut self, label: &TickLabel, (left, baseline): (f64, f64)) {
        self.text(&label.text, (left, baseline), TICK, Anchor::Start, false);
        if let Some(exponent) = &label.exponent {
            let x = left + font::width(&label.text, TICK);
            self.text(
                exponent,
                (x, baseline - TICK * 0.4),
                EXPONENT,
                Anchor::Start,
                false,
            );
        }
    }
}

fn grid(pen: &mut Pen, prepared: &Prepared, layout: &Layout) {
    let frame = layout.frame;
    let x = |value: f64| frame.at((prepared.x.fraction(value), 0.0)).0;
    let y = |value: f64| frame.at((0.0, prepared.y.fraction(value))).1;
    let across = |pen: &mut Pen, y, color| pen.line(&[(frame.left, y), (frame.right, y)], color, 0.12);
    let down = |pen: &mut Pen, x, color| pen.line(&[(x, frame.top), (x, frame.bottom)], color, 0.12);
    for value in &layout.x.minor {
        down(pen, x(*value), FINE_GRID);
    }
    for value in &layout.y.minor {
        across(pen, y(*value), FINE_GRID);
    }
    for (value, _) in &layout.x.major {
        down(pen, x(*value), GRID);
    }
    for (value, _) in &layout.y.major {
        across(pen, y(*value), GRID);
    }
}

fn shade(pen: &mut Pen, prepared: &Prepared, layout: &Layout, drawn: &Drawn) {
    let place = |x: f64, y: f64| layout.frame.at(prepared.place((x, y)));
    let low = drawn.band.iter().map(|(x, low, _)| place(*x, *low));
    let high = drawn.band.iter().rev().map(|(x, _, high)| place(*x, *high));
    let outline: Vec<_> = low.chain(high).collect();
    if !outline.is_empty() {
        pen.canvas.polygon(&outline, color(drawn.series.color), 0.18);
    }
}

fn data(pen: &mut Pen, prepared: &Prepared, layout: &Layout, drawn: &Drawn) {
    let (frame, index) = (layout.frame, drawn.series.color);
    let line: Vec<_> = drawn
        .line
        .iter()
        .map(|it| frame.at(prepared.place(*it)))
        .collect();
    pen.line(&line, color(index), LINE);
    for point in &drawn.markers {
        pen.marker(frame.at(prepared.place(*point)), index);
    }
    for level in &drawn.levels {
        let y = frame.at((0.0, prepared.y.fraction(*level))).1;
        pen.dashed(&[(frame.left, y), (frame.right, y)], DOT, color(index), LINE);
    }
}

/// Frame, ticks, numbers and labels.
fn axes(pen: &mut Pen, prepared: &Prepared, layout: &Layout) {
    let frame = layout.frame;
    let (left, right, top, bottom) = (frame.left, frame.right, frame.top, frame.bottom);
    let baseline = bottom + TICK_GAP + TICK * 0.85;
    let x_ticks = layout
        .x
        .minor
        .iter()
        .map(|at| (*at, 0.6))
        .chain(layout.x.major.iter().map(|it| (it.0, 1.2)));
    for (value, length) in x_ticks {
        let x = frame.at((prepared.x.fraction(value), 0.0)).0;
        pen.line(&[(x, bottom), (x, bottom - length)], TICK_COLOR, 0.15);
    }
    let y_ticks = layout
        .y
        .minor
        .iter()
        .map(|at| (*at, 0.6))
        .chain(layout.y.major.iter().map(|it| (it.0, 1.2)));
    for (value, length) in y_ticks {
        let y = frame.at((0.0, prepared.y.fraction(value))).1;
        pen.line(&[(left, y), (left + length, y)], TICK_COLOR, 0.15);
    }
    let corners = [
        (left, top),
        (right, top),
        (right, bottom),
        (left, bottom),
        (left, top),
        (right, top),
    ];
    pen.line(&corners, TICK_COLOR, 0.2);
    for (value, label) in &layout.x.major {
        let x = frame.at((prepared.x.fraction(*value), 0.0)).0;
        match (layout.turned, prepared.figure.x.categories.is_empty()) {
            (Some(_), _) => {
                let place = (x + TICK * 0.34, bottom + TICK_GAP);
                pen.prose(&label.text, place, TICK, Anchor::End, true);
            }
            (None, false) => pen.prose(&label.text, (x, baseline), TICK, Anchor::Middle, false),
            (None, true) => pen.number(label, (x - width(label) / 2.0, baseline)),
        }
    }
    for (value, label) in &layout.y.major {
        let y = frame.at((0.0, prepared.y.fraction(*value))).1;
        pen.number(label, (left - TICK_GAP - width(label), y + TICK * 0.34));
    }
    let below = layout
        .turned
        .map_or(baseline, |length| bottom + TICK_GAP + length);
    let middle = ((left + right) / 2.0, below + LABEL * 1.35);
    pen.prose(&layout.x_label, middle, LABEL, Anchor::Middle, false);
    let middle = (0.6 + LABEL * 0.8, (top + bottom) / 2.0);
    pen.prose(&layout.y_label, middle, LABEL, Anchor::Middle, true);
}

fn legend(pen: &mut Pen, prepared: &Prepared, layout: &Layout) {
    let Some(legend) = &layout.legend else {
        return;
    };
    pen.rect(
        (legend.rect.left, legend.rect.top),
        (legend.rect.right, legend.rect.bottom),
        PAPER,
    );
    for (index, entry) in legend.entries.iter().enumerate() {
        let (left, y) = legend.entry(index);
        let drawn = &prepared.series[entry.series];
        let (series, sample) = (drawn.series, [(left, y), (left + SAMPLE, y)]);
        match series.kind {
            SeriesKind::Line | SeriesKind::LineWithPoints => pen.line(&sample, color(series.color), LINE),
            SeriesKind::HorizontalLine => pen.dashed(&sample, DOT, color(series.color), LINE),
            SeriesKind::Points => {}
        }
        if !drawn.fit.is_empty() {
            pen.dashed(&sample, DASH, darker(color(series.color)), FIT);
        }
        if matches!(series.kind, SeriesKind::Points | SeriesKind::LineWithPoints) {
            pen.marker((left + SAMPLE / 2.0, y), series.color);
        }
        pen.prose(
            &entry.text,
            (left + SAMPLE + GAP, y + TEXT * 0.34),
            TEXT,
            Anchor::Start,
            false,
        );
    }
}
