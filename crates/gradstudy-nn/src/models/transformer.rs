//! What transformers share: pre-norm blocks of self-attention and a perceptron of one hidden layer, four times as wide.

use crate::layers::{Attention, Gelu, LayerNorm, TokenLinear};
use gradstudy_base::signature::{Args, Default, Param, ParamType};

use super::{Builder, ModelError};

pub(super) const DIM: Param = Param {
    name: "dim",
    ty: ParamType::Integer { min: 1, max: 65_536 },
    default: Default::Text("64"),
    doc: "channels of each position; a multiple of `heads`",
};

pub(super) const DEPTH: Param = Param {
    name: "depth",
    ty: ParamType::Integer { min: 0, max: 1000 },
    default: Default::Text("4"),
    doc: "blocks",
};

pub(super) const HEADS: Param = Param {
    name: "heads",
    ty: ParamType::Integer { min: 1, max: 1024 },
    default: Default::Text("4"),
    doc: "heads of each self-attention",
};

/// `dim`, `depth` and `heads` among the settings.
pub(super) struct Blocks {
    pub dim: usize,
    pub depth: usize,
    pub heads: usize,
}

impl Blocks {
    /// Errors: heads that do not divide the channels.
    pub fn from_args(model: &'static str, args: &Args) -> Result<Self, ModelError> {
        let of = |name| args.integer(name) as usize;
        let (dim, depth, heads) = (of("dim"), of("depth"), of("heads"));
        match dim.is_multiple_of(heads) {
            true => Ok(Blocks { dim, depth, heads }),
            false => Err(ModelError::Heads { model, dim, heads }),
        }
    }

    /// Adds the blocks and the normalisation behind them to `net`, whose last activation is \[dim, 1, positions\].
    pub fn push(&self, net: &mut Builder, causal: bool) {
        for i in 0..self.depth {
            self.block(net, &format!("blocks.{i}"), causal);
        }
        net.push("norm", LayerNorm { shape: net.shape() });
    }

    /// x + proj(attention(qkv(norm1 x))), then y + fc2(GELU(fc1(norm2 y))).
    fn block(&self, net: &mut Builder, name: &str, causal: bool) {
        let x = net.last();
        net.push(format!("{name}.norm1"), LayerNorm { shape: net.shape() });
        linear(net, &format!("{name}.attn.qkv"), 3 * self.dim);
        let attention = Attention {
            tokens: net.shape()[2],
            dim: self.dim,
            heads: self.heads,
            causal,
        };
        net.push(format!("{name}.attn"), attention);
        linear(net, &format!("{name}.attn.proj"), self.dim);
        net.plus(x);
        let y = net.last();
        net.push(format!("{name}.norm2"), LayerNorm { shape: net.shape() });
        linear(net, &format!("{name}.mlp.fc1"), 4 * self.dim);
        net.push(format!("{name}.mlp.act"), Gelu { shape: net.shape() });
        linear(net, &format!("{name}.mlp.fc2"), self.dim);
        net.plus(y);
    }
}

/// A linear layer at each position.
pub(super) fn linear(net: &mut Builder, name: &str, outputs: usize) {
    net.push(name, TokenLinear::new(net.shape(), outputs));
}
