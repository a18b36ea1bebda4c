//! Curvature-vector products of samples that belong together (Pearlmutter, *Fast exact multiplication by the
//! Hessian*, Neural Computation 6, 1994): every quantity of the forward and backward pass and its derivative along a
//! direction v in θ, the *tangent*.
//!
//! A layer that is linear in its parameters and in its input, y = A(θ) x + b, has tangents A(θ) ẋ + A(v) x + b_v
//! forwards, A(θ)ᵀ δ̇ + A(v)ᵀ δ backwards and x δ̇ + ẋ δ for its gradient: the layer's own kernels, twice each.
//! What else there is says so by [`SecondOrder`].

use std::ops::Range;

use crate::layers::lanes::{LANES, Lanes};
use crate::layers::second_order::SecondOrder;
use crate::layers::{Place, size};
use crate::models::Network;
use crate::models::network::Flow;

use super::group::{Group, add, pass_back};
use super::normalisation::Statistics;
use super::{Curvature, HessianError};

/// A network at θ, ready for products.
#[derive(Debug)]
pub struct Pass<'a> {
    pub network: &'a Network,
    /// θ and the running statistics behind it.
    pub values: &'a [f32],
    pub kind: Curvature,
    pub statistics: Statistics,
    pub(super) flow: Flow,
    /// θ with every bias zero: the linear part of each layer.
    pub(super) linear: Vec<f32>,
    /// Where each layer's biases lie in θ.
    biases: Vec<Vec<Range<usize>>>,
}

impl<'a> Pass<'a> {
    /// Fails where a layer has no second-order rule.
    pub fn new(network: &'a Network, values: &'a [f32], kind: Curvature) -> Result<Self, HessianError> {
        supports(network, kind)?;
        let mut linear = values[..network.parameter_count()].to_vec();
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
        Ok(Pass {
            network,
            values,
            kind,
            statistics: Statistics::Running,
            flow: network.flow(),
            linear,
            biases,
        })
    }

    /// Buffers for one group.
    pub fn group(&self) -> Group {
        Group::new(self.network)
    }

    /// Bytes of a group's buffers.
    pub fn group_bytes(&self) -> usize {
        let layers = self.network.layers.iter();
        let activations: usize = layers.map(|placed| size(placed.layer.output())).sum();
        4 * size_of::<Lanes>() * (size(self.network.input) + activations)
    }

    /// The ordinary forward pass of the images in `groups` and, for the Hessian, the backward pass. With statistics
    /// of minibatches the groups are one minibatch, else each is for itself.
    pub fn load(&self, groups: &mut [Group], labels: &[u32]) {
        for (group, labels) in groups.iter_mut().zip(labels.chunks(LANES)) {
            group.begin(labels.len());
        }
        let layers = &self.network.layers;
        for (i, placed) in layers.iter().enumerate() {
            match placed.layer.second_order() {
                SecondOrder::Normalisation(norm) => self.normalise(norm, i, groups),
                _ => {
                    let theta = &self.values[placed.range.clone()];
                    for group in groups.iter_mut() {
                        let (before, after) = group.inputs.split_at_mut(i + 1);
                        let input = &before[placed.from];
                        placed
                            .layer
                            .forward(theta, input, &mut after[0], &mut group.scratch);
                    }
                }
            }
            if let Some(plus) = placed.plus {
                for group in groups.iter_mut() {
                    let (before, after) = group.inputs.split_at_mut(i + 1);
                    add(&mut after[0], &before[plus]);
                }
            }
        }
        let depth = layers.len();
        for (group, labels) in groups.iter_mut().zip(labels.chunks(LANES)) {
            group.softmax.load(&group.inputs[depth], labels);
        }
        if self.kind != Curvature::Hessian {
            return;
        }
        for group in groups.iter_mut() {
            group.softmax.delta(&mut group.deltas[depth]);
        }
        for (i, placed) in layers.iter().enumerate().rev() {
            if !self.flow.depends[i + 1] {
                continue;
            }
            if let SecondOrder::Normalisation(norm) = placed.layer.second_order() {
                self.normalise_backward(norm, i, groups);
                continue;
            }
            let theta = &self.values[placed.range.clone()];
            for group in groups.iter_mut() {
                let (inputs, scratch) = (&group.inputs, &mut group.scratch);
                let (input, output) = (&inputs[placed.from], &inputs[i + 1]);
                let (deltas, spare) = (&mut group.deltas, &mut group.spare);
                pass_back(&self.flow, placed, i, deltas, spare, |delta, out| {
                    placed.layer.backward(theta, input, output, delta, out, scratch);
                });
            }
        }
    }

    /// Adds the sum over the loaded samples of their curvature matrices times `direction` (n numbers) to `product`.
    pub fn product(&self, groups: &mut [Group], direction: &[f32], product: &mut [f32]) {
        self.forward(groups, direction);
        let depth = self.network.layers.len();
        for group in groups.iter_mut() {
            let (tangent, out) = (&group.tangents[depth], &mut group.delta_tangents[depth]);
            match self.kind {
                Curvature::Hessian | Curvature::GaussNewton => group.softmax.hessian(tangent, out),
                Curvature::EmpiricalFisher => group.softmax.fisher(tangent, out),
            }
        }
        self.backward(groups, direction, product);
    }

