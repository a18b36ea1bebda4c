//! `gradstudy run STUDY --watch`: runs again whenever a file of the study is saved.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};

use super::{Finished, Run, show_in_browser, stop_on_request};
use crate::cli::{Failure, log};

/// How long lies between two looks at the files.
const PAUSE: Duration = Duration::from_millis(300);

/// Shows the newest report, and changes to the next as soon as there is one. Scripts, unlike other files, may be read anew
/// by a page that was opened from a disk.
const PAGE: &str = r#"<!doctype html>
<html lang="en"><meta charset="utf-8"><title>gradstudy: the newest report</title>
<style>html, body, iframe { margin: 0; border: 0; width: 100%; height: 100%; display: block }</style>
<body><iframe id="report" title="report"></iframe>
<script>
let shown = "";
function show(report) {
  if (report !== shown) document.getElementById("report").src = shown = report;
}
function look() {
  const script = document.createElement("script");
  script.src = "watch.js?" + Date.now();
  script.onload = script.onerror = () => script.remove();
  document.head.append(script);
}
look();
setInterval(look, 1000);
</script></body></html>
"#;

/// Files, as they were at one moment.
struct Snapshot {
    files: Vec<(PathBuf, Option<Stamp>)>,
}

type Stamp = (SystemTime, u64);

impl Snapshot {
    fn of(files: impl IntoIterator<Item = PathBuf>) -> Self {
        let stamped = files.into_iter().map(|path| {
            let stamp = stamp(&path);
            (path, stamp)
        });
        Snapshot {
            files: stamped.collect(),
        }
    }

    /// The first file that is not as it was. One that is missing is being replaced, as by editors.
    fn changed(&self) -> Option<&Path> {
        let differs = |(path, before): &&(PathBuf, Option<Stamp>)| {
            let now = stamp(path);
            now.is_some() && now != *before
        };
        self.files.iter().find(differs).map(|(path, _)| path.as_path())
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    let facts = fs::metadata(path).ok()?;
    Some((facts.modified().ok()?, facts.len()))
}

/// Runs `run` now and after each change of the study, of what it takes by `use` and of its templates, until Ctrl-C. A change
/// in the middle of a run stops it; what it has finished is not made again.
pub(super) fn watch(run: &Run) -> Result<ExitCode, Failure> {
    let stop = stop_on_request();
    let (mut used, mut is_open) = (None, false);
    while !stop.load(Ordering::Relaxed) {
        let snapshot = Snapshot::of(files(run, used.as_deref()));
        match run_until_changed(run, &snapshot, &stop) {
            Ok(finished) => {
                used = Some(finished.files);
                let page = write_page(&finished.folder)?;
                if run.open && !is_open {
                    show_in_browser(&page);
                    is_open = true;
                }
            }
            Err(failure) => {
                failure.tell();
            }
        }
        if !stop.load(Ordering::Relaxed) && snapshot.changed().is_none() {
            log::remark(&format!(
                "waiting for {} to be saved; Ctrl-C ends",
                run.study.path.display()
            ));
        }
        while !stop.load(Ordering::Relaxed) {
            if let Some(path) = snapshot.changed() {
                log::remark(&format!("{} was saved", path.display()));
                break;
            }
            thread::sleep(PAUSE);
        }
    }
    Ok(ExitCode::from(130))
}

/// The files that a run is made of: the study, those that it uses, and the templates. Which it uses is known after a run
/// (`used`); before, it may be any study beside it.
fn files(run: &Run, used: Option<&[PathBuf]>) -> Vec<PathBuf> {
    let entries = |folder: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect()
    };
    let study = &run.study.path;
    let mut files = vec![study.clone()];
    match used {
        Some(used) => files.extend_from_slice(used),
        None => {
            let folder = match study.parent() {
                Some(folder) if folder != Path::new("") => folder,
                _ => Path::new("."),
            };
            let mut beside = entries(folder);
            beside.retain(|path| path.extension() == study.extension());
            files.extend(beside);
        }
    }
    files.extend(run.templates.iter().flat_map(|folder| entries(folder)));
    files
}

fn run_until_changed(run: &Run, snapshot: &Snapshot, stop: &AtomicBool) -> Result<Finished, Failure> {
    let (cancel, over) = (Arc::new(AtomicBool::new(false)), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                if stop.load(Ordering::Relaxed) || snapshot.changed().is_some() {
                    cancel.store(true, Ordering::Relaxed);
                }
                thread::sleep(PAUSE);
            }
        });
        let finished = run.once(|| cancel.clone());
        over.store(true, Ordering::Relaxed);
        finished
    })
}

/// Writes `watch.html` beside the study's runs, or has it show the run in `folder`; returns its path.
fn write_page(folder: &Path) -> Result<PathBuf, Failure> {
    let study = folder.parent().unwrap_or(Path::new(""));
    let report = Path::new(folder.file_name().unwrap_or_default()).join("report.html");
    let address = serde_json::Value::from(report.to_string_lossy().into_owned());
    let page = study.join("watch.html");
    crate::store::replace_file(&study.join("watch.js"), format!("show({address})\n").as_bytes())?;
    crate::store::replace_file(&page, PAGE.as_bytes())?;
    Ok(page)
}
