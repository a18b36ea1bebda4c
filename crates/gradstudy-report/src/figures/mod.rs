//! Figures: plain data in, SVG, PNG, PDF, pgfplots and CSV out, the same bytes on every machine.
//!
//! A [`Figure`] knows nothing of gradients. [`rank_plot`], [`against`] and [`curve`] make series of what a
//! study measured; [`documents`] draws a figure in every format. What cannot be drawn, such as zero on a
//! logarithmic axis, is left out and counted in a note under the figure.
//!
//! All formats share one layout: [`prepare`] drops and thins points and finds the limits, [`layout`] places axes
//! and legend. [`svg`] draws it, [`convert`] turns that SVG into PNG and PDF with the font that
//! gradstudy carries, [`pgfplots`] writes the same axes for LaTeX.

mod accent;
mod axis;
mod canvas;
mod convert;
mod csv;
mod documents;
mod error;
mod font;
mod layout;
mod legend;
mod make;
mod marker;
mod palette;
mod pgfplots;
mod prepare;
mod scale;
mod shapes;
mod svg;
pub mod thin;

use serde::Serialize;

pub use convert::{to_pdf, to_png};
pub use csv::to_csv;
pub use documents::documents;
pub use error::FigureError;
pub use make::{against, curve, horizontal_line, in_order, rank_plot};
pub use palette::{COLORS, color};
pub use pgfplots::{standalone, to_pgfplots};
pub use svg::to_svg;

/// One panel with its axes and series.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figure {
    /// Its name in the study; files are named after it.
    pub name: String,
    pub caption: String,
    pub x: Axis,
    pub y: Axis,
    /// In the order of the legend; later ones are drawn over earlier ones.
    pub series: Vec<Series>,
    /// Sentences under the figure. What drawing leaves out is added to them.
    pub notes: Vec<String>,
}

/// A horizontal or vertical axis.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Axis {
    /// Plain text.
    pub label: String,
    /// The same in LaTeX, not escaped any more.
    pub label_tex: String,
    pub scale: Scale,
    /// Values that the axis must reach, in data units; wider data wins.
    pub reach: Option<(f64, f64)>,
    /// Whether values are fractions whose percents stand at the ticks.
    pub percent: bool,
    /// Names of the places 1, 2, … in place of numbers, on a linear axis; empty for an axis of numbers.
    pub categories: Vec<String>,
}

/// How values become lengths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    Linear,
    /// Base ten; has no place for values ≤ 0.
    Log,
    /// Base ten beyond ±10^decade, linear between: a logarithmic axis with a place for zero and for negative values.
    SymLog {
        decade: i32,
    },
}

/// One condition of a figure.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Series {
    /// Plain text, for the legend.
    pub label: String,
    pub kind: SeriesKind,
    /// (x, y) in data units, in the order in which a line joins them.
    pub points: Vec<(f64, f64)>,
    /// Low and high end of a shaded band at each point, such as mean ± standard deviation over seeds.
    pub band: Option<Vec<(f64, f64)>>,
    /// A fitted power law, dashed in the colour of the series.
    pub fit: Option<FitLine>,
    /// Colour and marker, the same number for the same condition in all figures of a report. See [`color`].
    pub color: usize,
}

/// What joins or marks the points of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SeriesKind {
    /// A marker at each point.
    Points,
    /// A line through the points.
    Line,
    /// Both.
    LineWithPoints,
    /// A dotted line over the whole width at the y of each point; x is ignored.
    HorizontalLine,
}

/// The line y = c · x^(−s) over part of the x axis.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FitLine {
    /// s, the slope downwards on log-log axes.
    pub exponent: f64,
    /// c, the value at x = 1.
    pub coefficient: f64,
    /// Where it begins and ends on the x axis.
    pub from: f64,
    pub to: f64,
    /// For the legend, behind the label of the series, such as `ŝ = 1.38`; empty for none.
    pub label: String,
    /// The same in LaTeX, such as `$\hat{s} = 1.38$`.
    pub label_tex: String,
}

impl Axis {
    /// A linear axis; the label's text is escaped for LaTeX.
    pub fn linear(label: &str) -> Self {
        Self::new(label, Scale::Linear)
    }

    /// A logarithmic axis; the label's text is escaped for LaTeX.
    pub fn log(label: &str) -> Self {
        Self::new(label, Scale::Log)
    }

    fn new(label: &str, scale: Scale) -> Self {
        Axis {
            label: label.to_string(),
            label_tex: crate::report::latex::escape(label),
            scale,
            reach: None,
            percent: false,
            categories: Vec::new(),
        }
    }

    /// An axis of named places: values 1, 2, … lie at the first name, the second, ….
    pub fn categories(label: &str, names: Vec<String>) -> Self {
        Axis {
            categories: names,
            ..Self::linear(label)
        }
    }

    /// The same axis with a label of its own in LaTeX, such as `$\lambda_k$`.
    pub fn with_tex(self, label_tex: &str) -> Self {
        Axis {
            label_tex: label_tex.to_string(),
            ..self
        }
    }

    /// The same axis, reaching at least from `low` to `high`.
    pub fn reaching(self, low: f64, high: f64) -> Self {
        Axis {
            reach: Some((low, high)),
            ..self
        }
    }
}

impl FitLine {
    /// y at `x`.
    pub fn at(&self, x: f64) -> f64 {
        self.coefficient * x.powf(-self.exponent)
    }
}
