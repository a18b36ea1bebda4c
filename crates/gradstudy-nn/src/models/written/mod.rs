//! Networks that a study writes out, layer by layer: `network([conv1: conv2d(6, kernel: 5), relu, …])`.
//!
//! The checked study holds a tree of calls ([`gradstudy_base::signature::ParamType::Layers`]); [`walk`] makes layers of
//! it, shapes following from the data. Labels are PyTorch's module names.

mod structure;
mod walk;

use gradstudy_base::signature::{Args, Default, Param, ParamType, Signature};

use crate::layers::Shape;

use super::{ModelError, ModelKind, Network};

pub use structure::entries;
pub use walk::{Fault, Stage};

/// How such a network is called where no statement gives it a name.
const NAME: &str = "Network";

static SIGNATURE: Signature = Signature {
    name: "network",
    summary: "a network of one's own: layers one after the other, their shapes inferred from the data",
    params: &[Param {
        name: "layers",
        ty: ParamType::Layers(entries),
        default: Default::Required,
        doc: "the layers in order; labels are PyTorch's module names, those of lists within joined by dots, and a layer \
              without a label is called by its position, as in `nn.Sequential`",
    }],
    version: 1,
};

/// See the module's documentation.
pub struct WrittenNetwork;

impl ModelKind for WrittenNetwork {
    fn signature(&self) -> &'static Signature {
        &SIGNATURE
    }

    fn build(&self, args: &Args, input: Shape) -> Result<Network, ModelError> {
        Ok(walk::walk(args.call("layers"), input)?.network)
    }
}

/// Whether a model of this name is written out in the study.
pub fn is_written(model: &str) -> bool {
    model == SIGNATURE.name
}

/// What there is after each entry of a network's lists, for data of this shape. Errors: as [`ModelKind::build`].
pub fn stages(args: &Args, input: Shape) -> Result<Vec<Stage>, Fault> {
    Ok(walk::walk(args.call("layers"), input)?.stages)
}

/// What is wrong with a network whatever the data are.
pub fn structural_fault(args: &Args) -> Option<Fault> {
    structure::check(args.call("layers")).err()
}
