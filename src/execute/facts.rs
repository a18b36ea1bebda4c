//! What a run produced and what is known of how.

use std::collections::HashMap;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::Spectra;
use crate::data::NormalizationNote;
use crate::plan::StepId;
use crate::results::TrainingFacts;
use crate::stats::outcome::Outcome;

/// What a step cost: in this run or, if its result was in the cache, when that was made.
#[derive(Debug, Clone, Serialize)]
pub struct StepReport {
    pub id: StepId,
    pub operation: &'static str,
    pub label: String,
    /// Wall time; 0 of a reused step for which it is not known.
    pub seconds: f64,
    /// Whether its result was in the cache.
    pub reused: bool,
    /// Largest resident memory of the process while it worked on the step, in bytes, where the system tells.
    pub peak_memory: Option<u64>,
    /// What a reused step was made on, where it is known.
    pub device: Option<String>,
    /// Whether its result is kept in the cache, or made anew by each run that needs it, such as data.
    pub is_kept: bool,
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

/// What a run produced.
#[derive(Debug)]
pub struct Execution {
    pub outcomes: HashMap<StepId, Outcome>,
    pub spectra: Spectra,
    pub steps: Vec<StepReport>,
    pub data: Vec<DataFacts>,
    pub noises: Vec<NoiseFacts>,
    /// Finished trainings, each with its step.
    pub trainings: Vec<(StepId, TrainingFacts)>,
    /// Steps that failed, and those that could not be made for want of them: the first cause of each.
    pub failures: IndexMap<StepId, Failure>,
}

/// Why a step has no result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// The step that failed: this one, or one that it is made from.
    pub step: StepId,
    /// What that step was, such as `train noisy: LeNet on MNIST, …`.
    pub what: String,
    /// In a few words, such as `diverged at epoch 3`.
    pub reason: String,
    /// The whole message.
    pub message: String,
}
