//! What must hold between checked statements: sizes of models, data, minibatches and samples.

mod curvature;
pub(super) mod networks;
mod rank;
pub(super) mod weights;

use super::case::{Place, Places};
use super::{BatchNorm, Case, RecordSpec, TestSpec, Vocabulary, own_numbers};
use crate::syntax::{Diagnostic, Span};
use gradstudy_base::signature::{Call, Value};
use gradstudy_stats::outcome::Direction;

/// Adds an error for every impossible combination in `case`.
pub(super) fn check(
    case: &Case,
    places: &Places,
    vocabulary: &Vocabulary,
    diagnostics: &mut Vec<Diagnostic>,
) {
    cycles(case, places, diagnostics);
    networks::check(case, places, vocabulary, diagnostics);
    asserts(case, vocabulary, diagnostics);
    for (name, data) in &case.data {
        if let (Some(place), Some((message, help))) = (places.get(name), vocabulary.facts.fault(&data.call)) {
            let label = format!("data `{name}`");
            diagnostics.push(Diagnostic::error("E0508", message, place.head, label).help(help));
        }
        if let Some(place) = places.get(name) {
            own_numbers::remarks(vocabulary.facts.data_remarks(&data.call), place.head, diagnostics);
        }
    }
    data_asserts(case, vocabulary, diagnostics);
    augmentations(case, places, vocabulary, diagnostics);
    centres(case, places, diagnostics);
    let trains = case
        .trains
        .iter()
        .map(|(name, train)| (name, &train.of, &train.on, train.batch, BatchNorm::Batch));
    let records = case
        .records
        .iter()
        .map(|(name, record)| (name, &record.of, &record.on, record.batch, record.batch_norm));
    for (name, of, on, batch, statistics) in trains.chain(records) {
        let (Some(place), Some(data)) = (places.get(name), case.data.get(on)) else {
            continue;
        };
        if let Some(examples) = vocabulary.facts.examples(&data.call)
            && batch > examples
        {
            let message = format!("a minibatch of {batch} is larger than `{on}`");
            let label = format!("`{on}` has {examples} examples");
            let help = format!("set `batch` to at most {examples}");
            diagnostics.push(Diagnostic::error("E0502", message, place.of("batch"), label).help(help));
        }
        let Some((model, call)) = model_of(case, of) else {
            continue;
        };
        if let Some((message, help)) = vocabulary.facts.batch_fault(call, &data.call, batch)
            && statistics == BatchNorm::Batch
        {
            let label = "a minibatch of one";
            diagnostics.push(Diagnostic::error("E0514", message, place.of("batch"), label).help(help));
        }
        if let Some(Err(reason)) = vocabulary.facts.parameters(call, Some(&data.call))
            && vocabulary.facts.layer_fault(call, Some(&data.call)).is_none()
        {
            let message = format!("model `{model}` does not fit data `{on}`: {reason}");
            diagnostics.push(Diagnostic::error("E0505", message, place.of("on"), "this data"));
        }
    }
    layers(case, places, vocabulary, diagnostics);
    own_numbers::check(case, places, vocabulary, diagnostics);
    rank::check(case, places, vocabulary, diagnostics);
    curvature::check(case, places, vocabulary, diagnostics);
    for (name, test) in &case.tests {
        let Some(place) = places.get(name) else {
            continue;
        };
        let signature = vocabulary.tests.iter().find(|it| it.name == test.call.name);
        let directed = signature.is_some_and(|it| it.params.iter().any(|param| param.name == "along"));
        if let (Some(along), false) = (place.spans.get("along"), directed) {
            let message = format!("`{}` knows no directions", test.call.name);
            diagnostics
                .push(Diagnostic::error("E0510", message, *along, "along what?").help("leave `along` out"));
        } else if case.spectra.contains_key(&test.of) {
            of_spectrum(case, name, place, places, diagnostics);
        }
        for direction in &test.along {
            let Some(size) = sample_size(case, &test.of, *direction, vocabulary) else {
                continue;
            };
            let recorded = places.get(&test.of).map(|place| place.of("iterations"));
            let record_place = recorded.filter(|_| case.records.contains_key(&test.of));
            let sample = Sample {
                direction: *direction,
                size,
                limit: record_place,
            };
            if let Some(k) = tail_points(test) {
                sample.holds(k, "E0503", "tail", place.of("tail"), diagnostics);
            }
            if let Some(Value::Integer(points)) = test.call.args.get("points") {
                sample.holds(*points, "E0504", "points", place.of("points"), diagnostics);
            }
        }
    }
}

