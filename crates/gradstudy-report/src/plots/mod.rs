//! What a study's `figure` statement can draw: one file a kind, one line in [`FIGURES`].

mod angles;
mod curves;
mod error;
mod rank_plot;
mod rates;
mod scales;

pub use error::PlotError;

use curves::words;

use indexmap::IndexSet;

use crate::figures::Figure;
use crate::report;
use crate::results::{Results, Spectra, Subject};
use gradstudy_base::signature::{Call, Default, Signature};
use gradstudy_lang::study::FigureSpec;

/// A kind of figure.
pub trait FigureKind: Sync {
    /// Name and settings.
    fn signature(&self) -> &'static Signature;

    /// Whether it can draw what `test` measures.
    fn draws(&self, _test: &Call) -> bool {
        true
    }

    /// The figure that `spec` asks for, of what a run measured.
    fn draw(&self, spec: &FigureSpec, results: &Results, spectra: &Spectra) -> Result<Figure, PlotError>;
}

/// Every kind of figure, in alphabetical order.
pub static FIGURES: &[&dyn FigureKind] = &[&angles::Angles, &rank_plot::RankPlot, &rates::Rates];

/// The figures that `specs` ask for, of what was made, and why others cannot be drawn; a condition has one colour in all
/// of them. A figure of which nothing was made is left out where something failed.
///
/// # Errors
/// A figure that an older gradstudy asked for with other settings.
pub fn draw_all(
    specs: &[FigureSpec],
    results: &Results,
    spectra: &Spectra,
) -> Result<(Vec<Figure>, Vec<PlotError>), PlotError> {
    let mut colors: IndexSet<String> = IndexSet::new();
    let made = results.made();
    let some_failed = made.measurements.len() < results.measurements.len();
    let (mut figures, mut undrawn) = (Vec::new(), Vec::new());
    for spec in specs {
        let mut figure = match draw(spec, &made, spectra) {
            Ok(figure) => figure,
            Err(PlotError::Empty { .. }) if some_failed => continue,
            Err(error @ PlotError::Unknown { .. }) => return Err(error),
            Err(error) => {
                undrawn.push(error);
                continue;
            }
        };
        for series in &mut figure.series {
            series.color = colors.insert_full(series.label.clone()).0;
        }
        figures.push(figure);
    }
    Ok((figures, undrawn))
}

/// The figure that `spec` asks for.
///
/// # Errors
/// As for [`draw_all`].
pub fn draw(spec: &FigureSpec, results: &Results, spectra: &Spectra) -> Result<Figure, PlotError> {
    let unknown = |what: &str| PlotError::Unknown {
        figure: spec.name.clone(),
        what: what.to_string(),
    };
    let kind = FIGURES
        .iter()
        .find(|kind| kind.signature().name == spec.call.name)
        .ok_or_else(|| unknown(&format!("the kind `{}`", spec.call.name)))?;
    // The checker writes all of them out; a run of another version may lack one.
    let lacking =
        kind.signature().params.iter().find(|param| {
            !matches!(param.default, Default::Absent) && spec.call.args.get(param.name).is_none()
        });
    if let Some(param) = lacking {
        return Err(unknown(&format!("a figure without `{}`", param.name)));
    }
    let mut figure = kind.draw(spec, results, spectra)?;
    if let Some(number) = spec.mirrors {
        figure
            .notes
            .push(format!("After Figure {number} of Xie et al., 2023."));
    }
    Ok(figure)
}

/// The figure's own caption; else the study's title and what all `subjects` share.
fn caption<'a>(spec: &FigureSpec, results: &Results, subjects: impl Iterator<Item = &'a Subject>) -> String {
    let told = words(&spec.call.args, "curves");
    let of_all = || report::caption(&results.study, &told, subjects);
    spec.caption.clone().unwrap_or_else(of_all)
}
