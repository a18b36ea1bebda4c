//! The conventions behind a table's numbers, as sentences for the note under it.

use crate::plan::test_kind;
use crate::signature::Value;
use crate::study::{Study, TableSpec};

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
            say(test_kind(&test.call.name).convention(&test.call.args));
            let Some(record) = case.records.get(&test.of) else {
                continue;
            };
            say(match record.order.as_str() {
                "replacement" => "Minibatches are drawn with replacement.".to_string(),
                "sequential" => "Minibatches are taken in the order of the data set.".to_string(),
                _ => "Minibatches are drawn without replacement, reshuffled each epoch, the last partial one dropped."
                    .to_string(),
            });
            if let Some(Value::Text(normalize)) = case
                .data
                .get(&record.on)
                .and_then(|d| d.call.args.get("normalize"))
            {
                say(match normalize.as_str() {
                    "global" => {
                        "Pixels are normalised by one mean and standard deviation over the training set."
                    }
                    "per_pixel" => "Pixels are normalised position by position over the training set.",
                    _ => "Pixels are not normalised.",
                }
                .to_string());
            }
        }
    }
    sentences
}
