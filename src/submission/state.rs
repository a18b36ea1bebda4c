//! How a unit goes: a file for each, which the process at work on it writes and anybody reads.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indexmap::IndexMap;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{SubmissionError, is_cancelled, replace};
use crate::execute::Failure;
use crate::plan::StepId;
use crate::process;

/// How often a process at work says that it is.
pub const HEARTBEAT: Duration = Duration::from_secs(10);
/// A process that has said nothing for so long is gone.
pub const SILENCE: Duration = Duration::from_secs(180);
/// How often it looks at its memory and whether it was cancelled.
const LOOK: Duration = Duration::from_millis(500);

/// What a process knows of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Condition {
    /// A process works on it.
    Running,
    /// Its results are in the cache.
    Done,
    /// It was stopped with its work saved, or not begun.
    Stopped,
    /// A step of it failed.
    Failed,
    /// An input of it is not there.
    Blocked,
}

/// The file of a unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UnitState {
    pub condition: Condition,
    /// Number of the task that it was made in.
    pub task: usize,
    pub host: String,
    pub pid: u32,
    /// Names the processes among which `pid` is one; empty where the system does not tell.
    #[serde(default)]
    pub among: String,
    /// The scheduler's name of the job, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    pub started: Timestamp,
    /// When the process last said that it works.
    pub heartbeat: Timestamp,
    /// Time that was put into it, all attempts together.
    pub seconds: f64,
    /// Largest resident memory of the process that was seen, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_memory: Option<u64>,
    /// How often it was begun.
    pub attempts: u32,
    /// Why it is as it is, if it is not done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Steps of the unit that have no result, each with the first cause.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub failures: IndexMap<StepId, Failure>,
}

/// Where the state of the unit called `id` is.
pub fn path(folder: &Path, id: &str) -> PathBuf {
    folder.join("tasks").join(format!("{id}.json"))
}

/// The state of a unit; `None` where no process has begun it.
pub fn read(folder: &Path, id: &str) -> Option<UnitState> {
    serde_json::from_slice(&fs::read(path(folder, id)).ok()?).ok()
}

impl UnitState {
    /// A unit that this process begins as a part of `task`, after what `before` says of it.
    pub fn begin(task: usize, job: Option<String>, before: Option<&UnitState>) -> UnitState {
        let now = Timestamp::now();
        UnitState {
            condition: Condition::Running,
            task,
            host: process::host(),
            pid: std::process::id(),
            among: process::namespace().to_string(),
            job,
            started: now,
            heartbeat: now,
            seconds: before.map_or(0.0, |before| before.seconds),
            peak_memory: None,
            attempts: before.map_or(0, |before| before.attempts) + 1,
            message: None,
            failures: IndexMap::new(),
        }
    }

    /// A unit that this process did not work on.
    pub fn aside(
        condition: Condition,
        task: usize,
        job: Option<String>,
        before: Option<&UnitState>,
        message: &str,
    ) -> UnitState {
        UnitState {
            condition,
            attempts: before.map_or(0, |before| before.attempts),
            message: Some(message.to_string()),
            ..UnitState::begin(task, job, before)
        }
    }

    /// Writes it for the unit called `id`.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, folder: &Path, id: &str) -> Result<(), SubmissionError> {
        replace(
            &path(folder, id),
            &serde_json::to_vec(self).expect("a state is data"),
        )
    }

    /// Whether the process at work is there no more: it has been silent for long, or is none of this machine's.
    pub fn is_lost(&self) -> bool {
        if self.condition != Condition::Running {
            return false;
        }
        let silence = Timestamp::now().duration_since(self.heartbeat);
        let silent = silence.as_secs() > SILENCE.as_secs() as i64;
        silent || process::has_ended(&self.among, self.pid)
    }

    /// Whether a process works on it, as far as can be known.
    pub fn is_alive(&self) -> bool {
        self.condition == Condition::Running && !self.is_lost()
    }
}

/// Tells others that this process works on a unit, for as long as it is there.
#[derive(Debug)]
pub struct Heartbeat {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    folder: PathBuf,
    id: String,
    state: Mutex<UnitState>,
    ended: Mutex<bool>,
    changed: Condvar,
    /// Set where the submission is cancelled.
    cancel: Arc<AtomicBool>,
}

impl Heartbeat {
    /// Writes `state` now and from time to time. `cancel` is set when the submission is cancelled.
    ///
    /// # Errors
    /// The state cannot be written.
    pub fn start(
        folder: &Path,
        id: &str,
        state: UnitState,
        cancel: Arc<AtomicBool>,
    ) -> Result<Heartbeat, SubmissionError> {
        state.write(folder, id)?;
        let shared = Arc::new(Shared {
            folder: folder.to_path_buf(),
            id: id.to_string(),
            state: Mutex::new(state),
            ended: Mutex::new(false),
            changed: Condvar::new(),
            cancel,
        });
        let watched = shared.clone();
        let thread = std::thread::Builder::new().name("heartbeat".to_string());
        // Without the thread the unit is taken for lost after a while: said too early, but no work is.
        let thread = thread.spawn(move || watched.beat()).ok();
        Ok(Heartbeat { shared, thread })
    }

    /// Ends it; the state as it was last, with the time that was worked and the largest memory seen.
    pub fn end(mut self) -> UnitState {
        self.shared.stop();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        self.shared.look();
        locked(&self.shared.state).clone()
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        self.shared.stop();
    }
}

impl Shared {
    fn stop(&self) {
        *locked(&self.ended) = true;
        self.changed.notify_all();
    }

    fn beat(&self) {
        let (start, before) = (Instant::now(), locked(&self.state).seconds);
        let mut last = start;
        let mut ended = locked(&self.ended);
        while !*ended {
            let waited = self.changed.wait_timeout(ended, LOOK);
            ended = waited.unwrap_or_else(PoisonError::into_inner).0;
            let grown = self.look();
            locked(&self.state).seconds = before + start.elapsed().as_secs_f64();
            // Before a process is killed for its memory, it should have said how much that was.
            if *ended || !(grown || last.elapsed() >= HEARTBEAT) {
                continue;
            }
            last = Instant::now();
            if is_cancelled(&self.folder) {
                self.cancel.store(true, Ordering::Relaxed);
            }
            let mut state = locked(&self.state);
            state.heartbeat = Timestamp::now();
            // A disk that is full for a moment is no reason to stop.
            let _ = state.write(&self.folder, &self.id);
        }
    }

    /// Notes the memory of the process; whether it has grown by a quarter since that was written.
    fn look(&self) -> bool {
        let Some(bytes) = resident() else { return false };
        let mut state = locked(&self.state);
        let before = state.peak_memory.unwrap_or(0);
        state.peak_memory = Some(before.max(bytes));
        bytes > before / 4 * 5 && bytes > 256 << 20
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Resident memory of this process in bytes, where the system tells.
fn resident() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(1024 * kibibytes)
}
