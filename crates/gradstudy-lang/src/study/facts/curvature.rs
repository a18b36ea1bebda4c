//! Whether the curvature of a loss can be computed.

use super::model_of;
use crate::study::case::Places;
use crate::study::{Case, Vocabulary};
use crate::syntax::Diagnostic;
use gradstudy_base::signature::Value;

/// Every curvature spectrum is of a network that has second derivatives here, in minibatches that its samples fill.
pub(super) fn check(
    case: &Case,
    places: &Places,
    vocabulary: &Vocabulary,
    diagnostics: &mut Vec<Diagnostic>,
) {
    for (name, spectrum) in &case.spectra {
        let args = &spectrum.call.args;
        let (Some(place), Some(Value::Text(of)), Some(Value::Text(on))) =
            (places.get(name), args.get("of"), args.get("on"))
        else {
            continue;
        };
        let (Some((_, model)), Some(data)) = (model_of(case, of), case.data.get(on)) else {
            continue;
        };
        if let Some((message, help)) = vocabulary
            .facts
            .curvature_fault(&spectrum.call, model, &data.call)
        {
            let label = format!("spectrum `{name}`");
            diagnostics.push(Diagnostic::error("E0513", message, place.of("of"), label).help(help));
        }
    }
}
