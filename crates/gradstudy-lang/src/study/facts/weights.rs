//! Whether files of weights are of the models that name them, and what was made of them.

use std::collections::HashSet;

use super::model_of;
use crate::study::case::Places;
use crate::study::{Case, Vocabulary};
use crate::syntax::Diagnostic;
use gradstudy_base::signature::Value;

/// Every file of weights holds those of its model on the data that it meets; a warning says what was stripped, converted or
/// left out. `read` holds what was read at earlier points of the grid.
pub(in crate::study) fn check(
    case: &Case,
    places: &Places,
    vocabulary: &Vocabulary,
    read: &mut HashSet<String>,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let trains = case.trains.values().map(|it| (it.of.as_str(), it.on.as_str()));
    let records = case.records.values().map(|it| (it.of.as_str(), it.on.as_str()));
    let spectra =
        case.spectra
            .values()
            .filter_map(|it| match (it.call.args.get("of"), it.call.args.get("on")) {
                (Some(Value::Text(of)), Some(Value::Text(on))) => Some((of.as_str(), on.as_str())),
                _ => None,
            });
    for (of, on) in trains.chain(records).chain(spectra) {
        let (Some((model, call)), Some(data)) = (model_of(case, of), case.data.get(on)) else {
            continue;
        };
        let Some(file) = &case.models[model].weights else {
            continue;
        };
        if !read.insert(format!("{file:?} {call:?} {:?}", data.call)) {
            continue;
        }
        let (Some(told), Some(place)) = (
            vocabulary.facts.weights(&file.path, call, &data.call),
            places.get(model),
        ) else {
            continue;
        };
        let span = place.of("weights");
        match told {
            Err((message, help)) => {
                diagnostics.push(Diagnostic::error("E0515", message, span, "this file").help(help));
            }
            Ok(notes) if notes.is_empty() => {}
            Ok(notes) => {
                let message = format!("{}: {}", file.written, notes.join("; "));
                let help = "`allow: [W0106]` in the study's block says that this is meant";
                diagnostics.push(Diagnostic::warning("W0106", message, span, "not as it lies").help(help));
            }
        }
    }
}
