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
/// Names of categories that are longer than this are shortened.
const LONGEST: f64 = 25.0;
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
    /// Names of categories that stand upright below the frame, reading upwards: the length of the longest.
    pub turned: Option<f64>,
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
    let (x, turned) = below(prepared, WIDTH - left - 2.0);
    let over = |ticks: &Ticks| {
        let right = ticks.major.iter().map(|(at, label)| {
            let from_right = (1.0 - prepared.x.fraction(*at)) * (WIDTH - left - 2.0);
            width(label) / 2.0 - from_right
        });
        match turned {
            Some(_) => 0.0,
            None => right.fold(0.0, f64::max),
        }
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
    let ticks = turned.unwrap_or(TICK * 0.85);
    Layout {
        height: ((frame.bottom + TICK_GAP + ticks + below + LABEL * 0.3) * 10.0).ceil() / 10.0,
        turned,
        frame,
        x,
        y,
        x_label,
        y_label,
        legend,
        tex_legend,
    }
}

/// Ticks below a frame of width `length`: as many numbers as stand apart, or all names of categories; these are turned,
/// and shortened to [`LONGEST`], where they do not stand beside each other: then their length.
fn below(prepared: &Prepared, length: f64) -> (Ticks, Option<f64>) {
    let names = &prepared.figure.x.categories;
    if names.is_empty() {
        let ticks = (2..=7).rev().map(|most| prepared.x.ticks(most));
        let fitting = ticks.into_iter().find(|ticks| apart(ticks, prepared, length));
        return (fitting.unwrap_or_else(|| prepared.x.ticks(2)), None);
    }
    let ticks = |name: &dyn Fn(&String) -> String| {
        let at = |(index, text): (usize, &String)| {
            let label = TickLabel {
                text: name(text),
                exponent: None,
            };
            ((index + 1) as f64, label)
        };
        Ticks {
            major: names.iter().enumerate().map(at).collect(),
            minor: Vec::new(),
        }
    };
    let whole = ticks(&|name| name.clone());
    let narrow = |(_, label): &(f64, TickLabel)| width(label) + 1.5 < length / names.len() as f64;
    if whole.major.iter().all(narrow) {
        return (whole, None);
    }
    let shortened = ticks(&|name| font::fit(name, TICK, LONGEST));
    let longest = shortened.major.iter().map(|(_, label)| width(label));
    let longest = longest.fold(0.0, f64::max);
    (shortened, Some(longest))
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
