//! What a run produced and what is known of how.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::Spectra;
use crate::data::NormalizationNote;
use crate::plan::StepId;
use crate::stats::outcome::Outcome;

/// How long a step took.
#[derive(Debug, Clone, Serialize)]
pub struct StepReport {
    pub id: StepId,
    pub operation: &'static str,
    pub label: String,
    pub seconds: f64,
    /// Whether its result was in the cache.
    pub reused: bool,
    /// Largest resident memory of the process while it worked on the step, in bytes, where the system tells.
    pub peak_memory: Option<u64>,
}

/// What is known of a data set that was used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DataFacts {
    pub name: String,
    pub examples: usize,
    pub shape: [usize; 3],
    /// BLAKE3 of pixels and labels.
    pub digest: String,
    pub normalisation: NormalizationNote,
}

/// What label noise did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NoiseFacts {
    /// The data set, its noise and the seed.
    pub data: String,
    /// The share of labels that differ from the data set's own.
    pub realised_rate: f64,
}

/// What is known of trained weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainingFacts {
    pub epochs: usize,
    /// Mean loss of each epoch.
    pub losses: Vec<f64>,
    /// Fraction of training samples classified right at the final weights.
    pub train_accuracy: f64,
    /// The same on the test split, if the data set has one.
    pub test_accuracy: Option<f64>,
}

/// What a run produced.
#[derive(Debug)]
pub struct Execution {
    pub outcomes: HashMap<StepId, Outcome>,
    pub spectra: Spectra,
    pub steps: Vec<StepReport>,
    pub data: Vec<DataFacts>,
    pub noises: Vec<NoiseFacts>,
    pub trainings: Vec<(String, TrainingFacts)>,
}
