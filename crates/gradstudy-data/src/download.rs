//! Downloading one file of known size and SHA-256: resumes, retries, changes mirrors, and gives the file its name
//! only when it is right.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use super::fetch::{DownloadObserver, FetchError, FetchOptions};
use super::source::SourceFile;
use super::verify::hex;

/// A mirror that brings at least this much before it fails is given its full number of attempts again.
const PROGRESS: u64 = 1 << 20;

/// What to download, and where to.
pub(super) struct Target<'a> {
    pub set: &'a str,
    pub file: &'a SourceFile,
    pub directory: &'a Path,
    /// Mirrors: addresses to which the published name is appended.
    pub bases: &'a [String],
}

/// Why an attempt failed, by what should follow.
enum Failure {
    /// The same mirror may do better in a moment.
    Retry(String),
    /// This mirror will not do.
    NextMirror(String),
    /// No mirror can help.
    Fatal(FetchError),
}

pub(super) fn agent(options: &FetchOptions) -> ureq::Agent {
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .user_agent(concat!("gradstudy/", env!("CARGO_PKG_VERSION")))
        // The files are gzip themselves: ask for them as they are.
        .accept_encoding("identity")
        .timeout_resolve(Some(options.connect_timeout))
        .timeout_connect(Some(options.connect_timeout))
        .timeout_per_read(Some(options.stall_timeout))
        .timeout_per_write(Some(options.stall_timeout));
    if options.proxy_from_environment {
        config.build()
    } else {
        config.proxy(None).build()
    }
    .into()
}

/// Downloads the file and returns the address it came from.
pub(super) fn download(
    agent: &ureq::Agent,
    target: &Target,
    observer: &dyn DownloadObserver,
    options: &FetchOptions,
) -> Result<String, FetchError> {
    let name = target.file.published_name();
    let part = Part::new(target);
    let mut reasons = Vec::new();
    for base in target.bases {
        let url = format!("{base}{name}");
        let (mut failures, mut wait) = (0, options.backoff);
        loop {
            let before = part.size();
            let reason = match attempt(agent, &url, &part, target.file, observer) {
                Ok(()) => {
                    part.publish()?;
                    observer.finish(&name);
                    return Ok(url);
                }
                Err(Failure::Fatal(error)) => return Err(error),
                Err(Failure::NextMirror(reason)) => {
                    reasons.push(format!("{url}: {reason}"));
                    break;
                }
                Err(Failure::Retry(reason)) => reason,
            };
            if part.size() >= before + PROGRESS {
                (failures, wait) = (0, options.backoff);
            }
            failures += 1;
            if failures >= options.attempts {
                reasons.push(format!(
                    "{url}: {reason} (attempt {failures} of {})",
                    options.attempts
                ));
                break;
            }
            observer.retry(&name, &reason, wait);
            pause(wait, observer);
            wait = (wait * 2).min(Duration::from_secs(8));
        }
    }
    Err(FetchError::Unreachable {
        set: target.set.to_string(),
        file: name,
        directory: target.directory.to_path_buf(),
        attempts: reasons,
    })
}

