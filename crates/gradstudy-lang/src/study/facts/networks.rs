//! Whether the layers of a network that the study writes out fit together, and fit the data.

use super::model_of;
use crate::study::case::Places;
use crate::study::{Case, LayerFault, Vocabulary};
use crate::syntax::Diagnostic;
use gradstudy_base::signature::Value;

/// Says where a network cannot be made, for all data that it meets; what holds for any data is said once.
pub(super) fn check(
    case: &Case,
    places: &Places,
    vocabulary: &Vocabulary,
    diagnostics: &mut Vec<Diagnostic>,
) {
    for (name, model) in &case.models {
        let mut tell = |fault: LayerFault, on: Option<&str>| {
            let Some(place) = places.get(name) else { return };
            let on = on.map(|on| format!(" on `{on}`")).unwrap_or_default();
            let message = format!("model `{name}`{on}: {}", fault.message);
            let diagnostic = Diagnostic::error("E0516", message, place.of(&fault.place), fault.label);
            diagnostics.push(diagnostic.help(fault.help));
        };
        if let Some(fault) = vocabulary.facts.layer_fault(&model.call, None) {
            tell(fault, None);
            continue;
        }
        for on in met(case, name) {
            let data = &case.data[on].call;
            if let Some(fault) = vocabulary.facts.layer_fault(&model.call, Some(data)) {
                tell(fault, Some(on));
            }
        }
    }
}

/// The data that a model meets; a lone data set where nothing brings them together.
pub(in crate::study) fn met<'a>(case: &'a Case, model: &str) -> Vec<&'a str> {
    let trains = case.trains.values().map(|it| (it.of.as_str(), it.on.as_str()));
    let records = case.records.values().map(|it| (it.of.as_str(), it.on.as_str()));
    let spectra =
        case.spectra
            .values()
            .filter_map(|it| match (it.call.args.get("of"), it.call.args.get("on")) {
                (Some(Value::Text(of)), Some(Value::Text(on))) => Some((of.as_str(), on.as_str())),
                _ => None,
            });
    let mut found: Vec<&str> = Vec::new();
    for (of, on) in trains.chain(records).chain(spectra) {
        let root = model_of(case, of).map(|(root, _)| root);
        if root == Some(model) && case.data.contains_key(on) && !found.contains(&on) {
            found.push(on);
        }
    }
    if found.is_empty() && case.data.len() == 1 {
        found.extend(case.data.keys().map(String::as_str));
    }
    found
}
