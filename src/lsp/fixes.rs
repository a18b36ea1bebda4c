//! Quick fixes: what a diagnostic's "did you mean …?" puts in the place of what was written.

use std::collections::HashMap;

use lsp_types::{CodeAction, CodeActionKind, Diagnostic, TextEdit, Uri, WorkspaceEdit};

use crate::study::closest;

use super::project::File;

/// One fix for each of `diagnostics` of `file` that knows what was meant.
pub fn fixes(file: &File, uri: &Uri, diagnostics: Vec<Diagnostic>) -> Vec<CodeAction> {
    let fix = |diagnostic: Diagnostic| {
        let edit = edit(file, &diagnostic)?;
        let title = format!("Write `{}`", edit.new_text);
        #[allow(clippy::mutable_key_type)] // The protocol's own type; an address does not change.
        let changes = HashMap::from([(uri.clone(), vec![edit])]);
        Some(CodeAction {
            title,
            kind: Some(CodeActionKind::QUICKFIX),
            diagnostics: Some(vec![diagnostic]),
            edit: Some(WorkspaceEdit {
                changes: Some(changes),
                ..WorkspaceEdit::default()
            }),
            is_preferred: Some(true),
            ..CodeAction::default()
        })
    };
    diagnostics.into_iter().filter_map(fix).collect()
}

/// What puts the suggestion of `diagnostic` in its place: of the words there, the one most like it is the one misspelt.
fn edit(file: &File, diagnostic: &Diagnostic) -> Option<TextEdit> {
    let (_, rest) = diagnostic.message.split_once("did you mean `")?;
    let (meant, _) = rest.split_once('`')?;
    let start = file.lines.offset(&file.text, diagnostic.range.start);
    let end = file.lines.offset(&file.text, diagnostic.range.end);
    let text = file.text.get(start..end)?;
    let words = || {
        text.split(|it: char| !it.is_alphanumeric() && it != '_')
            .filter(|word| !word.is_empty())
    };
    let only = Some(words().next()?).filter(|_| words().count() == 1);
    let word = only.or_else(|| closest(meant, words()))?;
    // `word` is a part of `text`.
    let at = start + (word.as_ptr() as usize - text.as_ptr() as usize);
    let span = crate::syntax::Span {
        start: at,
        end: at + word.len(),
    };
    (word != meant).then(|| TextEdit {
        range: file.lines.range(&file.text, span),
        new_text: meant.to_string(),
    })
}
