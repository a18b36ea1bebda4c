//! What can go wrong while a study is planned.

use miette::Diagnostic;
use thiserror::Error;

use crate::data::DataError;
use crate::gradients::own::OwnError;
use crate::hessian::HessianError;
use crate::models::ModelError;
use crate::models::select::NoSuchLayer;
use crate::spectra::SpectrumError;

/// Why a checked study cannot be planned on this machine.
#[derive(Debug, Error, Diagnostic)]
pub enum PlanError {
    #[error(transparent)]
    #[diagnostic(transparent)]
    Data(#[from] DataError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Model(#[from] ModelError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Hessian(#[from] HessianError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Spectrum(#[from] SpectrumError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Own(#[from] OwnError),
    #[error("test `{test}` compares a network of {of} parameters with one of {other}")]
    #[diagnostic(
        code(gradstudy::plan::networks),
        help("compare two histories of one network, such as before and after a training")
    )]
    Networks { test: String, of: u64, other: u64 },
    #[error(transparent)]
    #[diagnostic(transparent)]
    Layers(#[from] NoSuchLayer),
    #[error("cannot read the weights `{path}`: {reason}")]
    #[diagnostic(
        code(gradstudy::plan::weights),
        help("check the path; it is relative to the folder of the study")
    )]
    Weights { path: String, reason: std::io::Error },
    #[error("`{model}` has {logits} logits, {dataset} has {classes} classes")]
    #[diagnostic(code(gradstudy::plan::logits), help("set `logits: {classes}`"))]
    Logits {
        model: String,
        logits: usize,
        dataset: String,
        classes: usize,
    },
}
