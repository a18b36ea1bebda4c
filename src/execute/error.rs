//! What can go wrong while a plan runs.

use miette::Diagnostic;
use thiserror::Error;

use super::facts::Failure;
use crate::data::DataError;
use crate::gradients::failure::EngineError;
use crate::gradients::history::HistoryError;
use crate::gradients::own::OwnError;
use crate::hessian::HessianError;
use crate::models::ModelError;
use crate::models::select::NoSuchLayer;
use crate::models::weights::WeightsError;
use crate::plan::StepId;
use crate::spectra::SpectrumError;
use crate::store::StoreError;
use crate::training::TrainingError;

/// A cause, before it is known which step it stopped.
#[derive(Debug, Error, Diagnostic)]
pub enum Cause {
    #[error(transparent)]
    #[diagnostic(transparent)]
    Data(#[from] DataError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Model(#[from] ModelError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Layers(#[from] NoSuchLayer),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Weights(#[from] WeightsError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Training(#[from] TrainingError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    History(#[from] HistoryError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Own(#[from] OwnError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Spectrum(#[from] SpectrumError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Hessian(#[from] HessianError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Store(#[from] StoreError),
    #[error("stopped on request")]
    #[diagnostic(
        code(gradstudy::run::interrupted),
        help("run the same command again: it goes on from the last finished chunk or epoch")
    )]
    Interrupted,
}

/// Why a run stopped, and at which step.
#[derive(Debug, Error, Diagnostic)]
#[error("{cause} (in step {id}: {verb} {label})")]
#[diagnostic(forward(cause))]
pub struct ExecuteError {
    pub cause: Box<Cause>,
    pub step: StepId,
    /// Enough of the step's id to tell it by eye.
    pub id: String,
    pub verb: &'static str,
    pub label: String,
}

impl ExecuteError {
    /// Whether other steps can still be made: not if the run was stopped, or nothing can be written, G included.
    pub fn spares_others(&self) -> bool {
        !matches!(
            *self.cause,
            Cause::Interrupted | Cause::Store(_) | Cause::History(_)
        )
    }

    /// What a table says in place of results.
    pub fn failure(&self) -> Failure {
        let reason = match &*self.cause {
            Cause::Training(TrainingError::Diverged { epoch, .. }) => format!("diverged at epoch {epoch}"),
            _ => "failed".to_string(),
        };
        Failure {
            step: self.step.clone(),
            what: format!("{} {}", self.verb, self.label),
            reason,
            message: self.cause.to_string(),
        }
    }

    /// Whether the run was stopped from outside rather than by a failure.
    pub fn is_interrupt(&self) -> bool {
        matches!(*self.cause, Cause::Interrupted)
    }
}
