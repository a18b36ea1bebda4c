//! The legend: what stands in it, and a place for it where there is no data.

use super::font;
use super::prepare::{Drawn, Prepared};
use super::shapes::{Rect, sampled};
use crate::report::latex;

/// Height of the legend's letters.
pub(super) const TEXT: f64 = 2.5;
/// From line to line.
pub(super) const PITCH: f64 = 3.5;
/// Length of the sample of a line or marker before the text.
pub(super) const SAMPLE: f64 = 5.0;
/// Between sample and text, and around everything.
pub(super) const GAP: f64 = 1.2;
/// What the fonts of other viewers may be wider than the one measured.
pub(super) const SLACK: f64 = 1.04;
/// The same of LaTeX's `\scriptsize`.
pub(super) const TEX_SLACK: f64 = 1.3;
/// Between the legend and the nearest data.
const CLEARANCE: f64 = 1.5;

/// A legend with its place.
#[derive(Debug)]
pub(super) struct Legend {
    pub entries: Vec<Entry>,
    pub columns: usize,
    /// Left end of each column.
    lefts: Vec<f64>,
    pub rect: Rect,
    pub place: Place,
}

/// One line of the legend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Which of the drawn series.
    pub series: usize,
    pub text: String,
    pub tex: String,
}

/// Where the legend is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Place {
    /// At a fraction of the free room from the left and from the top of the frame.
    Inside(f64, f64),
    /// Above the frame.
    Above,
}

impl Entry {
    /// What stands in the legend for a series; `None` if it has neither label nor fit. A label too long for `room` is
    /// shortened.
    fn of(index: usize, drawn: &Drawn, slack: f64, room: f64) -> Option<Entry> {
        let series = drawn.series;
        let fit = series
            .fit
            .as_ref()
            .filter(|fit| !drawn.fit.is_empty() && !fit.label.is_empty());
        let behind = fit.map_or(0.0, |fit| font::width(&format!(", {}", fit.label), TEXT * slack));
        let label = font::fit(series.label.trim(), TEXT * slack, room - behind);
        let parts = [Some(label.as_str()), fit.map(|fit| fit.label.as_str())];
        let text: Vec<&str> = parts
            .into_iter()
            .flatten()
            .filter(|text| !text.is_empty())
            .collect();
        let label = latex::prose(&label);
        let tex: Vec<&str> = [Some(label.as_str()), fit.map(|fit| fit.label_tex.as_str())]
            .into_iter()
            .flatten()
            .filter(|text| !text.is_empty())
            .collect();
        (!text.is_empty()).then(|| Entry {
            series: index,
            text: text.join(", "),
            tex: tex.join(", "),
        })
    }

    fn width(&self, slack: f64) -> f64 {
        SAMPLE + GAP + font::width(&self.text, TEXT) * slack
    }
}

impl Legend {
    /// A legend inside `frame` where no data is, else above it between 0 and `width`. The frame is then lower by
    /// [`Legend::above`]. Letters are taken as `slack` times as wide as measured.
    pub(super) fn new(prepared: &Prepared, frame: Rect, width: f64, slack: f64) -> Option<Legend> {
        let room = width - 2.0 * GAP - SAMPLE - GAP;
        let entries: Vec<Entry> = prepared
            .series
            .iter()
            .enumerate()
            .filter_map(|(index, drawn)| Entry::of(index, drawn, slack, room))
            .collect();
        if entries.is_empty() {
            return None;
        }
        let widest = entries.iter().map(|entry| entry.width(slack)).fold(0.0, f64::max);
        let (box_width, box_height) = (widest + 2.0 * GAP, entries.len() as f64 * PITCH + GAP);
        if let Some((rect, place)) = free_place(prepared, frame, box_width, box_height) {
            return Some(Legend {
                entries,
                columns: 1,
                lefts: vec![rect.left + GAP],
                rect,
                place,
            });
        }
        let (columns, total, widths) = (1..=entries.len())
            .rev()
            .map(|columns| columns_of(&entries, columns, slack))
            .find(|(_, total, _)| *total <= width - GAP)
            .unwrap_or_else(|| columns_of(&entries, 1, slack));
        let middle = (frame.left + frame.right) / 2.0;
        let left = (middle - total / 2.0).clamp(0.0, (width - total).max(0.0));
        let mut lefts = vec![left];
        for width in &widths[..widths.len() - 1] {
            lefts.push(lefts[lefts.len() - 1] + width + 2.0 * GAP);
        }
        Some(Legend {
            rect: Rect {
                left,
                top: 0.3,
                right: left + total,
                bottom: 0.3 + entries.len().div_ceil(columns) as f64 * PITCH + GAP,
            },
            entries,
            columns,
            lefts,
            place: Place::Above,
        })
    }

