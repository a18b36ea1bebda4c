//! How a submission goes, from files alone.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::Path;

use super::jobs::{self, Job};
use super::manifest::Unit;
use super::pack::Task;
use super::slurm::Queued;
use super::state::{self, Condition, UnitState};
use super::{Manifest, is_cancelled};
use crate::execute::Failure;
use crate::plan::StepId;

/// What has become of a unit. What is in the cache is done, whoever made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Standing {
    Done,
    Running,
    /// No process has begun it.
    Waiting,
    /// Stopped with its work saved, or not begun by a process that ended.
    Stopped,
    /// Its process is gone without a word: killed, or its machine failed.
    Lost,
    /// It was lost, and most likely for want of memory.
    OutOfMemory,
    Failed,
    /// An input of it is not there.
    Blocked,
}

/// In the order in which they are shown, each with its word.
pub const STANDINGS: [(Standing, &str); 8] = [
    (Standing::Done, "done"),
    (Standing::Running, "running"),
    (Standing::Waiting, "waiting"),
    (Standing::Stopped, "stopped"),
    (Standing::Lost, "lost"),
    (Standing::OutOfMemory, "out of memory"),
    (Standing::Failed, "failed"),
    (Standing::Blocked, "blocked"),
];

impl Standing {
    /// In a word or three.
    pub fn word(self) -> &'static str {
        STANDINGS[self as usize].1
    }

    /// Whether it needs somebody: nothing that is under way will make it.
    pub fn is_trouble(self) -> bool {
        self > Standing::Waiting
    }
}

/// A unit as it stands.
#[derive(Debug, Clone)]
pub struct Stand {
    pub standing: Standing,
    /// What a process last said of it.
    pub state: Option<UnitState>,
    /// Why it is not done, if that is known.
    pub why: Option<String>,
}

/// A submission as it stands.
#[derive(Debug)]
pub struct Status {
    /// By the numbers of the units.
    pub units: Vec<Stand>,
    pub cancelled: bool,
    pub jobs: Vec<Job>,
}

/// Share of its memory class from which a process that was killed is taken for one that ran out of it.
const NEARLY: f64 = 0.9;
/// What a shell says of a program that was killed.
const KILLED: i32 = 137;
/// What a task says that was stopped with its work saved.
pub const STOPPED: i32 = 75;

/// How the submission in `folder` stands. Where the scheduler's queue is known, it explains what files do not tell: a unit
/// without a process, whose job is there or not.
pub fn status(manifest: &Manifest, folder: &Path, queue: Option<&[Queued]>) -> Status {
    let finished = finished(manifest);
    let jobs = jobs::read(folder);
    let of_unit = |unit: &Unit| {
        if unit.asked().all(|step| finished.contains(step.0.as_str())) {
            return stand(Standing::Done, state::read(folder, &unit.id), None);
        }
        let Some(state) = state::read(folder, &unit.id) else {
            return stand(Standing::Waiting, None, None);
        };
        let why = state.message.clone();
        match state.condition {
            Condition::Done => {
                let why = "its results are no longer in the cache".to_string();
                stand(Standing::Stopped, Some(state), Some(why))
            }
            Condition::Running if state.is_lost() => lost(manifest, folder, &jobs, state),
            Condition::Running => stand(Standing::Running, Some(state), why),
            Condition::Stopped => stand(Standing::Stopped, Some(state), why),
            Condition::Failed => stand(Standing::Failed, Some(state), why),
            Condition::Blocked => stand(Standing::Blocked, Some(state), why),
        }
    };
    let mut status = Status {
        units: manifest.units.iter().map(of_unit).collect(),
        cancelled: is_cancelled(folder),
        jobs,
    };
    for (number, task) in manifest.tasks.iter().enumerate() {
        if task.round == manifest.round {
            status.explain(folder, queue, (number, task));
        }
    }
    status
}

