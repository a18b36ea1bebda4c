//! A task at work: its units one after the other, each as far as its inputs are there, and what is said of them.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::manifest::Unit;
use super::state::{self, Condition, UnitState};
use super::status::STOPPED;
use super::{Manifest, SubmissionError, is_cancelled};
use crate::plan::StepId;

/// What came of a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Made {
    Done,
    Failed,
    /// With its work saved.
    Stopped,
    /// Nothing can be made here; the message.
    Trouble(String),
}

/// Who makes units.
pub trait Maker {
    /// Whether the cache has everything that is asked of the unit.
    fn has(&self, unit: &Unit) -> bool;

    /// An input of the unit, made by another one, that the cache lacks: its step, and what that is.
    fn lacks(&self, unit: &Unit) -> Option<(StepId, String)>;

    /// Makes the unit and writes how that went.
    ///
    /// # Errors
    /// That cannot be written.
    fn make(&self, unit: &Unit, before: Option<&UnitState>) -> Result<Made, SubmissionError>;

    /// Tells of a unit that is not made.
    fn tell(&self, text: &str);
}

/// A task, as one process is to make it.
pub struct TaskAtWork<'a> {
    pub manifest: &'a Manifest,
    /// Of the submission.
    pub folder: &'a Path,
    pub number: usize,
    /// The scheduler's name of the job.
    pub job: Option<String>,
    /// Set from outside to stop.
    pub cancel: &'a AtomicBool,
    /// Whether inputs that others are to make are waited for.
    pub wait: bool,
    /// Whether this job was put back into the queue: what failed in it before is not tried again.
    pub again: bool,
    /// How long an input may be invisible whose unit is done: network file systems remember that a name was absent.
    pub visible: Duration,
}

/// Between two looks for an input.
const LOOK: Duration = Duration::from_millis(500);

impl TaskAtWork<'_> {
    /// Makes the units one after the other; the exit code.
    ///
    /// # Errors
    /// How it goes cannot be written.
    pub fn run(&self, maker: &dyn Maker) -> Result<u8, SubmissionError> {
        let units = &self.manifest.tasks[self.number].units;
        let (mut code, mut rest) = (0, units.iter());
        while let Some(number) = rest.next() {
            let unit = &self.manifest.units[*number];
            if self.cancel.load(Ordering::Relaxed) {
                let these = std::iter::once(number).chain(rest);
                self.aside(these, "not begun: the task was stopped before")?;
                return Ok(self.stopped());
            }
            match self.unit(unit, maker)? {
                Made::Done => {}
                Made::Failed => code = 1,
                Made::Stopped => {
                    self.aside(rest, "not begun: the task was stopped before")?;
                    return Ok(self.stopped());
                }
                Made::Trouble(message) => {
                    self.aside(rest, &format!("not begun: the task ended before ({message})"))?;
                    return Ok(2);
                }
            }
        }
        Ok(code)
    }

    /// Whether the task was stopped, or the submission cancelled.
    fn is_ended(&self) -> bool {
        self.cancel.load(Ordering::Relaxed) || is_cancelled(self.folder)
    }

    /// The exit code of a task that was stopped: what was cancelled is not to be put back into a queue.
    fn stopped(&self) -> u8 {
        match is_cancelled(self.folder) {
            true => 1,
            false => STOPPED as u8,
        }
    }

    /// Says of every unit that the task cannot come to it.
    ///
    /// # Errors
    /// That cannot be written.
    pub fn give_up(&self, message: &str) -> Result<(), SubmissionError> {
        self.aside(self.manifest.tasks[self.number].units.iter(), message)
    }

    /// Says of units that the task does not come to them.
    fn aside<'u>(
        &self,
        units: impl Iterator<Item = &'u usize>,
        message: &str,
    ) -> Result<(), SubmissionError> {
        for unit in units.map(|unit| &self.manifest.units[*unit]) {
            let before = state::read(self.folder, &unit.id);
            let settled =
                |it: &UnitState| matches!(it.condition, Condition::Done | Condition::Failed) || it.is_alive();
            if !before.as_ref().is_some_and(settled) {
                self.say(unit, Condition::Stopped, before.as_ref(), message)?;
            }
        }
        Ok(())
    }

    fn say(
        &self,
        unit: &Unit,
        condition: Condition,
        before: Option<&UnitState>,
        message: &str,
    ) -> Result<(), SubmissionError> {
        let state = UnitState::aside(condition, self.number, self.job.clone(), before, message);
        state.write(self.folder, &unit.id)
    }

    fn unit(&self, unit: &Unit, maker: &dyn Maker) -> Result<Made, SubmissionError> {
        let before = state::read(self.folder, &unit.id);
        if maker.has(unit) {
            let settled = |it: &UnitState| it.condition == Condition::Done || it.is_alive();
            if !before.as_ref().is_some_and(settled) {
                let mut state = UnitState::begin(self.number, self.job.clone(), before.as_ref());
                state.condition = Condition::Done;
                state.attempts -= 1;
                state.write(self.folder, &unit.id)?;
            }
            return Ok(Made::Done);
        }
        let failed = |it: &UnitState| it.condition == Condition::Failed && it.task == self.number;
        if self.again && before.as_ref().is_some_and(failed) {
            maker.tell(&format!("{}: failed before", unit.label));
            return Ok(Made::Failed);
        }
        if let Some(why) = self.lacking(unit, maker) {
            if self.is_ended() {
                let message = "stopped while it waited for its inputs";
                self.say(unit, Condition::Stopped, before.as_ref(), message)?;
                return Ok(Made::Stopped);
            }
            maker.tell(&format!("{}: {why}", unit.label));
            self.say(unit, Condition::Blocked, before.as_ref(), &why)?;
            return Ok(Made::Failed);
        }
        maker.make(unit, before.as_ref())
    }

    /// Why an input of `unit` is not there; `None` where all are. Waits for what is to come.
    fn lacking(&self, unit: &Unit, maker: &dyn Maker) -> Option<String> {
        let start = Instant::now();
        loop {
            let (step, what) = maker.lacks(unit)?;
            let mut by = unit.inputs.iter().map(|number| &self.manifest.units[*number]);
            let by = by.find(|unit| unit.steps.iter().any(|(id, _)| *id == step));
            let state = by.and_then(|unit| state::read(self.folder, &unit.id));
            let to_come = match state.as_ref().map(|state| state.condition) {
                Some(Condition::Done) => start.elapsed() < self.visible,
                Some(Condition::Running) => self.wait && state.as_ref().is_some_and(UnitState::is_alive),
                None => self.wait,
                _ => false,
            };
            if !to_come || self.is_ended() {
                return Some(why(&what, state.as_ref()));
            }
            thread::sleep(LOOK);
        }
    }
}

/// Why the input `what` is not there.
fn why(what: &str, state: Option<&UnitState>) -> String {
    let Some(state) = state else {
        return format!("its input has not been begun: {what}");
    };
    let message = state.message.as_deref().unwrap_or("no reason is known");
    match state.condition {
        Condition::Done => format!("its input is no longer in the cache: {what}"),
        Condition::Running if state.is_lost() => format!("the process that made its input is gone: {what}"),
        Condition::Running => format!("its input is still being made: {what}"),
        Condition::Stopped => format!("its input was stopped: {what} ({message})"),
        Condition::Failed => format!("its input failed: {message}"),
        Condition::Blocked => format!("its input is blocked: {what} ({message})"),
    }
}
