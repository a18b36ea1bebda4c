//! Self-attention with several heads: softmax(QᵀK/√d) V for each head, without or with a causal mask. The layers that
//! make Q, K and V and that mix the heads are [`super::TokenLinear`]s.

use burn::{Tensor, TensorData, activation};
use gradstudy_base::signature::{Args, Default, Param, ParamType, Signature};
use pulp::Arch;

use super::attention_kernels::{Product, Reach, Softmax, SoftmaxBackward};
use super::kind::{Here, Misfit, Row, in_words};
use super::lanes::Lanes;
use super::{Layer, LayerKind, Products, Shape, TokenLinear};

/// Self-attention with the linear layers around it, as timm has it: modules `qkv` and `proj`.
pub static KIND: LayerKind = LayerKind {
    signature: &Signature {
        name: "attention",
        summary: "self-attention: `qkv`, a linear layer to queries, keys and values, softmax(QᵀK/√d) V for each head, `proj`",
        params: &[
            Param {
                name: "heads",
                ty: ParamType::Integer { min: 1, max: 1024 },
                default: Default::Required,
                doc: "heads, which share the channels: a divisor of their number",
            },
            Param {
                name: "causal",
                ty: ParamType::Boolean,
                default: Default::Text("false"),
                doc: "whether a position sees itself and those before it only",
            },
        ],
        version: 1,
    },
    place,
};

fn place(args: &Args, here: Here) -> Result<Row, Misfit> {
    let (heads, [dim, height, tokens]) = (args.integer("heads") as usize, here.shape);
    if height != 1 {
        let problem = format!(
            "`attention` takes a sequence, this is an image of {}",
            in_words(here.shape)
        );
        return Err(Misfit::new(
            problem,
            "put `positions` before it, which makes a sequence of an image",
        ));
    }
    if !dim.is_multiple_of(heads) {
        let problem = format!("`attention` cannot divide {dim} channels among {heads} heads");
        return Err(Misfit::new(
            problem,
            "let `heads` be a divisor of the number of channels",
        ));
    }
    let attention = Attention {
        tokens,
        dim,
        heads,
        causal: args.boolean("causal"),
    };
    let qkv = TokenLinear::new(here.shape, 3 * dim);
    let proj = TokenLinear::new(here.shape, dim);
    Ok(vec![
        ("qkv", Box::new(qkv)),
        ("", Box::new(attention)),
        ("proj", Box::new(proj)),
    ])
}

/// The input \[3·dim, 1, tokens\] holds Q, K and V, each with its heads one after the other; the output is
/// \[dim, 1, tokens\]. PyTorch's `scaled_dot_product_attention`.
#[derive(Debug)]
pub struct Attention {
    pub tokens: usize,
    pub dim: usize,
    /// A divisor of `dim`.
    pub heads: usize,
    /// Whether a token sees itself and the tokens before it only.
    pub causal: bool,
}

impl Attention {
    /// Channels of a head, d.
    fn width(&self) -> usize {
        self.dim / self.heads
    }

    fn scale(&self) -> f32 {
        1.0 / (self.width() as f32).sqrt()
    }

    /// Numbers of one head's Q, K, V or output.
    fn head(&self) -> usize {
        self.width() * self.tokens
    }

    /// Q, K and V of head `h`.
    fn heads<'a>(&self, input: &'a [Lanes], h: usize) -> [&'a [Lanes]; 3] {
        [0, 1, 2].map(|part| &input[part * self.dim * self.tokens + h * self.head()..][..self.head()])
    }

    fn reach(&self, causal: Reach) -> Reach {
        if self.causal { causal } else { Reach::All }
    }

    /// Σ over channels of `a` at token i times `b` at token j, into `out` \[i, j\].
    fn across<'a>(&self, a: &'a [Lanes], b: &'a [Lanes], scale: f32, out: &'a mut [Lanes]) -> Product<'a> {
        let t = self.tokens;
        Product {
            a,
            a_steps: [1, t],
            b,
            b_steps: [t, 1],
            out,
            out_columns: t,
            shape: [t, t, self.width()],
            scale,
            reach: self.reach(Reach::Lower),
        }
    }

    /// Σⱼ `values` at token j times `pairs` \[i, j\], at token i of `out`.
    fn collect<'a>(&self, values: &'a [Lanes], pairs: &'a [Lanes], out: &'a mut [Lanes]) -> Product<'a> {
        let t = self.tokens;
        Product {
            a: values,
            a_steps: [t, 1],
            b: pairs,
            b_steps: [1, t],
            out,
            out_columns: t,
            shape: [self.width(), t, t],
            scale: 1.0,
            reach: self.reach(Reach::Until),
        }
    }

    /// Σᵢ `values` at token i times `pairs` \[i, j\], at token j of `out`.
    fn spread<'a>(&self, values: &'a [Lanes], pairs: &'a [Lanes], out: &'a mut [Lanes]) -> Product<'a> {
        let t = self.tokens;
        Product {
            b_steps: [t, 1],
            reach: self.reach(Reach::From),
            ..self.collect(values, pairs, out)
        }
    }

    /// `weights` \[i, j\] ← how much token i takes of token j.
    fn weights(&self, arch: Arch, q: &[Lanes], k: &[Lanes], weights: &mut [Lanes]) {
        arch.dispatch(self.across(q, k, self.scale(), &mut *weights));
        arch.dispatch(Softmax {
            tokens: self.tokens,
            causal: self.causal,
            scores: weights,
        });
    }
}

