//! Networks that a study can name: one file each, listed in [`MODELS`].

mod lenet;
pub mod loss;
pub mod network;
pub mod weights;

use miette::Diagnostic;
use thiserror::Error;

pub use network::{Network, Workspace};

use crate::layers::Shape;
use crate::signature::{Args, Signature};

/// A model that studies can name.
pub trait ModelKind: Sync {
    /// Name and settings.
    fn signature(&self) -> &'static Signature;

    /// The network for samples of shape `input`.
    fn build(&self, args: &Args, input: Shape) -> Result<Network, ModelError>;
}

/// Every model, in alphabetical order.
pub static MODELS: &[&dyn ModelKind] = &[&lenet::LeNet];

/// The model called `name`.
pub fn find(name: &str) -> Option<&'static dyn ModelKind> {
    MODELS
        .iter()
        .copied()
        .find(|model| model.signature().name == name)
}

/// Why a network cannot be made.
#[derive(Debug, Error, Diagnostic)]
pub enum ModelError {
    #[error("`{model}` needs images of at least {least}×{least}, these are {}×{}", input[1], input[2])]
    #[diagnostic(
        code(gradstudy::model::input_too_small),
        help("use a data set of larger images, or another model")
    )]
    InputTooSmall {
        model: &'static str,
        input: Shape,
        least: usize,
    },
}
