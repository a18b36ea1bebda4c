//! What rows of a table can be told apart by.

use super::table::Label;
use crate::results::Measurement;
use crate::stats::outcome::Direction;

/// A word for `rows: [...]` that every study has; the names of its `vary` factors come on top of these.
#[derive(Debug)]
pub struct RowKey {
    pub name: &'static str,
    /// One line for help and reference.
    pub summary: &'static str,
    pub heading: &'static str,
    /// What it says of a measurement, spelled as the paper spells it.
    pub label: fn(&Measurement) -> Label,
}

/// Every row key but the factors of a study.
pub static ROW_KEYS: &[RowKey] = &[
    RowKey {
        name: "dataset",
        summary: "name of the data set",
        heading: "Dataset",
        label: |measurement| Label::Text(measurement.subject.dataset.clone()),
    },
    RowKey {
        name: "model",
        summary: "name of the network",
        heading: "Model",
        label: |measurement| Label::Text(measurement.subject.model.clone()),
    },
    RowKey {
        name: "training",
        summary: "where the weights come from: random, pretrain or loaded",
        heading: "Training",
        label: |measurement| Label::Text(capitalised(&measurement.subject.training)),
    },
    RowKey {
        name: "sg_type",
        summary: "which vectors are tested: dimension (columns of G) or iteration (rows of G)",
        heading: "SG type",
        label: |measurement| {
            Label::Text(match measurement.direction {
                Direction::Dimension => "Dimension".into(),
                Direction::Iteration => "Iteration".into(),
                Direction::Spectrum => "Spectrum".into(),
            })
        },
    },
    RowKey {
        name: "batch",
        summary: "minibatch size B",
        heading: "Batch",
        label: |measurement| Label::Count(measurement.subject.batch),
    },
    RowKey {
        name: "iterations",
        summary: "iterations T",
        heading: "Iterations",
        label: |measurement| Label::Count(measurement.subject.iterations),
    },
];

/// The key of this name.
pub fn find(name: &str) -> Option<&'static RowKey> {
    ROW_KEYS.iter().find(|key| key.name == name)
}

/// A factor's heading: `weight_decay` reads `Weight decay`.
pub(super) fn factor_heading(name: &str) -> String {
    capitalised(&name.replace('_', " "))
}

fn capitalised(word: &str) -> String {
    let mut characters = word.chars();
    characters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(characters).collect()
    })
}
