//! Shapes and lines of text written as SVG, placed in millimetres and rounded to hundredths of them.

use std::fmt::Write;

use super::font;
use super::palette::{INK, Rgb};

/// Which point of a text its place is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A point, in millimetres from the left upper corner.
pub(super) type Point = (f64, f64);

/// The elements of an SVG document, in the order in which they were drawn.
#[derive(Debug, Default)]
pub(super) struct Canvas {
    elements: String,
}

impl Canvas {
    /// A line through `points`; of fewer than two points, nothing.
    pub fn line(&mut self, points: &[Point], color: Rgb, width: f64) {
        if points.len() < 2 {
            return;
        }
        let (color, width, points) = (hex(color), unit(width), list(points));
        self.push(&format!(
            r#"<polyline fill="none" stroke="{color}" stroke-width="{width}" points="{points}"/>"#
        ));
    }

    pub fn rect(&mut self, from: Point, to: Point, color: Rgb) {
        let ((x, y), color) = ((unit(from.0), unit(from.1)), hex(color));
        let (width, height) = (unit(to.0) - x, unit(to.1) - y);
        self.push(&format!(
            r#"<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="{color}"/>"#
        ));
    }

    /// A filled polygon; `opacity` is between 0 and 1.
    pub fn polygon(&mut self, points: &[Point], color: Rgb, opacity: f64) {
        let (color, points) = (hex(color), list(points));
        let opacity = match opacity < 1.0 {
            true => format!(r#" fill-opacity="{opacity}""#),
            false => String::new(),
        };
        self.push(&format!(
            r#"<polygon fill="{color}"{opacity} points="{points}"/>"#
        ));
    }

    /// A filled circle.
    pub fn circle(&mut self, (x, y): Point, radius: f64, color: Rgb) {
        let (x, y, radius, color) = (unit(x), unit(y), unit(radius), hex(color));
        self.push(&format!(
            r#"<circle cx="{x}" cy="{y}" r="{radius}" fill="{color}"/>"#
        ));
    }

    /// One line of text with `at` on its baseline, upwards if `turned`. It says how long it is, so that it has its place
    /// where another font stands in for ours.
    pub fn text(&mut self, text: &str, at: Point, size: f64, anchor: Anchor, turned: bool) {
        let (x, y) = (unit(at.0), unit(at.1));
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let turn = match turned {
            true => format!(r#" transform="rotate(270, {x}, {y})""#),
            false => String::new(),
        };
        let length = unit(font::width(text, size)).max(1);
        let (family, size, color) = (font::FAMILIES, unit(size), hex(INK));
        let text = font::escape(text);
        self.push(&format!(
            r#"<text textLength="{length}" lengthAdjust="spacingAndGlyphs" x="{x}" y="{y}" text-anchor="{anchor}" font-family="{family}" font-size="{size}" fill="{color}"{turn}>{text}</text>"#
        ));
    }

    /// The document of `width` × `height` millimetres, with `label` for those who cannot see it.
    pub fn document(self, width: f64, height: f64, label: &str) -> String {
        let (across, down, label) = (unit(width), unit(height), font::escape(label));
        format!(
            "<svg width=\"{width}mm\" height=\"{height}mm\" role=\"img\" aria-label=\"{label}\" \
             viewBox=\"0 0 {across} {down}\" xmlns=\"http://www.w3.org/2000/svg\">\n{}</svg>\n",
            self.elements
        )
    }

    fn push(&mut self, element: &str) {
        self.elements.push_str(element);
        self.elements.push('\n');
    }
}

fn unit(millimetres: f64) -> i32 {
    (100.0 * millimetres).round() as i32
}

fn hex((r, g, b): Rgb) -> String {
    format!("#{r:02X}{g:02X}{b:02X}")
}

fn list(points: &[Point]) -> String {
    let mut list = String::new();
    for (x, y) in points {
        let blank = if list.is_empty() { "" } else { " " };
        let _ = write!(list, "{blank}{},{}", unit(*x), unit(*y));
    }
    list
}