/// One request: completes the partial file from `url` and checks it.
fn attempt(
    agent: &ureq::Agent,
    url: &str,
    part: &Part,
    file: &SourceFile,
    observer: &dyn DownloadObserver,
) -> Result<(), Failure> {
    let name = file.published_name();
    if part.size() > file.bytes {
        part.discard()?;
    }
    let resumed_at = part.size();
    let stopped = |done| {
        Failure::Fatal(FetchError::Cancelled {
            file: name.clone(),
            done,
            bytes: file.bytes,
        })
    };
    if observer.cancelled() {
        return Err(stopped(resumed_at));
    }
    observer.start(&name, resumed_at, file.bytes);
    if resumed_at < file.bytes {
        let mut request = agent.get(url);
        if resumed_at > 0 {
            request = request.header("Range", format!("bytes={resumed_at}-"));
            // With If-Range a file that has changed on the server comes whole, not as a tail that does not fit.
            if let Some(etag) = part.etag(url) {
                request = request.header("If-Range", etag);
            }
        }
        let response = request.call().map_err(request_failure)?;
        let start = accept(&response, resumed_at, file.bytes, part)?;
        part.remember_etag(url, header(&response, "etag"));
        let mut output = part.open(start)?;
        let mut done = start;
        observer.progress(&name, done);
        let mut body = response.into_body().into_reader();
        let mut buffer = vec![0; 64 * 1024];
        let ended = loop {
            if observer.cancelled() {
                return Err(stopped(done));
            }
            match body.read(&mut buffer) {
                Ok(0) => break None,
                Ok(count) if done + count as u64 > file.bytes => {
                    part.discard()?;
                    return Err(Failure::NextMirror(format!(
                        "sends more than the {} bytes expected",
                        file.bytes
                    )));
                }
                Ok(count) => {
                    output
                        .write_all(&buffer[..count])
                        .map_err(|reason| part.write_error(reason))?;
                    done += count as u64;
                    observer.progress(&name, done);
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => break Some(error.to_string()),
            }
        };
        if done < file.bytes {
            let why = ended.unwrap_or_else(|| "the connection closed".to_string());
            return Err(Failure::Retry(format!(
                "{why} after {done} of {} bytes",
                file.bytes
            )));
        }
        output.sync_all().map_err(|reason| part.write_error(reason))?;
    }
    let found = part.sha256()?;
    if found == file.sha256 {
        return Ok(());
    }
    part.discard()?;
    let reason = format!("SHA-256 is {found}, expected {}", file.sha256);
    // A file put together from two downloads may owe its fault to the first: take it whole, once.
    Err(if resumed_at > 0 {
        Failure::Retry(reason)
    } else {
        Failure::NextMirror(reason)
    })
}

/// Judges a response to a request for the bytes from `resumed_at` on; gives the position at which its body starts.
fn accept(
    response: &ureq::http::Response<ureq::Body>,
    resumed_at: u64,
    bytes: u64,
    part: &Part,
) -> Result<u64, Failure> {
    let status = response.status();
    match status.as_u16() {
        200 => {
            let offered = header(response, "content-length").and_then(|length| length.parse::<u64>().ok());
            match offered {
                Some(offered) if offered != bytes => Err(Failure::NextMirror(format!(
                    "offers {offered} bytes, expected {bytes}"
                ))),
                _ => Ok(0),
            }
        }
        206 if resumed_at > 0 => {
            let range = header(response, "content-range").unwrap_or_default();
            let (start, total) = content_range(range).unwrap_or((None, None));
            if start == Some(resumed_at) && total.is_none_or(|total| total == bytes) {
                return Ok(resumed_at);
            }
            part.discard()?;
            Err(Failure::Retry(format!(
                "answers a request for bytes {resumed_at}- of {bytes} with `{range}`"
            )))
        }
        // The partial file does not fit what the server has: start over.
        416 => {
            part.discard()?;
            Err(Failure::Retry(format!("HTTP {status} for bytes {resumed_at}-")))
        }
        408 | 425 | 429 | 500..=599 => Err(Failure::Retry(format!("HTTP {status}"))),
        _ => Err(Failure::NextMirror(format!("HTTP {status}"))),
    }
}

/// Start and total of `bytes START-END/TOTAL`, where they are numbers.
fn content_range(value: &str) -> Option<(Option<u64>, Option<u64>)> {
    let (range, total) = value.strip_prefix("bytes ")?.split_once('/')?;
    let (start, _) = range.split_once('-')?;
    Some((start.trim().parse().ok(), total.trim().parse().ok()))
}

fn header<'a>(response: &'a ureq::http::Response<ureq::Body>, name: &str) -> Option<&'a str> {
    response.headers().get(name)?.to_str().ok()
}

