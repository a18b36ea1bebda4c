//! The conventions behind a table's numbers, as sentences for the note under it.

use crate::data::label_noise;
use crate::plan::convention;
use crate::signature::Value;
use crate::spectra::sketch::Sketch;
use crate::study::{Case, Study, TableSpec, is_clean};

/// What a reader must know about the tests, data and minibatches that `table` shows; each sentence once.
pub fn conventions(study: &Study, table: &TableSpec) -> Vec<String> {
    let mut sentences: Vec<String> = Vec::new();
    let mut say = |sentence: String| {
        if !sentences.contains(&sentence) {
            sentences.push(sentence);
        }
    };
    for case in &study.cases {
        for name in &table.of {
            let Some(test) = case.tests.get(name) else {
                continue;
            };
            say(convention(&test.call));
            if let Some(words) = sketch_behind(case, &test.of) {
                say(words);
            }
            let behind = behind(case, &test.of);
            if let Some(array) = case.arrays.get(behind) {
                let args = &array.call.args;
                let side = match args.text("iterations") {
                    "columns" => "column",
                    _ => "row",
                };
                let path = args.text("path");
                say(format!(
                    "Numbers of `{path}` in float32, an iteration being a {side} of the array."
                ));
            }
            let Some(record) = case.records.get(behind) else {
                continue;
            };
            say(match record.order.as_str() {
                "replacement" => "Minibatches are drawn with replacement.".to_string(),
                "sequential" => "Minibatches are taken in the order of the data set.".to_string(),
                _ => "Minibatches are drawn without replacement, reshuffled each epoch, the last partial one dropped."
                    .to_string(),
            });
            let Some(data) = case.data.get(&record.on) else {
                continue;
            };
            if let Some(Value::Text(normalize)) = data.call.args.get("normalize") {
                say(normalisation(normalize));
            }
            if !is_clean(&data.labels) {
                say(format!(
                    "Labels of `{}`: {}.",
                    record.on,
                    label_noise::describe(&data.labels)
                ));
            }
        }
    }
    sentences
}

/// The name of what a test is of, through any spectra; of the spectrum of a loss that of its weights.
fn behind<'a>(case: &'a Case, name: &'a str) -> &'a str {
    let mut name = name;
    // A spectrum of a spectrum of …: no chain is longer than there are spectra.
    for _ in 0..=case.spectra.len() {
        match case.spectra.get(name) {
            Some(spectrum) => name = spectrum.call.args.text("of"),
            None => return name,
        }
    }
    name
}

/// What must be known of a sketched spectrum behind a test.
fn sketch_behind(case: &Case, name: &str) -> Option<String> {
    let mut name = name;
    for _ in 0..=case.spectra.len() {
        let args = &case.spectra.get(name)?.call.args;
        match Sketch::from_args(args, 0) {
            Some(sketch) => return Some(sketch.words(name)),
            None => name = args.get("of").map(|_| args.text("of"))?,
        }
    }
    None
}

fn normalisation(scheme: &str) -> String {
    match scheme {
        "global" => "Inputs are normalised by one mean and standard deviation over the training set.",
        "per_channel" => "Inputs are normalised channel by channel over the training set.",
        "per_pixel" | "per_feature" => "Inputs are normalised position by position over the training set.",
        _ => "Inputs are not normalised.",
    }
    .to_string()
}
