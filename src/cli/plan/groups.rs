//! The steps of a plan by statement.

use indexmap::IndexMap;
use serde::Serialize;

use super::StepState;
use crate::plan::need::Need;
use crate::plan::{Operation, Work};

/// The steps that one statement asks for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Group {
    pub operation: &'static str,
    /// Empty for data sets and initial weights, which several statements share.
    pub statement: String,
    pub steps: usize,
    /// Over which levels of which factors, seeds and directions the steps go: how many of each.
    pub over: IndexMap<String, usize>,
    pub cached: usize,
    pub to_run: usize,
    pub not_needed: usize,
    /// Of the steps that will run: the time of all.
    pub seconds: f64,
    /// The most memory of one.
    pub bytes: u64,
    /// The cache that all will take.
    pub disk: u64,
    pub reasons: Vec<Reason>,
}

/// Why so many steps will run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reason {
    pub reason: String,
    pub steps: usize,
}

/// Groups in the order of their first steps.
pub fn groups(steps: &[StepState]) -> Vec<Group> {
    let mut members: IndexMap<(&str, &str), Vec<&StepState>> = IndexMap::new();
    for it in steps {
        let key = (it.step.key.operation.verb(), it.step.statement.as_str());
        members.entry(key).or_default().push(it);
    }
    members.into_iter().map(|(key, of)| group(key, &of)).collect()
}

fn group((operation, statement): (&'static str, &str), of: &[&StepState]) -> Group {
    let count = |need: Need| of.iter().filter(|it| it.need == need).count();
    let runs = || of.iter().filter(|it| it.need == Need::Run);
    let mut reasons: Vec<Reason> = Vec::new();
    for reason in runs().filter_map(|it| it.reason.as_ref()) {
        match reasons.iter_mut().find(|known| known.reason == *reason) {
            Some(known) => known.steps += 1,
            None => reasons.push(Reason {
                reason: reason.clone(),
                steps: 1,
            }),
        }
    }
    Group {
        operation,
        statement: statement.to_string(),
        steps: of.len(),
        over: over(of),
        cached: count(Need::Cached),
        to_run: count(Need::Run),
        not_needed: count(Need::Not),
        seconds: runs().map(|it| it.step.cost.seconds).sum(),
        bytes: runs().map(|it| it.step.cost.bytes).max().unwrap_or(0),
        disk: runs().map(|it| it.step.cost.disk).sum(),
        reasons,
    }
}

/// How many values each factor, the seed and the direction have among these steps, where there are several.
fn over(of: &[&StepState]) -> IndexMap<String, usize> {
    let mut values: IndexMap<String, Vec<String>> = IndexMap::new();
    let mut note = |name: &str, value: String| {
        let known = values.entry(name.to_string()).or_default();
        if !known.contains(&value) {
            known.push(value);
        }
    };
    for it in of {
        for (factor, level) in &it.step.levels {
            note(factor, level.clone());
        }
        if let Some(seed) = it.step.key.seed {
            note("seed", seed.to_string());
        }
        if let (Operation::Test, Work::Test { direction, .. }) = (it.step.key.operation, &it.step.work) {
            note("direction", direction.word().to_string());
        }
    }
    values.retain(|_, values| values.len() > 1);
    values
        .into_iter()
        .map(|(name, values)| (name, values.len()))
        .collect()
}
