//! Why a step is not in the cache: what changed since the last run of the study.

use std::path::Path;

use crate::plan::changes::Changes;
use crate::plan::need::Need;
use crate::plan::{Operation, Plan, Step, StepKey, Work};
use crate::run::{find, open_manifest};
use crate::store::{Extent, Store};

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

/// Why a step is made whose own settings are those of the last run.
const ANOTHER_INPUT: &str = "made from something else than in the last run";

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
            Some(_) => ANOTHER_INPUT.to_string(),
        }
    }
}

/// What `label` says otherwise than `earlier`, such as `T = 1000 (was T = 600)`; `None` where they say the same or cannot be
/// compared part by part.
fn otherwise(earlier: &str, label: &str) -> Option<String> {
    let parts = |text: &'_ str| -> Vec<String> { text.split(", ").map(str::to_string).collect() };
    let (earlier, label) = (parts(earlier), parts(label));
    if earlier.len() != label.len() {
        return None;
    }
    let pairs = label.iter().zip(&earlier).filter(|(now, before)| now != before);
    let words: Vec<String> = pairs
        .map(|(now, before)| format!("{now} (was {before})"))
        .collect();
    Some(words.join(", ")).filter(|words| !words.is_empty())
}

impl Earlier {
    /// Why a recording that is not kept is made: what its label says otherwise than that of the last run.
    fn of_recording(&self, step: &Step) -> Option<String> {
        if self.steps.iter().any(|it| it.id == step.id.0) {
            return None;
        }
        let mut same = self
            .steps
            .iter()
            .filter(|it| it.verb == step.key.operation.verb() && head(&it.label) == head(&step.label));
        let seed = |label: &str| label.rsplit(", ").next().unwrap_or_default().to_string();
        let near = same.find(|it| seed(&it.label) == seed(&step.label))?;
        let behind = |label: &str| label.split_once(": ").map(|(_, rest)| rest.to_string());
        let words = otherwise(&behind(&near.label)?, &behind(&step.label)?)?;
        Some(format!("changed since the last run: {words}"))
    }
}

/// Why `step` has to be made. What only follows from its inputs is said of those.
pub fn reason(plan: &Plan, needs: &[Need], step: &Step, earlier: Option<&Earlier>, store: &Store) -> String {
    if let Some(file) = store.damage(&step.id, Extent::Small) {
        return format!("its `{file}` in the cache is not as it was written");
    }
    match &step.work {
        Work::Load { .. } | Work::Corrupt { .. } | Work::Initialise { .. } | Work::Read { .. } => {
            return "made anew whenever it is needed".to_string();
        }
        Work::Record { keep: false, .. } => {
            return earlier
                .and_then(|earlier| earlier.of_recording(step))
                .unwrap_or_else(|| "not kept: recorded for what is made of it".to_string());
        }
        _ => {}
    }
    let Some(earlier) = earlier else {
        return "not run before".to_string();
    };
    let own = earlier.of(step);
    if own != ANOTHER_INPUT {
        return own;
    }
    let mut names = Vec::new();
    made_anew(plan, needs, step, &mut names);
    match names.is_empty() {
        true => own,
        false => format!("made from {}, which has changed", names.join(" and ")),
    }
}

/// Notes the trainings behind `step` that will run, else the other statements that it is made from and that will run; false
/// where there are none.
fn made_anew<'a>(plan: &'a Plan, needs: &[Need], step: &Step, names: &mut Vec<&'a str>) -> bool {
    let mut found = false;
    for id in &step.key.inputs {
        let Some(place) = plan.steps.iter().position(|it| it.id == *id) else {
            continue;
        };
        let input = &plan.steps[place];
        if needs[place] != Need::Run {
            continue;
        }
        let name = input.statement.as_str();
        let behind = input.key.operation != Operation::Train && made_anew(plan, needs, input, names);
        if !behind && !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
        found |= behind || !name.is_empty();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_tell_what_changed() {
        let earlier = "gradients of LeNet (random) on MNIST, B = 100, T = 600, seed 0";
        assert_eq!(otherwise(earlier, earlier), None);
        assert_eq!(
            otherwise(earlier, &earlier.replace("600", "1000")).as_deref(),
            Some("T = 1000 (was T = 600)")
        );
        assert_eq!(otherwise(earlier, "gradients of LeNet"), None);
        assert_eq!(head("p (lr = 0.1): LeNet on MNIST"), "p (lr = 0.1)");
        assert_eq!(statement("p (lr = 0.1): LeNet on MNIST"), "p");
    }
}
