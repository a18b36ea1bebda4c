//! A small decoder-only transformer over characters (Radford et al. 2019): a vector for each character and one for each
//! position, pre-norm blocks with a causal mask, a linear layer at each position that predicts the next character. No
//! dropout; the last layer has weights of its own.

use crate::layers::{Embedding, Positions, Shape};
use gradstudy_base::signature::{Args, Default, Param, ParamType, Signature};

use super::transformer::{Blocks, DEPTH, DIM, HEADS, linear};
use super::{Builder, ModelError, ModelKind, Network};

static SIGNATURE: Signature = Signature {
    name: "gpt",
    summary: "causal transformer over characters: pre-norm blocks (self-attention, GELU), a prediction at each position",
    params: &[
        Param {
            name: "context",
            ty: ParamType::Integer { min: 2, max: 1 << 20 },
            default: Default::Absent,
            doc: "characters that a prediction can see; if it is there, the data's `context` must be the same",
        },
        DIM,
        DEPTH,
        HEADS,
        Param {
            name: "logits",
            ty: ParamType::Integer { min: 2, max: 100_000 },
            default: Default::Required,
            doc: "size of the vocabulary: vectors of the embedding and outputs at each position; at least the number of \
                  different characters in the text",
        },
    ],
    version: 1,
};

/// See the module's documentation.
pub struct Gpt;

impl ModelKind for Gpt {
    fn signature(&self) -> &'static Signature {
        &SIGNATURE
    }

    fn build(&self, args: &Args, input: Shape) -> Result<Network, ModelError> {
        let model = SIGNATURE.name;
        let blocks = Blocks::from_args(model, args)?;
        let [1, 1, tokens] = input else {
            return Err(ModelError::Sequence { model });
        };
        if let Some(context) = args.get("context").map(|_| args.integer("context") as usize)
            && context != tokens
        {
            return Err(ModelError::Context {
                model,
                context,
                found: tokens,
            });
        }
        let logits = args.integer("logits") as usize;
        let mut net = Builder::new(input);
        let embedding = Embedding {
            tokens,
            vocabulary: logits,
            dim: blocks.dim,
        };
        net.push("token_embed", embedding);
        let positions = Positions {
            input: net.shape(),
            sd: 1.0,
        };
        net.push("pos_embed", positions);
        blocks.push(&mut net, true);
        linear(&mut net, "head", logits);
        Ok(net.build_sequence("GPT"))
    }
}
