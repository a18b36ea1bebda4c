//! Messages over two streams, as the protocol frames them: `Content-Length`, an empty line, JSON.

use std::io::{self, BufRead, Read, Write};
use std::sync::mpsc::{Receiver, sync_channel};

use lsp_server::Message;

/// A longer message is taken for noise on the stream.
const MAX_LENGTH: usize = 64 << 20;
/// Messages that are read ahead.
const AHEAD: usize = 64;

/// What came in.
#[derive(Debug)]
pub enum Incoming {
    Message(Message),
    /// A frame whose content is no message; the next one may be.
    Malformed(String),
    /// The frames themselves are lost: nothing more can be read.
    Broken(String),
}

/// Reads messages in a thread of its own, up to the stream's end or `exit`.
pub fn receive(input: impl Read + Send + 'static) -> Receiver<Incoming> {
    let (sender, receiver) = sync_channel(AHEAD);
    std::thread::spawn(move || {
        let mut input = io::BufReader::new(input);
        while let Some(incoming) = next(&mut input) {
            let last = match &incoming {
                Incoming::Message(Message::Notification(note)) => note.method == "exit",
                Incoming::Broken(_) => true,
                _ => false,
            };
            if sender.send(incoming).is_err() || last {
                return;
            }
        }
    });
    receiver
}

fn next(input: &mut impl BufRead) -> Option<Incoming> {
    let content = match frame(input) {
        Ok(content) => content?,
        Err(error) => return Some(Incoming::Broken(error.to_string())),
    };
    Some(match serde_json::from_slice(&content) {
        Ok(message) => Incoming::Message(message),
        Err(error) => Incoming::Malformed(error.to_string()),
    })
}

/// The content of the next frame; none at the stream's end.
fn frame(input: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut length = None;
    loop {
        let mut line = Vec::new();
        input.by_ref().take(1 << 16).read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Ok(None);
        }
        let line = String::from_utf8_lossy(&line);
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        let Some((name, value)) = line.split_once(':') else {
            return Err(io::Error::other(format!("`{line}` is no header of a message")));
        };
        if name.eq_ignore_ascii_case("content-length") {
            length = value
                .trim()
                .parse::<usize>()
                .ok()
                .filter(|length| *length <= MAX_LENGTH);
        }
    }
    let Some(length) = length else {
        return Err(io::Error::other("a message has no usable Content-Length"));
    };
    let mut content = vec![0; length];
    match input.read_exact(&mut content) {
        Ok(()) => Ok(Some(content)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

/// Answers what could not be read as a message: JSON-RPC's "parse error", to nobody in particular.
pub fn refuse(output: &mut dyn Write, reason: &str) -> io::Result<()> {
    let error = serde_json::json!({
        "jsonrpc": "2.0",
        "id": null,
        "error": { "code": lsp_server::ErrorCode::ParseError as i32, "message": reason },
    });
    let text = error.to_string();
    write!(output, "Content-Length: {}\r\n\r\n{text}", text.len())?;
    output.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_malformed_message_does_not_end_the_stream_and_a_lost_frame_does() {
        let good = r#"{"jsonrpc":"2.0","method":"a","params":null}"#;
        let framed = |text: &str| format!("Content-Length: {}\r\n\r\n{text}", text.len());
        let stream = [
            framed("{no json"),
            framed(good),
            "Content-Length: 9e99\r\n\r\n".to_string(),
            framed(good),
        ];
        let received: Vec<Incoming> = receive(io::Cursor::new(stream.concat())).iter().collect();
        assert!(
            matches!(
                received.as_slice(),
                [Incoming::Malformed(_), Incoming::Message(_), Incoming::Broken(_)]
            ),
            "{received:?}"
        );
    }
}
