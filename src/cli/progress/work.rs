//! A step at work.

use std::time::Instant;

use indicatif::ProgressBar;

use crate::plan::{Step, StepId};

/// How far a step is.
#[derive(Debug)]
pub struct Working {
    pub id: StepId,
    /// Its number, and how many steps are made; `None` of one that is read in passing.
    pub number: Option<(usize, usize)>,
    pub verb: &'static str,
    pub label: String,
    pub total: u64,
    pub done: u64,
    pub unit: String,
    pub note: String,
    pub start: Instant,
    /// Whether it has been shown.
    pub shown: bool,
    /// When it was last shown.
    pub last: Instant,
    pub bar: ProgressBar,
    /// When its present work began, and how much was done then.
    since: (Instant, u64),
}

impl Working {
    /// Of a step that begins now.
    pub fn new(step: &Step, number: Option<(usize, usize)>) -> Self {
        Working::named(&step.id, step.key.operation.verb(), &step.label, number)
    }

    /// A step of this id, verb and label that begins now.
    pub fn named(id: &StepId, verb: &'static str, label: &str, number: Option<(usize, usize)>) -> Self {
        let now = Instant::now();
        Working {
            id: id.clone(),
            number,
            verb,
            label: label.to_string(),
            total: 0,
            done: 0,
            unit: String::new(),
            note: String::new(),
            start: now,
            shown: false,
            last: now,
            bar: ProgressBar::hidden(),
            since: (now, 0),
        }
    }

    /// Sets what it works through.
    pub fn set(&mut self, total: u64, done: u64, unit: &str) {
        self.total = total;
        self.done = done;
        self.unit = unit.to_string();
        self.note.clear();
        self.since = (Instant::now(), done);
    }

    /// Notes that it is shown now.
    pub fn tell_again(&mut self) {
        self.shown = true;
        self.last = Instant::now();
    }

    /// Seconds that the rest will take at the pace so far.
    pub fn seconds_left(&self) -> Option<f64> {
        let (begin, before) = self.since;
        let made = self.done.checked_sub(before).filter(|made| *made > 0)?;
        let rest = self.total.checked_sub(self.done).filter(|rest| *rest > 0)?;
        Some(begin.elapsed().as_secs_f64() / made as f64 * rest as f64)
    }

    /// Takes its bar away.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }
}
