//! Downloading a data set: one folder a set, locked while a fetch is at work, every file checked before it gets
//! its name.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::Published;
use super::download::{self, Target};
use super::source::{Origin, SourceFile};
use super::verify;

/// How to download.
#[derive(Debug, Clone)]
pub struct FetchOptions {
    /// Instead of the set's own mirrors: base addresses laid out like a data folder, `BASE/SET/FILE.gz`.
    pub mirrors: Option<Vec<String>>,
    /// Time to resolve a name, connect and shake hands.
    pub connect_timeout: Duration,
    /// Time without a single byte after which a connection is given up (and resumed).
    pub stall_timeout: Duration,
    /// Attempts at each mirror that bring nothing, before the next mirror is tried.
    pub attempts: u32,
    /// Pause before the second attempt at a mirror; doubled before each further one, up to 8 s.
    pub backoff: Duration,
    /// How long to wait for another fetch of the same set.
    pub lock_timeout: Duration,
    /// Whether `HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY` … are obeyed.
    pub proxy_from_environment: bool,
}

impl Default for FetchOptions {
    fn default() -> Self {
        FetchOptions {
            mirrors: None,
            connect_timeout: Duration::from_secs(15),
            stall_timeout: Duration::from_secs(30),
            attempts: 4,
            backoff: Duration::from_millis(500),
            lock_timeout: Duration::from_secs(600),
            proxy_from_environment: true,
        }
    }
}

/// Hears how a download goes; every method may be left out.
pub trait DownloadObserver: Sync {
    /// `file` begins or goes on: `done` of `bytes` are there.
    fn start(&self, _file: &str, _done: u64, _bytes: u64) {}
    /// `done` bytes of `file` are there (fewer than before when a download starts over).
    fn progress(&self, _file: &str, _done: u64) {}
    /// An attempt failed; the next one follows after `wait`.
    fn retry(&self, _file: &str, _reason: &str, _wait: Duration) {}
    /// `file` is complete and checked.
    fn finish(&self, _file: &str) {}
    /// Another process is fetching the same set; said once.
    fn waiting(&self, _lock: &Path) {}
    /// Asked often: true stops the download, keeping what is there for the next one.
    fn cancelled(&self) -> bool {
        false
    }
}

/// An observer that does nothing.
#[derive(Debug)]
pub struct Silent;

impl DownloadObserver for Silent {}

/// What happened to one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was there, with the published content.
    AlreadyThere,
    /// It came from `url`; `replaced` tells that a damaged file lay there before.
    Downloaded { url: String, replaced: bool },
}

/// A data set that could not be fetched. What was downloaded stays, and the next fetch goes on from there.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum FetchError {
    #[error("data set `{set}` is part of gradstudy: there is nothing to fetch")]
    #[diagnostic(code(gradstudy::data::embedded), help("use it as `{set}` in a study"))]
    Embedded { set: String },

    #[error("gradstudy cannot download `{set}`: its publisher offers no file of known digest")]
    #[diagnostic(
        code(gradstudy::data::by_hand),
        help(
            "get it from {page}, unpack it into {} and run `gradstudy data verify {set}`",
            directory.display()
        )
    )]
    ByHand {
        set: String,
        page: String,
        directory: PathBuf,
    },

    #[error("cannot write {}: {reason}", path.display())]
    #[diagnostic(code(gradstudy::data::write), help("{}", write_help(reason)))]
    Write { path: PathBuf, reason: std::io::Error },

    #[error("no room in {}: {needed} bytes are needed and {available} are free", directory.display())]
    #[diagnostic(
        code(gradstudy::data::disk_full),
        help("free some space, or choose another disk with `--data-dir DIR`")
    )]
    DiskFull {
        directory: PathBuf,
        needed: u64,
        available: u64,
    },

    #[error("another process has been fetching into {} for {} s", lock.parent().unwrap_or(lock).display(), waited.as_secs())]
    #[diagnostic(
        code(gradstudy::data::busy),
        help("let it finish or stop it, then run the same command again; nothing is lost")
    )]
    Busy { lock: PathBuf, waited: Duration },

    #[error("no mirror gave a good {file}:{}", attempts.iter().map(|line| format!("\n  - {line}")).collect::<String>())]
    #[diagnostic(
        code(gradstudy::data::unreachable),
        help(
            "check the network and the proxy settings (HTTPS_PROXY) and run the same command again: it goes on \
             where it stopped; or bring the file from another machine to {} and run `gradstudy data verify {set}`",
            directory.display()
        )
    )]
    Unreachable {
        set: String,
        file: String,
        directory: PathBuf,
        attempts: Vec<String>,
    },

    #[error("stopped at {done} of {bytes} bytes of {file}")]
    #[diagnostic(
        code(gradstudy::data::stopped),
        help("run the same command again: it goes on from there")
    )]
    Cancelled { file: String, done: u64, bytes: u64 },
}

