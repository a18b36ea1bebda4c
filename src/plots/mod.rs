//! What a study's `figure` statement can draw: one file a kind, one line in [`FIGURES`].

mod angles;
mod curves;
mod error;
mod rank_plot;
mod rates;

pub use error::PlotError;

use crate::figures::Figure;
use crate::results::{Results, Spectra};
use crate::signature::Signature;
use crate::study::FigureSpec;

/// A kind of figure.
pub trait FigureKind: Sync {
    /// Name and settings.
    fn signature(&self) -> &'static Signature;

    /// The figure that `spec` asks for, of what a run measured.
    fn draw(&self, spec: &FigureSpec, results: &Results, spectra: &Spectra) -> Result<Figure, PlotError>;
}

/// Every kind of figure, in alphabetical order.
pub static FIGURES: &[&dyn FigureKind] = &[&angles::Angles, &rank_plot::RankPlot, &rates::Rates];

/// The figure that `spec` asks for.
pub fn draw(spec: &FigureSpec, results: &Results, spectra: &Spectra) -> Result<Figure, PlotError> {
    let kind = FIGURES
        .iter()
        .find(|kind| kind.signature().name == spec.call.name);
    let kind = kind.expect("the checker knows the figures");
    let mut figure = kind.draw(spec, results, spectra)?;
    if let Some(number) = spec.mirrors {
        figure
            .notes
            .push(format!("After Figure {number} of Xie et al., 2023."));
    }
    Ok(figure)
}

/// The caption of the study, or the figure's name.
fn caption(spec: &FigureSpec, results: &Results) -> String {
    spec.caption.clone().unwrap_or_else(|| results.study.clone())
}
