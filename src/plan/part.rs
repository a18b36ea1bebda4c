//! A part of a plan, to be run by itself.

use std::collections::HashSet;

use super::{Plan, StepId, index_of};

impl Plan {
    /// The steps of these numbers with everything that they are made from, in the order of the plan: what one process of
    /// several has to do. Nothing is measured by it.
    pub fn part(&self, steps: &[usize]) -> Plan {
        let mut taken: HashSet<usize> = steps.iter().copied().collect();
        let mut open: Vec<usize> = steps.to_vec();
        while let Some(number) = open.pop() {
            let inputs = self.steps[number].key.inputs.iter();
            open.extend(
                inputs
                    .map(|input| self.index[input])
                    .filter(|it| taken.insert(*it)),
            );
        }
        let mut taken: Vec<usize> = taken.into_iter().collect();
        taken.sort_unstable();
        let steps: Vec<_> = taken.iter().map(|number| self.steps[*number].clone()).collect();
        let (index, users) = index_of(&steps);
        Plan {
            title: self.title.clone(),
            steps,
            measurements: Vec::new(),
            spectra: Vec::new(),
            records: Vec::new(),
            inputs: Vec::new(),
            factors: self.factors.clone(),
            index,
            users,
        }
    }

    /// The place of the step in [`Plan::steps`]; `None` if it is not of this plan.
    pub fn number(&self, id: &StepId) -> Option<usize> {
        self.index.get(id).copied()
    }
}