/// A recording of some layers names layers that its model has.
fn layers(case: &Case, places: &Places, vocabulary: &Vocabulary, diagnostics: &mut Vec<Diagnostic>) {
    for (name, record) in &case.records {
        if let (Some(place), Some(Err((message, help)))) = (places.get(name), rows(case, record, vocabulary))
        {
            let span = place.of("layers");
            diagnostics.push(Diagnostic::error("E0511", message, span, "matches nothing").help(help));
        }
    }
}

/// Rows that a recording keeps.
fn rows(case: &Case, record: &RecordSpec, vocabulary: &Vocabulary) -> Option<Result<u64, (String, String)>> {
    let (_, model) = model_of(case, &record.of)?;
    let data = &case.data.get(&record.on)?.call;
    match &record.layers {
        Some(pattern) => vocabulary.facts.selected(model, data, pattern),
        None => Some(Ok(vocabulary.facts.parameters(model, Some(data))?.ok()?)),
    }
}

/// Points that the tail rule of a test takes at least.
fn tail_points(test: &TestSpec) -> Option<i64> {
    let Some(Value::Call(tail)) = test.call.args.get("tail") else {
        return None;
    };
    let points = match tail.name.as_str() {
        "top" => tail.args.get("k"),
        "scan" => tail.args.get("at_least"),
        _ => None,
    };
    match points {
        Some(Value::Integer(k)) => Some(*k),
        _ => None,
    }
}

/// A spectrum is one sample: it has no direction, and as many values as were asked for.
fn of_spectrum(case: &Case, name: &str, place: &Place, places: &Places, diagnostics: &mut Vec<Diagnostic>) {
    let test = &case.tests[name];
    if let Some(along) = place.spans.get("along") {
        let message = format!("`{}` is a spectrum, one sample without directions", test.of);
        diagnostics.push(
            Diagnostic::error("E0510", message, *along, "along what?")
                .help("leave `along` out, or test the record itself"),
        );
    }
    let Some((size, spectrum)) = values_of(case, &test.of) else {
        return;
    };
    let asked = places.get(spectrum).and_then(|place| place.spans.get("top"));
    let sample = Sample {
        direction: Direction::Spectrum,
        size,
        limit: asked.copied(),
    };
    if let Some(k) = tail_points(test) {
        sample.holds(k, "E0503", "tail", place.of("tail"), diagnostics);
    }
    if let Some(Value::Integer(points)) = test.call.args.get("points") {
        sample.holds(*points, "E0504", "points", place.of("points"), diagnostics);
    }
}

/// Values of a spectrum: those it asks for, or one gap fewer than the spectrum that it is made from has; and which
/// spectrum's `top` it is.
fn values_of<'a>(case: &'a Case, spectrum: &'a str) -> Option<(u64, &'a str)> {
    let mut name = spectrum;
    for gaps in 0..=case.spectra.len() as u64 {
        let args = &case.spectra.get(name)?.call.args;
        match (args.get("top"), args.get("of")) {
            (Some(Value::Integer(top)), _) => return Some(((*top as u64).saturating_sub(gaps), name)),
            (_, Some(Value::Text(of))) => name = of,
            _ => return None,
        }
    }
    None
}

struct Sample {
    direction: Direction,
    size: u64,
    /// Where its size was set.
    limit: Option<Span>,
}

