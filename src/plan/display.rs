//! The text of `gradstudy plan`.

use std::fmt::Write;

use super::step::Operation;
use super::{Plan, Step};

/// Whether a step has to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Its result is in the cache.
    Cached,
    /// It will run; the reason, where a similar cached step tells one.
    Run(Option<String>),
    /// Nothing that will run needs it.
    NotNeeded,
}

/// The plan as text: one step a line, then the totals of what will run.
pub fn to_text(plan: &Plan, state: impl Fn(&Step) -> State) -> String {
    let mut text = format!("{}: {} steps\n", plan.title, plan.steps.len());
    let (mut seconds, mut bytes, mut flops, mut disk) = (0.0, 0, 0u64, 0);
    let mut to_run = 0;
    for step in &plan.steps {
        let state = state(step);
        let word = match &state {
            State::Cached => "cached",
            State::Run(_) => "to run",
            State::NotNeeded => "not needed",
        };
        let cost = step.cost;
        let _ = write!(
            text,
            "  {}  {:<10}  {word:<10}  {:>8}  {:>8}  {}",
            step.id.short(),
            step.key.operation.verb(),
            duration(cost.seconds),
            size(cost.bytes),
            step.label
        );
        if let State::Run(reason) = state {
            seconds += cost.seconds;
            bytes = bytes.max(cost.bytes);
            flops = flops.saturating_add(cost.flops);
            disk += cost.disk;
            to_run += 1;
            if let Some(reason) = reason {
                let _ = write!(text, "\n      {reason}");
            }
        }
        text.push('\n');
    }
    let _ = writeln!(
        text,
        "to run: {to_run} steps, about {} on this CPU, {} of memory at the peak, {:.1} GFLOP, {} of cache",
        duration(seconds),
        size(bytes),
        flops as f64 / 1e9,
        size(disk)
    );
    text
}

/// A time in the unit that suits it.
pub fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 0.0005 => "-".to_string(),
        s if s < 1.0 => format!("{:.0} ms", s * 1e3),
        s if s < 120.0 => format!("{s:.1} s"),
        s if s < 7200.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}

/// A size in the unit that suits it (powers of 1000).
pub fn size(bytes: u64) -> String {
    match bytes {
        0 => "-".to_string(),
        b if b < 1_000_000 => format!("{:.0} kB", b as f64 / 1e3),
        b if b < 1_000_000_000 => format!("{:.0} MB", b as f64 / 1e6),
        b => format!("{:.2} GB", b as f64 / 1e9),
    }
}

/// Whether a step's result is kept in the cache at all.
pub fn is_kept(operation: Operation) -> bool {
    matches!(
        operation,
        Operation::Train | Operation::Record | Operation::Eigenvectors | Operation::Test
    )
}
