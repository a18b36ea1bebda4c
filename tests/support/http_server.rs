//! A web server for tests of downloading: serves files from memory on 127.0.0.1 and misbehaves on request.

use std::collections::{HashMap, VecDeque};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How one request is answered.
#[derive(Debug, Clone)]
pub enum Reply {
    /// Properly, ranges and `If-Range` included.
    Good,
    /// The whole file with status 200, whatever range was asked for.
    IgnoreRange,
    /// Properly, but the connection closes after so many bytes of the body.
    CloseAfter(usize),
    /// Properly, but after so many bytes of the body nothing more comes.
    StallAfter(usize),
    /// Properly, but with the first byte of the body changed.
    Corrupt,
    /// This status and no file.
    Status(u16),
    /// The whole file with these bytes after it, and a length that says so.
    Longer(usize),
    /// The whole file with these bytes after it, of unstated length.
    LongerUnstated(usize),
    /// A partial answer that starts one byte before what was asked for.
    WrongRange,
}

/// What one request asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub path: String,
    pub range: Option<String>,
    pub if_range: Option<String>,
}

struct State {
    files: HashMap<String, Vec<u8>>,
    etags: HashMap<String, String>,
    replies: HashMap<String, VecDeque<Reply>>,
    requests: Vec<Request>,
}

/// The server; its threads end with the test process.
pub struct HttpServer {
    /// `http://127.0.0.1:PORT`
    pub base: String,
    state: Arc<Mutex<State>>,
}

impl HttpServer {
    /// Serves each path (beginning with `/`) properly until told otherwise.
    pub fn start(files: HashMap<String, Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let etags = files
            .keys()
            .map(|path| (path.clone(), "\"first\"".to_string()))
            .collect();
        let state = Arc::new(Mutex::new(State {
            files,
            etags,
            replies: HashMap::new(),
            requests: Vec::new(),
        }));
        let shared = state.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = shared.clone();
                // A client that hangs up early is part of the tests.
                std::thread::spawn(move || drop(answer(stream, &state)));
            }
        });
        HttpServer { base, state }
    }

    /// The next requests for `path` are answered so, in order; later ones properly.
    pub fn script(&self, path: &str, replies: impl IntoIterator<Item = Reply>) {
        self.state
            .lock()
            .unwrap()
            .replies
            .insert(path.to_string(), replies.into_iter().collect());
    }

    /// Changes the ETag of `path`.
    pub fn set_etag(&self, path: &str, etag: &str) {
        self.state
            .lock()
            .unwrap()
            .etags
            .insert(path.to_string(), etag.to_string());
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<Request> {
        self.state.lock().unwrap().requests.clone()
    }
}

fn answer(mut stream: TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    let request = read_request(&stream)?;
    let (file, etag, reply) = {
        let mut state = state.lock().unwrap();
        state.requests.push(request.clone());
        let reply = state
            .replies
            .get_mut(&request.path)
            .and_then(VecDeque::pop_front)
            .unwrap_or(Reply::Good);
        (
            state.files.get(&request.path).cloned(),
            state.etags.get(&request.path).cloned(),
            reply,
        )
    };
    let etag = etag.unwrap_or_default();
    let Some(mut file) = file else {
        return write!(
            stream,
            "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
    };
    match reply {
        Reply::Status(status) => {
            return write!(
                stream,
                "HTTP/1.1 {status} Scripted\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            );
        }
        Reply::LongerUnstated(extra) => {
            file.extend(vec![0; extra]);
            write!(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")?;
            return stream.write_all(&file);
        }
        Reply::Longer(extra) => file.extend(vec![0; extra]),
        _ => {}
    }
    let start = request.range.as_deref().and_then(|range| {
        let start: usize = range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()?;
        let unchanged = request.if_range.as_ref().is_none_or(|asked| *asked == etag);
        (unchanged && !matches!(reply, Reply::IgnoreRange)).then_some(start)
    });
    let total = file.len();
    let mut body = match start {
        Some(start) if start >= total => {
            return write!(
                stream,
                "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Range: bytes */{total}\r\nContent-Length: 0\r\n\
                 Connection: close\r\n\r\n"
            );
        }
        Some(start) => {
            let start = if matches!(reply, Reply::WrongRange) {
                start - 1
            } else {
                start
            };
            write!(
                stream,
                "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {start}-{}/{total}\r\n",
                total - 1
            )?;
            file.split_off(start)
        }
        None => {
            write!(stream, "HTTP/1.1 200 OK\r\n")?;
            file
        }
    };
    write!(
        stream,
        "ETag: {etag}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    )?;
    match reply {
        Reply::CloseAfter(count) => body.truncate(count),
        Reply::Corrupt => body[0] ^= 0xff,
        Reply::StallAfter(count) => {
            stream.write_all(&body[..count])?;
            std::thread::sleep(Duration::from_secs(20));
            return Ok(());
        }
        _ => {}
    }
    stream.write_all(&body)
}

fn read_request(stream: &TcpStream) -> std::io::Result<Request> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    let path = first.split(' ').nth(1).unwrap_or_default().to_string();
    let mut request = Request {
        path,
        range: None,
        if_range: None,
    };
    for line in lines {
        let line = line?;
        match line.split_once(": ") {
            _ if line.is_empty() => break,
            Some((name, value)) if name.eq_ignore_ascii_case("range") => {
                request.range = Some(value.to_string())
            }
            Some((name, value)) if name.eq_ignore_ascii_case("if-range") => {
                request.if_range = Some(value.to_string());
            }
            _ => {}
        }
    }
    Ok(request)
}