impl Sample {
    /// An error if `wanted` values cannot be taken out of the sample: every sample would be degenerate.
    fn holds(
        &self,
        wanted: i64,
        code: &'static str,
        key: &str,
        span: Span,
        diagnostics: &mut Vec<Diagnostic>,
    ) {
        let size = self.size;
        if wanted <= 0 || wanted as u64 <= size {
            return;
        }
        let (sample, other) = match self.direction {
            Direction::Dimension => ("an iteration's gradient", "iteration"),
            Direction::Iteration => ("a parameter's history", "dimension"),
            Direction::Spectrum => ("a spectrum", ""),
        };
        let message = format!("`{key}` asks for {wanted} values of {sample}, which has {size}");
        let help = match other {
            "" => format!("ask for at most {size}"),
            other => format!("ask for at most {size}, or test only `along: {other}`"),
        };
        let mut diagnostic = Diagnostic::error(code, message, span, format!("more than {size}")).help(help);
        let set = match self.direction {
            Direction::Iteration => format!("{size} iterations are recorded"),
            Direction::Spectrum => format!("which leaves {size} values"),
            Direction::Dimension => String::new(),
        };
        if let (Some(limit), false) = (self.limit, set.is_empty()) {
            diagnostic = diagnostic.label(limit, set);
        }
        diagnostics.push(diagnostic);
    }
}

/// Values of one sample of the record `name`: n along the dimension, T along the iteration.
fn sample_size(case: &Case, name: &str, direction: Direction, vocabulary: &Vocabulary) -> Option<u64> {
    match (case.records.get(name), direction) {
        (Some(record), Direction::Iteration) => Some(record.iterations),
        (Some(record), Direction::Dimension) => rows(case, record, vocabulary)?.ok(),
        (None, Direction::Iteration) => Some(own_numbers::sizes(case, name, vocabulary)?.1),
        (None, Direction::Dimension) => Some(own_numbers::sizes(case, name, vocabulary)?.0),
        (_, Direction::Spectrum) => None,
    }
}

/// The model that the training (or model) `name` begins with; `None` within a cycle.
fn model_of<'a>(case: &'a Case, name: &'a str) -> Option<(&'a str, &'a Call)> {
    let mut name = name;
    for _ in 0..=case.trains.len() {
        match case.trains.get(name) {
            Some(train) => name = &train.of,
            None => return case.models.get(name).map(|model| (name, &model.call)),
        }
    }
    None
}

/// A training that continues itself, at once or through others.
fn cycles(case: &Case, places: &Places, diagnostics: &mut Vec<Diagnostic>) {
    let mut reported: Vec<&str> = Vec::new();
    for start in case.trains.keys() {
        let mut chain: Vec<&str> = vec![start];
        let mut next = case.trains.get(start);
        while let Some(train) = next {
            if train.of == *start {
                if chain.iter().all(|name| !reported.contains(name)) {
                    let message = format!("training `{start}` continues itself");
                    let span = places.get(start).map(|place| place.of("of")).unwrap_or_default();
                    let mut diagnostic = Diagnostic::error("E0312", message, span, "leads back here")
                        .help("let one of the trainings begin with a model");
                    for place in chain[1..].iter().filter_map(|name| places.get(*name)) {
                        diagnostic = diagnostic.label(place.of("of"), "through here");
                    }
                    diagnostics.push(diagnostic);
                    reported.extend(&chain);
                }
                break;
            }
            if chain.contains(&train.of.as_str()) {
                break;
            }
            chain.push(&train.of);
            next = case.trains.get(&train.of);
        }
    }
}

/// The full-batch gradient is the centre of gradients, with weight decay or without, but not of what clipping or an
/// optimizer makes of each.
fn centres(case: &Case, places: &Places, diagnostics: &mut Vec<Diagnostic>) {
    for (name, spectrum) in &case.spectra {
        let args = &spectrum.call.args;
        let text = |key: &str| match args.get(key) {
            Some(Value::Text(text)) => text.as_str(),
            _ => "",
        };
        let (Some(place), Some(record)) = (places.get(name), case.records.get(text("of"))) else {
            continue;
        };
        let setting = match &record.transform {
            transform if transform.through.is_some() => "through",
            transform if transform.clip.is_some() => "clip",
            _ => continue,
        };
        if text("centre") == "full_batch" {
            let of = text("of");
            let message =
                format!("the full-batch gradient is not the centre of `{of}`, which has `{setting}`");
            let help = "take `centre: history`, the mean of what is recorded";
            let mut diagnostic =
                Diagnostic::error("E0531", message, place.of("centre"), "either this").help(help);
            if let Some(record) = places.get(of) {
                diagnostic = diagnostic.label(record.of(setting), "or this");
            }
            diagnostics.push(diagnostic);
        }
    }
}

