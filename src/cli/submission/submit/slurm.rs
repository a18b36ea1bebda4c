//! Arrays and the job of the report, handed to Slurm or shown.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::{Made, Submit, again, name};
use crate::cli::{Failure, counted, log, print};
use crate::plan::display::duration;
use crate::submission::clusters::{Cluster, parse_time};
use crate::submission::jobs::{self, Job};
use crate::submission::pack::{Array, Task, arrays, memory_class};
use crate::submission::script::Common;
use crate::submission::{SubmissionError, replace, shell, slurm};

/// How often a task is put back into the queue, where nobody says.
const RESTARTS: u32 = 20;
/// Slurm's own MaxArraySize.
const MAX_ARRAY: usize = 1001;

/// A script and how it is submitted.
struct Call {
    script: PathBuf,
    text: String,
    options: Vec<String>,
    /// None of the job that writes the report.
    array: Option<Array>,
    wave: usize,
    memory: u64,
}

/// Submits what `made` has, or shows it where `--print` asks for that.
pub fn submit(submit: &Submit, cluster: &Cluster, made: &Made) -> Result<(), Failure> {
    let manifest = &made.manifest;
    let time_limit = match &cluster.time_limit {
        None => None,
        Some(text) => Some(parse_time(text).map_err(|why| SubmissionError::Clusters {
            path: crate::cli::options::clusters_file(),
            reason: format!("time_limit: {why}"),
        })?),
    };
    let common = Common {
        slug: &manifest.slug,
        folder: &made.folder,
        binary: &manifest.binary.path,
        threads: manifest.threads,
        restarts: cluster.restarts.unwrap_or(RESTARTS),
        time_limit,
        cluster,
    };
    let max_array = match (slurm::max_array(), submit.print) {
        (Ok(size), _) => size,
        (Err(error), true) => {
            log::remark(&format!(
                "{error}: arrays are cut for Slurm's default MaxArraySize, {MAX_ARRAY}"
            ));
            MAX_ARRAY
        }
        (Err(error), false) => return Err(error.into()),
    };
    let calls = calls(submit, &common, made, max_array);
    match submit.print {
        true => show(&calls),
        false => hand_over(submit, &common, made, &calls)?,
    }
    Ok(())
}

/// Every script, waves in order, the report's last.
fn calls(submit: &Submit, common: &Common, made: &Made, max_array: usize) -> Vec<Call> {
    let manifest = &made.manifest;
    let round: Vec<(usize, &Task)> = shell::last_round(manifest).collect();
    let first = round.first().map_or(0, |(number, _)| *number);
    let tasks: Vec<Task> = round.iter().map(|(_, task)| (*task).clone()).collect();
    let scripts = made.folder.join("scripts");
    let script = |name: &str| scripts.join(format!("{}-{name}.sh", manifest.round));
    let mut calls: Vec<Call> = arrays(&tasks, first, max_array, common.per_node())
        .into_iter()
        .map(|array| {
            let limit = submit.at_once.map_or(String::new(), |most| format!("%{most}"));
            Call {
                script: script(&array.first.to_string()),
                text: common.array(&array),
                options: vec![format!("--array=0-{}{limit}", common.last_index(&array))],
                wave: array.wave,
                memory: array.memory,
                array: Some(array),
            }
        })
        .collect();
    let memory = memory_class(made.report_bytes);
    calls.push(Call {
        script: script("report"),
        text: common.collector(memory),
        options: Vec::new(),
        wave: calls.last().map_or(0, |call| call.wave + 1),
        memory,
        array: None,
    });
    calls
}

/// Prints the scripts and the calls.
fn show(calls: &[Call]) {
    let mut before: Vec<String> = Vec::new();
    let mut current: Vec<String> = Vec::new();
    for (number, call) in calls.iter().enumerate() {
        if number > 0 && calls[number - 1].wave != call.wave {
            before = std::mem::take(&mut current);
        }
        let id = format!("$job{}", number + 1);
        let script = call.script.display().to_string();
        let arguments = slurm::arguments(&script, &call.options, &before);
        print(&format!(
            "# {script}\n{}\njob{}=$(sbatch {})\n\n",
            call.text.trim_end(),
            number + 1,
            arguments.join(" ")
        ));
        current.push(id);
    }
}

/// Writes the scripts and submits them. What Slurm took before an error is known.
fn hand_over(submit: &Submit, common: &Common, made: &Made, calls: &[Call]) -> Result<(), Failure> {
    let (folder, manifest) = (&made.folder, &made.manifest);
    for call in calls {
        replace(&call.script, call.text.as_bytes())?;
    }
    submit.summary(made, "tasks");
    let (mut before, mut current) = (Vec::new(), Vec::new());
    for (number, call) in calls.iter().enumerate() {
        if number > 0 && calls[number - 1].wave != call.wave {
            before = std::mem::take(&mut current);
        }
        let id = match slurm::submit(&call.script, &call.options, &before) {
            Ok(id) => id,
            Err(error) => {
                if number > 0 {
                    log::remark(&format!(
                        "{} of {} were submitted before; when they have ended, `{}` submits the rest",
                        number,
                        counted(calls.len(), "job"),
                        again(manifest)
                    ));
                }
                return Err(error.into());
            }
        };
        let array = call.array.as_ref();
        jobs::add(
            folder,
            Job {
                id: id.clone(),
                round: manifest.round,
                wave: call.wave,
                first: array.map_or(0, |array| array.first),
                tasks: array.map_or(0, |array| array.tasks),
                per_node: common.per_node(),
                memory: call.memory,
                submitted: Timestamp::now(),
            },
        )?;
        print(&line(call, &id, common));
        current.push(id);
    }
    print(&told(folder, made));
    Ok(())
}

fn line(call: &Call, id: &str, common: &Common) -> String {
    let Some(array) = &call.array else {
        return format!("job {id}: the report, when all have ended\n");
    };
    format!(
        "job {id}: wave {}, {} of up to {}, {} MB{}, {} min asked for\n",
        array.wave + 1,
        counted(array.tasks, "task"),
        duration(array.seconds),
        array.memory,
        if array.gpu { " and a GPU" } else { "" },
        common.minutes(array.seconds),
    )
}

fn told(folder: &Path, made: &Made) -> String {
    let name = name(folder);
    format!(
        "`gradstudy status {name}` shows how it goes; the report will be in {}\n",
        made.manifest.reports.join(&made.manifest.slug).display()
    )
}
