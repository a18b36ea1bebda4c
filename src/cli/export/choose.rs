//! What of a study can be exported, and which of it was asked for.

use indexmap::{IndexMap, IndexSet};
use serde_json::{Value, json};

use super::error::ExportError;
use super::listing::{FORMAT_VERSION, at, lines};
use super::{Export, What};
use crate::cli::study::shell_word;
use crate::plan::{InputKind, Plan, StepId, Work};
use crate::run::tables::is_at;

/// One thing that a study makes, by all the names that the study has for it.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub step: StepId,
    pub kind: Kind,
    /// Of the statement.
    pub name: String,
    /// Those that all of its cases have: levels of other factors change nothing of it.
    pub levels: Vec<(String, String)>,
    /// Seeds that it is the same for.
    pub seeds: Vec<u64>,
}

/// The statement that an [`Item`] is of, by how much the study is about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Kind {
    Record,
    Train,
    /// Data or a model.
    Other,
}

/// A statement of a plan at one level and seed.
struct Entry<'a> {
    step: &'a StepId,
    kind: Kind,
    name: &'a str,
    levels: &'a [(String, String)],
    seed: u64,
}

/// Everything in `plan` that `what` could be of, in the order of the study.
pub(super) fn items(plan: &Plan, what: What) -> Vec<Item> {
    let records = plan.records.iter().map(|it| {
        let Work::Record { data, weights, .. } = &plan.step(&it.step).work else {
            unreachable!("a record step")
        };
        let step = match what {
            What::Labels => data,
            What::Weights => weights,
            _ => &it.step,
        };
        Entry {
            step,
            kind: Kind::Record,
            name: &it.record,
            levels: &it.levels,
            seed: it.seed,
        }
    });
    let kinds: &[InputKind] = match what {
        What::Labels => &[InputKind::Data],
        What::Weights => &[InputKind::Train, InputKind::Model],
        What::Minibatches => &[InputKind::Train],
        _ => &[],
    };
    let inputs = plan.inputs.iter().filter(|it| kinds.contains(&it.kind));
    let inputs = inputs.map(|it| Entry {
        step: &it.step,
        kind: if it.kind == InputKind::Train {
            Kind::Train
        } else {
            Kind::Other
        },
        name: &it.name,
        levels: &it.levels,
        seed: it.seed,
    });
    let mut items: IndexMap<(Kind, &str, &StepId), Item> = IndexMap::new();
    for entry in records.chain(inputs) {
        let item = items
            .entry((entry.kind, entry.name, entry.step))
            .or_insert_with(|| Item {
                step: entry.step.clone(),
                kind: entry.kind,
                name: entry.name.to_string(),
                levels: entry.levels.to_vec(),
                seeds: Vec::new(),
            });
        item.levels.retain(|level| entry.levels.contains(level));
        if !item.seeds.contains(&entry.seed) {
            item.seeds.push(entry.seed);
        }
    }
    items.into_values().collect()
}

impl Export {
    /// The items of `what` that fit the options: of every seed, unless one is named.
    pub(super) fn fitting(&self, plan: &Plan, what: What) -> Vec<Item> {
        let wanted = |item: &Item| {
            let is_record = item.kind == Kind::Record;
            let by_record = self
                .record
                .as_ref()
                .is_none_or(|name| is_record && *name == item.name);
            let by_name = self
                .name
                .as_ref()
                .is_none_or(|name| !is_record && *name == item.name);
            let by_seed = self.seed.is_none_or(|seed| item.seeds.contains(&seed));
            by_record && by_name && by_seed && is_at(&item.levels, &self.levels_of(item))
        };
        items(plan, what).into_iter().filter(wanted).collect()
    }

    /// `--at` as far as it speaks of factors that `item` depends on.
    fn levels_of(&self, item: &Item) -> Vec<String> {
        let speaks = |at: &&String| {
            let factor = at.split_once('=').map_or("", |(factor, _)| factor);
            item.levels.iter().any(|(name, _)| name == factor)
        };
        self.at.iter().filter(speaks).cloned().collect()
    }

    /// The one item of `what` that fits: of the first seed, unless one is named; of a record, else at the end of a training,
    /// unless a name says otherwise.
    pub(super) fn one(&self, plan: &Plan, what: What) -> Result<Item, ExportError> {
        let mut found = self.fitting(plan, what);
        if let Some(kind) = found.iter().map(|item| item.kind).min() {
            found.retain(|item| item.kind == kind);
        }
        if let Some(first) = found.first().and_then(|item| item.seeds.first()).copied() {
            let seed = self.seed.unwrap_or(first);
            found.retain(|item| item.seeds.contains(&seed));
        }
        let steps: IndexSet<&StepId> = found.iter().map(|item| &item.step).collect();
        match (steps.len(), found.first()) {
            (1, Some(item)) => Ok(item.clone()),
            (found, _) => Err(which(plan, what, found)),
        }
    }
}

/// The error that says what there is.
pub(super) fn which(plan: &Plan, what: What, found: usize) -> ExportError {
    let items = items(plan, what);
    match items.is_empty() {
        true => ExportError::None {
            what: what.word(),
            remedy: format!("{}; without `--to` it is listed what there is", what.needs()),
        },
        false => ExportError::Which {
            found,
            what: what.word(),
            known: lines(items.iter().map(|item| line(item, what))),
        },
    }
}

/// What of a study there is to export.
pub(super) const OF_STUDY: [What; 4] = [What::Gradients, What::Weights, What::Labels, What::Minibatches];

/// One line for each thing that can be exported, with the options that choose it.
pub(super) fn listed(plan: &Plan) -> String {
    let all = OF_STUDY
        .into_iter()
        .flat_map(|what| items(plan, what).into_iter().map(move |item| line(&item, what)));
    lines(all) + "\n"
}

fn line(item: &Item, what: What) -> String {
    let option = if item.kind == Kind::Record {
        "--record"
    } else {
        "--name"
    };
    // What is the same for all seeds needs none.
    let seed = match item.seeds[..] {
        [seed] => format!(" --seed {seed}"),
        _ => String::new(),
    };
    format!(
        "--what {} {option} {}{seed}{}",
        what.word(),
        shell_word(&item.name),
        at(&item.levels)
    )
}

/// [`listed`] for programs.
pub(super) fn listed_json(plan: &Plan) -> String {
    let of = |what: What| -> Vec<Value> {
        let value = |item: &Item| {
            let name = if item.kind == Kind::Record {
                "record"
            } else {
                "name"
            };
            json!({name: item.name, "seeds": item.seeds, "levels": item.levels})
        };
        items(plan, what).iter().map(value).collect()
    };
    let recordings = plan.records.iter();
    let recordings: Vec<Value> = recordings
        .map(|it| json!({"record": it.record, "seed": it.seed, "levels": it.levels}))
        .collect();
    let all = json!({
        "format_version": FORMAT_VERSION,
        "recordings": recordings,
        "weights": of(What::Weights),
        "labels": of(What::Labels),
        "minibatches": of(What::Minibatches),
    });
    serde_json::to_string_pretty(&all).expect("words and numbers") + "\n"
}