/// `assert examples` and `assert classes` of data.
fn data_asserts(case: &Case, vocabulary: &Vocabulary, diagnostics: &mut Vec<Diagnostic>) {
    for (name, data) in &case.data {
        let Some(outline) = vocabulary.facts.outline(&data.call) else {
            continue;
        };
        for assert in &data.asserts {
            let found = match assert.subject.as_str() {
                "classes" => outline.classes,
                _ => outline.examples,
            };
            if !assert.op.holds(found as f64, assert.value) {
                let message = format!(
                    "data `{name}` has {found} {}, the assert says {}",
                    assert.subject, assert.value
                );
                let help = "check the data's settings, or correct the assert";
                diagnostics
                    .push(Diagnostic::error("E0501", message, assert.span, "does not hold").help(help));
            }
        }
    }
}

/// Only images can be flipped and cropped, and only where one number stands for black.
fn augmentations(case: &Case, places: &Places, vocabulary: &Vocabulary, diagnostics: &mut Vec<Diagnostic>) {
    for (name, train) in case.trains.iter().filter(|(_, train)| !train.augment.is_empty()) {
        let (Some(place), Some(data)) = (places.get(name), case.data.get(&train.on)) else {
            continue;
        };
        let on = &train.on;
        let shape = vocabulary.facts.outline(&data.call).map(|outline| outline.shape);
        let normalize = match data.call.args.get("normalize") {
            Some(Value::Text(word)) => word.as_str(),
            _ => "",
        };
        let (message, help) = match shape {
            Some([_, 1, 1]) => (
                format!("`{on}` holds no images to augment"),
                "leave `augment` out".to_string(),
            ),
            _ if matches!(normalize, "per_pixel" | "per_feature") => (
                format!("`{on}` is normalised by position, so that no one number is black beside an image"),
                format!("give `{on}` the setting `normalize: per_channel` or `global`"),
            ),
            _ => continue,
        };
        let diagnostic = Diagnostic::error("E0533", message, place.of("augment"), "cannot be done");
        diagnostics.push(diagnostic.help(help));
    }
}

/// `assert parameters` on every data that the model meets in the study, or on its usual one.
fn asserts(case: &Case, vocabulary: &Vocabulary, diagnostics: &mut Vec<Diagnostic>) {
    for (name, model) in &case.models {
        let trains = case.trains.values().map(|train| (&train.of, &train.on));
        let records = case.records.values().map(|record| (&record.of, &record.on));
        let met = trains
            .chain(records)
            .filter(|(of, _)| model_of(case, of).is_some_and(|(root, _)| root == name));
        let mut data: Vec<Option<&String>> = met.map(|(_, on)| Some(on)).collect();
        if data.is_empty() {
            // Statements with mistakes of their own may hide what the model meets: a lone data set is it.
            data.push(case.data.keys().next().filter(|_| case.data.len() == 1));
        }
        for on in data {
            let call = on.and_then(|on| case.data.get(on)).map(|data| &data.call);
            let Some(Ok(count)) = vocabulary.facts.parameters(&model.call, call) else {
                continue;
            };
            for assert in model
                .asserts
                .iter()
                .filter(|assert| !assert.op.holds(count as f64, assert.value))
            {
                let on = on.map(|on| format!(" on `{on}`")).unwrap_or_default();
                let message = format!(
                    "model `{name}` has {count} parameters{on}, the assert says {}",
                    assert.value
                );
                let help = "check the model's settings and its data, or correct the assert";
                diagnostics
                    .push(Diagnostic::error("E0501", message, assert.span, "does not hold").help(help));
            }
        }
    }
}