fn write_help(error: &std::io::Error) -> &'static str {
    use std::io::ErrorKind::{PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    match error.kind() {
        StorageFull | QuotaExceeded => "free some space, or choose another disk with `--data-dir DIR`",
        PermissionDenied | ReadOnlyFilesystem => {
            "choose a folder that you may write to with `--data-dir DIR`"
        }
        _ => "check the folder and its disk, or choose another one with `--data-dir DIR`",
    }
}

/// Downloads what is missing or damaged of `kind` into `destination/SET/` and checks size and SHA-256 of every
/// file. A file has its final name only when it is whole, checked and on the disk. Returns each file's path and
/// what happened to it.
pub fn fetch(
    kind: &dyn Published,
    destination: &Path,
    observer: &dyn DownloadObserver,
    options: &FetchOptions,
) -> Result<Vec<(PathBuf, Outcome)>, FetchError> {
    let set = kind.signature().name;
    let Origin::Files { files, mirrors, .. } = &kind.source().origin else {
        return Err(FetchError::Embedded { set: set.to_string() });
    };
    if let (None, Some(page)) = (&options.mirrors, kind.source().by_hand()) {
        return Err(FetchError::ByHand {
            set: set.to_string(),
            page: page.to_string(),
            directory: destination.join(set),
        });
    }
    let bases: Vec<String> = match &options.mirrors {
        Some(bases) => bases
            .iter()
            .map(|base| format!("{}/{set}/", base.trim_end_matches('/')))
            .collect(),
        None => mirrors.iter().map(|base| base.to_string()).collect(),
    };
    let directory = destination.join(set);
    std::fs::create_dir_all(&directory).map_err(|reason| FetchError::Write {
        path: directory.clone(),
        reason,
    })?;
    // Held until the end of this function; the file itself stays, for removing it would race with others.
    let _lock = lock(&directory, observer, options)?;

    let before: Vec<verify::Report> = files.iter().map(|file| verify::check(&directory, file)).collect();
    let wanted = files
        .iter()
        .zip(&before)
        .filter(|(_, report)| !report.status.is_ok())
        .map(|(file, _)| file);
    check_room(&directory, wanted)?;
    let agent = download::agent(options);
    let fetch_one = |(file, before): (&'static SourceFile, verify::Report)| {
        if before.status.is_ok() {
            return Ok((before.path, Outcome::AlreadyThere));
        }
        let target = Target {
            set,
            file,
            directory: &directory,
            bases: &bases,
        };
        let url = download::download(&agent, &target, observer, options)?;
        let replaced = before.status != verify::Status::Missing;
        Ok((
            directory.join(file.published_name()),
            Outcome::Downloaded { url, replaced },
        ))
    };
    files.iter().zip(before).map(fetch_one).collect()
}

fn lock(
    directory: &Path,
    observer: &dyn DownloadObserver,
    options: &FetchOptions,
) -> Result<File, FetchError> {
    let path = directory.join(".fetch.lock");
    let write_error = |reason| FetchError::Write {
        path: path.clone(),
        reason,
    };
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(write_error)?;
    let (start, mut told) = (Instant::now(), false);
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            // Some network file systems have no locks; there the checks before renaming must do.
            Err(TryLockError::Error(error)) if error.kind() == std::io::ErrorKind::Unsupported => {
                return Ok(file);
            }
            Err(TryLockError::Error(reason)) => return Err(write_error(reason)),
            Err(TryLockError::WouldBlock)
                if observer.cancelled() || start.elapsed() >= options.lock_timeout =>
            {
                return Err(FetchError::Busy {
                    lock: path,
                    waited: start.elapsed(),
                });
            }
            Err(TryLockError::WouldBlock) if !told => {
                observer.waiting(&path);
                told = true;
            }
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(50)),
        }
    }
}

fn check_room<'a>(directory: &Path, wanted: impl Iterator<Item = &'a SourceFile>) -> Result<(), FetchError> {
    let partly_there = |file: &SourceFile| {
        directory
            .join(file.published_name() + ".part")
            .metadata()
            .map_or(0, |part| part.len())
    };
    let needed: u64 = wanted
        .map(|file| file.bytes.saturating_sub(partly_there(file)))
        .sum();
    match fs4::available_space(directory) {
        Ok(available) if available < needed => Err(FetchError::DiskFull {
            directory: directory.to_path_buf(),
            needed,
            available,
        }),
        // A file system that does not tell is no reason to stop: writing tells.
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use miette::Diagnostic;

    #[test]
    fn a_full_disk_names_the_file_and_the_remedy() {
        let error = FetchError::Write {
            path: "data/mnist/train-images-idx3-ubyte.gz.part".into(),
            reason: std::io::ErrorKind::StorageFull.into(),
        };
        insta::assert_snapshot!(error, @"cannot write data/mnist/train-images-idx3-ubyte.gz.part: no storage space");
        insta::assert_snapshot!(error.help().unwrap(), @"free some space, or choose another disk with `--data-dir DIR`");
    }
}
