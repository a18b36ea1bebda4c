//! A vector for each token of a sequence (`nn.Embedding`).

use burn::{Int, Tensor};
use gradstudy_base::signature::{Args, Default, Param, ParamType, Signature};

use super::kind::{Here, Misfit, Row, alone, in_words};
use super::lanes::{Lanes, Segment};
use super::{Initial, Layer, LayerKind, Parameter, Place, Products, Shape};

/// `nn.Embedding` of tokens.
pub static KIND: LayerKind = LayerKind {
    signature: &Signature {
        name: "embedding",
        summary: "a learned vector for each token of a text; the first layer of a network for `text` data",
        params: &[
            Param {
                name: "vocabulary",
                ty: ParamType::Integer { min: 2, max: 100_000 },
                default: Default::Required,
                doc: "how many tokens there are: at least the number of different characters in the text",
            },
            Param {
                name: "dim",
                ty: ParamType::Integer { min: 1, max: 65_536 },
                default: Default::Required,
                doc: "numbers of each vector",
            },
        ],
        version: 1,
    },
    place,
};

fn place(args: &Args, here: Here) -> Result<Row, Misfit> {
    let [1, 1, tokens] = here.shape else {
        let shape = in_words(here.shape);
        return Err(Misfit::new(
            format!("`embedding` takes a sequence of tokens, this is {shape}"),
            "use `text` data, or begin with another layer",
        ));
    };
    if !here.first {
        let problem = "`embedding` takes tokens, which only the data have";
        return Err(Misfit::new(
            problem,
            "let `embedding` be the network's first layer",
        ));
    }
    alone(Embedding {
        tokens,
        vocabulary: args.integer("vocabulary") as usize,
        dim: args.integer("dim") as usize,
    })
}

/// The input \[1, 1, tokens\] holds whole numbers below `vocabulary`; the output is \[dim, 1, tokens\].
#[derive(Debug)]
pub struct Embedding {
    pub tokens: usize,
    pub vocabulary: usize,
    pub dim: usize,
}

impl Embedding {
    /// The token at a position of a lane. Data sets of text hold only tokens of the vocabulary: checked before.
    fn token(&self, value: f32) -> usize {
        let token = value as usize;
        assert!(
            token < self.vocabulary,
            "token {value} of a vocabulary of {}",
            self.vocabulary
        );
        token
    }
}

impl Layer for Embedding {
    fn kind(&self) -> &'static str {
        "Embedding"
    }

    fn output(&self) -> Shape {
        [self.dim, 1, self.tokens]
    }

    fn parameters(&self) -> Vec<Parameter> {
        vec![Parameter {
            name: "weight",
            dims: vec![self.vocabulary, self.dim],
            initial: Initial::Normal(1.0),
        }]
    }

    fn flops(&self) -> u64 {
        0
    }

    fn forward(&self, theta: &[f32], input: &[Lanes], output: &mut [Lanes], _scratch: &mut [Lanes]) {
        for (position, tokens) in input.iter().enumerate() {
            for (lane, token) in tokens.0.iter().enumerate() {
                let vector = &theta[self.token(*token) * self.dim..][..self.dim];
                let channels = output[position..].iter_mut().step_by(self.tokens);
                channels.zip(vector).for_each(|(y, w)| y.0[lane] = *w);
            }
        }
    }

    /// Tokens have no gradient.
    fn backward(
        &self,
        _theta: &[f32],
        _input: &[Lanes],
        _output: &[Lanes],
        _grad_output: &[Lanes],
        grad_input: &mut [Lanes],
        _scratch: &mut [Lanes],
    ) {
        grad_input.fill(Lanes::default());
    }

    fn gradient(
        &self,
        _theta: &[f32],
        input: &[Lanes],
        grad_output: &[Lanes],
        _scratch: &mut [Lanes],
        segments: &[Segment],
        columns: &mut [f32],
        place: Place,
    ) {
        for segment in segments {
            let weights = self.vocabulary * self.dim;
            let column = &mut columns[segment.column * place.stride + place.offset..][..weights];
            if segment.first {
                column.fill(0.0);
            }
            for lane in segment.lanes.clone() {
                for (position, tokens) in input.iter().enumerate() {
                    let vector = &mut column[self.token(tokens.0[lane]) * self.dim..][..self.dim];
                    let channels = grad_output[position..].iter().step_by(self.tokens);
                    vector.iter_mut().zip(channels).for_each(|(w, d)| *w += d.0[lane]);
                }
            }
        }
    }

    fn tensor_forward(&self, theta: Tensor<1>, input: Tensor<4>, _products: Products) -> Tensor<4> {
        let samples = input.dims()[0];
        let tokens = input.reshape([samples * self.tokens]).int();
        let weight = theta.reshape([self.vocabulary, self.dim]);
        let vectors = weight.select(0, tokens);
        vectors
            .reshape([samples, self.tokens, self.dim])
            .swap_dims(1, 2)
            .reshape([samples, self.dim, 1, self.tokens])
    }

    fn tensor_gradient(
        &self,
        input: Tensor<4>,
        grad_output: Tensor<4>,
        minibatches: usize,
        products: Products,
    ) -> Option<Tensor<2>> {
        let samples = input.dims()[0];
        let places = samples / minibatches * self.tokens;
        let device = input.device();
        let all =
            Tensor::<1, Int>::arange(0..self.vocabulary as i64, &device).reshape([1, self.vocabulary, 1]);
        // One row for each word, one column for each place where it may stand.
        let tokens = input.reshape([minibatches, 1, places]).int();
        let stands = tokens
            .expand([minibatches, self.vocabulary, places])
            .equal(all.expand([minibatches, self.vocabulary, places]))
            .float();
        let delta = grad_output
            .reshape([samples, self.dim, self.tokens])
            .swap_dims(1, 2)
            .reshape([minibatches, places, self.dim]);
        let weight = products.of(stands, delta);
        Some(weight.reshape([minibatches, self.vocabulary * self.dim]))
    }
}
