//! What can go wrong with submissions.

use std::path::PathBuf;

use miette::Diagnostic;
use thiserror::Error;

use crate::store::StoreError;

/// Why something cannot be submitted, run as a task, or looked at.
#[derive(Debug, Error, Diagnostic)]
pub enum SubmissionError {
    #[error(transparent)]
    #[diagnostic(transparent)]
    Store(#[from] StoreError),
    #[error("{} submission is called `{name}`{}", if *several { "more than one" } else { "no" }, listed(known))]
    #[diagnostic(
        code(gradstudy::submission::not_found),
        help(
            "`gradstudy status` lists the submissions of the cache; `--cache-dir` or GRADSTUDY_CACHE says which cache"
        )
    )]
    NotFound {
        name: String,
        several: bool,
        known: Vec<String>,
    },
    #[error("`{}` is damaged: {reason}", path.display())]
    #[diagnostic(
        code(gradstudy::submission::damaged),
        help("submit the study again: what is in the cache stays")
    )]
    Damaged { path: PathBuf, reason: String },
    #[error("`{}` is of format {found}, and this gradstudy reads format {known}", path.display())]
    #[diagnostic(
        code(gradstudy::submission::format),
        help("use the gradstudy that submitted it, or submit the study again with this one")
    )]
    Format { path: PathBuf, found: u32, known: u32 },
    #[error("there is no task {number}: the submission has {}", tasks_up_to(*tasks))]
    #[diagnostic(
        code(gradstudy::submission::task),
        help("`--to shell` prints one line for each task")
    )]
    Task { number: usize, tasks: usize },
    #[error("this gradstudy ({}) is not the one that submitted the study ({})", here.display(), submitted.display())]
    #[diagnostic(
        code(gradstudy::submission::binary),
        help(
            "results of one study come from one binary: put the submitting one back, or submit again with this one \
             (`gradstudy cancel` first); what is in the cache stays"
        )
    )]
    Binary { here: PathBuf, submitted: PathBuf },
    #[error("the study is not what was submitted: {what}")]
    #[diagnostic(
        code(gradstudy::submission::changed),
        help("put the files back as they were, or submit the study again: what is in the cache stays")
    )]
    Changed { what: String },
    #[error("{what} of submission `{name}` {}", if *one { "is" } else { "are" }.to_string() + " still at work or waiting")]
    #[diagnostic(
        code(gradstudy::submission::alive),
        help("wait for them (`gradstudy status {name}`), or `gradstudy cancel {name}` and submit again")
    )]
    Alive { name: String, what: String, one: bool },
    #[error("`{program}` failed: {reason}")]
    #[diagnostic(code(gradstudy::submission::scheduler), help("{help}"))]
    Scheduler {
        program: String,
        reason: String,
        help: String,
    },
    #[error("`{}` cannot be read: {reason}", path.display())]
    #[diagnostic(
        code(gradstudy::submission::clusters),
        help("docs/clusters.md lists what it may say")
    )]
    Clusters { path: PathBuf, reason: String },
    #[error("{what} cannot be submitted: {reason}")]
    #[diagnostic(code(gradstudy::submission::device), help("{help}"))]
    Device {
        what: String,
        reason: String,
        help: &'static str,
    },
}

fn listed(known: &[String]) -> String {
    match known {
        [] => "; the cache has none".to_string(),
        [only] => format!("; there is {only}"),
        [first, .., last] if known.len() > 4 => {
            format!("; there are {}, from {first} to {last}", known.len())
        }
        _ => format!("; there are {}", known.join(", ")),
    }
}

fn tasks_up_to(tasks: usize) -> String {
    match tasks {
        0 => "none".to_string(),
        1 => "task 0 alone".to_string(),
        _ => format!("tasks 0 to {}", tasks - 1),
    }
}
