//! What steps cost when they were made, for reports of runs that reuse them.

use serde::{Deserialize, Serialize};

use super::{Store, StoreError, replace_file};
use crate::plan::StepId;

/// What a step cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepCost {
    /// Wall time.
    pub seconds: f64,
    /// Largest resident memory of the process, in bytes, where the system tells.
    pub peak_memory: Option<u64>,
    /// What computed, as people read it.
    pub device: String,
}

/// A cost as it is kept: with a hash, so that no changed digit is shown as a measurement.
#[derive(Serialize, Deserialize)]
struct Noted {
    #[serde(flatten)]
    cost: StepCost,
    /// Of the step and its cost; files of older versions have none.
    check: Option<String>,
}

fn check(id: &StepId, cost: &StepCost) -> String {
    let StepCost {
        seconds,
        peak_memory,
        device,
    } = cost;
    let seconds = seconds.to_bits();
    crate::integrity::hash(format!("{} {seconds} {peak_memory:?} {device}", id.0).as_bytes())
}

impl Store {
    fn cost_file(&self, id: &StepId) -> std::path::PathBuf {
        self.costs.join(format!("{}-{}.json", id.0, self.class))
    }

    /// Notes what a step cost; also of steps whose results are not kept, such as recordings.
    ///
    /// # Errors
    /// The note cannot be written.
    pub fn note_cost(&self, id: &StepId, cost: &StepCost) -> Result<(), StoreError> {
        // Milliseconds are read back exactly.
        let seconds = (cost.seconds * 1000.0).round() / 1000.0;
        let cost = StepCost {
            seconds,
            ..cost.clone()
        };
        let check = Some(check(id, &cost));
        let text = serde_json::to_vec(&Noted { cost, check }).expect("a cost is made of numbers and text");
        replace_file(&self.cost_file(id), &text)
    }

    /// What the step cost when it was last made; `None` where that is not known, as of steps of older versions, or its
    /// file is damaged.
    pub fn cost(&self, id: &StepId) -> Option<StepCost> {
        // serde_json rounds the last digit of what it reads; YAML, of which JSON is a part, is read exactly.
        let noted: Noted = serde_yaml::from_slice(&std::fs::read(self.cost_file(id)).ok()?).ok()?;
        let whole = noted.check.is_none_or(|found| found == check(id, &noted.cost));
        whole.then_some(noted.cost)
    }
}