impl Layer for Attention {
    fn kind(&self) -> &'static str {
        "attention"
    }

    fn output(&self) -> Shape {
        [self.dim, 1, self.tokens]
    }

    fn flops(&self) -> u64 {
        // Two products, and about thirty operations for each exponential.
        let pairs = (self.tokens * self.tokens) as u64;
        pairs * (4 * self.dim + 30 * self.heads) as u64
    }

    fn scratch(&self) -> usize {
        2 * self.tokens * self.tokens
    }

    fn forward(&self, _theta: &[f32], input: &[Lanes], output: &mut [Lanes], scratch: &mut [Lanes]) {
        let arch = Arch::new();
        let weights = &mut scratch[..self.tokens * self.tokens];
        for (h, output) in output.chunks_exact_mut(self.head()).enumerate() {
            let [q, k, v] = self.heads(input, h);
            self.weights(arch, q, k, weights);
            arch.dispatch(self.collect(v, weights, output));
        }
    }

    /// The weights are computed anew: they take less time than their memory would.
    fn backward(
        &self,
        _theta: &[f32],
        input: &[Lanes],
        _output: &[Lanes],
        grad_output: &[Lanes],
        grad_input: &mut [Lanes],
        scratch: &mut [Lanes],
    ) {
        let arch = Arch::new();
        let (weights, slopes) = scratch[..self.scratch()].split_at_mut(self.tokens * self.tokens);
        let (grad_q, rest) = grad_input.split_at_mut(self.dim * self.tokens);
        let (grad_k, grad_v) = rest.split_at_mut(self.dim * self.tokens);
        let heads = grad_q
            .chunks_exact_mut(self.head())
            .zip(grad_k.chunks_exact_mut(self.head()))
            .zip(grad_v.chunks_exact_mut(self.head()));
        for (h, ((grad_q, grad_k), grad_v)) in heads.enumerate() {
            let [q, k, v] = self.heads(input, h);
            let delta = &grad_output[h * self.head()..][..self.head()];
            self.weights(arch, q, k, weights);
            arch.dispatch(self.spread(delta, weights, grad_v));
            arch.dispatch(self.across(delta, v, 1.0, slopes));
            arch.dispatch(SoftmaxBackward {
                tokens: self.tokens,
                causal: self.causal,
                scale: self.scale(),
                weights,
                slopes,
            });
            arch.dispatch(self.collect(k, slopes, grad_q));
            arch.dispatch(self.spread(q, slopes, grad_k));
        }
    }

    fn tensor_forward(&self, _theta: Tensor<1>, input: Tensor<4>, products: Products) -> Tensor<4> {
        let (samples, t) = (input.dims()[0], self.tokens);
        let part = |part: usize| {
            input
                .clone()
                .slice([0..samples, part * self.dim..(part + 1) * self.dim])
                .reshape([samples, self.heads, self.width(), t])
        };
        let scores = products.of(part(0).swap_dims(2, 3), part(1));
        let mut scores = scores.mul_scalar(self.scale());
        if self.causal {
            let hidden = |i: usize| if i % t > i / t { -1e30f32 } else { 0.0 };
            let mask: Vec<f32> = (0..t * t).map(hidden).collect();
            scores = scores + Tensor::from_data(TensorData::new(mask, [1, 1, t, t]), &input.device());
        }
        let weights = activation::softmax(scores, 3);
        products
            .of(part(2), weights.swap_dims(2, 3))
            .reshape([samples, self.dim, 1, t])
    }
}
