//! A small vision transformer (Dosovitskiy et al. 2021; its plain form of Beyer et al. 2022): patches, a learned
//! vector for each position, pre-norm blocks, the mean over all positions, a linear layer. No class token, no dropout.

use crate::layers::{Conv2d, GlobalAvgPool, Linear, Positions, Shape};
use gradstudy_base::signature::{Args, Default, Param, ParamType, Signature};

use super::transformer::{Blocks, DEPTH, DIM, HEADS};
use super::{Builder, LOGITS, ModelError, ModelKind, Network};

static SIGNATURE: Signature = Signature {
    name: "vit",
    summary: "vision transformer: patches, pre-norm blocks (self-attention, GELU), mean over positions, linear",
    params: &[
        Param {
            name: "patch",
            ty: ParamType::Integer { min: 1, max: 1024 },
            default: Default::Text("4"),
            doc: "side of a patch; divides the sides of the image",
        },
        DIM,
        DEPTH,
        HEADS,
        LOGITS,
    ],
    version: 1,
};

/// Standard deviation of the initial positions, as torchvision draws them.
const POSITION_SD: f64 = 0.02;

/// See the module's documentation.
pub struct Vit;

impl ModelKind for Vit {
    fn signature(&self) -> &'static Signature {
        &SIGNATURE
    }

    fn build(&self, args: &Args, input: Shape) -> Result<Network, ModelError> {
        let model = SIGNATURE.name;
        let blocks = Blocks::from_args(model, args)?;
        let patch = args.integer("patch") as usize;
        if !(input[1].is_multiple_of(patch) && input[2].is_multiple_of(patch)) {
            return Err(ModelError::Patch { model, patch, input });
        }
        let mut net = Builder::new(input);
        let patches = Conv2d {
            input,
            out_channels: blocks.dim,
            kernel: patch,
            stride: patch,
            ..Conv2d::default()
        };
        net.push("patch_embed", patches);
        let positions = Positions {
            input: net.shape(),
            sd: POSITION_SD,
        };
        net.push("pos_embed", positions);
        blocks.push(&mut net, false);
        net.push("pool", GlobalAvgPool { input: net.shape() });
        let (input, outputs) = (net.shape(), args.integer("logits") as usize);
        net.push("head", Linear { input, outputs });
        Ok(net.build("ViT"))
    }
}
