//! Networks that a study can name: one file each, listed in [`MODELS`].

pub mod block;
mod choose;
mod fcn;
mod gpt;
mod lenet;
mod lnn;
pub mod loss;
pub mod network;
mod own_tensors;
pub mod parts;
mod pass;
mod resnet18;
pub mod score;
pub mod select;
mod state_dict;
mod transformer;
mod vit;
pub mod weights;
mod weights_error;
pub mod written;

use miette::Diagnostic;
use thiserror::Error;

pub use network::{Builder, Network};
pub use pass::Workspace;

use crate::layers::Shape;
use gradstudy_base::signature::{Args, Default, Param, ParamType, Signature};
use gradstudy_data::Outline;

/// A model that studies can name.
pub trait ModelKind: Sync {
    /// Name and settings.
    fn signature(&self) -> &'static Signature;

    /// The network for samples of shape `input`.
    fn build(&self, args: &Args, input: Shape) -> Result<Network, ModelError>;
}

/// Every model, in alphabetical order of their files.
pub static MODELS: &[&dyn ModelKind] = &[
    &fcn::Fcn,
    &gpt::Gpt,
    &lenet::LeNet,
    &lnn::Lnn,
    &written::WrittenNetwork,
    &resnet18::ResNet18,
    &vit::Vit,
];

/// The model called `name`.
pub fn find(name: &str) -> Option<&'static dyn ModelKind> {
    MODELS
        .iter()
        .copied()
        .find(|model| model.signature().name == name)
}

/// The network of `kind` for data of this outline. Errors: as [`ModelKind::build`], and predictions for each example
/// where the data have labels for each position, or the other way round.
pub fn build(kind: &dyn ModelKind, args: &Args, data: &Outline) -> Result<Network, ModelError> {
    let network = kind.build(args, data.shape)?;
    let model = kind.signature().name;
    match (network.positions, data.positions) {
        (found, expected) if found == expected => Ok(network),
        (1, _) => Err(ModelError::NotASequence { model }),
        _ => Err(ModelError::Sequence { model }),
    }
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
    #[error(transparent)]
    #[diagnostic(code(gradstudy::model::network), help("{}", .0.help))]
    Network(#[from] written::Fault),
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
    #[error("`{model}` predicts a token at each position, these data have one label for each example")]
    #[diagnostic(
        code(gradstudy::model::sequence),
        help("use `text` data, or a model that classifies such as `vit`")
    )]
    Sequence { model: &'static str },
    #[error("`{model}` predicts one label for each example, these data have one at each position")]
    #[diagnostic(
        code(gradstudy::model::not_a_sequence),
        help("use `gpt` for text, or another data set")
    )]
    NotASequence { model: &'static str },
    #[error("`{model}` cuts images into patches of {patch}×{patch}, these are {}×{}", input[1], input[2])]
    #[diagnostic(
        code(gradstudy::model::patch),
        help("set `patch` to a divisor of both sides of the images")
    )]
    Patch {
        model: &'static str,
        patch: usize,
        input: Shape,
    },
    #[error("`{model}` cannot divide {dim} channels among {heads} heads")]
    #[diagnostic(code(gradstudy::model::heads), help("make `dim` a multiple of `heads`"))]
    Heads {
        model: &'static str,
        dim: usize,
        heads: usize,
    },
    #[error("`{model}` has a context of {context}, the windows of these data have {found} tokens")]
    #[diagnostic(
        code(gradstudy::model::context),
        help("give model and data the same `context`, or leave the model's out")
    )]
    Context {
        model: &'static str,
        context: usize,
        found: usize,
    },
    #[error("`{model}` normalises by the statistics of each minibatch: a single sample has none")]
    #[diagnostic(
        code(gradstudy::model::single_sample),
        help("take minibatches of two samples or more, or a model without batch normalisation")
    )]
    SingleSample { model: &'static str },
}
