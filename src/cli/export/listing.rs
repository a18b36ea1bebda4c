//! What a run has to export, with the options that choose it.

use std::path::Path;

use serde_json::{Value, json};

use super::What;
use super::results::Found;
use crate::cli::study::shell_word;
use crate::results::{MeasuredSpectrum, Subject};
use crate::run::tables::Samples;

/// Of the JSON; raised when a reader of the old layout would misread the new.
pub(super) const FORMAT_VERSION: u32 = 1;

/// One line for each thing that can be exported by itself.
pub(super) fn text(found: &Found) -> String {
    let parts = [What::Outcomes, What::Spectra, What::Samples].map(|what| of(found, what));
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join("\n") + "\n"
}

/// The lines of [`text`] that are of `what`.
pub(super) fn of(found: &Found, what: What) -> String {
    match what {
        What::Spectra => lines(found.spectra.spectra.iter().map(spectrum)),
        What::Samples => lines(found.samples.iter().map(samples)),
        _ => lines(std::iter::once(format!(
            "--what outcomes: {} measurements",
            found.results.measurements.len()
        ))),
    }
}

pub(super) fn lines(lines: impl Iterator<Item = String>) -> String {
    lines
        .map(|line| format!("  {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// ` --at FACTOR=LABEL` for each level, as a shell takes it.
pub(super) fn at(levels: &[(String, String)]) -> String {
    let levels = levels
        .iter()
        .map(|(factor, label)| format!(" --at {}", shell_word(&format!("{factor}={label}"))));
    levels.collect()
}

fn options(name: &str, subject: &Subject, seed: u64, levels: &[(String, String)]) -> String {
    let layers = subject
        .layers
        .iter()
        .map(|layers| format!(" --layers {}", shell_word(layers)));
    format!(
        "--name {}{} --seed {seed}{}",
        shell_word(name),
        layers.collect::<String>(),
        at(levels)
    )
}

fn spectrum(it: &MeasuredSpectrum) -> String {
    let options = options(&it.name, &it.subject, it.seed, &it.levels);
    format!("--what spectra {options}: {} values", it.spectrum.values.len())
}

fn samples(it: &Samples) -> String {
    let of = &it.measurement;
    let options = options(&of.test, &of.subject, of.seed, &of.levels);
    let (along, names) = (of.direction.word(), names(it).join(", "));
    format!("--what samples {options} --along {along}: {} × {names}", it.len())
}

fn names(it: &Samples) -> Vec<&str> {
    let verdicts = (!it.verdicts.is_empty()).then_some("accepted");
    let columns = it.values.columns().iter().map(|(name, _)| name.as_str());
    verdicts.into_iter().chain(columns).collect()
}

pub(super) fn json(folder: &Path, found: &Found) -> String {
    let spectrum = |it: &MeasuredSpectrum| -> Value {
        json!({
            "name": it.name, "record": it.record, "layers": it.subject.layers, "seed": it.seed, "levels": it.levels,
            "values": it.spectrum.values.len(),
        })
    };
    let sample = |it: &Samples| -> Value {
        let of = &it.measurement;
        json!({
            "name": of.test, "record": of.record, "layers": of.subject.layers, "seed": of.seed, "levels": of.levels,
            "along": of.direction.word(), "samples": it.len(), "columns": names(it),
        })
    };
    let all = json!({
        "format_version": FORMAT_VERSION,
        "folder": folder,
        "outcomes": {"measurements": found.results.measurements.len()},
        "spectra": found.spectra.spectra.iter().map(spectrum).collect::<Vec<_>>(),
        "samples": found.samples.iter().map(sample).collect::<Vec<_>>(),
    });
    serde_json::to_string_pretty(&all).expect("words and numbers") + "\n"
}