fn request_failure(error: ureq::Error) -> Failure {
    match error {
        ureq::Error::Io(_)
        | ureq::Error::Timeout(_)
        | ureq::Error::Protocol(_)
        | ureq::Error::ConnectionFailed => Failure::Retry(error.to_string()),
        // Unknown host, bad address, bad certificate: waiting does not help.
        _ => Failure::NextMirror(error.to_string()),
    }
}

fn pause(wait: Duration, observer: &dyn DownloadObserver) {
    let end = Instant::now() + wait;
    while !observer.cancelled() {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        std::thread::sleep(left.min(Duration::from_millis(50)));
    }
}

/// The partial file `NAME.gz.part` and, beside it, the ETag of the address it came from.
struct Part {
    path: PathBuf,
    etag: PathBuf,
    published: PathBuf,
}

impl Part {
    fn new(target: &Target) -> Self {
        let name = target.file.published_name();
        Part {
            path: target.directory.join(format!("{name}.part")),
            etag: target.directory.join(format!("{name}.part.etag")),
            published: target.directory.join(name),
        }
    }

    fn size(&self) -> u64 {
        self.path.metadata().map_or(0, |part| part.len())
    }

    fn write_error(&self, reason: std::io::Error) -> Failure {
        Failure::Fatal(FetchError::Write {
            path: self.path.clone(),
            reason,
        })
    }

    /// Opens for writing from `start` on; what lay there is dropped.
    fn open(&self, start: u64) -> Result<File, Failure> {
        let open = || {
            let mut file = OpenOptions::new()
                .create(true)
                .truncate(false)
                .write(true)
                .open(&self.path)?;
            file.set_len(start)?;
            file.seek(SeekFrom::Start(start))?;
            Ok(file)
        };
        open().map_err(|reason| self.write_error(reason))
    }

    fn discard(&self) -> Result<(), Failure> {
        let _ = std::fs::remove_file(&self.etag);
        match std::fs::remove_file(&self.path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(self.write_error(error)),
            _ => Ok(()),
        }
    }

    /// The ETag that came with the partial file, if it came from `url`.
    fn etag(&self, url: &str) -> Option<String> {
        let saved = std::fs::read_to_string(&self.etag).ok()?;
        let (from, etag) = saved.split_once('\n')?;
        (from == url).then(|| etag.to_string())
    }

    /// Best effort: without it the digest still catches a file that changed half-way. Weak ETags do not promise
    /// equal bytes, so they are no use (RFC 9110, 13.1.5).
    fn remember_etag(&self, url: &str, etag: Option<&str>) {
        let _ = match etag {
            Some(etag) if !etag.starts_with("W/") => std::fs::write(&self.etag, format!("{url}\n{etag}")),
            _ => std::fs::remove_file(&self.etag),
        };
    }

    fn sha256(&self) -> Result<String, Failure> {
        let digest = || {
            let mut file = File::open(&self.path)?;
            let mut hasher = Sha256::new();
            let mut buffer = vec![0; 1 << 20];
            loop {
                match file.read(&mut buffer)? {
                    0 => return Ok(hex(&hasher.finalize())),
                    count => hasher.update(&buffer[..count]),
                }
            }
        };
        digest().map_err(|reason| self.write_error(reason))
    }

    /// Gives the checked file its name and makes the name last.
    fn publish(&self) -> Result<(), FetchError> {
        std::fs::rename(&self.path, &self.published).map_err(|reason| FetchError::Write {
            path: self.published.clone(),
            reason,
        })?;
        let _ = std::fs::remove_file(&self.etag);
        // Only some systems can flush a folder, and the file itself is safe already.
        if let Some(folder) = self.published.parent().and_then(|folder| File::open(folder).ok()) {
            let _ = folder.sync_all();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::content_range;

    #[test]
    fn content_range_is_read() {
        assert_eq!(content_range("bytes 5-9/10"), Some((Some(5), Some(10))));
        assert_eq!(content_range("bytes 5-9/*"), Some((Some(5), None)));
        assert_eq!(content_range("bytes */10"), None);
        assert_eq!(content_range("5-9/10"), None);
    }
}
