//! `gradstudy data list | fetch | verify`

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use miette::Diagnostic;
use thiserror::Error;

use crate::data::fetch::{DownloadObserver, FetchOptions, Outcome, fetch};
use crate::data::verify::{Listing, list};
use crate::data::{Published, dataset, published};

use super::options::DataPlace;
use super::output::print_error;
use super::terminal::screen;
use super::{Failure, print};

/// List, download and verify data sets
#[derive(Debug, Args)]
pub struct Data {
    #[command(subcommand)]
    command: DataCommand,
    #[command(flatten)]
    place: DataPlace,
}

#[derive(Debug, Subcommand)]
enum DataCommand {
    /// Every data set: where it was found, its size, licence and state
    List,
    /// Download data sets into the first folder that is searched
    Fetch {
        /// Names of data sets, as `gradstudy data list` shows them
        #[arg(required = true)]
        sets: Vec<String>,
    },
    /// Compare files with the published digests
    Verify {
        /// Names of data sets; all without one
        sets: Vec<String>,
    },
}

#[derive(Debug, Error, Diagnostic)]
#[error("there is no data set `{name}`")]
#[diagnostic(code(gradstudy::data::unknown), help("the data sets are {known}"))]
struct UnknownSet {
    name: String,
    known: String,
}

#[derive(Debug, Error, Diagnostic)]
#[error("`{name}` is data of your own: there is nothing to fetch or verify")]
#[diagnostic(
    code(gradstudy::data::own),
    help("`gradstudy check` reads and checks the files that a study names")
)]
struct OwnSet {
    name: String,
}

impl Data {
    pub fn execute(self) -> Result<ExitCode, Failure> {
        let search = self.place.search();
        match self.command {
            DataCommand::List => {
                list(&search).iter().for_each(|set| print(&lines(set)));
                Ok(ExitCode::SUCCESS)
            }
            DataCommand::Verify { sets } => {
                let kinds = if sets.is_empty() {
                    published().collect()
                } else {
                    find_all(&sets)?
                };
                let mut good = true;
                for kind in kinds {
                    for report in kind.verify(&search) {
                        good &= report.status.is_ok();
                        print(&format!("{}: {}\n", report.path.display(), report.status));
                    }
                }
                Ok(if good {
                    ExitCode::SUCCESS
                } else {
                    ExitCode::from(1)
                })
            }
            DataCommand::Fetch { sets } => {
                let kinds = find_all(&sets)?;
                let destination = search
                    .dirs()
                    .first()
                    .map_or(PathBuf::from("."), |(_, dir)| dir.clone());
                let mirrors = std::env::var("GRADSTUDY_MIRROR")
                    .ok()
                    .filter(|mirror| !mirror.is_empty());
                let options = FetchOptions {
                    mirrors: mirrors.map(|m| vec![m]),
                    ..FetchOptions::default()
                };
                let bar = Bar::new();
                for kind in kinds {
                    for (path, outcome) in fetch(kind, &destination, &bar, &options)? {
                        let how = match outcome {
                            Outcome::AlreadyThere => "already there".to_string(),
                            Outcome::Downloaded { url, replaced: false } => format!("from {url}"),
                            Outcome::Downloaded { url, replaced: true } => {
                                format!("from {url}, replaced a damaged file")
                            }
                        };
                        print(&format!("{}: {how}\n", path.display()));
                    }
                }
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}

/// One data set: what it is, then where and in what state.
fn lines(set: &Listing) -> String {
    let size = crate::plan::display::size(set.bytes);
    let state = match &set.found {
        None => match set.page {
            None => format!("not here: `gradstudy data fetch {}` downloads {size}", set.name),
            Some(page) => format!("not here: get it from {page} ({size})"),
        },
        Some(located) => {
            let place = located
                .directory
                .as_ref()
                .map_or(String::new(), |dir| format!("{} ", dir.display()));
            let bad = set.files.iter().filter(|file| !file.status.is_ok()).count();
            let files = if bad == 0 {
                "files verified".to_string()
            } else {
                format!("{bad} damaged files")
            };
            format!("{place}({}), {size}, {files}", located.why)
        }
    };
    let (screen, what) = (screen(), format!("{}: {state}", set.display_name));
    screen.wrap(&format!("{:<17} ", set.name), &what)
        + &screen.wrap(&" ".repeat(18), &format!("licence: {}", set.licence))
}

fn find_all(names: &[String]) -> Result<Vec<&'static dyn Published>, Failure> {
    let find = |name: &String| {
        let kind = dataset(name).ok_or_else(|| UnknownSet {
            name: name.clone(),
            known: published()
                .map(|kind| kind.signature().name)
                .collect::<Vec<_>>()
                .join(", "),
        })?;
        Ok(kind.published().ok_or_else(|| OwnSet { name: name.clone() })?)
    };
    names.iter().map(find).collect()
}

/// A download's progress bar (hidden where standard error is no terminal).
struct Bar {
    bar: ProgressBar,
    cancel: std::sync::Arc<AtomicBool>,
}

impl Bar {
    fn new() -> Self {
        let style = ProgressStyle::with_template("{msg} [{bar:40}] {bytes}/{total_bytes}, {eta} left")
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .progress_chars("=> ");
        Bar {
            bar: ProgressBar::new(0).with_style(style),
            cancel: super::run::stop_on_request(),
        }
    }
}

impl DownloadObserver for Bar {
    fn start(&self, file: &str, done: u64, bytes: u64) {
        self.bar.set_length(bytes);
        self.bar.set_position(done);
        self.bar.set_message(file.to_string());
        self.bar.reset_eta();
    }

    fn progress(&self, _file: &str, done: u64) {
        self.bar.set_position(done);
    }

    fn retry(&self, file: &str, reason: &str, wait: Duration) {
        let line = format!("{file}: {reason}; again in {:.1} s", wait.as_secs_f64());
        self.bar.suspend(|| print_error(&format!("{line}\n")));
    }

    fn finish(&self, _file: &str) {
        self.bar.reset();
    }

    fn waiting(&self, lock: &Path) {
        self.bar.suspend(|| {
            print_error(&format!(
                "another process is fetching (lock {}): waiting\n",
                lock.display()
            ))
        });
    }

    fn cancelled(&self) -> bool {
        self.cancel.load(Ordering::Relaxed)
    }
}
