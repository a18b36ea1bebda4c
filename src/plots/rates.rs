//! Rates of tests against a number, such as the batch size: Figure 2.

use indexmap::IndexMap;

use super::curves::{Identity, group, words};
use super::{FigureKind, PlotError, caption};
use crate::figures::{self, Axis, Figure};
use crate::report::{column, label_of};
use crate::results::{Measurement, Results, Spectra};
use crate::signature::{Default, Param, ParamType, Signature};
use crate::study::FigureSpec;

/// See the module's documentation.
pub struct Rates;

static SIGNATURE: Signature = Signature {
    name: "rates",
    summary: "rates of tests against a number, such as the batch size",
    params: &[
        Param {
            name: "of",
            ty: ParamType::List(&ParamType::Reference(&["test"])),
            default: Default::Required,
            doc: "the tests shown",
        },
        Param {
            name: "against",
            ty: ParamType::Word(&[]),
            default: Default::Text("batch"),
            doc: "the row key or factor of the horizontal axis; its labels must be numbers",
        },
        Param {
            name: "show",
            ty: ParamType::List(&ParamType::Word(&[])),
            default: Default::Text("[power_law_rate, gaussian_rate]"),
            doc: "the rates shown, columns of tables",
        },
        Param {
            name: "curves",
            ty: ParamType::List(&ParamType::Word(&[])),
            default: Default::Absent,
            doc: "row keys and factors that name the curves; without it, everything that tells them apart",
        },
    ],
    version: 1,
};

impl FigureKind for Rates {
    fn signature(&self) -> &'static Signature {
        &SIGNATURE
    }

    fn draw(&self, spec: &FigureSpec, results: &Results, _spectra: &Spectra) -> Result<Figure, PlotError> {
        let args = &spec.call.args;
        let (of, against) = (args.texts("of"), args.text("against"));
        let shown: Vec<&Measurement> = results
            .measurements
            .iter()
            .filter(|it| of.contains(&it.test.as_str()))
            .collect();
        if shown.is_empty() {
            return Err(PlotError::Empty {
                figure: spec.name.clone(),
                of: of.join(", "),
            });
        }
        let keys = words(args, "curves");
        let mut series = Vec::new();
        let show: Vec<_> = args.texts("show").into_iter().filter_map(column).collect();
        for (label, group) in group(&shown, |it| identity(it), &keys, Some(against)) {
            for column in &show {
                let mut levels: IndexMap<String, (f64, Vec<f64>)> = IndexMap::new();
                for it in &group {
                    let Some(value) = (column.value)(&it.outcome) else {
                        continue;
                    };
                    let level = label_of(against, &it.subject, &it.levels, it.direction);
                    let x = number(&level).ok_or_else(|| PlotError::NotANumber {
                        figure: spec.name.clone(),
                        key: against.to_string(),
                        label: level.clone(),
                    })?;
                    levels.entry(level).or_insert((x, Vec::new())).1.push(value);
                }
                if levels.is_empty() {
                    continue;
                }
                let levels: Vec<_> = levels.into_values().collect();
                let heading = match (label.as_str(), show.len()) {
                    (label, 1) => label.to_string(),
                    (label, _) => format!("{label}: {}", column.heading),
                };
                let color = series.len();
                series.push(figures::rates_against(&heading, &levels, color));
            }
        }
        Ok(Figure {
            name: spec.name.clone(),
            caption: caption(spec, results, shown.iter().map(|it| &it.subject)),
            x: Axis::log(&axis_label(against)),
            y: Axis::rate("rate (%)"),
            series,
            notes: Vec::new(),
        })
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

/// The number of a label, such as `1000` or `44_426`.
fn number(label: &str) -> Option<f64> {
    label.replace('_', "").trim_end_matches('%').trim().parse().ok()
}

fn axis_label(key: &str) -> String {
    match key {
        "batch" => "batch size B".to_string(),
        "iterations" => "iterations T".to_string(),
        other => other.replace('_', " "),
    }
}
