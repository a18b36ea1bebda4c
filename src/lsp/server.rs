//! The conversation: what is asked, by whom, in which order, and what has to be checked again.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::str::FromStr;
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use lsp_server::{ErrorCode, Message, Notification, Request, Response};
use lsp_types::{Diagnostic, InitializeParams, PublishDiagnosticsParams, Uri};
use serde_json::{Value, json};

use crate::study::Vocabulary;

use super::diagnostics::diagnose;
use super::documents::{Documents, path};
use super::requests::{self, Known};
use super::transport::{Incoming, receive, refuse};

/// Texts are checked when nothing has come in for so long …
const PAUSE: Duration = Duration::from_millis(40);
/// … or when they have waited for so long.
const PATIENCE: Duration = Duration::from_millis(400);

/// How far the conversation has come.
#[derive(Debug, PartialEq)]
enum Phase {
    Fresh,
    Running,
    ShutDown,
}

/// What the server holds between messages.
struct Server<'a> {
    documents: Documents,
    vocabulary: &'a Vocabulary,
    /// Whether the editor fills in `${1:…}`.
    snippets: bool,
    phase: Phase,
    output: &'a mut dyn Write,
    /// For each open study, what was found in it, by file.
    found: BTreeMap<String, BTreeMap<String, Vec<Diagnostic>>>,
    /// Studies to check, and since when they wait.
    waiting: BTreeMap<String, Instant>,
}

/// Speaks the Language Server Protocol over two streams until the editor says `exit` or closes them.
///
/// Returns the exit code: 0 after `shutdown`, 1 otherwise. Checks, completions and the rest know what `vocabulary`
/// and the registries know; nothing but the files of studies is read.
///
/// # Errors
/// The editor no longer reads.
pub fn serve(
    input: impl Read + Send + 'static,
    output: &mut dyn Write,
    vocabulary: &Vocabulary,
) -> io::Result<u8> {
    let received = receive(input);
    let mut server = Server {
        documents: Documents::default(),
        vocabulary,
        snippets: false,
        phase: Phase::Fresh,
        output,
        found: BTreeMap::new(),
        waiting: BTreeMap::new(),
    };
    loop {
        let incoming = match server.time_left() {
            None => received.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(left) => received.recv_timeout(left.min(PAUSE)),
        };
        let done = match incoming {
            Ok(Incoming::Message(Message::Request(request))) => server.request(request)?,
            Ok(Incoming::Message(Message::Notification(note))) => server.notification(note),
            Ok(Incoming::Message(Message::Response(_))) => false,
            Ok(Incoming::Malformed(reason)) => {
                refuse(server.output, &reason)?;
                false
            }
            Ok(Incoming::Broken(reason)) => {
                refuse(server.output, &reason)?;
                true
            }
            Err(RecvTimeoutError::Timeout) => {
                server.check_waiting()?;
                false
            }
            Err(RecvTimeoutError::Disconnected) => true,
        };
        if done {
            return Ok(u8::from(server.phase != Phase::ShutDown));
        }
        if server.time_left() == Some(Duration::ZERO) {
            server.check_waiting()?;
        }
    }
}

