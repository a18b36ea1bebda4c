//! Spectra against rank on logarithmic axes, with the power law fitted to each: Figures 1 and 3 to 16.

use super::curves::{Identity, group, words};
use super::{FigureKind, PlotError, caption};
use crate::figures::{self, Axis, Figure};
use crate::results::{MeasuredSpectrum, Results, Spectra};
use gradstudy_base::signature::{Default, Param, ParamType, Signature};
use gradstudy_lang::study::FigureSpec;
use gradstudy_nn::spectra::SpectrumKind;
use gradstudy_stats::outcome::Direction;
use gradstudy_stats::power_law::PowerLawFit;

/// See the module's documentation.
pub struct RankPlot;

static SIGNATURE: Signature = Signature {
    name: "rank_plot",
    summary: "spectra or magnitudes against rank on logarithmic axes, with the power law fitted to each",
    params: &[
        Param {
            name: "of",
            ty: ParamType::List(&ParamType::Reference(&["spectrum"])),
            default: Default::Required,
            doc: "the spectra drawn",
        },
        Param {
            name: "curves",
            ty: ParamType::List(&ParamType::Word(&[])),
            default: Default::Absent,
            doc: "row keys and factors that name the curves; what else tells them apart is added",
        },
        Param {
            name: "fit",
            ty: ParamType::Word(&["line", "none"]),
            default: Default::Text("line"),
            doc: "`line` draws the maximum-likelihood power law",
        },
        Param {
            name: "tail",
            ty: ParamType::Integer {
                min: 2,
                max: 1_000_000_000,
            },
            default: Default::Absent,
            doc: "the line is fitted to the so many largest values; without it, to all that are above zero",
        },
    ],
    version: 1,
};

impl FigureKind for RankPlot {
    fn signature(&self) -> &'static Signature {
        &SIGNATURE
    }

    fn draw(&self, spec: &FigureSpec, results: &Results, spectra: &Spectra) -> Result<Figure, PlotError> {
        let args = &spec.call.args;
        let of = args.texts("of");
        let seed = spectra.spectra.iter().map(|it| it.seed).next();
        let shown: Vec<MeasuredSpectrum> = spectra
            .spectra
            .iter()
            .filter(|it| of.contains(&it.name.as_str()) && Some(it.seed) == seed)
            .cloned()
            .collect();
        if shown.is_empty() {
            return Err(PlotError::Empty {
                figure: spec.name.clone(),
                of: of.join(", "),
            });
        }
        let curves = group(&shown, identity, &words(args, "curves"), None);
        let fitted = args.text("fit") == "line";
        let tail = args.get("tail").map(|_| args.integer("tail") as usize);
        let mut series = Vec::new();
        for (label, spectra) in curves {
            for (number, measured) in spectra.iter().enumerate() {
                let color = series.len();
                // Two spectra of one name are told apart by their layers or statements.
                let label = match (number, &measured.subject.layers) {
                    (_, Some(layers)) if spectra.len() > 1 => format!("{label} ({layers})"),
                    (0, _) => label.clone(),
                    _ => format!("{label} ({})", measured.name),
                };
                let values = &measured.spectrum.values;
                let fit = fit(values, tail).filter(|_| fitted);
                series.push(match measured.spectrum.kind {
                    SpectrumKind::Eigengaps => figures::in_order(&label, values, fit.as_ref(), color),
                    _ => figures::rank_plot(&label, values, fit.as_ref(), color),
                });
            }
        }
        let mut notes = Vec::new();
        let seeds: std::collections::BTreeSet<u64> = spectra.spectra.iter().map(|it| it.seed).collect();
        if let (Some(seed), true) = (seed, seeds.len() > 1) {
            notes.push(format!("Of {} seeds, seed {seed} is drawn.", seeds.len()));
        }
        if fitted {
            notes.push(format!(
                "Dashed: the power law fitted by maximum likelihood to {}, drawn as {} = x_min (K/k)^ŝ, whether or not a \
                 test accepts it.",
                fitted_to(&shown, tail),
                quantity(&shown).symbol
            ));
        }
        for measured in &shown {
            if let Some(sketch) = measured.spectrum.sketch {
                let layers = measured
                    .subject
                    .layers
                    .iter()
                    .map(|layers| format!(" ({layers})"));
                notes.push(format!(
                    "{}{}: of gradients sketched to {} dimensions; with probability {} every value lies within {:.2e} of \
                     the exact one.",
                    measured.name,
                    layers.collect::<String>(),
                    sketch.dim,
                    sketch.probability,
                    sketch.bound
                ));
            }
        }
        Ok(Figure {
            name: spec.name.clone(),
            caption: caption(spec, results, shown.iter().map(|it| &it.subject)),
            x: Axis::rank(),
            y: y_axis(&shown),
            series,
            notes,
        })
    }
}

fn identity(measured: &MeasuredSpectrum) -> Identity<'_> {
    Identity {
        name: &measured.name,
        subject: &measured.subject,
        levels: &measured.levels,
        direction: Direction::Spectrum,
    }
}

/// The power law of the `tail` largest values above zero, or of all; none where fewer than two differ.
fn fit(values: &[f64], tail: Option<usize>) -> Option<PowerLawFit> {
    let mut positive: Vec<f64> = values.iter().copied().filter(|value| *value > 0.0).collect();
    positive.sort_unstable_by(|a, b| b.total_cmp(a));
    positive.truncate(tail.unwrap_or(usize::MAX));
    PowerLawFit::new(&positive, *positive.last()?)
}

/// What stands on the vertical axis.
struct Quantity {
    label: &'static str,
    tex: &'static str,
    /// In a formula.
    symbol: &'static str,
    plural: &'static str,
}

fn quantity(shown: &[MeasuredSpectrum]) -> Quantity {
    let all = |kind: SpectrumKind| shown.iter().all(|it| it.spectrum.kind == kind);
    let [label, tex, symbol, plural] = if all(SpectrumKind::Eigengaps) {
        ["eigengap δ_k", r"eigengap $\delta_k$", "δ_k", "eigengaps"]
    } else if all(SpectrumKind::Magnitudes) {
        [
            "magnitude of gradient",
            "magnitude of gradient",
            "magnitude",
            "magnitudes",
        ]
    } else {
        ["eigenvalue λ_k", r"eigenvalue $\lambda_k$", "λ_k", "eigenvalues"]
    };
    Quantity {
        label,
        tex,
        symbol,
        plural,
    }
}

/// What the lines are fitted to, in words.
fn fitted_to(shown: &[MeasuredSpectrum], tail: Option<usize>) -> String {
    let plural = quantity(shown).plural;
    if let Some(tail) = tail {
        return format!("the {tail} largest {plural}");
    }
    let values = |it: &MeasuredSpectrum| it.spectrum.values.len();
    let above = |it: &MeasuredSpectrum| it.spectrum.values.iter().filter(|value| **value > 0.0).count();
    let some_zero = shown.iter().any(|it| above(it) < values(it));
    let zero = if some_zero { " that are above zero" } else { "" };
    match shown.iter().all(|it| values(it) == values(&shown[0])) {
        true => format!("all {} computed {plural}{zero}", values(&shown[0])),
        false => format!("all computed {plural}{zero}"),
    }
}

fn y_axis(shown: &[MeasuredSpectrum]) -> Axis {
    let quantity = quantity(shown);
    Axis::log(quantity.label).with_tex(quantity.tex)
}
