//! Networks that a study can name: one file each, listed in [`MODELS`].

pub mod block;
mod fcn;
mod lenet;
mod lnn;
pub mod loss;
pub mod network;
pub mod parts;
mod pass;
mod resnet18;
pub mod select;
mod state_dict;
pub mod weights;

use miette::Diagnostic;
use thiserror::Error;

pub use network::{Builder, Network};
pub use pass::Workspace;

use crate::layers::Shape;
use crate::signature::{Args, Default, Param, ParamType, Signature};

/// A model that studies can name.
pub trait ModelKind: Sync {
    /// Name and settings.
    fn signature(&self) -> &'static Signature;

    /// The network for samples of shape `input`.
    fn build(&self, args: &Args, input: Shape) -> Result<Network, ModelError>;
}

/// Every model, in alphabetical order.
pub static MODELS: &[&dyn ModelKind] = &[&fcn::Fcn, &lenet::LeNet, &lnn::Lnn, &resnet18::ResNet18];

/// The model called `name`.
pub fn find(name: &str) -> Option<&'static dyn ModelKind> {
    MODELS
        .iter()
        .copied()
        .find(|model| model.signature().name == name)
}

/// The setting that every model has.
const LOGITS: Param = Param {
    name: "logits",
    ty: ParamType::Integer { min: 2, max: 100_000 },
    default: Default::Text("10"),
    doc: "outputs of the last layer; at least the number of classes",
};

/// A whole number among `args`, or `otherwise` where a caller that is no study left it out.
fn setting(args: &Args, name: &str, otherwise: usize) -> usize {
    args.get(name).map_or(otherwise, |_| args.integer(name) as usize)
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
    #[error("`{model}` normalises by the statistics of each minibatch: a single sample has none")]
    #[diagnostic(
        code(gradstudy::model::single_sample),
        help("take minibatches of two samples or more, or a model without batch normalisation")
    )]
    SingleSample { model: &'static str },
}
