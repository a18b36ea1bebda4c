//! What rows of a table can be told apart by.

use super::table::Label;
use crate::results::Subject;
use gradstudy_stats::outcome::Direction;

/// A word for `rows: [...]` that every study has; the names of its `vary` factors come on top of these.
#[derive(Debug)]
pub struct RowKey {
    pub name: &'static str,
    /// One line for help and reference.
    pub summary: &'static str,
    pub heading: &'static str,
    /// What it says of a measurement, spelled as the paper spells it.
    pub label: fn(&Subject, Direction) -> Label,
}

/// The row key that tells tests apart.
pub const TEST: &str = "test";

/// Every row key but the factors of a study.
pub static ROW_KEYS: &[RowKey] = &[
    RowKey {
        name: "dataset",
        summary: "name of the data set",
        heading: "Dataset",
        label: |subject, _| Label::Text(subject.dataset.clone()),
    },
    RowKey {
        name: "model",
        summary: "name of the network",
        heading: "Model",
        label: |subject, _| Label::Text(subject.model.clone()),
    },
    RowKey {
        name: "training",
        summary: "where the weights come from: random, pretrain or loaded",
        heading: "Training",
        label: |subject, _| Label::Text(capitalised(&subject.training)),
    },
    RowKey {
        name: "sg_type",
        summary: "which vectors are tested: dimension (columns of G) or iteration (rows of G)",
        heading: "SG type",
        label: |_, direction| {
            Label::Text(match direction {
                Direction::Dimension => "Dimension".into(),
                Direction::Iteration => "Iteration".into(),
                Direction::Spectrum => "Spectrum".into(),
            })
        },
    },
    RowKey {
        name: "spectrum",
        summary: "which spectrum is tested, such as covariance",
        heading: "Spectrum",
        label: |subject, _| {
            let name = subject.spectrum.as_deref().unwrap_or_default();
            Label::Text(capitalised(&spectrum_words(name)))
        },
    },
    RowKey {
        name: "layers",
        summary: "which parameters alone: the module of `layers: each`, or the pattern of `layers`",
        heading: "Layer",
        label: |subject, _| Label::Text(subject.layers.clone().unwrap_or_default()),
    },
    RowKey {
        name: TEST,
        summary: "name of the test; each has rows of its own (tables only)",
        heading: "Test",
        // A subject does not know it: `tabulate` does.
        label: |_, _| Label::Text(String::new()),
    },
    RowKey {
        name: "batch",
        summary: "minibatch size B",
        heading: "Batch",
        label: |subject, _| match subject.batch {
            // Numbers of a file.
            0 => Label::Text("–".into()),
            batch => Label::Count(batch),
        },
    },
    RowKey {
        name: "iterations",
        summary: "iterations T",
        heading: "Iterations",
        label: |subject, _| Label::Count(subject.iterations),
    },
];

/// The key of this name.
pub fn find(name: &str) -> Option<&'static RowKey> {
    ROW_KEYS.iter().find(|key| key.name == name)
}

/// What `key` says of a subject as text: a row key, or a factor among `levels`; empty where it says nothing.
pub fn label_of(key: &str, subject: &Subject, levels: &[(String, String)], direction: Direction) -> String {
    match find(key) {
        Some(key) => (key.label)(subject, direction).to_string(),
        None => {
            let level = levels.iter().find(|(factor, _)| factor == key);
            level.map(|(_, level)| level.clone()).unwrap_or_default()
        }
    }
}

/// A factor's heading: `weight_decay` reads `Weight decay`.
pub(super) fn factor_heading(name: &str) -> String {
    capitalised(&name.replace('_', " "))
}

/// A spectrum's name as prose has it.
pub fn spectrum_words(name: &str) -> String {
    name.replace('_', " ")
        .replace("gauss newton", "Gauss–Newton")
        .replace("fisher", "empirical Fisher")
        .replace("hessian", "Hessian")
}

fn capitalised(word: &str) -> String {
    let mut characters = word.chars();
    characters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(characters).collect()
    })
}
