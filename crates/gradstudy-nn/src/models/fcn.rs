//! Fully-connected networks: `depth` hidden layers of `width`, each linear, normalised and activated, then a linear
//! layer to the logits. A depth counts hidden layers, as the paper's "two-layer FCN which has 70 neurons for each
//! hidden layer" does: its "1Layer-FCN" has one hidden layer, and depth 0 is a single linear layer.

use crate::layers::{BatchNorm, Linear, Relu, Shape, Tanh};
use gradstudy_base::signature::{Args, Default, Param, ParamType, Signature};

use super::{Builder, LOGITS, ModelError, ModelKind, Network};

static SIGNATURE: Signature = Signature {
    name: "fcn",
    summary: "fully-connected network: depth × (linear, batch normalisation, activation), linear",
    params: &[
        Param {
            name: "depth",
            ty: ParamType::Integer { min: 0, max: 1000 },
            default: Default::Text("2"),
            doc: "hidden layers; 0 for a single linear layer",
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
            default: Default::Text("true"),
            doc: "batch normalisation between each hidden layer and its activation",
        },
        Param {
            name: "activation",
            ty: ParamType::Word(&["relu", "tanh", "none"]),
            default: Default::Text("relu"),
            doc: "what follows each hidden layer",
        },
        LOGITS,
    ],
    version: 1,
};

/// See the module's documentation.
pub struct Fcn;

impl ModelKind for Fcn {
    fn signature(&self) -> &'static Signature {
        &SIGNATURE
    }

    fn build(&self, args: &Args, input: Shape) -> Result<Network, ModelError> {
        let hidden = Hidden {
            depth: args.integer("depth") as usize,
            width: args.integer("width") as usize,
            batch_norm: args.boolean("batchnorm"),
            activation: args.text("activation"),
        };
        Ok(hidden.network("FCN", input, args.integer("logits") as usize))
    }
}

/// The hidden layers of a fully-connected network.
pub(super) struct Hidden<'a> {
    pub depth: usize,
    pub width: usize,
    pub batch_norm: bool,
    /// `relu`, `tanh` or `none`.
    pub activation: &'a str,
}

impl Hidden<'_> {
    /// Layers `fc1`, `bn1`, `relu1` …, and one linear layer more.
    pub(super) fn network(&self, name: &'static str, input: Shape, logits: usize) -> Network {
        let mut net = Builder::new(input);
        for i in 1..=self.depth {
            let (input, outputs) = (net.shape(), self.width);
            net.push(format!("fc{i}"), Linear { input, outputs });
            let shape = net.shape();
            if self.batch_norm {
                net.push(format!("bn{i}"), BatchNorm { shape });
            }
            match self.activation {
                "relu" => net.push(format!("relu{i}"), Relu { shape }),
                "tanh" => net.push(format!("tanh{i}"), Tanh { shape }),
                _ => {}
            }
        }
        let (input, outputs) = (net.shape(), logits);
        net.push(format!("fc{}", self.depth + 1), Linear { input, outputs });
        net.build(name)
    }
}
