//! What is said on standard error while a command works: lines for people, or JSON for programs, one object a line.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Zoned;
use miette::Diagnostic;
use serde_json::{Map, Value, json};

use super::{output, terminal};
use crate::report::Screen;

/// The layout of a JSON log; raised when a reader of the old layout would misread the new.
const FORMAT_VERSION: u32 = 1;

/// Whether this process's standard error is a JSON log: `--log-format json` decides it once, before anything is said.
static JSON: AtomicBool = AtomicBool::new(false);
/// Whether an event was written: the first says the layout.
static BEGUN: AtomicBool = AtomicBool::new(false);

/// Makes everything that is said from now on JSON.
pub fn set_json() {
    JSON.store(true, Ordering::Relaxed);
}

/// Whether everything that is said is JSON.
pub fn is_json() -> bool {
    JSON.load(Ordering::Relaxed)
}

/// One line, broken between words where a terminal is narrower. A log that nobody can write to is no reason to stop.
pub fn line(text: &str) {
    output::print_error(&fitted(text));
}

/// `text` in lines that fit the terminal behind standard error, each with its end.
pub fn fitted(text: &str) -> String {
    let screen = Screen {
        width: terminal::width_of_errors(),
        colour: false,
    };
    screen.wrap_lines(text)
}

/// One event of a JSON log, with its time.
pub fn event(name: &str, fields: Value) {
    let mut object = Map::new();
    if !BEGUN.swap(true, Ordering::Relaxed) {
        object.insert("format_version".to_string(), FORMAT_VERSION.into());
    }
    let now = Zoned::now().strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string();
    object.insert("time".to_string(), now.into());
    object.insert("event".to_string(), name.into());
    if let Value::Object(fields) = fields {
        object.extend(fields);
    }
    let _ = writeln!(std::io::stderr().lock(), "{}", Value::Object(object));
}

/// Something that the user must know: `text` in a line, or an event `warning`.
pub fn remark(text: &str) {
    match is_json() {
        true => event("warning", json!({"message": text})),
        false => line(text),
    }
}

/// An error or warning as an event.
pub fn diagnostic(error: &dyn Diagnostic) {
    let several: Vec<&dyn Diagnostic> = error.related().into_iter().flatten().collect();
    if !several.is_empty() {
        return several.into_iter().for_each(diagnostic);
    }
    let name = match error.severity() {
        Some(miette::Severity::Warning | miette::Severity::Advice) => "warning",
        _ => "error",
    };
    let text = |part: Option<Box<dyn std::fmt::Display + '_>>| part.map(|it| it.to_string());
    event(
        name,
        json!({
            "message": error.to_string(),
            "code": text(error.code()),
            "help": text(error.help()),
        }),
    );
}
