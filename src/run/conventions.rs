//! The conventions behind a table's numbers, as sentences for the note under it.

use crate::data;
use crate::gradients::batches::Order;
use crate::plan::convention;
use crate::signature::Call;
use crate::spectra::sketch::Sketch;
use crate::study::{Case, RecordSpec, Study, TableSpec, is_clean};

/// What a reader must know about the tests, data and minibatches that `table` shows; each sentence once.
pub fn conventions(study: &Study, table: &TableSpec) -> Vec<String> {
    let mut sentences: Vec<String> = tests(study, table);
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
                _ if case.data.get(&record.on).is_some_and(|data| is_full_batch(record, &data.call)) => {
                    format!(
                        "With B = {} the minibatch is the whole data set: all gradients are one, computed once.",
                        record.batch
                    )
                }
                "replacement" => "Minibatches are drawn with replacement.".to_string(),
                "sequential" => "Minibatches are taken in the order of the data set.".to_string(),
                _ => "Minibatches are drawn without replacement, reshuffled each epoch, the last partial one dropped."
                    .to_string(),
            });
            let Some(data) = case.data.get(&record.on) else {
                continue;
            };
            if !is_clean(&data.labels) {
                say(labels(&record.on, &data.labels));
            }
        }
    }
    sentences
}

/// One sentence for each kind of test; what differs between tests of one kind stands behind their names.
fn tests(study: &Study, table: &TableSpec) -> Vec<String> {
    // (kind, sentence, names), in the order of the table.
    let mut found: Vec<(&str, String, Vec<&str>)> = Vec::new();
    for case in &study.cases {
        for name in &table.of {
            let Some(test) = case.tests.get(name) else {
                continue;
            };
            let mut sentence = convention(&test.call);
            if case.spectra.contains_key(&test.of) {
                sentence = sentence.replace("all non-zero absolute values", "all computed eigenvalues");
            }
            let known = found
                .iter_mut()
                .find(|it| it.0 == test.call.name && it.1 == sentence);
            match known {
                Some((_, _, names)) if names.contains(&name.as_str()) => {}
                Some((_, _, names)) => names.push(name),
                None => found.push((&test.call.name, sentence, vec![name])),
            }
        }
    }
    let mut sentences = Vec::new();
    while let Some((kind, _, _)) = found.first() {
        let kind = *kind;
        let same = found.extract_if(.., |it| it.0 == kind);
        let same: Vec<(String, Vec<&str>)> = same.map(|(_, sentence, names)| (sentence, names)).collect();
        sentences.extend(merged(&same));
    }
    sentences
}

/// Sentences of one kind of test as one: the clauses of all, then those of each.
fn merged(sentences: &[(String, Vec<&str>)]) -> Vec<String> {
    let clauses: Vec<Vec<&str>> = sentences
        .iter()
        .map(|(text, _)| text.split("; ").collect())
        .collect();
    let alike = clauses.iter().all(|it| it.len() == clauses[0].len());
    // Conditions of one test differ where cases set it otherwise: then its name tells nothing.
    let mut names: Vec<&str> = sentences
        .iter()
        .flat_map(|(_, names)| names.iter().copied())
        .collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    if sentences.len() < 2 || !alike || clauses[0].len() < 2 {
        return sentences.iter().map(|(text, _)| text.clone()).collect();
    }
    if names.len() < all {
        return vec![by_row(&clauses)];
    }
    let shared = |index: &usize| clauses.iter().all(|it| it[*index] == clauses[0][*index]);
    let (common, own): (Vec<usize>, Vec<usize>) = (0..clauses[0].len()).partition(shared);
    let pick = |clauses: &[&str], indices: &[usize]| {
        let picked = indices.iter().map(|index| clauses[*index].trim_end_matches('.'));
        picked.collect::<Vec<_>>().join("; ")
    };
    // The first clause begins with what the test is.
    let (what, _) = clauses[0][0].split_once(": ").unwrap_or((clauses[0][0], ""));
    let each = clauses.iter().zip(sentences).map(|(clauses, (_, names))| {
        let mut own = pick(clauses, &own);
        if let Some(rest) = own.strip_prefix(&format!("{what}: ")) {
            own = rest.to_string();
        }
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        format!("{}: {own}", names.join(", "))
    });
    let each = each.collect::<Vec<_>>().join(". ");
    let mut common = pick(&clauses[0], &common);
    if !common.starts_with(what) {
        common = match common.is_empty() {
            true => what.to_string(),
            false => format!("{what}: {common}"),
        };
    }
    vec![format!("{common}. {each}.")]
}

