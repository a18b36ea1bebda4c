//! A plan as text and for programs.

use serde_json::{Value, json};

use super::groups::{Group, groups};
use super::{Planned, StepState};
use crate::plan::display::{duration, size};
use crate::plan::need::Need;
use crate::report::{Screen, ScreenGrid};

/// The layout of `--json`; raised when a reader of the old layout would misread the new.
pub const FORMAT_VERSION: u32 = 1;

/// What will run, in sum.
struct Total {
    steps: usize,
    seconds: f64,
    bytes: u64,
    flops: u64,
    disk: u64,
}

fn total(steps: &[StepState]) -> Total {
    let mut total = Total {
        steps: 0,
        seconds: 0.0,
        bytes: 0,
        flops: 0,
        disk: 0,
    };
    for it in steps.iter().filter(|it| it.need == Need::Run) {
        let cost = it.step.cost;
        total.steps += 1;
        total.seconds += cost.seconds;
        total.bytes = total.bytes.max(cost.bytes);
        total.flops = total.flops.saturating_add(cost.flops);
        total.disk += cost.disk;
    }
    total
}

/// Every statement with its steps in sum, why they will run, and the sums of all.
pub fn by_statement(planned: &Planned, screen: &Screen) -> String {
    let groups = groups(&planned.steps);
    let mut text = screen.wrap("", &format!("{}: {} steps", planned.title, planned.steps.len()));
    let mut grid = ScreenGrid::new([
        "statement",
        "over",
        "steps",
        "cached",
        "to run",
        "time",
        "memory",
        "disk",
    ])
    .align_right(2..8)
    .fold([0, 1]);
    for group in &groups {
        grid.add_row([
            name(group),
            words(group),
            group.steps.to_string(),
            group.cached.to_string(),
            group.to_run.to_string(),
            duration(group.seconds),
            size(group.bytes),
            size(group.disk),
        ]);
    }
    if !groups.is_empty() {
        text += &format!("{}\n", grid.show(screen));
    }
    let ending = ending(planned);
    if let Some(line) = &ending.all_cached {
        return text + &screen.wrap("", line);
    }
    for group in groups.iter().filter(|group| !group.reasons.is_empty()) {
        let alone = group.reasons.len() == 1;
        let reasons: Vec<String> = group
            .reasons
            .iter()
            .map(|it| match alone {
                true => it.reason.clone(),
                false => format!("{} ({})", it.reason, it.steps),
            })
            .collect();
        text += &screen.wrap(&format!("  {}: ", name(group)), &reasons.join("; "));
    }
    text + &ending.text(screen)
}

/// One step a line, then the sums.
pub fn by_step(planned: &Planned, screen: &Screen) -> String {
    let mut text = screen.wrap("", &format!("{}: {} steps", planned.title, planned.steps.len()));
    for it in &planned.steps {
        let (step, cost) = (it.step, it.step.cost);
        let prefix = format!(
            "  {}  {:<10}  {:<10}  {:>8}  {:>8}  ",
            step.id.short(),
            step.key.operation.verb(),
            it.need.words(),
            duration(cost.seconds),
            size(cost.bytes),
        );
        text += &screen.wrap(&prefix, &step.label);
        if let Some(reason) = &it.reason {
            text += &screen.wrap("      ", reason);
        }
    }
    let ending = ending(planned);
    match &ending.all_cached {
        Some(line) => text + &screen.wrap("", line),
        None => text + &ending.text(screen),
    }
}

/// What stands below the steps.
struct Ending {
    /// Of a plan of which nothing will run.
    all_cached: Option<String>,
    lines: Vec<String>,
}

impl Ending {
    fn text(&self, screen: &Screen) -> String {
        self.lines.iter().map(|line| screen.wrap("", line)).collect()
    }
}

fn ending(planned: &Planned) -> Ending {
    let total = total(&planned.steps);
    let all_cached = (total.steps == 0 && !planned.steps.is_empty())
        .then(|| "everything is in the cache: a run would make none of these steps".to_string());
    let mut lines = vec![format!(
        "to run: {} of {} steps, about {} on this CPU, {} of memory at the peak, {:.1} GFLOP{}",
        total.steps,
        planned.steps.len(),
        duration(total.seconds),
        size(total.bytes),
        total.flops as f64 / 1e9,
        match total.disk {
            0 => String::new(),
            disk => format!(", {} of cache", size(disk)),
        }
    )];
    lines.extend(planned.notes.iter().cloned());
    Ending { all_cached, lines }
}

/// `train noisy`, or `load`.
fn name(group: &Group) -> String {
    match group.statement.as_str() {
        "" => group.operation.to_string(),
        statement => format!("{} {statement}", group.operation),
    }
}

/// `2 labels × 3 seeds`.
fn words(group: &Group) -> String {
    let words = group.over.iter().map(|(name, count)| match name.as_str() {
        "seed" => format!("{count} seeds"),
        "direction" => format!("{count} directions"),
        factor => format!("{count} of {factor}"),
    });
    words.collect::<Vec<_>>().join(" × ")
}

/// A plan as JSON: its groups, its steps and the sums of what will run (seconds, bytes).
pub fn json(planned: &Planned) -> Value {
    let total = total(&planned.steps);
    let steps: Vec<Value> = planned
        .steps
        .iter()
        .map(|it| {
            let (step, cost) = (it.step, it.step.cost);
            json!({
                "id": step.id.0,
                "operation": step.key.operation.verb(),
                "statement": step.statement,
                "levels": step.levels.iter().cloned().collect::<indexmap::IndexMap<_, _>>(),
                "seed": step.key.seed,
                "label": step.label,
                "state": match it.need {
                    Need::Cached => "cached",
                    Need::Run => "to_run",
                    Need::Not => "not_needed",
                },
                "reason": it.reason,
                "seconds": cost.seconds,
                "bytes": cost.bytes,
                "flops": cost.flops,
                "disk": cost.disk,
            })
        })
        .collect();
    json!({
        "format_version": FORMAT_VERSION,
        "study": planned.title,
        "to_run": {
            "steps": total.steps,
            "seconds": total.seconds,
            "bytes": total.bytes,
            "flops": total.flops,
            "disk": total.disk,
        },
        "groups": groups(&planned.steps),
        "steps": steps,
        "notes": planned.notes,
    })
}
