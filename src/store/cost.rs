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

impl Store {
    fn cost_file(&self, id: &StepId) -> std::path::PathBuf {
        self.costs.join(format!("{}-{}.json", id.0, self.class))
    }

    /// Notes what a step cost; also of steps whose results are not kept, such as recordings.
    ///
    /// # Errors
    /// The note cannot be written.
    pub fn note_cost(&self, id: &StepId, cost: &StepCost) -> Result<(), StoreError> {
        let text = serde_json::to_vec(cost).expect("a cost is made of numbers and text");
        replace_file(&self.cost_file(id), &text)
    }

    /// What the step cost when it was last made; `None` where that is not known, as of steps of older versions.
    pub fn cost(&self, id: &StepId) -> Option<StepCost> {
        serde_json::from_slice(&std::fs::read(self.cost_file(id)).ok()?).ok()
    }
}
