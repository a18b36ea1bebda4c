//! Independent steps of a plan side by side, each on a device of its own.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Condvar, Mutex, MutexGuard};

use indexmap::IndexMap;

use super::{ExecuteError, Executor, Failure, Observer, Spectra, StepReport};
use crate::gradients::engine::Engine;
use crate::plan::{Plan, Step, StepId, Work};

/// Steps to be done, and what is known of those that were.
struct Schedule {
    /// Steps, each with the steps it waits for, as numbers in the plan.
    waiting: Vec<(usize, Vec<usize>)>,
    running: usize,
    done: Vec<usize>,
    /// Steps that failed, or lack an input that did: the others go on.
    failures: IndexMap<StepId, Failure>,
    /// What ends the run.
    failed: Option<ExecuteError>,
}

/// Hears of finished steps alone, for an observer that can show but one step at work.
struct Ends<'a>(&'a dyn Observer);

impl Observer for Ends<'_> {
    fn begin(&self, _step: &Step, _total: u64, _done: u64, _unit: &str) {}
    fn advance(&self, _units: u64) {}
    fn note(&self, _text: &str) {}
    fn warn(&self, text: &str) {
        self.0.warn(text);
    }
    fn end(&self, step: &Step, seconds: f64) {
        self.0.end(step, seconds);
    }
    fn waiting(&self, step: &Step, holder: &str) {
        self.0.waiting(step, holder);
    }
    fn failed(&self, error: &ExecuteError) {
        self.0.failed(error);
    }
    fn reused(&self, step: &Step) {
        self.0.reused(step);
    }
}

impl Executor<'_> {
    /// Makes what takes long and the cache lacks, on this executor's device and on those of [`Executor::beside`] at
    /// once. After a failure that ends the run no further step begins.
    pub(super) fn run_beside(&self, plan: &Plan) -> Result<(), ExecuteError> {
        let tasks: Vec<usize> = (0..plan.steps.len())
            .filter(|i| is_task(&plan.steps[*i]))
            .collect();
        let waiting = tasks.iter().map(|i| (*i, tasks_before(plan, *i))).collect();
        let schedule = Mutex::new(Schedule {
            waiting,
            running: 0,
            done: Vec::new(),
            failures: IndexMap::new(),
            failed: None,
        });
        let changed = Condvar::new();
        let engines: Vec<&Engine> = std::iter::once(self.engine).chain(self.beside).collect();
        let memory = self.memory / engines.len() as u64;
        let (store, search, ends, cancel) = (self.store, self.search, Ends(self.observer), self.cancel);
        let observers: Vec<_> = engines.iter().map(|_| self.observer.beside()).collect();
        let (fail_fast, device) = (self.fail_fast, &self.device);
        let logs: Vec<Vec<StepReport>> = std::thread::scope(|scope| {
            let workers = engines.iter().zip(&observers).map(|(engine, observer)| {
                let observer: &dyn Observer = match observer {
                    Some(observer) => observer.as_ref(),
                    None => &ends,
                };
                let (schedule, changed) = (&schedule, &changed);
                scope.spawn(move || {
                    let mut executor = Executor::new(store, search, engine, memory, observer, cancel);
                    executor.fail_fast = fail_fast;
                    executor.device = device.clone();
                    while let Some(number) = next(schedule, changed) {
                        executor.failures.replace(lock(schedule).failures.clone());
                        let task = AssertUnwindSafe(|| executor.task(plan, &plan.steps[number]));
                        let result = catch_unwind(task);
                        let mut schedule = lock(schedule);
                        schedule.running -= 1;
                        schedule.failures.extend(executor.failures.take());
                        match &result {
                            Ok(Ok(())) => schedule.done.push(number),
                            // Nobody waits for what this one does not make.
                            _ => schedule.waiting.clear(),
                        }
                        changed.notify_all();
                        match result {
                            Ok(result) => schedule.failed = schedule.failed.take().or(result.err()),
                            Err(panic) => {
                                drop(schedule);
                                resume_unwind(panic);
                            }
                        }
                    }
                    executor.log.take()
                })
            });
            let workers: Vec<_> = workers.collect();
            let joined = workers.into_iter().map(|worker| worker.join());
            joined
                .map(|log| log.unwrap_or_else(|panic| resume_unwind(panic)))
                .collect()
        });
        let mut schedule = lock(&schedule);
        if let Some(error) = schedule.failed.take() {
            return Err(error);
        }
        self.failures
            .borrow_mut()
            .extend(std::mem::take(&mut schedule.failures));
        drop(schedule);
        let mut log: Vec<StepReport> = Vec::new();
        for mut report in logs.into_iter().flatten() {
            // Memory is counted for the process, not for a step among others.
            report.peak_memory = None;
            // Each device loads the data for itself, and finds in the cache what another has made.
            match log.iter_mut().find(|known| known.id == report.id) {
                None => log.push(report),
                Some(known) if known.reused => *known = report,
                Some(_) => {}
            }
        }
        let place = |report: &StepReport| plan.steps.iter().position(|step| step.id == report.id);
        log.sort_by_key(place);
        self.log.borrow_mut().extend(log);
        Ok(())
    }

    /// Makes a training, a recording with all that is made of it, or a spectrum of a loss.
    fn task(&self, plan: &Plan, step: &Step) -> Result<(), ExecuteError> {
        if self.lacks_input(step) {
            return Ok(());
        }
        let (mut outcomes, mut spectra) = (HashMap::new(), Spectra::new());
        let made = self.step(plan, step, &mut outcomes, &mut spectra);
        self.spare([step], made)
    }
}

fn is_task(step: &Step) -> bool {
    matches!(
        step.work,
        Work::Train { .. } | Work::Record { .. } | Work::Read { .. } | Work::Spectrum { on: Some(_), .. }
    )
}

/// The tasks that step number `i` of `plan` is made from.
fn tasks_before(plan: &Plan, i: usize) -> Vec<usize> {
    let mut tasks = Vec::new();
    for input in &plan.steps[i].key.inputs {
        let Some(before) = plan.steps[..i].iter().position(|step| step.id == *input) else {
            continue;
        };
        match is_task(&plan.steps[before]) {
            true => tasks.push(before),
            false => tasks.extend(tasks_before(plan, before)),
        }
    }
    tasks
}

/// Waits for a step whose inputs are there; None where all have begun, or one has failed.
fn next(schedule: &Mutex<Schedule>, changed: &Condvar) -> Option<usize> {
    let mut schedule = lock(schedule);
    loop {
        if schedule.waiting.is_empty() {
            return None;
        }
        let Schedule { waiting, done, .. } = &*schedule;
        let ready = |(_, before): &(usize, Vec<usize>)| before.iter().all(|task| done.contains(task));
        if let Some(place) = waiting.iter().position(ready) {
            schedule.running += 1;
            return Some(schedule.waiting.remove(place).0);
        }
        // A step waits only for others of the plan, which come before it: one of them is at work.
        assert!(schedule.running > 0, "steps wait for each other");
        schedule = changed
            .wait(schedule)
            .unwrap_or_else(|poisoned| poisoned.into_inner());
    }
}

fn lock(schedule: &Mutex<Schedule>) -> MutexGuard<'_, Schedule> {
    schedule.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}
