//! The jobs of a submission, as they were handed to the scheduler.

use std::fs;
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{SubmissionError, replace};

const JOBS: &str = "jobs.json";

/// A job, or an array of jobs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// The scheduler's.
    pub id: String,
    pub round: u32,
    /// Of its tasks; of the job that collects the results, the number of waves.
    pub wave: usize,
    /// Number of its first task.
    pub first: usize,
    /// 0 for the job that collects the results.
    pub tasks: usize,
    /// Tasks that stand behind one index of the array.
    pub per_node: usize,
    /// The memory class of its tasks, in MB.
    pub memory: u64,
    pub submitted: Timestamp,
}

/// All jobs of the submission in `folder`, in the order in which they were submitted.
pub fn read(folder: &Path) -> Vec<Job> {
    let bytes = fs::read(folder.join(JOBS)).unwrap_or_default();
    serde_json::from_slice(&bytes).unwrap_or_default()
}

/// Adds a job. It is written down as soon as the scheduler has it, so that none is forgotten.
///
/// # Errors
/// It cannot be written.
pub fn add(folder: &Path, job: Job) -> Result<(), SubmissionError> {
    let mut jobs = read(folder);
    jobs.push(job);
    let bytes = serde_json::to_vec_pretty(&jobs).expect("jobs are data");
    replace(&folder.join(JOBS), &bytes)
}

/// Forgets the jobs of a submission whose tasks are numbered anew.
pub fn forget(folder: &Path) {
    let _ = fs::remove_file(folder.join(JOBS));
    let _ = fs::remove_dir_all(folder.join("ended"));
}

/// How a task of a job ended, as its script noted: the exit code of the program.
pub fn ended(folder: &Path, job: &Job, task: usize) -> Option<i32> {
    let index = (task - job.first) / job.per_node.max(1);
    let name = (job.first + index * job.per_node.max(1)).to_string();
    let text = fs::read_to_string(folder.join("ended").join(name)).ok()?;
    text.split_whitespace().next()?.parse().ok()
}
