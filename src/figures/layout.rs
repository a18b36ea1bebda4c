//! Where everything goes, in millimetres. One column of a two-column paper is 85 mm wide.

use super::axis::{TickLabel, Ticks};
use super::font;
use super::legend::{Legend, SLACK, TEX_SLACK};
use super::prepare::Prepared;
use super::shapes::Rect;

/// Width of every figure.
pub(super) const WIDTH: f64 = 85.0;
/// Height of the frame around the data.
const FRAME_HEIGHT: f64 = 50.0;
/// Heights of letters: axis labels, numbers at ticks, their exponents.
pub(super) const LABEL: f64 = 2.9;
pub(super) const TICK: f64 = 2.5;
pub(super) const EXPONENT: f64 = 1.8;
/// Between the frame and the numbers at its ticks.
pub(super) const TICK_GAP: f64 = 1.0;

/// The places of a figure's parts.
#[derive(Debug)]
pub(super) struct Layout {
    pub height: f64,
    pub frame: Rect,
    pub x: Ticks,
    pub y: Ticks,
    pub x_label: String,
    pub y_label: String,
    pub legend: Option<Legend>,
    /// The legend where LaTeX sets it.
    pub tex_legend: Option<Legend>,
}

/// Lays the figure out. Labels that are too long for the figure are shortened.
pub(super) fn layout(prepared: &Prepared) -> Layout {
    let y = prepared.y.ticks(6);
    let numbers = y.major.iter().map(|(_, label)| width(label)).fold(0.0, f64::max);
    let y_label = font::fit(&prepared.figure.y.label, LABEL, FRAME_HEIGHT + 6.0);
    let room = if y_label.is_empty() {
        0.0
    } else {
        LABEL * 1.2 + 1.0
    };
    let left = 0.6 + room + numbers + TICK_GAP;
    // As many numbers below as stand apart, and room for half of the last one.
    let x = (2..=7)
        .rev()
        .map(|most| prepared.x.ticks(most))
        .find(|ticks| apart(ticks, prepared, WIDTH - left - 2.0))
        .unwrap_or_else(|| prepared.x.ticks(2));
    let over = |ticks: &Ticks| {
        let right = ticks.major.iter().map(|(at, label)| {
            let from_right = (1.0 - prepared.x.fraction(*at)) * (WIDTH - left - 2.0);
            width(label) / 2.0 - from_right
        });
        right.fold(0.0, f64::max)
    };
    let mut frame = Rect {
        left,
        top: 1.8,
        right: WIDTH - 1.5 - over(&x),
        bottom: 1.8 + FRAME_HEIGHT,
    };
    let legend = Legend::new(prepared, frame, WIDTH, SLACK);
    let tex_legend = Legend::new(prepared, frame, WIDTH, TEX_SLACK);
    let above = legend.as_ref().map_or(0.0, Legend::above);
    frame.top += above;
    frame.bottom += above;
    // Centred below the frame, which is not in the middle of the page.
    let middle = (frame.left + frame.right) / 2.0;
    let x_label = font::fit(
        &prepared.figure.x.label,
        LABEL,
        2.0 * middle.min(WIDTH - middle) - 2.0,
    );
    let below = if x_label.is_empty() { 0.0 } else { LABEL * 1.35 };
    Layout {
        height: ((frame.bottom + TICK_GAP + TICK * 0.85 + below + LABEL * 0.3) * 10.0).ceil() / 10.0,
        frame,
        x,
        y,
        x_label,
        y_label,
        legend,
        tex_legend,
    }
}

/// How wide the number at a tick is.
pub(super) fn width(label: &TickLabel) -> f64 {
    let exponent = label.exponent.as_deref().unwrap_or("");
    font::width(&label.text, TICK) + font::width(exponent, EXPONENT)
}

/// Whether the numbers below the frame leave room between each other.
fn apart(ticks: &Ticks, prepared: &Prepared, length: f64) -> bool {
    ticks.major.windows(2).all(|pair| {
        let distance = (prepared.x.fraction(pair[1].0) - prepared.x.fraction(pair[0].0)) * length;
        distance > (width(&pair[0].1) + width(&pair[1].1)) / 2.0 + 2.0
    })
}
