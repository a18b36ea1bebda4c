//! An editor as a script: it starts the real server, talks, and waits for what it is told.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::Gradstudy;

/// Long enough for a machine that does other things.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Client {
    pub gradstudy: Gradstudy,
    child: Child,
    input: Option<ChildStdin>,
    received: Receiver<Value>,
    next_id: i32,
    /// Notifications that came while something else was waited for.
    notes: Vec<Value>,
}

/// The messages of a stream, up to its end.
fn messages(stream: impl Read + Send + 'static) -> Receiver<Value> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut stream = BufReader::new(stream);
        loop {
            let mut length = 0;
            loop {
                let mut line = String::new();
                if stream.read_line(&mut line).unwrap_or(0) == 0 {
                    return;
                }
                match line.trim_end().split_once(": ") {
                    Some(("Content-Length", value)) => length = value.parse().expect("a length"),
                    Some(_) => {}
                    None => break,
                }
            }
            let mut content = vec![0; length];
            stream.read_exact(&mut content).expect("a whole message");
            if sender
                .send(serde_json::from_slice(&content).expect("JSON"))
                .is_err()
            {
                return;
            }
        }
    });
    receiver
}

impl Client {
    /// A server in a folder of its own, and not a word said.
    pub fn silent() -> Client {
        let gradstudy = Gradstudy::new("");
        let mut command = gradstudy.command(&["lsp"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        Client {
            input: child.stdin.take(),
            received: messages(child.stdout.take().unwrap()),
            child,
            gradstudy,
            next_id: 0,
            notes: Vec::new(),
        }
    }

    /// A server that has been greeted; its answer.
    pub fn greeted() -> (Client, Value) {
        let mut client = Client::silent();
        let root = client.uri("").trim_end_matches('/').to_string();
        let capabilities =
            json!({ "textDocument": { "completion": { "completionItem": { "snippetSupport": true } } } });
        let folders = json!([{ "uri": root, "name": "test" }]);
        let params = json!({ "processId": null, "capabilities": capabilities, "workspaceFolders": folders });
        let answer = client.ask("initialize", params);
        client.tell("initialized", json!({}));
        (client, answer["result"].clone())
    }

    /// The address of a file of the client's folder.
    pub fn uri(&self, name: &str) -> String {
        let folder = self.gradstudy.path().canonicalize().unwrap();
        format!("file://{}/{name}", folder.display())
    }

    /// Sends bytes as they are.
    pub fn send(&mut self, bytes: &[u8]) {
        let input = self.input.as_mut().unwrap();
        input.write_all(bytes).and_then(|()| input.flush()).unwrap();
    }

    /// Sends one message.
    pub fn message(&mut self, message: &Value) {
        let text = message.to_string();
        self.send(format!("Content-Length: {}\r\n\r\n{text}", text.len()).as_bytes());
    }

    pub fn tell(&mut self, method: &str, params: Value) {
        self.message(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    /// Sends a request and waits for its answer.
    #[track_caller]
    pub fn ask(&mut self, method: &str, params: Value) -> Value {
        self.next_id += 1;
        let id = self.next_id;
        self.message(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        self.answer(&json!(id))
    }

    /// The answer with this id.
    #[track_caller]
    pub fn answer(&mut self, id: &Value) -> Value {
        loop {
            let message = self.received.recv_timeout(PATIENCE).expect("the server answers");
            if message.get("method").is_some() {
                self.notes.push(message);
            } else if &message["id"] == id {
                return message;
            }
        }
    }

    /// The next diagnostics of a file.
    #[track_caller]
    pub fn diagnostics(&mut self, name: &str) -> Vec<Value> {
        let uri = self.uri(name);
        loop {
            let of = |note: &Value| {
                note["method"] == "textDocument/publishDiagnostics" && note["params"]["uri"] == uri.as_str()
            };
            if let Some(index) = self.notes.iter().position(of) {
                let note = self.notes.remove(index);
                return note["params"]["diagnostics"].as_array().unwrap().clone();
            }
            let message = self.received.recv_timeout(PATIENCE).expect("the server tells");
            self.notes.push(message);
        }
    }

    pub fn open(&mut self, name: &str, text: &str) {
        let uri = self.uri(name);
        let document = json!({ "uri": uri, "languageId": "study", "version": 1, "text": text });
        self.tell("textDocument/didOpen", json!({ "textDocument": document }));
    }

    /// Replaces the whole text.
    pub fn replace(&mut self, name: &str, text: &str) {
        let document = json!({ "uri": self.uri(name), "version": 2 });
        let params = json!({ "textDocument": document, "contentChanges": [{ "text": text }] });
        self.tell("textDocument/didChange", params);
    }

    /// Asks about a place in a file; `more` is added to the question.
    #[track_caller]
    pub fn at(&mut self, method: &str, name: &str, (line, character): (u32, u32), more: Value) -> Value {
        let position = json!({ "line": line, "character": character });
        let mut params = json!({ "textDocument": { "uri": self.uri(name) }, "position": position });
        for (key, value) in more.as_object().unwrap() {
            params[key] = value.clone();
        }
        self.ask(&format!("textDocument/{method}"), params)
    }

    /// Closes its side of the conversation and waits for the server's end.
    #[track_caller]
    pub fn hang_up(mut self) -> Option<i32> {
        self.input = None;
        self.end()
    }

    #[track_caller]
    pub fn end(&mut self) -> Option<i32> {
        let begin = std::time::Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(begin.elapsed() < PATIENCE, "the server does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
