//! Why a spectrum cannot be computed.

use std::path::PathBuf;

use miette::Diagnostic;
use thiserror::Error;

use crate::gradients::failure::EngineError;

/// Found before the first product, except for [`HessianError::NotFinite`], [`HessianError::Engine`] and
/// [`HessianError::State`].
#[derive(Debug, Error, Diagnostic)]
pub enum HessianError {
    #[error("no {matrix} of {model}: its layer `{layer}` ({kind}) has no rule for second derivatives")]
    #[diagnostic(
        code(gradstudy::hessian::unsupported_layer),
        help("use another model, or the covariance of its gradients (`covariance` of a record)")
    )]
    UnsupportedLayer {
        model: &'static str,
        layer: String,
        kind: &'static str,
        matrix: &'static str,
    },
    #[error("{samples} samples are no whole number of minibatches of {size}")]
    #[diagnostic(
        code(gradstudy::hessian::minibatches),
        help(
            "batch normalisation goes by minibatches of two samples or more: let `samples` be a multiple of \
             `batch_norm: batch(size)`, or take `batch_norm: running`"
        )
    )]
    Minibatches { samples: u64, size: u64 },
    #[error("{top} eigenvalues of a matrix with {parameters} rows")]
    #[diagnostic(
        code(gradstudy::hessian::top),
        help("ask for at least 1 and at most {parameters}, the number of parameters")
    )]
    Top { top: usize, parameters: usize },
    #[error("parameter {index} (`{parameter}`) is {value}")]
    #[diagnostic(
        code(gradstudy::hessian::weights_not_finite),
        help(
            "the training diverged or the weights are damaged: lower its learning rate, or take other weights"
        )
    )]
    WeightsNotFinite {
        index: usize,
        parameter: String,
        value: f32,
    },
    #[error("θ has {found} numbers, {model} has {expected} (parameters, and running statistics behind them)")]
    #[diagnostic(
        code(gradstudy::hessian::weights_length),
        help("the weights belong to another model")
    )]
    WeightsLength {
        model: &'static str,
        found: usize,
        expected: usize,
    },
    #[error("no samples")]
    #[diagnostic(code(gradstudy::hessian::no_samples), help("ask for at least one sample"))]
    NoSamples,
    #[error("sample {sample} of a data set of {examples}")]
    #[diagnostic(code(gradstudy::hessian::sample), help("ask for at most {examples} samples"))]
    Sample { sample: u32, examples: usize },
    #[error("`{data}` does not suit {model}: {reason}")]
    #[diagnostic(
        code(gradstudy::hessian::data),
        help("build the model for this data set: its input shape, and a logit for each class")
    )]
    Data {
        data: String,
        model: &'static str,
        reason: String,
    },
    #[error("a product with the {matrix} is not finite")]
    #[diagnostic(
        code(gradstudy::hessian::not_finite),
        help(
            "an activation or a logit overflows float32 at these weights, or an input is not finite: look at the weights' and the inputs' size"
        )
    )]
    NotFinite { matrix: &'static str },
    #[error(transparent)]
    #[diagnostic(transparent)]
    Engine(#[from] EngineError),
    #[error("the tolerance is {tolerance}")]
    #[diagnostic(
        code(gradstudy::hessian::tolerance),
        help("give a number above 0 and below 1, such as 1e-4")
    )]
    Tolerance { tolerance: f64 },
    #[error("{top} eigenvalues need {} MB for a basis of {columns} vectors, {} MB are given", bytes / 1_000_000, limit / 1_000_000)]
    #[diagnostic(
        code(gradstudy::hessian::memory),
        help("give more memory, or ask for fewer eigenvalues")
    )]
    Memory {
        top: usize,
        columns: usize,
        bytes: usize,
        limit: usize,
    },
    #[error("cannot keep the state of the eigenvalue computation in `{}`: {reason}", path.display())]
    #[diagnostic(
        code(gradstudy::hessian::state),
        help("make room on that disk, or name another place with `--cache-dir`")
    )]
    State { path: PathBuf, reason: std::io::Error },
}
