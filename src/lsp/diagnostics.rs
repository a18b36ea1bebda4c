//! What the checker finds, for an editor.

use std::collections::BTreeMap;
use std::sync::Arc;

use lsp_types::{
    Diagnostic, DiagnosticRelatedInformation, DiagnosticSeverity, Location, NumberOrString, Uri,
};
use miette::Severity;

use crate::study::{self, Overrides, Vocabulary};
use crate::syntax::{self, Source, Span};

use super::documents::Documents;
use super::position::Lines;
use super::project::File;

/// Everything wrong or doubtful in the study at `uri`, by the address of the file that it lies in; the study's own
/// address is among them, whatever there is to say.
pub fn diagnose(
    documents: &Documents,
    uri: &Uri,
    file: &Arc<File>,
    vocabulary: &Vocabulary,
) -> BTreeMap<String, Vec<Diagnostic>> {
    let source = Source::new(&file.path, file.text.clone());
    let found = match study::check_profiles(&source, &Overrides::default(), vocabulary) {
        Ok((_, warnings)) => warnings,
        Err(mistakes) => mistakes,
    };
    let mut by_file = BTreeMap::from([(uri.as_str().to_string(), Vec::new())]);
    for one in found.iter() {
        let home = one.source().unwrap_or(&source);
        let Some(address) = address(documents, uri, &source, home) else {
            continue;
        };
        let diagnostic = diagnostic(documents, uri, &source, one, home, &address);
        by_file
            .entry(address.as_str().to_string())
            .or_default()
            .push(diagnostic);
    }
    by_file
}

/// The address of `it`, a file of the study `root` at `uri`.
fn address(documents: &Documents, uri: &Uri, root: &Source, it: &Source) -> Option<Uri> {
    match it.path == root.path {
        true => Some(uri.clone()),
        false => documents.uri(&it.path),
    }
}

fn diagnostic(
    documents: &Documents,
    uri: &Uri,
    root: &Source,
    one: &syntax::Diagnostic,
    home: &Source,
    address: &Uri,
) -> Diagnostic {
    let lines = Lines::of(&home.text);
    let range = |span: Span| lines.range(&home.text, span);
    let mut message = one.message.clone();
    if let Some((_, label)) = one.labels.first().filter(|(_, label)| !label.is_empty()) {
        message.push_str(&format!(" ({label})"));
    }
    if let Some(help) = &one.help {
        message.push_str(&format!("\nhelp: {help}"));
    }
    let here = one
        .labels
        .iter()
        .skip(1)
        .map(|(span, text)| DiagnosticRelatedInformation {
            location: Location {
                uri: address.clone(),
                range: range(*span),
            },
            message: text.clone(),
        });
    let elsewhere = one.elsewhere.iter().filter_map(|other| {
        let text = &other.source.text;
        Some(DiagnosticRelatedInformation {
            location: Location {
                uri: self::address(documents, uri, root, &other.source)?,
                range: Lines::of(text).range(text, other.span),
            },
            message: other.text.clone(),
        })
    });
    let related: Vec<_> = here.chain(elsewhere).collect();
    Diagnostic {
        range: range(one.span()),
        severity: Some(match one.severity {
            Severity::Error => DiagnosticSeverity::ERROR,
            Severity::Warning => DiagnosticSeverity::WARNING,
            Severity::Advice => DiagnosticSeverity::INFORMATION,
        }),
        code: Some(NumberOrString::String(one.code.to_string())),
        source: Some("gradstudy".to_string()),
        message,
        related_information: (!related.is_empty()).then_some(related),
        ..Diagnostic::default()
    }
}
