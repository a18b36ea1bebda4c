//! Curvature-vector products of one group of sixteen samples (Pearlmutter, *Fast exact multiplication by the
//! Hessian*, Neural Computation 6, 1994): every quantity of the forward and backward pass and its derivative along a
//! direction v in θ, the *tangent*.
//!
//! A layer that is linear in its parameters and in its input, y = A(θ) x + b, has tangents A(θ) ẋ + A(v) x + b_v
//! forwards, A(θ)ᵀ δ̇ + A(v)ᵀ δ backwards and x δ̇ + ẋ δ for its gradient: the layer's own kernels, twice each.

use std::ops::Range;

use crate::layers::lanes::{Lanes, Segment};
use crate::layers::second_order::SecondOrder;
use crate::layers::{Place, size};
use crate::models::Network;

use super::softmax::Softmax;
use super::{Curvature, HessianError};

/// A network at θ, ready for products.
#[derive(Debug)]
pub struct Pass<'a> {
    pub network: &'a Network,
    pub theta: &'a [f32],
    pub kind: Curvature,
    /// θ with every bias zero: the linear part of each layer.
    linear: Vec<f32>,
    /// Where each layer's biases lie in θ.
    biases: Vec<Vec<Range<usize>>>,
    /// The first layer with parameters: nothing before it depends on θ.
    first: usize,
}

/// Activations, deltas and their tangents of one group.
#[derive(Debug)]
pub struct Buffers {
    pub inputs: Vec<Vec<Lanes>>,
    deltas: Vec<Vec<Lanes>>,
    tangents: Vec<Vec<Lanes>>,
    delta_tangents: Vec<Vec<Lanes>>,
    /// The second term of a sum, as large as the largest activation.
    term: Vec<Lanes>,
    scratch: Vec<Lanes>,
    saved: Vec<f32>,
    softmax: Softmax,
    segments: Vec<Segment>,
}

fn add(sum: &mut [Lanes], term: &[Lanes]) {
    for (sum, term) in sum.iter_mut().zip(term) {
        sum.0.iter_mut().zip(term.0).for_each(|(s, t)| *s += t);
    }
}

impl<'a> Pass<'a> {
    /// Fails where a layer has no second-order rule.
    pub fn new(network: &'a Network, theta: &'a [f32], kind: Curvature) -> Result<Self, HessianError> {
        let unknown =
            |p: &&crate::models::network::Placed| matches!(p.layer.second_order(), SecondOrder::Unknown);
        if let Some(placed) = network.layers.iter().find(unknown) {
            return Err(HessianError::UnsupportedLayer {
                model: network.name,
                layer: placed.name.to_string(),
                kind: placed.layer.kind(),
                matrix: kind.words(),
            });
        }
        if !network.is_row() {
            return Err(HessianError::NotARow {
                model: network.name,
                matrix: kind.words(),
            });
        }
        let mut linear = theta.to_vec();
        let biases: Vec<Vec<_>> = network
            .layers
            .iter()
            .map(|placed| {
                let mut start = placed.range.start;
                let mut biases = Vec::new();
                for parameter in placed.layer.parameters() {
                    let range = start..start + parameter.len();
                    start = range.end;
                    if parameter.name == "bias" {
                        linear[range.clone()].fill(0.0);
                        biases.push(range);
                    }
                }
                biases
            })
            .collect();
        let first = network.layers.iter().position(|p| !p.range.is_empty());
        Ok(Pass {
            network,
            theta,
            kind,
            linear,
            biases,
            first: first.unwrap_or(network.layers.len()),
        })
    }

    /// Buffers for one group.
    pub fn buffers(&self) -> Buffers {
        let layers = &self.network.layers;
        let sizes: Vec<usize> = std::iter::once(size(self.network.input))
            .chain(layers.iter().map(|p| size(p.layer.output())))
            .collect();
        let one_each = || sizes.iter().map(|size| vec![Lanes::default(); *size]).collect();
        Buffers {
            inputs: one_each(),
            deltas: one_each(),
            tangents: one_each(),
            delta_tangents: one_each(),
            term: vec![Lanes::default(); sizes.iter().copied().max().unwrap_or(0)],
            scratch: vec![Lanes::default(); layers.iter().map(|p| p.layer.scratch()).max().unwrap_or(0)],
            saved: Vec::new(),
            softmax: Softmax::default(),
            segments: Vec::new(),
        }
    }

