//! Why a step is not in the cache: what changed since the last run of the study.

use std::path::Path;

use crate::plan::changes::Changes;
use crate::plan::need::Need;
use crate::plan::{Operation, Plan, Step, StepKey, Work};
use crate::run::{find, open_manifest};
use crate::store::Store;

/// The last run of a study.
#[derive(Debug)]
pub struct Earlier {
    steps: Vec<EarlierStep>,
}

#[derive(Debug)]
struct EarlierStep {
    id: String,
    verb: String,
    label: String,
    /// What was asked, if the cache still has the step.
    key: Option<StepKey>,
}

/// `NAME (factor = level, …)`, what a label begins with.
fn head(label: &str) -> &str {
    label.split(": ").next().unwrap_or(label)
}

/// The statement that a label names.
fn statement(label: &str) -> &str {
    let head = head(label);
    head.split(" (").next().unwrap_or(head)
}

impl Earlier {
    /// The last run filed under `slug`; `None` where there is none that can be read.
    pub fn find(reports: &Path, slug: &str, store: &Store) -> Option<Earlier> {
        let runs = find::all(reports).ok()?;
        let of_study = runs.into_iter().filter(|run| run.slug == slug);
        let last = of_study.max_by(|a, b| a.name.cmp(&b.name))?;
        let manifest = open_manifest(&last.folder).ok()?;
        let steps = manifest.steps.into_iter().map(|step| EarlierStep {
            key: store.key(&step.id),
            id: step.id,
            verb: step.operation,
            label: step.label,
        });
        Some(Earlier {
            steps: steps.collect(),
        })
    }

    fn of(&self, step: &Step) -> String {
        if let Some(same) = self.steps.iter().find(|it| it.id == step.id.0) {
            return match step.label == same.label {
                true => "in the last run, but no longer in this cache".to_string(),
                false => format!("in the last run as {}, but no longer in this cache", same.label),
            };
        }
        let verb = step.key.operation.verb();
        let of_statement: Vec<&EarlierStep> = self
            .steps
            .iter()
            .filter(|it| it.verb == verb && statement(&it.label) == step.statement)
            .collect();
        let at_levels: Vec<&EarlierStep> = of_statement
            .iter()
            .filter(|it| head(&it.label) == head(&step.label))
            .copied()
            .collect();
        let near = match at_levels.is_empty() {
            true => &of_statement,
            false => &at_levels,
        };
        let changes = near.iter().filter_map(|it| it.key.as_ref());
        let changes = changes
            .map(|key| Changes::between(key, &step.key))
            .min_by_key(Changes::weight);
        match changes {
            _ if of_statement.is_empty() => "not run before".to_string(),
            _ if at_levels.is_empty() => "not run before at this level".to_string(),
            None => "changed since the last run".to_string(),
            Some(changes) if changes.seed => "not run before with this seed".to_string(),
            Some(changes) if !changes.settings.is_empty() => {
                format!("changed since the last run: {}", changes.settings.join(", "))
            }
            Some(_) => "made from something else than in the last run".to_string(),
        }
    }
}

/// Why `step` has to be made. What only follows from its inputs is said of those.
pub fn reason(plan: &Plan, needs: &[Need], step: &Step, earlier: Option<&Earlier>) -> String {
    match &step.work {
        Work::Load { .. } | Work::Corrupt { .. } | Work::Initialise { .. } | Work::Read { .. } => {
            return "made anew whenever it is needed".to_string();
        }
        Work::Record { keep: false, .. } => {
            return "not kept: recorded for what is made of it".to_string();
        }
        _ => {}
    }
    let Some(earlier) = earlier else {
        return "not run before".to_string();
    };
    let own = earlier.of(step);
    if own != "made from something else than in the last run" {
        return own;
    }
    let mut names: Vec<&str> = made_anew(plan, needs, step)
        .into_iter()
        .map(|input| input.statement.as_str())
        .filter(|name| !name.is_empty())
        .collect();
    names.dedup();
    match names.is_empty() {
        true => own,
        false => format!("made from {}, which has changed", names.join(" and ")),
    }
}

/// The kept steps behind `step` that will run; recordings that are not kept, if there are none.
fn made_anew<'a>(plan: &'a Plan, needs: &[Need], step: &Step) -> Vec<&'a Step> {
    let mut found = Vec::new();
    for id in &step.key.inputs {
        let Some(place) = plan.steps.iter().position(|it| it.id == *id) else {
            continue;
        };
        let input = &plan.steps[place];
        if needs[place] != Need::Run {
            continue;
        }
        let behind = made_anew(plan, needs, input);
        match (behind.is_empty(), input.key.operation) {
            (_, Operation::Train) | (true, _) => found.push(input),
            (false, _) => found.extend(behind),
        }
    }
    found
}
