//! What is measured of each eigenvector, against its rank: angles beside their Davis–Kahan bounds, overlaps of spaces.

use super::curves::{Identity, group, words};
use super::{FigureKind, PlotError, caption};
use crate::figures::{Axis, Figure, Series, SeriesKind};
use crate::results::{Measurement, Results, Spectra};
use gradstudy_base::signature::{Call, Default, Param, ParamType, Signature};
use gradstudy_lang::study::FigureSpec;
use gradstudy_stats::outcome::Outcome;

/// See the module's documentation.
pub struct Angles;

static SIGNATURE: Signature = Signature {
    name: "angles",
    summary: "sines of angles and their bounds (`davis_kahan`), or overlaps (`subspace_overlap`), against the rank k",
    params: &[
        Param {
            name: "of",
            ty: ParamType::List(&ParamType::Reference(&["test"])),
            default: Default::Required,
            doc: "tests `davis_kahan` or `subspace_overlap`",
        },
        Param {
            name: "curves",
            ty: ParamType::List(&ParamType::Word(&[])),
            default: Default::Absent,
            doc: "row keys and factors that name the curves; what else tells them apart is added",
        },
    ],
    version: 1,
};

impl FigureKind for Angles {
    fn signature(&self) -> &'static Signature {
        &SIGNATURE
    }

    fn draws(&self, test: &Call) -> bool {
        ["davis_kahan", "subspace_overlap"].contains(&test.name.as_str())
    }

    fn draw(&self, spec: &FigureSpec, results: &Results, _spectra: &Spectra) -> Result<Figure, PlotError> {
        let args = &spec.call.args;
        let of = args.texts("of");
        let named = || {
            let measurements = results.measurements.iter();
            measurements.filter(|it| of.contains(&it.test.as_str()))
        };
        let seed = named().map(|it| it.seed).next();
        let shown: Vec<&Measurement> = named().filter(|it| Some(it.seed) == seed).collect();
        if shown.is_empty() || shown.iter().any(|it| by_rank(&it.outcome).is_empty()) {
            return Err(PlotError::Empty {
                figure: spec.name.clone(),
                of: of.join(", "),
            });
        }
        let mut series = Vec::new();
        for (label, measurements) in group(&shown, |it| identity(it), &words(args, "curves"), None) {
            for measurement in measurements {
                for (what, values) in by_rank(&measurement.outcome) {
                    series.push(Series {
                        label: format!("{label}: {what}"),
                        kind: SeriesKind::LineWithPoints,
                        points: (1..).map(f64::from).zip(values).collect(),
                        band: None,
                        fit: None,
                        color: series.len(),
                    });
                }
            }
        }
        let seeds: std::collections::BTreeSet<u64> = named().map(|it| it.seed).collect();
        let note = seed.filter(|_| seeds.len() > 1);
        let note = note.map(|seed| format!("Of {} seeds, seed {seed} is drawn.", seeds.len()));
        Ok(Figure {
            name: spec.name.clone(),
            caption: caption(spec, results, shown.iter().map(|it| &it.subject)),
            x: Axis::rank(),
            y: Axis::log("sine, bound, overlap"),
            series,
            notes: note.into_iter().collect(),
        })
    }
}

/// What an outcome says of each rank, and what that is; nothing if it says nothing of ranks.
fn by_rank(outcome: &Outcome) -> Vec<(&'static str, Vec<f64>)> {
    match outcome {
        Outcome::DavisKahan(outcome) if !outcome.eigenvectors.is_empty() => {
            let each = outcome.eigenvectors.iter();
            vec![
                ("sine", each.clone().map(|it| it.sine).collect()),
                ("Davis–Kahan bound", each.clone().map(|it| it.bound).collect()),
                ("bound by Eq. 6", each.map(|it| it.power_law_bound).collect()),
            ]
        }
        Outcome::Overlap(outcome) => vec![("overlap", outcome.by_rank.clone())],
        _ => Vec::new(),
    }
}

fn identity<'a>(measurement: &'a &Measurement) -> Identity<'a> {
    Identity {
        name: &measurement.test,
        subject: &measurement.subject,
        levels: &measurement.levels,
        direction: measurement.direction,
    }
}
