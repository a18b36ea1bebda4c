//! How a run goes, on standard error: bars on a terminal, lines in a log, JSON for programs. Steps are numbered among those
//! that are made.

mod count;
mod words;
mod work;

use std::io::IsTerminal;
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;

use crate::execute::{ExecuteError, Observer};
use crate::plan::Step;

use super::{log, output};
pub use count::Count;
use work::Working;

/// A step that is shorter than this gets no bar, and one line in a log.
const SHORT: Duration = Duration::from_secs(2);
/// How often a log says how far a step is.
const EVERY: Duration = Duration::from_secs(60);
/// How often a JSON log says how far a step is.
const EVERY_EVENT: Duration = Duration::from_secs(10);

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A bar for the step at work.
    Bars,
    /// Lines.
    Text,
    /// One JSON object a line.
    Json,
    /// Only what goes wrong.
    Quiet,
}

impl Form {
    /// What suits standard error.
    pub fn choose(quiet: bool, json: bool) -> Form {
        match (quiet, json) {
            (true, _) => Form::Quiet,
            (false, true) => Form::Json,
            (false, false) if std::io::stderr().is_terminal() => Form::Bars,
            (false, false) => Form::Text,
        }
    }
}

/// Shows the steps that one device works on.
#[derive(Debug)]
pub struct Progress(Arc<Lane>);

/// The steps that one device works on: a step may begin within another, such as a data set that a recording loads.
#[derive(Debug)]
struct Lane {
    form: Form,
    count: Arc<Mutex<Count>>,
    works: Mutex<Vec<Working>>,
}

impl Progress {
    /// Shows steps in this form, numbered by `count`.
    pub fn new(form: Form, count: Count) -> Self {
        if let Some(line) = count.summary() {
            match form {
                Form::Bars | Form::Text => log::line(&line),
                Form::Json => log::event("plan", count.json()),
                Form::Quiet => {}
            }
        }
        Progress::of(form, Arc::new(Mutex::new(count)))
    }

    fn of(form: Form, count: Arc<Mutex<Count>>) -> Self {
        let works = Mutex::default();
        let lane = Arc::new(Lane { form, count, works });
        if form != Form::Quiet {
            let watched = Arc::downgrade(&lane);
            // Without the thread steps are told of when they end.
            let _ = std::thread::Builder::new()
                .name("progress".to_string())
                .spawn(move || watch(&watched));
        }
        Progress(lane)
    }

    /// Takes the bar away before something else is written.
    pub fn clear(&self) {
        self.0.works().drain(..).for_each(|work| work.clear());
    }
}

/// Tells of steps that take long, for as long as the lane is there.
fn watch(lane: &Weak<Lane>) {
    loop {
        std::thread::sleep(Duration::from_millis(250));
        match lane.upgrade() {
            Some(lane) => lane.look(),
            None => return,
        }
    }
}

/// The lock, also after a panic elsewhere: it must not turn into a second one here.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

impl Lane {
    fn works(&self) -> MutexGuard<'_, Vec<Working>> {
        locked(&self.works)
    }

    /// Tells of the step at work if that is due.
    fn look(&self) {
        let mut works = self.works();
        let Some(work) = works.last_mut() else {
            return;
        };
        match self.form {
            Form::Bars if !work.shown && work.start.elapsed() > SHORT => {
                work.shown = true;
                work.bar.set_draw_target(ProgressDrawTarget::stderr());
                work.bar.tick();
            }
            Form::Bars if work.shown => work.bar.tick(),
            Form::Text if !work.shown && work.start.elapsed() > SHORT => {
                work.tell_again();
                log::line(&words::begin(work));
            }
            Form::Text if work.shown && work.last.elapsed() >= EVERY => {
                work.tell_again();
                log::line(&words::so_far(work));
            }
            Form::Json if work.last.elapsed() >= EVERY_EVENT => {
                work.tell_again();
                log::event("progress", words::json(work));
            }
            _ => {}
        }
    }

    /// Says a line above the bar.
    fn say(&self, line: &str) {
        match self.works().last() {
            Some(work) if self.form == Form::Bars => work.bar.suspend(|| log::line(line)),
            _ => log::line(line),
        }
    }
}

/// What stands above a bar.
fn message(work: &Working) -> String {
    let note = match work.note.as_str() {
        "" => String::new(),
        note => format!(": {note}"),
    };
    let text = format!("{}{note}", words::begin(work));
    log::fitted(&output::shown(&text, false)).trim_end().to_string()
}

