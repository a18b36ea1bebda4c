//! Numbers of the steps that a run makes.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};

use crate::plan::need::Need;
use crate::plan::{Plan, StepId};

/// Which steps a run makes, numbered as they begin.
#[derive(Debug, Clone, Default)]
pub struct Count {
    /// The steps to be made, each with its number once it has begun.
    numbers: HashMap<StepId, Option<usize>>,
    begun: usize,
    ended: HashSet<StepId>,
    steps: usize,
    cached: usize,
}

impl Count {
    /// Of a plan whose steps are needed so.
    pub fn of(plan: &Plan, needs: &[Need]) -> Self {
        let made = plan.steps.iter().zip(needs).filter(|it| *it.1 == Need::Run);
        Count {
            numbers: made.map(|(step, _)| (step.id.clone(), None)).collect(),
            begun: 0,
            ended: HashSet::new(),
            steps: plan.steps.len(),
            cached: needs.iter().filter(|need| **need == Need::Cached).count(),
        }
    }

    /// The number of a step that begins or goes on, and how many there are; `None` of one that is not to be made.
    pub fn number(&mut self, id: &StepId) -> Option<(usize, usize)> {
        let of = self.numbers.len();
        let number = self.numbers.get_mut(id)?;
        if number.is_none() {
            self.begun += 1;
        }
        let number = number.get_or_insert(self.begun);
        Some((*number, of))
    }

    /// The number of a step that has begun.
    pub fn known(&self, id: &StepId) -> Option<(usize, usize)> {
        let number = (*self.numbers.get(id)?)?;
        Some((number, self.numbers.len()))
    }

    /// Notes the end of a step; false of one that has ended before, as what is quickly made is made each time it is needed.
    pub fn end(&mut self, id: &StepId) -> bool {
        self.ended.insert(id.clone())
    }

    /// Whether a step has ended before.
    pub fn has_ended(&self, id: &StepId) -> bool {
        self.ended.contains(id)
    }

    /// What is done already, in a line; nothing of an empty plan.
    pub fn summary(&self) -> Option<String> {
        let (steps, cached, made) = (self.steps, self.cached, self.numbers.len());
        let rest = match steps - cached - made {
            0 => String::new(),
            rest => format!(", {rest} needed by none of them"),
        };
        match (steps, made) {
            (0, _) => None,
            (_, 0) => Some(format!(
                "{steps} steps: nothing to make, {cached} are in the cache{rest}"
            )),
            _ => Some(format!(
                "{steps} steps: {made} to make, {cached} in the cache{rest}"
            )),
        }
    }

    /// How many steps are to be made, cached and not needed, as JSON.
    pub fn json(&self) -> Value {
        let (steps, cached, made) = (self.steps, self.cached, self.numbers.len());
        json!({
            "steps": steps,
            "to_make": made,
            "cached": cached,
            "not_needed": steps - cached - made,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_numbered_as_they_begin() {
        let id = |name: &str| StepId(name.to_string());
        let mut count = Count {
            numbers: ["a", "b"].map(|name| (id(name), None)).into(),
            begun: 0,
            ended: HashSet::new(),
            steps: 5,
            cached: 2,
        };
        assert_eq!(count.known(&id("b")), None);
        assert_eq!(count.number(&id("b")), Some((1, 2)));
        assert_eq!(count.number(&id("a")), Some((2, 2)));
        assert_eq!(count.number(&id("b")), Some((1, 2)));
        assert_eq!(count.number(&id("cached")), None);
        assert!(count.end(&id("a")) && !count.end(&id("a")));
        assert_eq!(
            count.summary().as_deref(),
            Some("5 steps: 2 to make, 2 in the cache, 1 needed by none of them")
        );
        assert_eq!(Count::default().summary(), None);
    }
}
