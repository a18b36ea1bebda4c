//! Answers to an editor's questions.

use std::collections::HashMap;

use lsp_server::ErrorCode;
use lsp_types::{
    CodeActionKind, CodeActionOptions, CodeActionParams, CodeActionProviderCapability, CompletionOptions,
    CompletionResponse, DocumentSymbolResponse, GotoDefinitionResponse, Hover, HoverContents,
    HoverProviderCapability, Location, MarkupContent, MarkupKind, OneOf, Position, PrepareRenameResponse,
    Range, RenameOptions, ServerCapabilities, TextDocumentIdentifier, TextDocumentSyncCapability,
    TextDocumentSyncKind, TextDocumentSyncOptions, TextDocumentSyncSaveOptions, TextEdit, Uri,
    WorkDoneProgressOptions, WorkspaceEdit,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::study::Vocabulary;
use crate::syntax::{self, Source, Span};

use super::at::Scope;
use super::completion::complete;
use super::documents::Documents;
use super::fixes::fixes;
use super::hover::hover;
use super::names::{Found, Mention, RenameError, name_at};
use super::project::{File, Project};
use super::symbols::symbols;

/// What there is to answer from.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    pub documents: &'a Documents,
    pub vocabulary: &'a Vocabulary,
    /// Whether the editor fills in `${1:…}`.
    pub snippets: bool,
}

/// A code of the protocol and a message.
type Refusal = (i32, String);

/// What the server can do.
pub fn capabilities() -> ServerCapabilities {
    let sync = TextDocumentSyncOptions {
        open_close: Some(true),
        change: Some(TextDocumentSyncKind::INCREMENTAL),
        save: Some(TextDocumentSyncSaveOptions::Supported(true)),
        ..TextDocumentSyncOptions::default()
    };
    let triggers = ["(", "[", "{", ":", ",", "=", ".", "\"", " "];
    ServerCapabilities {
        text_document_sync: Some(TextDocumentSyncCapability::Options(sync)),
        completion_provider: Some(CompletionOptions {
            trigger_characters: Some(triggers.map(String::from).to_vec()),
            ..CompletionOptions::default()
        }),
        hover_provider: Some(HoverProviderCapability::Simple(true)),
        definition_provider: Some(OneOf::Left(true)),
        references_provider: Some(OneOf::Left(true)),
        document_symbol_provider: Some(OneOf::Left(true)),
        code_action_provider: Some(CodeActionProviderCapability::Options(CodeActionOptions {
            code_action_kinds: Some(vec![CodeActionKind::QUICKFIX]),
            ..CodeActionOptions::default()
        })),
        document_formatting_provider: Some(OneOf::Left(true)),
        rename_provider: Some(OneOf::Right(RenameOptions {
            prepare_provider: Some(true),
            work_done_progress_options: WorkDoneProgressOptions::default(),
        })),
        ..ServerCapabilities::default()
    }
}

/// A place in an open text, with what else a request may say.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct At {
    text_document: TextDocumentIdentifier,
    position: Position,
    new_name: Option<String>,
    context: Option<Context>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Context {
    include_declaration: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Of {
    text_document: TextDocumentIdentifier,
}

/// The answer to a request, or why there is none.
pub fn answer(known: Known, method: &str, params: Value) -> Result<Value, Refusal> {
    match method {
        "textDocument/formatting" => {
            let of: Of = read(params)?;
            json(
                known
                    .documents
                    .get(&of.text_document.uri)
                    .and_then(|file| format(&file)),
            )
        }
        "textDocument/documentSymbol" => {
            let of: Of = read(params)?;
            let symbols = known
                .documents
                .get(&of.text_document.uri)
                .map(|file| symbols(&file));
            json(symbols.map(DocumentSymbolResponse::Nested))
        }
        "textDocument/codeAction" => {
            let asked: CodeActionParams = read(params)?;
            let uri = &asked.text_document.uri;
            let file = known.documents.get(uri);
            json(file.map(|file| fixes(&file, uri, asked.context.diagnostics)))
        }
        "textDocument/completion"
        | "textDocument/hover"
        | "textDocument/definition"
        | "textDocument/references"
        | "textDocument/prepareRename"
        | "textDocument/rename" => {
            let at: At = read(params)?;
            let Some(file) = known.documents.get(&at.text_document.uri) else {
                return Ok(Value::Null);
            };
            let asked = Asked {
                offset: file.lines.offset(&file.text, at.position),
                project: known.documents.project(file),
                known,
            };
            asked.answer(method, at)
        }
        _ => Err((
            ErrorCode::MethodNotFound as i32,
            format!("there is no `{method}`"),
        )),
    }
}

fn read<T: DeserializeOwned>(params: Value) -> Result<T, Refusal> {
    serde_json::from_value(params).map_err(|error| (ErrorCode::InvalidParams as i32, error.to_string()))
}

fn json(value: impl serde::Serialize) -> Result<Value, Refusal> {
    serde_json::to_value(value).map_err(|error| (ErrorCode::InternalError as i32, error.to_string()))
}

/// The study in its canonical layout, as one change of the lines that differ; none while it does not parse.
fn format(file: &File) -> Option<Vec<TextEdit>> {
    let text = &*file.text;
    let new = syntax::format(&Source::new(&file.path, file.text.clone())).ok()?;
    let same = |pairs: &mut dyn Iterator<Item = (&str, &str)>| -> usize {
        pairs.take_while(|(a, b)| a == b).map(|(a, _)| a.len()).sum()
    };
    let start = same(&mut text.split_inclusive('\n').zip(new.split_inclusive('\n')));
    let (old_rest, new_rest) = (&text[start..], &new[start..]);
    let end = same(
        &mut old_rest
            .split_inclusive('\n')
            .rev()
            .zip(new_rest.split_inclusive('\n').rev()),
    );
    if old_rest == new_rest {
        return Some(Vec::new());
    }
    let span = Span {
        start,
        end: text.len() - end,
    };
    Some(vec![TextEdit {
        range: file.lines.range(text, span),
        new_text: new_rest[..new_rest.len() - end].to_string(),
    }])
}

/// A question about a place.
struct Asked<'a> {
    known: Known<'a>,
    project: Project,
    offset: usize,
}