    fn forward(&self, groups: &mut [Group], direction: &[f32]) {
        for (i, placed) in self.network.layers.iter().enumerate() {
            // What does not depend on θ keeps its tangent of zero.
            if !self.flow.depends[i + 1] {
                continue;
            }
            let (layer, range) = (placed.layer.as_ref(), placed.range.clone());
            if let SecondOrder::Normalisation(norm) = layer.second_order() {
                self.normalise_tangent(norm, i, direction, groups);
            } else {
                for group in groups.iter_mut() {
                    let Group {
                        inputs,
                        tangents,
                        term,
                        scratch,
                        ..
                    } = group;
                    let (before, after) = tangents.split_at_mut(i + 1);
                    let (tangent, output) = (&before[placed.from], &mut after[0][..]);
                    let input = &inputs[placed.from];
                    match layer.second_order() {
                        SecondOrder::Piecewise(rule) => rule.tangent(input, &inputs[i + 1], tangent, output),
                        SecondOrder::Smooth(rule) => rule.tangent(input, &inputs[i + 1], tangent, output),
                        _ if range.is_empty() => layer.forward(&[], tangent, output, scratch),
                        _ => {
                            layer.forward(&direction[range.clone()], input, output, scratch);
                            if self.flow.depends[placed.from] {
                                let term = &mut term[..output.len()];
                                layer.forward(&self.linear[range.clone()], tangent, term, scratch);
                                add(output, term);
                            }
                        }
                    }
                }
            }
            if let Some(plus) = placed.plus.filter(|plus| self.flow.depends[*plus]) {
                for group in groups.iter_mut() {
                    let (before, after) = group.tangents.split_at_mut(i + 1);
                    add(&mut after[0], &before[plus]);
                }
            }
        }
    }

    fn backward(&self, groups: &mut [Group], direction: &[f32], product: &mut [f32]) {
        for (i, placed) in self.network.layers.iter().enumerate().rev() {
            if !self.flow.depends[i + 1] {
                continue;
            }
            match placed.layer.second_order() {
                SecondOrder::Normalisation(norm) => {
                    self.normalise_delta_tangent(norm, i, direction, groups, product);
                }
                rule => {
                    for group in groups.iter_mut() {
                        self.layer_backward(i, rule, group, direction, product);
                    }
                }
            }
        }
    }

    fn layer_backward(
        &self,
        i: usize,
        rule: SecondOrder,
        group: &mut Group,
        direction: &[f32],
        product: &mut [f32],
    ) {
        let Group {
            inputs,
            deltas,
            tangents,
            delta_tangents,
            term,
            spare,
            scratch,
            saved,
            segments,
            ..
        } = group;
        let whole = self.kind == Curvature::Hessian;
        let placed = &self.network.layers[i];
        let (layer, range) = (placed.layer.as_ref(), placed.range.clone());
        let (input, output) = (&inputs[placed.from], &inputs[i + 1]);
        let (tangent, delta) = (&tangents[placed.from], &deltas[i + 1]);
        let theta = &self.values[range.clone()];
        if !range.is_empty() {
            let place = Place {
                stride: self.network.parameter_count(),
                offset: range.start,
            };
            if whole && self.flow.depends[placed.from] {
                // `gradient` adds Σ δ to the bias, which has no part in x δ̇ + ẋ δ: it is put back.
                saved.clear();
                saved.extend(self.biases[i].iter().flat_map(|b| &product[b.clone()]));
                layer.gradient(theta, tangent, delta, scratch, segments, product, place);
                let mut saved = &saved[..];
                for bias in &self.biases[i] {
                    let (head, tail) = saved.split_at(bias.len());
                    product[bias.clone()].copy_from_slice(head);
                    saved = tail;
                }
            }
            let delta_tangent = &delta_tangents[i + 1];
            layer.gradient(theta, input, delta_tangent, scratch, segments, product, place);
        }
        let flow = &self.flow;
        pass_back(flow, placed, i, delta_tangents, spare, |delta_tangent, out| {
            layer.backward(theta, input, output, delta_tangent, out, scratch);
            if !whole {
                return;
            }
            match rule {
                SecondOrder::Smooth(rule) => rule.add_curvature(input, output, tangent, delta, out),
                _ if !range.is_empty() => {
                    let term = &mut term[..out.len()];
                    layer.backward(&direction[range], input, output, delta, term, scratch);
                    add(out, term);
                }
                _ => {}
            }
        });
    }
}

/// Whether every layer of `network` has a second-order rule; the error names the first that has none.
pub fn supports(network: &Network, kind: Curvature) -> Result<(), HessianError> {
    let unknown =
        |p: &&crate::models::network::Placed| matches!(p.layer.second_order(), SecondOrder::Unknown);
    match network.layers.iter().find(unknown) {
        None => Ok(()),
        Some(placed) => Err(HessianError::UnsupportedLayer {
            model: network.name,
            layer: placed.name.to_string(),
            kind: placed.layer.kind(),
            matrix: kind.words(),
        }),
    }
}
