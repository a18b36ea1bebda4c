//! A run: a plan executed and written down, one folder that holds all there is to know about it.

mod contents;
mod conventions;
mod definitions;
mod error;
pub mod find;
pub mod folder;
pub mod index;
pub mod keys;
pub mod layout;
pub mod levels;
pub mod manifest;
mod open;
pub mod registry;
pub mod tables;

use crate::execute::Execution;
use crate::plan::{Plan, StepId};
use crate::results::{FORMAT_VERSION, MeasuredSpectrum, Measurement, Results, Spectra, TrainingSummary};
use crate::stats::outcome::{FailedOutcome, Outcome};

pub use conventions::conventions;
pub use definitions::definitions;
pub use error::RunError;
pub use find::find;
pub use folder::{Run, check_writable, remove};
pub use layout::Layout;
pub use manifest::Manifest;
pub use open::{open_manifest, open_results, open_samples, open_settings, open_spectra};

/// The measurements of `plan` with the outcomes of `execution`. Every planned test has one, if only the word that it
/// failed.
pub fn results(plan: &Plan, execution: &Execution) -> Results {
    let measurements = plan
        .measurements
        .iter()
        .map(|planned| Measurement {
            test: planned.test.clone(),
            record: planned.record.clone(),
            spectrum: planned.spectrum.clone(),
            subject: planned.subject.clone(),
            seed: planned.seed,
            levels: planned.levels.clone(),
            direction: planned.direction,
            step: planned.step.0.clone(),
            training: training_of(plan, execution, &planned.step),
            outcome: outcome_of(execution, &planned.step),
        })
        .collect();
    Results {
        format_version: FORMAT_VERSION,
        study: plan.title.clone(),
        factors: plan.factors.clone(),
        measurements,
    }
}

/// What a step found, or why it found nothing.
fn outcome_of(execution: &Execution, id: &StepId) -> Outcome {
    match (execution.outcomes.get(id), execution.failures.get(id)) {
        (Some(outcome), _) => outcome.clone(),
        (None, Some(failure)) => Outcome::Failed(FailedOutcome {
            reason: failure.reason.clone(),
            what: format!("{}: {}", failure.what, failure.message),
        }),
        (None, None) => unreachable!("a planned test is made or has failed"),
    }
}

/// The training whose weights a measurement is of; `None` for other weights.
fn training_of(plan: &Plan, execution: &Execution, id: &StepId) -> Option<TrainingSummary> {
    let step = plan.training_of(id)?;
    let (_, facts) = execution.trainings.iter().find(|(id, _)| *id == step.id)?;
    Some(facts.summary(&step.id.0))
}

/// The spectra of `plan` with their values from `execution`; those that could not be made are not among them.
pub fn spectra(plan: &Plan, execution: &Execution) -> Spectra {
    let made = plan
        .spectra
        .iter()
        .filter(|planned| execution.spectra.contains_key(&planned.step));
    let spectra = made.map(|planned| MeasuredSpectrum {
        name: planned.spectrum.clone(),
        record: planned.record.clone(),
        subject: planned.subject.clone(),
        seed: planned.seed,
        levels: planned.levels.clone(),
        step: planned.step.0.clone(),
        spectrum: execution.spectra[&planned.step].clone(),
    });
    Spectra {
        format_version: FORMAT_VERSION,
        spectra: spectra.collect(),
    }
}