impl Asked<'_> {
    fn scope(&self) -> Scope<'_> {
        Scope {
            project: &self.project,
            vocabulary: self.known.vocabulary,
        }
    }

    fn file(&self) -> &File {
        &self.project.files[0]
    }

    fn range(&self, span: Span) -> Range {
        self.file().lines.range(&self.file().text, span)
    }

    fn answer(&self, method: &str, at: At) -> Result<Value, Refusal> {
        match method {
            "textDocument/completion" => json(CompletionResponse::Array(complete(
                self.scope(),
                self.offset,
                self.known.snippets,
            ))),
            "textDocument/hover" => json(hover(self.scope(), self.offset).map(|(value, span)| {
                let kind = MarkupKind::Markdown;
                Hover {
                    contents: HoverContents::Markup(MarkupContent { kind, value }),
                    range: Some(self.range(span)),
                }
            })),
            "textDocument/definition" => json(self.definition().map(GotoDefinitionResponse::Scalar)),
            "textDocument/references" => {
                let with = at.context.and_then(|it| it.include_declaration) != Some(false);
                json(name_at(self.scope(), self.offset).map(|(name, _)| self.references(&name, with)))
            }
            "textDocument/prepareRename" => match name_at(self.scope(), self.offset) {
                Some((placeholder, mention)) => json(PrepareRenameResponse::RangeWithPlaceholder {
                    range: self.range(mention.span),
                    placeholder,
                }),
                None => Ok(Value::Null),
            },
            _ => json(self.rename(&at.new_name.unwrap_or_default())?),
        }
    }

    /// Where the name under the cursor is defined, or the file that is used there.
    fn definition(&self) -> Option<Location> {
        let touching = |span: &Span| span.start <= self.offset && self.offset <= span.end;
        if let Some((path, _)) = self.file().uses().find(|(_, span)| touching(span)) {
            let uri = path.exists().then(|| self.known.documents.uri(&path)).flatten()?;
            return Some(Location {
                uri,
                range: Range::default(),
            });
        }
        let (name, _) = name_at(self.scope(), self.offset)?;
        let (file, statement) = self.project.get(self.project.definition(&name)?);
        Some(Location {
            uri: self.known.documents.uri(&file.path)?,
            range: file.lines.range(&file.text, statement.name?),
        })
    }

    fn references(&self, name: &str, with_definitions: bool) -> Vec<Location> {
        let workspace = self.known.documents.workspace();
        let found = workspace.references(&self.file().identity, name, self.known.vocabulary);
        let wanted = |mention: &Mention| with_definitions || !mention.is_definition;
        let mut locations = Vec::new();
        for (file, mentions) in found {
            let Some(uri) = self.known.documents.uri(&file.path) else {
                continue;
            };
            locations.extend(mentions.into_iter().filter(wanted).map(|mention| Location {
                uri: uri.clone(),
                range: file.lines.range(&file.text, mention.span),
            }));
        }
        locations
    }

    fn rename(&self, new: &str) -> Result<WorkspaceEdit, Refusal> {
        let refuse = |error: RenameError| (ErrorCode::RequestFailed as i32, error.to_string());
        let (old, _) = name_at(self.scope(), self.offset).ok_or_else(|| refuse(RenameError::NoName))?;
        let workspace = self.known.documents.workspace();
        let found = workspace.rename(&self.file().identity, &old, new, self.known.vocabulary);
        Ok(self.edit(found.map_err(refuse)?, new))
    }

    fn edit(&self, found: Found, new: &str) -> WorkspaceEdit {
        #[allow(clippy::mutable_key_type)] // The protocol's own type; an address does not change.
        let mut changes: HashMap<Uri, Vec<TextEdit>> = HashMap::new();
        for (file, mentions) in found {
            let Some(uri) = self.known.documents.uri(&file.path) else {
                continue;
            };
            let edits = mentions.into_iter().map(|mention| TextEdit {
                range: file.lines.range(&file.text, mention.span),
                new_text: new.to_string(),
            });
            changes.entry(uri).or_default().extend(edits);
        }
        WorkspaceEdit {
            changes: Some(changes),
            ..WorkspaceEdit::default()
        }
    }
}