    /// The ordinary forward pass of the samples in `buffers.inputs[0]` and, for the Hessian, the backward pass.
    pub fn load(&self, buffers: &mut Buffers, labels: &[u32]) {
        let layers = &self.network.layers;
        for (i, placed) in layers.iter().enumerate() {
            let (before, after) = buffers.inputs.split_at_mut(i + 1);
            let theta = &self.theta[placed.range.clone()];
            placed
                .layer
                .forward(theta, &before[i], &mut after[0], &mut buffers.scratch);
        }
        let depth = layers.len();
        buffers.softmax.load(&buffers.inputs[depth], labels);
        buffers.segments = vec![Segment {
            lanes: 0..labels.len(),
            column: 0,
            first: false,
        }];
        if self.kind != Curvature::Hessian {
            return;
        }
        buffers.softmax.delta(&mut buffers.deltas[depth]);
        for (i, placed) in layers.iter().enumerate().skip(self.first + 1).rev() {
            let (before, after) = buffers.deltas.split_at_mut(i + 1);
            placed.layer.backward(
                &self.theta[placed.range.clone()],
                &buffers.inputs[i],
                &buffers.inputs[i + 1],
                &after[0],
                &mut before[i],
                &mut buffers.scratch,
            );
        }
    }

    /// Adds the sum over the loaded samples of their curvature matrices times `direction` (n numbers) to `product`.
    pub fn product(&self, buffers: &mut Buffers, direction: &[f32], product: &mut [f32]) {
        self.forward(buffers, direction);
        let depth = self.network.layers.len();
        let (tangent, out) = (&buffers.tangents[depth], &mut buffers.delta_tangents[depth]);
        match self.kind {
            Curvature::Hessian | Curvature::GaussNewton => buffers.softmax.hessian(tangent, out),
            Curvature::EmpiricalFisher => buffers.softmax.fisher(tangent, out),
        }
        self.backward(buffers, direction, product);
    }

    fn forward(&self, buffers: &mut Buffers, direction: &[f32]) {
        let Buffers {
            inputs,
            tangents,
            term,
            scratch,
            ..
        } = buffers;
        for (i, placed) in self.network.layers.iter().enumerate().skip(self.first) {
            let (layer, range) = (placed.layer.as_ref(), placed.range.clone());
            let (before, after) = tangents.split_at_mut(i + 1);
            let (input, output) = (&before[i], &mut after[0][..]);
            match layer.second_order() {
                SecondOrder::Piecewise(rule) => rule.tangent(&inputs[i], &inputs[i + 1], input, output),
                _ if range.is_empty() => layer.forward(&[], input, output, scratch),
                _ => {
                    layer.forward(&direction[range.clone()], &inputs[i], output, scratch);
                    // The input of the first layer with parameters does not depend on θ.
                    if i > self.first {
                        let term = &mut term[..output.len()];
                        layer.forward(&self.linear[range], input, term, scratch);
                        add(output, term);
                    }
                }
            }
        }
    }

    fn backward(&self, buffers: &mut Buffers, direction: &[f32], product: &mut [f32]) {
        let Buffers {
            inputs,
            deltas,
            tangents,
            delta_tangents,
            term,
            scratch,
            saved,
            segments,
            ..
        } = buffers;
        let whole = self.kind == Curvature::Hessian;
        for (i, placed) in self.network.layers.iter().enumerate().skip(self.first).rev() {
            let (layer, range) = (placed.layer.as_ref(), placed.range.clone());
            let (before, after) = delta_tangents.split_at_mut(i + 1);
            let (input, delta_tangent) = (&inputs[i], &after[0]);
            let theta = &self.theta[range.clone()];
            if !range.is_empty() {
                let place = Place {
                    stride: self.network.parameter_count(),
                    offset: range.start,
                };
                if whole && i > self.first {
                    // `gradient` adds Σ δ to the bias, which has no part in x δ̇ + ẋ δ: it is put back.
                    saved.clear();
                    saved.extend(self.biases[i].iter().flat_map(|b| &product[b.clone()]));
                    layer.gradient(
                        theta,
                        &tangents[i],
                        &deltas[i + 1],
                        scratch,
                        segments,
                        product,
                        place,
                    );
                    let mut saved = &saved[..];
                    for bias in &self.biases[i] {
                        let (head, tail) = saved.split_at(bias.len());
                        product[bias.clone()].copy_from_slice(head);
                        saved = tail;
                    }
                }
                layer.gradient(theta, input, delta_tangent, scratch, segments, product, place);
            }
            if i > self.first {
                let (output, out) = (&inputs[i + 1], &mut before[i][..]);
                layer.backward(theta, input, output, delta_tangent, out, scratch);
                if whole && !range.is_empty() {
                    let term = &mut term[..out.len()];
                    layer.backward(&direction[range], input, output, &deltas[i + 1], term, scratch);
                    add(out, term);
                }
            }
        }
    }
}
