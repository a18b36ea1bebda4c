//! A run: a plan executed and written down, one folder that holds all there is to know about it.

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
pub mod tables;

use crate::execute::Execution;
use crate::plan::Plan;
use crate::results::{FORMAT_VERSION, MeasuredSpectrum, Measurement, Results, Spectra};

pub use conventions::conventions;
pub use definitions::definitions;
pub use error::RunError;
pub use find::find;
pub use folder::{Run, open_manifest, open_results, open_samples, open_settings, open_spectra, remove};
pub use layout::Layout;
pub use manifest::Manifest;

/// The measurements of `plan` with the outcomes of `execution`. Every planned test has one.
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
            outcome: execution.outcomes[&planned.step].clone(),
        })
        .collect();
    Results {
        format_version: FORMAT_VERSION,
        study: plan.title.clone(),
        factors: plan.factors.clone(),
        measurements,
    }
}

/// The spectra of `plan` with their values from `execution`. Every planned spectrum has its values.
pub fn spectra(plan: &Plan, execution: &Execution) -> Spectra {
    let spectra = plan.spectra.iter().map(|planned| MeasuredSpectrum {
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