impl Status {
    /// Says of the units of a task that no process works on whether one will.
    fn explain(&mut self, folder: &Path, queue: Option<&[Queued]>, (number, task): (usize, &Task)) {
        let job = self
            .jobs
            .iter()
            .find(|job| (job.first..job.first + job.tasks).contains(&number));
        let index = job.map(|job| (number - job.first) / job.per_node.max(1));
        let queued = job.zip(index).zip(queue).map(|((job, index), queue)| {
            let of_job = queue.iter().filter(|it| it.id == job.id);
            let mut ranges = of_job.flat_map(|it| &it.indices);
            ranges.any(|(first, last)| (*first..=*last).contains(&index))
        });
        let code = job.and_then(|job| jobs::ended(folder, job, number));
        let gone =
            |unit: &usize| matches!(self.units[*unit].standing, Standing::Lost | Standing::OutOfMemory);
        let gone = task.units.iter().any(gone);
        let ended = match (queued, code) {
            _ if self.cancelled => Some("the submission was cancelled".to_string()),
            (Some(true), _) => None,
            (_, Some(code)) if code != STOPPED => Some(format!("its task ended with code {code} before")),
            (Some(false), _) => Some("its job is no longer in the queue".to_string()),
            _ if gone => Some("the process of its task is gone".to_string()),
            _ => None,
        };
        for unit in &task.units {
            let unit = &mut self.units[*unit];
            match (unit.standing, &ended) {
                (Standing::Waiting, Some(why)) => {
                    (unit.standing, unit.why) = (Standing::Stopped, Some(why.clone()));
                }
                // Put back into the queue.
                (Standing::Lost | Standing::OutOfMemory | Standing::Stopped, _) if queued == Some(true) => {
                    unit.standing = Standing::Waiting;
                }
                _ => {}
            }
        }
    }

    /// How many units stand so.
    pub fn count(&self, standing: Standing) -> usize {
        self.units.iter().filter(|unit| unit.standing == standing).count()
    }

    /// Whether a process works on a unit, as far as files tell.
    pub fn running(&self) -> usize {
        self.count(Standing::Running)
    }
}

fn stand(standing: Standing, state: Option<UnitState>, why: Option<String>) -> Stand {
    Stand { standing, state, why }
}

/// A unit whose process is gone.
fn lost(manifest: &Manifest, folder: &Path, jobs: &[Job], state: UnitState) -> Stand {
    let class = manifest.tasks.get(state.task).map_or(0, |task| task.memory);
    let job = jobs
        .iter()
        .find(|job| (job.first..job.first + job.tasks).contains(&state.task));
    let code = job.and_then(|job| jobs::ended(folder, job, state.task));
    let peak = state.peak_memory.unwrap_or(0) >> 20;
    let full = class > 0 && peak as f64 >= NEARLY * class as f64;
    let place = format!("process {} on {}", state.pid, state.host);
    match (code == Some(KILLED) || full) && job.is_some() {
        true => {
            let why = format!("{place} was killed, most likely for its memory: {peak} MB seen of {class} MB");
            stand(Standing::OutOfMemory, Some(state), Some(why))
        }
        false => {
            let why = match code {
                Some(code) => format!("{place} ended with code {code} and no word"),
                None => format!(
                    "{place} is gone, last heard of at {}",
                    state.heartbeat.strftime("%Y-%m-%d %H:%M:%S UTC")
                ),
            };
            stand(Standing::Lost, Some(state), Some(why))
        }
    }
}

/// Ids of the steps in the cache, of the submission's class of devices. One look at the folder: thousands of files each
/// asked for by name take a network file system minutes.
fn finished(manifest: &Manifest) -> HashSet<String> {
    let ending = format!("-{}", manifest.class);
    let entries = fs::read_dir(manifest.cache.join("steps"))
        .into_iter()
        .flatten()
        .flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    names
        .filter_map(|name| Some(name.strip_suffix(&ending)?.to_string()))
        .collect()
}

/// Why steps of the submission have no result, as its units say.
pub fn failures(manifest: &Manifest, folder: &Path) -> HashMap<StepId, Failure> {
    let mut failures = HashMap::new();
    for unit in &manifest.units {
        if let Some(state) = state::read(folder, &unit.id) {
            failures.extend(state.failures);
        }
    }
    failures
}
