//! How many values a spectrum may ask for.

use super::{model_of, rows};
use crate::study::case::Places;
use crate::study::{Case, Vocabulary, own_numbers};
use crate::syntax::Diagnostic;
use gradstudy_base::signature::{EACH, Value};

/// A spectrum asks for no more eigenvalues than its matrix can have, nor for more samples than its data have.
pub(super) fn check(
    case: &Case,
    places: &Places,
    vocabulary: &Vocabulary,
    diagnostics: &mut Vec<Diagnostic>,
) {
    for (name, spectrum) in &case.spectra {
        let (Some(place), args) = (places.get(name), &spectrum.call.args) else {
            continue;
        };
        let (of, on) = (args.get("of"), args.get("on"));
        let (Some(Value::Text(of)), Some(Value::Integer(top))) = (of, args.get("top")) else {
            continue;
        };
        let data = match on {
            Some(Value::Text(on)) => case.data.get(on),
            _ => None,
        };
        if let (Some(data), Some(Value::Integer(samples))) = (data, args.get("samples"))
            && let Some(examples) = vocabulary.facts.examples(&data.call)
            && *samples as u64 > examples
        {
            let message = format!("a loss over {samples} samples of data that has {examples}");
            let help = format!("set `samples` to at most {examples}");
            let span = place.of("samples");
            diagnostics.push(Diagnostic::error("E0502", message, span, "too many").help(help));
        }
        // Of each layer there are at most so many as it can have: only the whole network bounds them here.
        let pattern = match args.get("layers") {
            Some(Value::Text(layers)) if layers != EACH => Some(layers),
            _ => None,
        };
        let each = args.get("layers").filter(|_| pattern.is_none());
        let fault = std::cell::RefCell::new(None);
        let parameters = |model: &str, data: Option<&crate::study::DataSpec>| {
            let (_, call) = model_of(case, model)?;
            let Some(layers) = pattern else {
                return vocabulary.facts.parameters(call, Some(&data?.call))?.ok();
            };
            let selected = vocabulary.facts.selected(call, &data?.call, layers)?;
            selected.map_err(|error| *fault.borrow_mut() = Some(error)).ok()
        };
        let along = match args.get("along") {
            Some(Value::Text(word)) => Some(word.as_str()),
            _ => None,
        };
        let dim = match args.get("sketch") {
            Some(Value::Call(sketch)) => sketch.args.get("dim"),
            _ => None,
        };
        let own = own_numbers::sizes(case, of, vocabulary);
        let bound = match case.records.get(of) {
            record if along.is_some() && (record.is_some() || case.arrays.contains_key(of)) => {
                let sizes = match record {
                    Some(record) => (
                        parameters(&record.of, case.data.get(&record.on)),
                        Some(record.iterations),
                    ),
                    None => own.unzip(),
                };
                let (size, others) = match along {
                    Some("iteration") => (sizes.1, sizes.0),
                    _ => (sizes.0, sizes.1),
                };
                if let (Some(others), Some(Value::Integer(index))) = (others, args.get("index"))
                    && *index as u64 >= others
                {
                    let message = format!("`index` asks for number {index} of {others}, counted from 0");
                    let help = format!("take one from 0 to {}", others - 1);
                    diagnostics.push(
                        Diagnostic::error("E0509", message, place.of("index"), "more than there are")
                            .help(help),
                    );
                }
                size
            }
            Some(record) => {
                // Centring takes one dimension away.
                let centred = matches!(args.get("centre"), Some(Value::Text(centre)) if centre == "history");
                let rank = record.iterations.saturating_sub(u64::from(centred));
                let n = match pattern {
                    Some(_) => parameters(&record.of, case.data.get(&record.on)),
                    None => rows(case, record, vocabulary).and_then(Result::ok),
                };
                if record.layers.is_some() && args.get("layers").is_some() {
                    let message = format!("`{of}` has only the rows of some layers already");
                    let help = "give `layers` to the recording or to its spectrum";
                    let span = place.of("layers");
                    diagnostics.push(Diagnostic::error("E0531", message, span, "a second choice").help(help));
                }
                if let (Some(n), Some(Value::Integer(dim)), None) = (n, dim, each)
                    && *dim as u64 >= n
                {
                    let message = format!("a sketch to {dim} dimensions of gradients that have {n}");
                    let help = "leave `sketch` out: it would save nothing";
                    let span = place.of("sketch");
                    diagnostics
                        .push(Diagnostic::error("E0509", message, span, "more than there are").help(help));
                }
                let rank = match dim {
                    Some(Value::Integer(dim)) => rank.min(*dim as u64),
                    _ => rank,
                };
                Some(n.map_or(rank, |n| n.min(rank)))
            }
            None if case.arrays.contains_key(of) => {
                let centred = matches!(args.get("centre"), Some(Value::Text(centre)) if centre == "history");
                own.map(|(n, t)| n.min(t.saturating_sub(u64::from(centred))))
            }
            None => parameters(of, data),
        };
        if let Some((message, help)) = fault.take() {
            let span = place.of("layers");
            diagnostics.push(Diagnostic::error("E0511", message, span, "no such parameter").help(help));
            continue;
        }
        if let Some(bound) = bound.filter(|bound| *top as u64 > *bound) {
            let what = match along {
                Some(_) => format!("values of a sample that has {bound}"),
                None => format!("eigenvalues of a matrix that has at most {bound}"),
            };
            let message = format!("`top` asks for {top} {what}");
            let help = match bound {
                0 => "centring leaves nothing of one iteration: take two or more".to_string(),
                _ if case.records.contains_key(of) => {
                    format!("ask for at most {bound}, or record more iterations")
                }
                _ => format!("ask for at most {bound}"),
            };
            let mut diagnostic =
                Diagnostic::error("E0509", message, place.of("top"), "more than there are").help(help);
            let iterations = places.get(of).and_then(|place| place.spans.get("iterations"));
            if let (Some(span), Some(record)) = (iterations, case.records.get(of)) {
                diagnostic =
                    diagnostic.label(*span, format!("{} iterations are recorded", record.iterations));
            }
            diagnostics.push(diagnostic);
        }
    }
}