impl Server<'_> {
    /// Until the text that waits longest must be checked; `None` if none waits.
    fn time_left(&self) -> Option<Duration> {
        let since = self.waiting.values().min()?;
        Some(PATIENCE.saturating_sub(since.elapsed()))
    }

    fn known(&self) -> Known<'_> {
        Known {
            documents: &self.documents,
            vocabulary: self.vocabulary,
            snippets: self.snippets,
        }
    }

    fn send(&mut self, message: impl Into<Message>) -> io::Result<()> {
        message.into().write(&mut self.output)
    }

    fn request(&mut self, request: Request) -> io::Result<bool> {
        let (id, method) = (request.id, request.method.as_str());
        let wrong = |code: ErrorCode, message: &str| (code as i32, message.to_string());
        let answer = match (&self.phase, method) {
            (Phase::Fresh, "initialize") => {
                self.phase = Phase::Running;
                Ok(self.initialize(request.params))
            }
            (Phase::Fresh, _) => Err(wrong(ErrorCode::ServerNotInitialized, "not initialized yet")),
            (Phase::Running, "shutdown") => {
                self.phase = Phase::ShutDown;
                Ok(Value::Null)
            }
            (Phase::Running, "initialize") => Err(wrong(ErrorCode::InvalidRequest, "initialized already")),
            (Phase::ShutDown, _) => Err(wrong(ErrorCode::InvalidRequest, "shut down")),
            (Phase::Running, _) => {
                let answer = catch_unwind(AssertUnwindSafe(|| {
                    requests::answer(self.known(), method, request.params)
                }));
                answer.unwrap_or_else(|_| Err(wrong(ErrorCode::InternalError, "a mistake in gradstudy")))
            }
        };
        self.send(match answer {
            Ok(value) => Response::new_ok(id, value),
            Err((code, message)) => Response::new_err(id, code, message),
        })?;
        Ok(false)
    }

    fn initialize(&mut self, params: Value) -> Value {
        let params: InitializeParams = serde_json::from_value(params).unwrap_or_default();
        let folders = params
            .workspace_folders
            .iter()
            .flatten()
            .map(|folder| &folder.uri);
        #[allow(deprecated)]
        let root = params
            .root_uri
            .iter()
            .filter(|_| params.workspace_folders.is_none());
        self.documents.folders = folders
            .chain(root)
            .map(path)
            .filter(|path| path.is_absolute())
            .collect();
        let item = params
            .capabilities
            .text_document
            .and_then(|it| it.completion?.completion_item);
        self.snippets = item.and_then(|it| it.snippet_support) == Some(true);
        json!({
            "capabilities": requests::capabilities(),
            "serverInfo": { "name": "gradstudy", "version": env!("CARGO_PKG_VERSION") },
        })
    }

    /// Takes note of what the editor does; whether that was its last word.
    fn notification(&mut self, note: Notification) -> bool {
        if note.method == "exit" {
            return true;
        }
        if self.phase == Phase::Running {
            // A text that cannot be read as one changes nothing.
            let _ = catch_unwind(AssertUnwindSafe(|| self.take(&note.method, note.params)));
        }
        false
    }

    fn take(&mut self, method: &str, params: Value) -> Option<()> {
        fn read<T: serde::de::DeserializeOwned>(params: Value) -> Option<T> {
            serde_json::from_value(params).ok()
        }
        match method {
            "textDocument/didOpen" => {
                let document = read::<lsp_types::DidOpenTextDocumentParams>(params)?.text_document;
                self.documents.set(&document.uri, document.text);
                self.wait(&document.uri);
            }
            "textDocument/didChange" => {
                let changed = read::<lsp_types::DidChangeTextDocumentParams>(params)?;
                self.documents
                    .change(&changed.text_document.uri, changed.content_changes);
                self.wait(&changed.text_document.uri);
            }
            "textDocument/didClose" => {
                let uri = read::<lsp_types::DidCloseTextDocumentParams>(params)?
                    .text_document
                    .uri;
                self.documents.close(&uri);
                self.wait(&uri);
            }
            // A study's other files may be what has changed.
            "textDocument/didSave" | "workspace/didChangeWatchedFiles" => {
                self.documents.uris().iter().for_each(|uri| self.wait(uri));
            }
            _ => {}
        }
        Some(())
    }

    fn wait(&mut self, uri: &Uri) {
        self.waiting
            .entry(uri.as_str().to_string())
            .or_insert_with(Instant::now);
    }

    /// Checks every study that waits, and tells the editor what there is now in each file that it concerns.
    fn check_waiting(&mut self) -> io::Result<()> {
        for (address, _) in std::mem::take(&mut self.waiting) {
            let Ok(uri) = Uri::from_str(&address) else {
                continue;
            };
            let before = self.found.remove(&address).unwrap_or_default();
            let mut files: Vec<String> = before.into_keys().collect();
            if let Some(file) = self.documents.get(&uri) {
                let (documents, vocabulary) = (&self.documents, self.vocabulary);
                let found = catch_unwind(AssertUnwindSafe(|| diagnose(documents, &uri, &file, vocabulary)));
                let found = found.unwrap_or_default();
                files.extend(found.keys().cloned());
                self.found.insert(address, found);
            }
            files.sort();
            files.dedup();
            for file in files {
                self.publish(&file)?;
            }
        }
        Ok(())
    }

    /// All that any open study says of `file`; what several say alike stands once.
    fn publish(&mut self, file: &str) -> io::Result<()> {
        let mut diagnostics: Vec<Diagnostic> = Vec::new();
        for diagnostic in self
            .found
            .values()
            .filter_map(|by_file| by_file.get(file))
            .flatten()
        {
            if !diagnostics.contains(diagnostic) {
                diagnostics.push(diagnostic.clone());
            }
        }
        let Ok(uri) = Uri::from_str(file) else {
            return Ok(());
        };
        let params = PublishDiagnosticsParams {
            uri,
            diagnostics,
            version: None,
        };
        self.send(Notification::new(
            "textDocument/publishDiagnostics".to_string(),
            params,
        ))
    }
}
