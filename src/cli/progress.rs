//! Progress bars for steps of over two seconds, on a terminal; warnings everywhere.

use std::cell::RefCell;
use std::io::IsTerminal;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::execute::{ExecuteError, Observer};
use crate::plan::Step;

/// A step that is shorter than this gets no bar.
const QUIET: Duration = Duration::from_secs(2);

/// Shows the step at work as a bar with the time left.
#[derive(Debug)]
pub struct Bars {
    terminal: bool,
    current: Mutex<Current>,
    done: AtomicU64,
    shown: AtomicBool,
}

#[derive(Debug)]
struct Current {
    bar: ProgressBar,
    start: Instant,
    note: RefCell<String>,
    label: String,
}

impl Bars {
    /// Bars on standard error if that is a terminal.
    pub fn new() -> Self {
        let current = Current {
            bar: ProgressBar::hidden(),
            start: Instant::now(),
            note: RefCell::default(),
            label: String::new(),
        };
        Bars {
            terminal: std::io::stderr().is_terminal(),
            current: Mutex::new(current),
            done: AtomicU64::new(0),
            shown: AtomicBool::new(false),
        }
    }

    /// Takes the bar away before something else is written.
    pub fn clear(&self) {
        self.with_current(|current| current.bar.finish_and_clear());
    }

    fn with_current<T>(&self, f: impl FnOnce(&mut Current) -> T) -> T {
        // A panic elsewhere must not turn into a second one here.
        let mut current = self
            .current
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        f(&mut current)
    }
}

impl Observer for Bars {
    fn begin(&self, step: &Step, total: u64, done: u64, unit: &str) {
        if !self.terminal {
            return;
        }
        let template = format!("{{msg}}\n  [{{bar:40}}] {{human_pos}}/{{human_len}} {unit}, {{eta}} left");
        let style = ProgressStyle::with_template(&template)
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .progress_chars("=> ");
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::hidden()).with_style(style);
        bar.set_position(done);
        bar.reset_eta();
        let label = format!("{} {}", step.key.operation.verb(), step.label);
        bar.set_message(label.clone());
        self.done.store(done, Ordering::Relaxed);
        self.shown.store(false, Ordering::Relaxed);
        let note = RefCell::default();
        self.with_current(|current| {
            *current = Current {
                bar,
                start: Instant::now(),
                note,
                label,
            }
        });
    }

    fn advance(&self, units: u64) {
        if !self.terminal {
            return;
        }
        let done = self.done.fetch_add(units, Ordering::Relaxed) + units;
        self.with_current(|current| {
            current.bar.set_position(done);
            if !self.shown.load(Ordering::Relaxed) && current.start.elapsed() > QUIET {
                self.shown.store(true, Ordering::Relaxed);
                current.bar.set_draw_target(ProgressDrawTarget::stderr());
            }
        });
    }

    fn note(&self, text: &str) {
        if self.terminal {
            self.with_current(|current| {
                *current.note.borrow_mut() = text.to_string();
                current.bar.set_message(format!("{}: {text}", current.label));
            });
        }
    }

    fn warn(&self, text: &str) {
        self.with_current(|current| current.bar.suspend(|| eprintln!("warning: {text}")));
    }

    fn end(&self, step: &Step, seconds: f64) {
        if !self.terminal {
            return;
        }
        self.with_current(|current| {
            current.bar.finish_and_clear();
            if seconds >= QUIET.as_secs_f64() {
                let note = current.note.take();
                let note = if note.is_empty() {
                    note
                } else {
                    format!(", {note}")
                };
                eprintln!(
                    "{} {} ({seconds:.1} s{note})",
                    step.key.operation.verb(),
                    step.label
                );
            }
        });
    }

    fn waiting(&self, step: &Step, holder: &str) {
        self.with_current(|current| {
            let (verb, label) = (step.key.operation.verb(), &step.label);
            current
                .bar
                .suspend(|| eprintln!("waiting for {holder}, which works on {verb} {label}"));
        });
    }

    fn failed(&self, error: &ExecuteError) {
        self.with_current(|current| {
            current.bar.finish_and_clear();
            super::show(error);
        });
    }

    fn reused(&self, _step: &Step) {}
}
