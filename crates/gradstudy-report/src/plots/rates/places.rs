//! Where measurements lie on a horizontal axis of numbers or of names.

use indexmap::{IndexMap, IndexSet};

use super::wish;
use crate::figures::{self, Axis};
use crate::plots::PlotError;
use crate::plots::scales::Wish;
use crate::report::number::{DASH, Format};
use crate::report::{ColumnKind, column, label_of, row_keys};
use crate::results::Measurement;
use gradstudy_lang::study::{FigureSpec, numbers};

/// Where measurements lie on the horizontal axis.
pub(super) struct Places {
    pub axis: Axis,
    pub key: String,
    /// By the label of the key.
    pub by_label: IndexMap<String, f64>,
}

impl Places {
    pub fn of(spec: &FigureSpec, shown: &[&Measurement]) -> Result<Places, PlotError> {
        let args = &spec.call.args;
        let (key, wish) = (args.text("against"), wish(args, "x"));
        if let Some(column) = of_training(key) {
            return Ok(Places::of_training(column, wish, shown));
        }
        let labels: IndexSet<String> = shown.iter().map(|it| label(key, it)).collect();
        let texts: Vec<&str> = labels.iter().map(String::as_str).collect();
        let (axis, places) = match (numbers(&texts), wish) {
            (Some((values, percent)), _) => {
                let scale = match key {
                    "batch" | "iterations" if wish == Wish::Any => Wish::Log.scale(&values, 1.0),
                    // Percents of something are linear unless the study says otherwise.
                    _ if percent && wish == Wish::Any => figures::Scale::Linear,
                    _ => wish.scale(&values, 10.0),
                };
                let axis = Axis {
                    scale,
                    percent,
                    ..Axis::linear(&axis_label(key, percent))
                };
                (axis, values)
            }
            (None, Wish::Any) => {
                let names: Vec<String> = labels.iter().cloned().collect();
                let places = (1..=names.len()).map(|place| place as f64).collect();
                (Axis::categories(&axis_label(key, false), names), places)
            }
            (None, _) => {
                let strange = texts.iter().find(|text| numbers(&[text]).is_none());
                return Err(PlotError::NotANumber {
                    figure: spec.name.clone(),
                    key: key.to_string(),
                    label: strange.map_or(String::new(), |text| text.to_string()),
                });
            }
        };
        Ok(Places {
            axis,
            key: key.to_string(),
            by_label: labels.into_iter().zip(places).collect(),
        })
    }

    /// Places by a number of the training behind each measurement; what has none has no place.
    fn of_training(column: &ColumnKind, wish: Wish, shown: &[&Measurement]) -> Places {
        let known = shown
            .iter()
            .filter_map(|it| Some((label(column.name, it), column.of(it)?)));
        let by_label: IndexMap<String, f64> = known.collect();
        let values: Vec<f64> = by_label.values().copied().collect();
        let percent = matches!(column.format, Format::Percent(_));
        let scale = match percent && wish == Wish::Any {
            true => figures::Scale::Linear,
            false => wish.scale(&values, 100.0),
        };
        let unit = if percent { " (%)" } else { "" };
        let axis = Axis {
            scale,
            percent,
            ..Axis::linear(&format!("{}{unit}", column.heading))
        };
        Places {
            axis,
            key: column.name.to_string(),
            by_label,
        }
    }

    /// The place of a measurement, and what it is called; NaN where it has none.
    pub fn at(&self, measurement: &Measurement) -> (f64, String) {
        let label = label(&self.key, measurement);
        let place = self.by_label.get(&label).copied();
        (place.unwrap_or(f64::NAN), label)
    }
}

/// What a key says of a measurement; a dash where it says nothing.
fn label(key: &str, it: &Measurement) -> String {
    if let Some(column) = of_training(key) {
        return column.of(it).map_or(DASH.to_string(), |value| value.to_string());
    }
    let label = label_of(key, &it.subject, &it.levels, it.direction);
    match label.is_empty() {
        true => DASH.to_string(),
        false => label,
    }
}

/// The column of this name, if it is a number of the training.
fn of_training(key: &str) -> Option<&'static ColumnKind> {
    column(key).filter(|column| column.training.is_some())
}

fn axis_label(key: &str, percent: bool) -> String {
    let label = match key {
        "batch" => "batch size B".to_string(),
        "iterations" => "iterations T".to_string(),
        other => match row_keys::find(other) {
            Some(key) => key.heading.to_string(),
            None => other.replace('_', " "),
        },
    };
    match percent {
        true => format!("{label} (%)"),
        false => label,
    }
}
