//! What there is after each layer of the networks that a study writes out, by where it was written.

use indexmap::IndexMap;

use super::case::Places;
use super::check::check_alone;
use super::compose::Overrides;
use super::facts::networks::met;
use super::{Case, Vocabulary};
use crate::syntax::{Source, Span};

/// What there is after one entry of a network, in all cases of a study.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenStage {
    /// The entry with its label, in the texts of the study one after the other: of the study's own file, from its start.
    pub span: Span,
    /// Shape and parameters in words, such as `6 × 24 × 24, 156 parameters`; one for each that some case has.
    pub words: Vec<String>,
}

/// The stages of all networks in `source`, in the order of the first case; none of networks that do not fit their data.
pub fn stages(source: &Source, overrides: &Overrides, vocabulary: &Vocabulary) -> Vec<WrittenStage> {
    let mut found: IndexMap<Span, Vec<String>> = IndexMap::new();
    let mut look = |case: &Case, places: &Places| {
        for (span, words) in of_case(case, places, vocabulary) {
            let known = found.entry(span).or_default();
            if !known.contains(&words) {
                known.push(words);
            }
        }
    };
    // Its mistakes are told by the check itself.
    let _ = check_alone(source, overrides, vocabulary, true, &mut look);
    let stage = |(span, words)| WrittenStage { span, words };
    found.into_iter().map(stage).collect()
}

fn of_case(case: &Case, places: &Places, vocabulary: &Vocabulary) -> Vec<(Span, String)> {
    let mut found = Vec::new();
    for (name, model) in &case.models {
        let Some(place) = places.get(name) else { continue };
        for on in met(case, name) {
            let stages = vocabulary.facts.stages(&model.call, &case.data[on].call);
            for stage in stages.into_iter().flatten() {
                let parameters = match stage.parameters {
                    0 => String::new(),
                    1 => ", 1 parameter".to_string(),
                    count => format!(", {count} parameters"),
                };
                let words = format!("{}{parameters}", stage.shape);
                found.extend(place.spans.get(&stage.place).map(|span| (*span, words)));
            }
        }
    }
    found
}
