//! One step of a plan.

use serde::{Deserialize, Serialize};

use super::cost::Cost;
use crate::gradients::batches::Order;
use crate::layers::{BatchNormMode, Shape};
use crate::signature::Call;
use crate::stats::outcome::Direction;
use crate::study::{Schedule, TransformSpec};
use crate::training::Clip;

/// Says what was asked for: the hash of a [`StepKey`], in hex.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StepId(pub String);

impl StepId {
    /// Enough of the id to tell steps apart by eye.
    pub fn short(&self) -> &str {
        &self.0[..10]
    }
}

/// What kind of work a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Operation {
    /// Read and normalise a data set.
    Load,
    /// Put noise on labels.
    Corrupt,
    /// Draw or read initial weights.
    Initialise,
    /// Pretrain.
    Train,
    /// Record a gradient history.
    Record,
    /// Read a history of the user's own numbers.
    Read,
    /// Compute a spectrum of a history, of another spectrum, or of a loss.
    Spectrum,
    /// Find the leading eigenvectors of a history's covariance.
    Eigenvectors,
    /// Apply one test along one direction of a history, or to a spectrum.
    Test,
}

impl Operation {
    /// The verb that plans and progress bars print.
    pub fn verb(self) -> &'static str {
        match self {
            Operation::Load => "load",
            Operation::Corrupt => "corrupt",
            Operation::Initialise => "initialise",
            Operation::Train => "train",
            Operation::Record => "record",
            Operation::Read => "read",
            Operation::Spectrum => "spectrum",
            Operation::Eigenvectors => "decompose",
            Operation::Test => "test",
        }
    }
}

/// Everything that a step's result depends on, and nothing else.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepKey {
    pub operation: Operation,
    /// Version of the mathematics.
    pub version: u32,
    /// All settings, defaults included.
    pub settings: serde_json::Value,
    pub seed: Option<u64>,
    pub inputs: Vec<StepId>,
}

impl StepKey {
    /// The key's hash. Settings keep the order of their signature, so equal keys have equal text.
    pub fn id(&self) -> StepId {
        let text = serde_json::to_vec(self).expect("a key is made of text, numbers, lists and maps");
        StepId(blake3::hash(&text).to_hex().to_string())
    }
}

/// A step: its key and what the executor needs to do it.
#[derive(Debug, Clone)]
pub struct Step {
    pub id: StepId,
    pub key: StepKey,
    pub work: Work,
    /// A few words for plans and progress bars.
    pub label: String,
    /// The statement of the study that asks for it; empty for data sets and initial weights, which several statements share.
    pub statement: String,
    /// The levels that all uses of the step have in common, as (factor, label).
    pub levels: Vec<(String, String)>,
    pub cost: Cost,
}

/// The typed form of a step's settings.
#[derive(Debug, Clone)]
pub enum Work {
    Load {
        data: Call,
    },
    Corrupt {
        data: StepId,
        labels: Call,
        seed: u64,
    },
    Initialise {
        model: Call,
        input: Shape,
        /// A file in place of random weights: `FILE` or `FILE:KEY`.
        weights: Option<String>,
        seed: u64,
    },
    Train {
        data: StepId,
        weights: StepId,
        optimizer: Call,
        epochs: u64,
        batch: u64,
        decay: f64,
        /// Epochs after which the rate is multiplied by `decay`.
        milestones: Vec<usize>,
        /// Moves the rate in place of `decay`.
        schedule: Option<Schedule>,
        clip: Clip,
        /// What is done to the images.
        augment: Vec<Call>,
        seed: u64,
    },
    Record {
        data: StepId,
        weights: StepId,
        batch: u64,
        iterations: u64,
        order: Order,
        keep: bool,
        /// The rows of G that are kept.
        rows: Vec<std::ops::Range<usize>>,
        batch_norm: BatchNormMode,
        transform: TransformSpec,
        seed: u64,
    },
    Read {
        /// `file` with its settings.
        file: Call,
        /// BLAKE3 of the file, in hex.
        digest: String,
    },
    Spectrum {
        /// The history, spectrum or weights that it is of.
        of: StepId,
        /// The data of a loss.
        on: Option<StepId>,
        call: Call,
        seed: u64,
    },
    Eigenvectors {
        /// The history.
        of: StepId,
        /// The measurement that they are for.
        call: Call,
    },
    Test {
        /// The history, the spectrum or the eigenvectors.
        of: StepId,
        /// The eigenvectors that those are compared with.
        other: Option<StepId>,
        test: Call,
        direction: Direction,
        seed: u64,
    },
}
