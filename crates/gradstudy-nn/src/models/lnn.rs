//! Linear networks: fully-connected layers without an activation, the paper's simplest deep models (its "4Layer-LNN"
//! with four hidden layers, counted as in [`super::fcn`]), and the same with batch normalisation or ReLU.

use crate::layers::Shape;
use gradstudy_base::signature::{Args, Default, Param, ParamType, Signature};

use super::fcn::Hidden;
use super::{LOGITS, ModelError, ModelKind, Network};

static SIGNATURE: Signature = Signature {
    name: "lnn",
    summary: "linear network: depth hidden layers without an activation, linear",
    params: &[
        Param {
            name: "depth",
            ty: ParamType::Integer { min: 0, max: 1000 },
            default: Default::Text("4"),
            doc: "hidden layers",
        },
        Param {
            name: "width",
            ty: ParamType::Integer { min: 1, max: 100_000 },
            default: Default::Text("70"),
            doc: "neurons in each hidden layer",
        },
        Param {
            name: "batchnorm",
            ty: ParamType::Boolean,
            default: Default::Text("false"),
            doc: "batch normalisation after each hidden layer (the paper's LNN+BatchNorm)",
        },
        Param {
            name: "relu",
            ty: ParamType::Boolean,
            default: Default::Text("false"),
            doc: "ReLU after each hidden layer (the paper's LNN+ReLU)",
        },
        LOGITS,
    ],
    version: 1,
};

/// See the module's documentation.
pub struct Lnn;

impl ModelKind for Lnn {
    fn signature(&self) -> &'static Signature {
        &SIGNATURE
    }

    fn build(&self, args: &Args, input: Shape) -> Result<Network, ModelError> {
        let hidden = Hidden {
            depth: args.integer("depth") as usize,
            width: args.integer("width") as usize,
            batch_norm: args.boolean("batchnorm"),
            activation: if args.boolean("relu") { "relu" } else { "none" },
        };
        Ok(hidden.network("LNN", input, args.integer("logits") as usize))
    }
}