fn bar(work: &Working, unit: &str) -> ProgressBar {
    let template = format!("{{msg}}\n  [{{bar:40}}] {{human_pos}}/{{human_len}} {unit}, {{eta}} left");
    let style = ProgressStyle::with_template(&template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ");
    let bar = ProgressBar::with_draw_target(Some(work.total), ProgressDrawTarget::hidden()).with_style(style);
    bar.set_position(work.done);
    bar.reset_eta();
    bar.set_message(message(work));
    bar
}

impl Observer for Progress {
    fn begin(&self, step: &Step, total: u64, done: u64, unit: &str) {
        let lane = &self.0;
        let number = locked(&lane.count).number(&step.id);
        let mut works = lane.works();
        // A step that goes on with other work keeps its time.
        let known = works.iter().position(|work| work.id == step.id);
        let mut work = match known {
            Some(place) => works.remove(place),
            None => Working::new(step, number),
        };
        let again = known.is_some();
        work.set(total, done, unit);
        match lane.form {
            Form::Bars => {
                work.clear();
                work.bar = bar(&work, unit);
                work.shown = false;
            }
            Form::Json if !again && !locked(&lane.count).has_ended(&step.id) => {
                log::event("begin", words::json(&work))
            }
            _ => {}
        }
        works.push(work);
    }

    fn advance(&self, units: u64) {
        if let Some(work) = self.0.works().last_mut() {
            work.done += units;
            work.bar.set_position(work.done);
        }
    }

    fn note(&self, text: &str) {
        if let Some(work) = self.0.works().last_mut() {
            work.note = text.to_string();
            if self.0.form == Form::Bars {
                work.bar.set_message(message(work));
            }
        }
    }

    fn warn(&self, text: &str) {
        match log::is_json() {
            true => log::remark(text),
            false => self.0.say(&format!("warning: {text}")),
        }
    }

    fn end(&self, step: &Step, seconds: f64) {
        let lane = &self.0;
        let mut works = lane.works();
        let place = works.iter().position(|work| work.id == step.id);
        let work = match place {
            Some(place) => works.remove(place),
            None => Working::new(step, locked(&lane.count).number(&step.id)),
        };
        work.clear();
        drop(works);
        if !locked(&lane.count).end(&step.id) {
            return;
        }
        let long = seconds >= SHORT.as_secs_f64();
        match lane.form {
            Form::Bars if long => lane.say(&words::end(&work, seconds)),
            // What is read in passing is no step of its own.
            Form::Text if long || work.number.is_some() => log::line(&words::end(&work, seconds)),
            Form::Json => {
                let mut fields = words::json(&work);
                fields["seconds"] = json!(seconds);
                log::event("end", fields);
            }
            _ => {}
        }
    }

    fn waiting(&self, step: &Step, holder: &str) {
        let lane = &self.0;
        let number = locked(&lane.count).known(&step.id);
        let work = Working::new(step, number);
        match lane.form {
            Form::Bars | Form::Text => lane.say(&format!(
                "waiting for {holder}, which works on {} {}",
                step.key.operation.verb(),
                step.label
            )),
            Form::Json => {
                let mut fields = words::json(&work);
                fields["holder"] = json!(holder);
                log::event("waiting", fields);
            }
            Form::Quiet => {}
        }
    }

    fn failed(&self, error: &ExecuteError) {
        let mut works = self.0.works();
        if let Some(place) = works.iter().position(|work| work.id == error.step) {
            works.remove(place).clear();
        }
        drop(works);
        let number = locked(&self.0.count).known(&error.step);
        if log::is_json() {
            let failure = error.failure();
            return log::event(
                "failed",
                json!({
                    "step": error.step.0,
                    "number": number.map(|(number, _)| number),
                    "of": number.map(|(_, of)| of),
                    "label": failure.what,
                    "reason": failure.reason,
                    "message": failure.message,
                }),
            );
        }
        if let (Some((number, of)), Form::Text) = (number, self.0.form) {
            log::line(&format!("[{number}/{of}] {} {}, failed", error.verb, error.label));
        }
        super::show(error);
    }

    fn reused(&self, _step: &Step) {}

    fn beside(&self) -> Option<Box<dyn Observer + Send + '_>> {
        match self.0.form {
            // One bar cannot show several steps.
            Form::Bars => None,
            form => Some(Box::new(Progress::of(form, self.0.count.clone()))),
        }
    }
}