/// One sentence of clauses, what a clause says otherwise in other rows behind strokes.
fn by_row(sentences: &[Vec<&str>]) -> String {
    let clause = |index: usize| {
        let mut variants: Vec<Vec<&str>> = Vec::new();
        for sentence in sentences {
            let words: Vec<&str> = sentence[index].trim_end_matches('.').split(' ').collect();
            if !variants.contains(&words) {
                variants.push(words);
            }
        }
        let (first, others) = variants.split_first()?;
        let same = |at: &usize| others.iter().all(|it| it.get(*at) == first.get(*at));
        let shared = (0..first.len()).take_while(same).count();
        let others = others
            .iter()
            .map(|words| format!(" / {}", words[shared..].join(" ")));
        let by_row = if variants.len() > 1 { " (by row)" } else { "" };
        Some(first.join(" ") + &others.collect::<String>() + by_row)
    };
    let clauses = (0..sentences[0].len()).filter_map(clause);
    clauses.collect::<Vec<_>>().join("; ") + "."
}

/// Whether a minibatch of `record` is all of `data`.
fn is_full_batch(record: &RecordSpec, data: &Call) -> bool {
    let outline = data::dataset(&data.name).and_then(|kind| kind.outline(&data.args).ok());
    let order = Order::parse(&record.order).zip(outline);
    order.is_some_and(|(order, outline)| order.of(record.batch, outline.examples) == Order::Full)
}

/// What was done to the labels of `name`, in plain words.
fn labels(name: &str, noise: &Call) -> String {
    let percent = || format!("{} %", (1e8 * noise.args.number("rate")).round() / 1e6);
    match noise.name.as_str() {
        "shuffled" => format!("`{name}`: all labels shuffled."),
        kind @ ("symmetric" | "asymmetric") => {
            format!("`{name}`: {} of labels replaced, {kind} noise.", percent())
        }
        other => format!("`{name}`: labels changed, {other}."),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn sentence(text: &str, name: &'static str) -> (String, Vec<&'static str>) {
        (text.to_string(), vec![name])
    }

    #[test]
    fn tests_of_one_kind_share_what_they_share() {
        let of_two = [
            sentence("Power law: fit to 10 values; left distance; d_c = 1.", "near"),
            sentence("Power law: fit to 20 values; left distance; d_c = 1.", "far"),
        ];
        assert_eq!(
            merged(&of_two),
            ["Power law: left distance; d_c = 1. `near`: fit to 10 values. `far`: fit to 20 values."]
        );
        let unlike = [sentence("One; two.", "a"), sentence("One.", "b")];
        assert_eq!(merged(&unlike), ["One; two.", "One."]);
        assert_eq!(
            merged(&of_two[..1]),
            ["Power law: fit to 10 values; left distance; d_c = 1."]
        );
    }

    #[test]
    fn one_test_under_several_settings_is_one_sentence() {
        let of_one = [
            sentence("Power law: fit to the 10 largest; left distance; d_c = 1.", "ks"),
            sentence("Power law: fit to the 20 largest; left distance; d_c = 1.", "ks"),
            sentence(
                "Power law: fit to the 20 largest; two-sided distance; d_c = 1.",
                "ks",
            ),
        ];
        assert_eq!(
            merged(&of_one),
            [
                "Power law: fit to the 10 largest / 20 largest (by row); left distance / two-sided distance (by row); \
              d_c = 1."
            ]
        );
    }
}