    /// How much room it takes above the frame.
    pub(super) fn above(&self) -> f64 {
        if self.place == Place::Above {
            self.rect.bottom
        } else {
            0.0
        }
    }

    /// Entries line by line, as LaTeX fills its columns; `None` where the last column has no more.
    pub(super) fn lines(&self) -> Vec<Option<&Entry>> {
        let rows = self.entries.len().div_ceil(self.columns);
        let in_row = |row: usize| (0..self.columns).map(move |column| column * rows + row);
        let indices = (0..rows).flat_map(in_row);
        indices.map(|index| self.entries.get(index)).collect()
    }

    /// Left end and middle line of entry `index`.
    pub(super) fn entry(&self, index: usize) -> (f64, f64) {
        let rows = self.entries.len().div_ceil(self.columns);
        let (column, row) = (index / rows, index % rows);
        (
            self.lefts[column],
            self.rect.top + GAP / 2.0 + (row as f64 + 0.5) * PITCH,
        )
    }
}

/// The entries in so many columns, filled from the left: columns that are not empty, total width, widths.
fn columns_of(entries: &[Entry], columns: usize, slack: f64) -> (usize, f64, Vec<f64>) {
    let rows = entries.len().div_ceil(columns);
    let width = |column: &[Entry]| column.iter().map(|entry| entry.width(slack)).fold(0.0, f64::max);
    let widths: Vec<f64> = entries.chunks(rows).map(width).collect();
    let total = widths.iter().sum::<f64>() + (widths.len() - 1) as f64 * 2.0 * GAP;
    (widths.len(), total, widths)
}

/// The first place within the frame that no data comes near: corners first, then sides, then anywhere.
fn free_place(prepared: &Prepared, frame: Rect, width: f64, height: f64) -> Option<(Rect, Place)> {
    let inner = frame.grown(-1.0);
    let (free_x, free_y) = (inner.width() - width, inner.height() - height);
    if free_x < 0.0 || free_y < 0.0 {
        return None;
    }
    let taken = obstacles(prepared, frame);
    let corners = [(1.0, 0.0), (0.0, 1.0), (0.0, 0.0), (1.0, 1.0)];
    let steps = [0.0, 0.25, 0.5, 0.75, 1.0];
    let all = steps
        .iter()
        .flat_map(|v| steps.iter().rev().map(move |u| (*u, *v)));
    corners.into_iter().chain(all).find_map(|(u, v)| {
        let (left, top) = (inner.left + u * free_x, inner.top + v * free_y);
        let rect = Rect {
            left,
            top,
            right: left + width,
            bottom: top + height,
        };
        let clear = rect.grown(CLEARANCE);
        taken
            .iter()
            .all(|point| !clear.holds(*point))
            .then_some((rect, Place::Inside(u, v)))
    })
}

/// Points on everything drawn, none more than a millimetre from the next.
fn obstacles(prepared: &Prepared, frame: Rect) -> Vec<(f64, f64)> {
    let at = |point: &(f64, f64)| frame.at(prepared.place(*point));
    let mut points = Vec::new();
    for drawn in &prepared.series {
        for line in [&drawn.line, &drawn.fit] {
            points.extend(sampled(&line.iter().map(at).collect::<Vec<_>>(), 1.0));
        }
        points.extend(drawn.markers.iter().map(at));
        for (x, low, high) in &drawn.band {
            points.extend(sampled(&[at(&(*x, *low)), at(&(*x, *high))], 1.0));
        }
        for edge in [
            |it: &(f64, f64, f64)| (it.0, it.1),
            |it: &(f64, f64, f64)| (it.0, it.2),
        ] {
            let edge: Vec<_> = drawn.band.iter().map(|it| at(&edge(it))).collect();
            points.extend(sampled(&edge, 1.0));
        }
        for level in &drawn.levels {
            let y = frame.at((0.0, prepared.y.fraction(*level))).1;
            points.extend(sampled(&[(frame.left, y), (frame.right, y)], 1.0));
        }
    }
    points
}
