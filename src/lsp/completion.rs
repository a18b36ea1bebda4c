//! What may be written at the cursor: words of the language, of the registries and of the study itself.

use std::collections::HashSet;

use lsp_types::{
    CompletionItem, CompletionTextEdit, Documentation, InsertTextFormat, MarkupContent, MarkupKind, TextEdit,
};

use crate::study::statements::USE;
use crate::syntax::Span;

use super::at::Scope;
use super::candidates::{Candidate, Kind, Query};
use super::outline::{Outline, Outlined};
use super::project::File;

/// Completions at byte `offset` of the project's own file; `snippets` tells whether the editor knows them.
pub fn complete(scope: Scope, offset: usize, snippets: bool) -> Vec<CompletionItem> {
    let file = &scope.project.files[0];
    let inside = |span: &Span| span.start < offset && offset <= span.end;
    if file.outline.comments.iter().any(inside) {
        return Vec::new();
    }
    let open = |text: &&Span| file.at(**text).len() < 2 || !file.at(**text).ends_with('"');
    let in_text =
        |text: &&Span| text.start < offset && (offset < text.end || offset == text.end && open(text));
    if let Some(text) = file.outline.texts.iter().find(in_text) {
        return used_files(file, *text, offset);
    }
    let word = file.outline.word_at(offset);
    let span = word.map_or(
        Span {
            start: offset,
            end: offset,
        },
        |word| word.span,
    );
    let cursor = Outline::cursor(&file.text, span.start);
    let query = Query {
        scope,
        file,
        cursor,
        span,
    };
    let called = file.text[span.end..].starts_with('(');
    let keyed = file.text[span.end..]
        .trim_start_matches([' ', '\t'])
        .starts_with(':');
    let range = file.lines.range(&file.text, span);
    let item = |(index, candidate): (usize, Candidate)| {
        let plain = candidate.snippet.is_none() || !snippets;
        let mut text = match candidate.snippet {
            Some(snippet) if !plain && !called => snippet,
            _ => candidate.label.clone(),
        };
        let key = candidate.kind == Kind::FIELD;
        if key && !keyed {
            text.push_str(": ");
        }
        CompletionItem {
            sort_text: Some(format!("{index:05}")),
            label: candidate.label,
            kind: Some(candidate.kind),
            detail: Some(candidate.detail),
            documentation: candidate.about.map(|value| {
                Documentation::MarkupContent(MarkupContent {
                    kind: MarkupKind::Markdown,
                    value,
                })
            }),
            insert_text_format: Some(if plain {
                InsertTextFormat::PLAIN_TEXT
            } else {
                InsertTextFormat::SNIPPET
            }),
            text_edit: Some(CompletionTextEdit::Edit(TextEdit {
                range,
                new_text: text,
            })),
            ..CompletionItem::default()
        }
    };
    let mut candidates = query.candidates();
    candidates.sort_by_key(|candidate| candidate.rank);
    let mut seen = HashSet::new();
    candidates.retain(|it| seen.insert((it.label.clone(), it.kind == Kind::FIELD)));
    candidates.into_iter().enumerate().map(item).collect()
}

/// Studies beside this one, inside the quotes of `use "…"`.
fn used_files(file: &File, text: Span, offset: usize) -> Vec<CompletionItem> {
    let titles = |it: &&Outlined| it.title == Some(text) && file.at(it.keyword) == USE;
    if !file.outline.statements.iter().any(|it| titles(&it)) {
        return Vec::new();
    }
    let folder = file.path.parent().map(|it| it.to_path_buf()).unwrap_or_default();
    let entries = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(Result::ok);
    let studies = entries.map(|entry| entry.path()).filter(|path| {
        path.extension().is_some_and(|ending| ending == "study") && path.file_name() != file.path.file_name()
    });
    let mut names: Vec<String> = studies
        .filter_map(|path| Some(path.file_name()?.to_str()?.to_string()))
        .collect();
    names.sort();
    let quote = file.at(text).len() > 1 && file.at(text).ends_with('"');
    let inner = Span {
        start: text.start + 1,
        end: if quote { text.end - 1 } else { offset },
    };
    let range = file.lines.range(&file.text, inner);
    let item = |name: String| CompletionItem {
        kind: Some(Kind::FILE),
        text_edit: Some(CompletionTextEdit::Edit(TextEdit {
            range,
            new_text: name.clone(),
        })),
        label: name,
        ..CompletionItem::default()
    };
    names.into_iter().map(item).collect()
}
