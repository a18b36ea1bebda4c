//! What is asked of Slurm, through its own programs.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::process::{Command, Output};

use super::SubmissionError;

/// MaxArraySize where the controller does not say: Slurm's default.
const MAX_ARRAY: usize = 1001;

/// Parts of a job in one state, as the queue shows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queued {
    /// Of the job, or of the array.
    pub id: String,
    /// Such as `PENDING`.
    pub state: String,
    /// Why it is not running, such as `Dependency`; `None` where it is.
    pub reason: String,
    /// First and last of each range of indices; of a job that is no array, 0 and 0.
    pub indices: Vec<(usize, usize)>,
}

impl Queued {
    /// How many jobs these are.
    pub fn jobs(&self) -> usize {
        self.indices.iter().map(|(first, last)| last - first + 1).sum()
    }
}

fn output(program: &str, arguments: &[&str]) -> Result<Output, SubmissionError> {
    Command::new(program)
        .args(arguments)
        .output()
        .map_err(|reason| SubmissionError::Scheduler {
            program: program.to_string(),
            help: match reason.kind() {
                io::ErrorKind::NotFound => {
                    "there is no Slurm on this machine: log in where there is, or use `--to shell` for \
                     another scheduler"
                        .to_string()
                }
                _ => "check that you may run it".to_string(),
            },
            reason: reason.to_string(),
        })
}

fn text(program: &str, arguments: &[&str], help: &str) -> Result<String, SubmissionError> {
    let output = output(program, arguments)?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(SubmissionError::Scheduler {
            program: program.to_string(),
            reason: one_line(&output.stderr),
            help: help.to_string(),
        }),
    }
}

/// What a program said on standard error, in a line.
fn one_line(errors: &[u8]) -> String {
    let text = String::from_utf8_lossy(errors);
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    lines.join("; ")
}

/// The cluster's MaxArraySize: the largest index of an array is one less.
///
/// # Errors
/// `scontrol` is not there or finds no controller.
pub fn max_array() -> Result<usize, SubmissionError> {
    let help = "Slurm's controller does not answer: is it up, and does `sinfo` work here?";
    let config = text("scontrol", &["show", "config"], help)?;
    let line = config
        .lines()
        .find(|line| line.trim_start().starts_with("MaxArraySize"));
    let size = line.and_then(|line| line.split('=').nth(1)?.trim().parse().ok());
    Ok(size.unwrap_or(MAX_ARRAY).max(1))
}

/// Submits `script` with the options `options`, to begin when the jobs `after` have ended, however they end; the job's id.
///
/// # Errors
/// Slurm takes it not.
pub fn submit(script: &Path, options: &[String], after: &[String]) -> Result<String, SubmissionError> {
    let path = script.display().to_string();
    let arguments = arguments(&path, options, after);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let help = "correct what it says (`clusters.toml` holds options for `sbatch`; `--print` shows the scripts), then submit \
                again: jobs that were taken are known, and work that is done stays";
    let said = text("sbatch", &arguments, help)?;
    // `id` or `id;cluster`.
    let id = said.trim().split(';').next().unwrap_or_default();
    match !id.is_empty() && id.bytes().all(|it| it.is_ascii_digit()) {
        true => Ok(id.to_string()),
        false => Err(SubmissionError::Scheduler {
            program: "sbatch".to_string(),
            reason: format!("it named no job, but said `{}`", said.trim()),
            help: help.to_string(),
        }),
    }
}

/// The arguments of `sbatch`.
pub fn arguments(script: &str, options: &[String], after: &[String]) -> Vec<String> {
    let mut arguments = vec!["--parsable".to_string()];
    arguments.extend_from_slice(options);
    if !after.is_empty() {
        // Never `afterok`: one failure would leave the others waiting for ever.
        arguments.push(format!("--dependency=afterany:{}", after.join(":")));
    }
    arguments.push(script.to_string());
    arguments
}

/// Those of the jobs `ids` that are in the queue.
///
/// # Errors
/// `squeue` is not there or finds no controller.
pub fn queued(ids: &[String]) -> Result<Vec<Queued>, SubmissionError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let jobs = format!("--jobs={}", ids.join(","));
    let said = output("squeue", &["--noheader", "--format=%F|%K|%T|%r", &jobs])?;
    let errors = String::from_utf8_lossy(&said.stderr);
    // What it says of jobs that it has forgotten.
    if !said.status.success() && !errors.contains("Invalid job id") {
        return Err(SubmissionError::Scheduler {
            program: "squeue".to_string(),
            reason: one_line(&said.stderr),
            help: "Slurm's controller does not answer: is it up, and does `sinfo` work here?".to_string(),
        });
    }
    Ok(of_queue(&String::from_utf8_lossy(&said.stdout)))
}

fn of_queue(text: &str) -> Vec<Queued> {
    let mut found: BTreeMap<(String, String, String), Vec<(usize, usize)>> = BTreeMap::new();
    for line in text.lines() {
        let parts: Vec<&str> = line.trim().split('|').collect();
        let [id, index, state, reason] = parts[..] else {
            continue;
        };
        let key = (id.to_string(), state.to_string(), reason.to_string());
        found.entry(key).or_default().extend(indices(index));
    }
    let queued = found.into_iter().map(|((id, state, reason), indices)| Queued {
        id,
        state,
        reason,
        indices,
    });
    queued.collect()
}

/// The ranges that `3`, `0-5%2` or `[1,4-6]` names; of a job that is no array, that of 0.
fn indices(text: &str) -> Vec<(usize, usize)> {
    let list = text
        .trim_start_matches('[')
        .split(['%', ']'])
        .next()
        .unwrap_or("");
    let one = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        match (first.parse(), last.parse()) {
            (Ok(first), Ok(last)) if first <= last => (first, last),
            _ => (0, 0),
        }
    };
    list.split(',').map(one).collect()
}

/// Ends the jobs `ids`, at work or waiting.
///
/// # Errors
/// `scancel` is not there or does not do it.
pub fn cancel(ids: &[String]) -> Result<(), SubmissionError> {
    let arguments: Vec<&str> = ids.iter().map(String::as_str).collect();
    text(
        "scancel",
        &arguments,
        "end them by hand: `squeue --me` lists your jobs",
    )
    .map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queues_are_counted_by_state() {
        let said = "12|0|RUNNING|None\n12|3-5%2|PENDING|JobArrayTaskLimit\n12|1|RUNNING|None\n13|N/A|PENDING|Dependency\n";
        let found = of_queue(said);
        let found: Vec<_> = found
            .iter()
            .map(|it| (&*it.id, &*it.state, &*it.reason, it.jobs()))
            .collect();
        assert_eq!(
            found,
            [
                ("12", "PENDING", "JobArrayTaskLimit", 3),
                ("12", "RUNNING", "None", 2),
                ("13", "PENDING", "Dependency", 1)
            ]
        );
        assert_eq!(indices("[1,4-6%2]"), [(1, 1), (4, 6)]);
        assert_eq!(indices("N/A"), [(0, 0)]);
    }

    #[test]
    fn waves_wait_for_the_end_of_those_before_them() {
        let arguments = arguments(
            "a.sh",
            &["--array=0-2".to_string()],
            &["7".to_string(), "8".to_string()],
        );
        assert_eq!(
            arguments,
            ["--parsable", "--array=0-2", "--dependency=afterany:7:8", "a.sh"]
        );
    }
}
