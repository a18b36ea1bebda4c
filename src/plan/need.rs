//! Which steps of a plan have to be made.

use std::collections::HashSet;

use super::{Plan, Step, StepId, Work};

/// Whether a step has to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Its result is in the cache.
    Cached,
    /// It will run.
    Run,
    /// Nothing that will run needs it.
    Not,
}

impl Need {
    /// In a word or two.
    pub fn words(self) -> &'static str {
        match self {
            Need::Cached => "cached",
            Need::Run => "to run",
            Need::Not => "not needed",
        }
    }
}

/// What a run has to make of `plan`, step by step, where some are `finished`.
pub fn needs(plan: &Plan, finished: impl Fn(&Step) -> bool) -> Vec<Need> {
    let mut inputs: HashSet<&StepId> = HashSet::new();
    let mut needs: Vec<Need> = Vec::with_capacity(plan.steps.len());
    // Steps come before those that use them.
    for step in plan.steps.iter().rev() {
        let asked = matches!(
            step.work,
            Work::Test { .. } | Work::Spectrum { .. } | Work::Train { .. } | Work::Record { keep: true, .. }
        );
        let need = match finished(step) {
            true => Need::Cached,
            false if asked || inputs.contains(&step.id) => Need::Run,
            false => Need::Not,
        };
        if need == Need::Run {
            inputs.extend(&step.key.inputs);
        }
        needs.push(need);
    }
    needs.reverse();
    needs
}
