//! A checked study as a list of content-addressed steps, inputs before the steps that need them.
//!
//! A step's id is the BLAKE3 hash of its [`StepKey`]: the operation, its canonical settings, the ids of its inputs,
//! the seed and the version of the mathematics behind it. Equal steps of different cases are one step.

pub mod changes;
pub mod cost;
pub mod display;
mod error;
mod inputs;
mod lower;
mod measure;
pub mod need;
mod own_numbers;
mod part;
pub mod resources;
pub mod route;
mod settings;
mod spectra;
pub mod step;
pub mod units;
mod weights;

use std::collections::HashMap;

pub use error::PlanError;
pub use lower::{lower, lower_with_inputs};
pub use measure::{convention, test_kind};
pub use spectra::spectrum_method;
pub use step::{Operation, Step, StepId, StepKey, Work};

use crate::results::{Factors, Subject};
use crate::stats::outcome::Direction;

/// What a study comes to.
#[derive(Debug, Clone)]
pub struct Plan {
    pub title: String,
    /// Inputs always come before the steps that use them.
    pub steps: Vec<Step>,
    /// What the tables are made of, in the order of the study.
    pub measurements: Vec<Planned>,
    /// What figures are made of, in the order of the study.
    pub spectra: Vec<PlannedSpectrum>,
    /// Records by statement name, level and seed: what `gradstudy export` can name.
    pub records: Vec<PlannedRecord>,
    /// Data and weights by statement name, level and seed; only of [`lower_with_inputs`].
    pub inputs: Vec<PlannedInput>,
    /// What the levels of the study's factors stand for.
    pub factors: Factors,
    index: HashMap<StepId, usize>,
    /// The steps that use each directly.
    users: Vec<Vec<usize>>,
}

/// Where each step is, and which steps use it.
fn index_of(steps: &[Step]) -> (HashMap<StepId, usize>, Vec<Vec<usize>>) {
    let places = steps.iter().enumerate();
    let index: HashMap<StepId, usize> = places.map(|(i, step)| (step.id.clone(), i)).collect();
    let mut users = vec![Vec::new(); steps.len()];
    for (i, step) in steps.iter().enumerate() {
        for input in &step.key.inputs {
            let users: &mut Vec<usize> = &mut users[index[input]];
            // A step may take one input twice.
            if users.last() != Some(&i) {
                users.push(i);
            }
        }
    }
    (index, users)
}

/// One test step and what its outcome is about.
#[derive(Debug, Clone)]
pub struct Planned {
    pub step: StepId,
    pub test: String,
    pub record: String,
    /// Name of the `spectrum` statement, where a spectrum is tested.
    pub spectrum: Option<String>,
    pub subject: Subject,
    pub seed: u64,
    pub levels: Vec<(String, String)>,
    pub direction: Direction,
}

/// One spectrum and what it is about.
#[derive(Debug, Clone)]
pub struct PlannedSpectrum {
    pub step: StepId,
    /// Name of the `spectrum` statement.
    pub spectrum: String,
    pub record: String,
    pub subject: Subject,
    pub seed: u64,
    pub levels: Vec<(String, String)>,
}

/// One recording and where in the study it stands.
#[derive(Debug, Clone)]
pub struct PlannedRecord {
    pub step: StepId,
    pub record: String,
    pub levels: Vec<(String, String)>,
    pub seed: u64,
}

/// The data or the weights that one statement makes, and where in the study it stands.
#[derive(Debug, Clone)]
pub struct PlannedInput {
    pub step: StepId,
    pub kind: InputKind,
    /// Of the statement; of a model that is drawn for several data sets in one case: `MODEL on DATA`.
    pub name: String,
    pub levels: Vec<(String, String)>,
    pub seed: u64,
}

/// What a [`PlannedInput`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputKind {
    /// A data set with its labels.
    Data,
    /// The weights that a model starts from.
    Model,
    /// The weights at the end of a training.
    Train,
}

impl Plan {
    /// The step with this id. Panics if it is not of this plan.
    pub fn step(&self, id: &StepId) -> &Step {
        &self.steps[self.index[id]]
    }

    /// Steps that use `id` directly.
    pub fn users(&self, id: &StepId) -> impl Iterator<Item = &Step> {
        let users = self.index.get(id).map_or(&[][..], |number| &self.users[*number]);
        users.iter().map(|number| &self.steps[*number])
    }

    /// The training at whose final weights `id` records or measures; `None` at other weights. Of a comparison of two
    /// histories, that of the first.
    pub fn training_of(&self, id: &StepId) -> Option<&Step> {
        let step = self.step(id);
        match &step.work {
            Work::Train { .. } => Some(step),
            Work::Record { weights, .. } => self.training_of(weights),
            Work::Spectrum { of, .. } | Work::Eigenvectors { of, .. } | Work::Test { of, .. } => {
                self.training_of(of)
            }
            Work::Load { .. } | Work::Corrupt { .. } | Work::Initialise { .. } | Work::Read { .. } => None,
        }
    }

    /// Hash of all steps: names a run.
    pub fn id(&self) -> StepId {
        let mut hasher = blake3::Hasher::new();
        self.steps.iter().for_each(|step| {
            hasher.update(step.id.0.as_bytes());
        });
        StepId(hasher.finalize().to_hex().to_string())
    }
}
