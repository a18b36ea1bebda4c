//! Batch normalisation within curvature products: where the groups of a minibatch meet.

use crate::layers::BatchNorm;
use crate::layers::batch_norm_kernels::Pair;
use crate::layers::batch_norm_second_order::{Along, Normalised};

use super::Curvature;
use super::group::{Group, pass_back};
use super::pass::Pass;

/// Which mean and variance batch normalisation goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Statistics {
    /// Those that training has averaged: constants.
    Running,
    /// Those of each minibatch of so many consecutive samples, which depend on θ.
    Minibatches(usize),
}

impl Pass<'_> {
    fn in_minibatches(&self) -> bool {
        matches!(self.statistics, Statistics::Minibatches(_))
    }

    /// Layer `i` forward.
    pub(super) fn normalise(&self, norm: &BatchNorm, i: usize, groups: &mut [Group]) {
        let placed = &self.network.layers[i];
        if self.in_minibatches() {
            for group in groups.iter_mut() {
                let normalised = own(&mut group.norms, i);
                norm.moments(&group.inputs[placed.from], &mut normalised.statistics);
            }
            let samples = groups.iter().map(Group::samples).sum();
            let segments: Vec<_> = groups.iter().map(|group| group.segments.clone()).collect();
            let mut statistics: Vec<_> = groups
                .iter_mut()
                .map(|group| &mut own(&mut group.norms, i).statistics)
                .collect();
            norm.settle(&mut statistics, &segments, samples, None);
        } else {
            let running = norm.running(&self.network.layer_values(i, self.values));
            for group in groups.iter_mut() {
                own(&mut group.norms, i)
                    .statistics
                    .scales
                    .clone_from(&running.scales);
            }
        }
        let theta = &self.values[placed.range.clone()];
        for group in groups {
            let statistics = &own(&mut group.norms, i).statistics;
            let (before, after) = group.inputs.split_at_mut(i + 1);
            norm.normalise(theta, statistics, &before[placed.from], &mut after[0]);
        }
    }

    /// δ through layer `i`, whose means of δ and δx̂ are kept.
    pub(super) fn normalise_backward(&self, norm: &BatchNorm, i: usize, groups: &mut [Group]) {
        let placed = &self.network.layers[i];
        for group in groups.iter_mut() {
            let (input, delta) = (&group.inputs[placed.from], &group.deltas[i + 1]);
            norm.gradient_sums(input, delta, &mut own(&mut group.norms, i).statistics);
        }
        self.meet(i, groups);
        let theta = &self.values[placed.range.clone()];
        for group in groups {
            let normalised = own(&mut group.norms, i);
            normalised.gradient.clone_from(&normalised.statistics.work);
            let (input, spare) = (&group.inputs[placed.from], &mut group.spare);
            pass_back(&self.flow, placed, i, &mut group.deltas, spare, |delta, out| {
                norm.batch_backward(theta, &normalised.statistics, input, delta, out);
            });
        }
    }

    /// The tangent of layer `i` forward.
    pub(super) fn normalise_tangent(
        &self,
        norm: &BatchNorm,
        i: usize,
        direction: &[f32],
        groups: &mut [Group],
    ) {
        let placed = &self.network.layers[i];
        for group in groups.iter_mut() {
            let (input, tangent) = (&group.inputs[placed.from], &group.tangents[placed.from]);
            norm.gradient_sums(input, tangent, &mut own(&mut group.norms, i).statistics);
        }
        self.meet(i, groups);
        let range = placed.range.clone();
        let (theta, direction) = (&self.values[range.clone()], &direction[range]);
        for group in groups {
            let normalised = own(&mut group.norms, i);
            normalised.tangent.clone_from(&normalised.statistics.work);
            let (before, after) = group.tangents.split_at_mut(i + 1);
            let (input, output) = (&group.inputs[placed.from], &mut after[0]);
            let along = (&input[..], &before[placed.from][..]);
            let term = &mut group.term[..output.len()];
            norm.tangent(theta, direction, normalised, along, output, term);
        }
    }

    /// The tangent of layer `i` backward; adds the products of γ and β.
    pub(super) fn normalise_delta_tangent(
        &self,
        norm: &BatchNorm,
        i: usize,
        direction: &[f32],
        groups: &mut [Group],
        product: &mut [f32],
    ) {
        let whole = self.kind == Curvature::Hessian;
        let placed = &self.network.layers[i];
        for group in groups.iter_mut() {
            let (input, delta_tangent) = (&group.inputs[placed.from], &group.delta_tangents[i + 1]);
            let normalised = own(&mut group.norms, i);
            norm.gradient_sums(input, delta_tangent, &mut normalised.statistics);
            if whole {
                let along = Along {
                    input,
                    input_tangent: &group.tangents[placed.from],
                    grad_output: &group.deltas[i + 1],
                };
                norm.add_cross_sums(normalised, along);
            }
        }
        let (weight, bias) = product[placed.range.clone()].split_at_mut(norm.channels());
        let of_channels = weight.iter_mut().zip(bias);
        for ((weight, bias), [of_bias, of_weight]) in of_channels.zip(self.meet(i, groups)) {
            *weight += of_weight as f32;
            *bias += of_bias as f32;
        }
        let range = placed.range.clone();
        let (theta, direction) = (&self.values[range.clone()], &direction[range]);
        for group in groups {
            let normalised = own(&mut group.norms, i);
            let (gradients, spare) = (&mut group.delta_tangents, &mut group.spare);
            let along = Along {
                input: &group.inputs[placed.from],
                input_tangent: &group.tangents[placed.from],
                grad_output: &group.deltas[i + 1],
            };
            pass_back(&self.flow, placed, i, gradients, spare, |delta_tangent, out| {
                norm.batch_backward(theta, &normalised.statistics, along.input, delta_tangent, out);
                if whole {
                    norm.add_curvature(theta, direction, normalised, along, out);
                }
            });
        }
    }

    /// Adds the lanes' sums of layer `i` up in float64 and puts their means over the minibatch in their place (zeros
    /// where statistics are constants). Returns the sums.
    fn meet(&self, i: usize, groups: &mut [Group]) -> Vec<[f64; 2]> {
        let samples: usize = groups.iter().map(Group::samples).sum();
        let channels = own(&mut groups[0].norms, i).statistics.work.len();
        let positions = groups[0].inputs[i + 1].len() / channels;
        let mut sums = vec![[0.0f64; 2]; channels];
        for group in groups.iter_mut() {
            let lanes = group.samples();
            for (sum, work) in sums.iter_mut().zip(&own(&mut group.norms, i).statistics.work) {
                for (sum, work) in sum.iter_mut().zip(work) {
                    *sum += work.0[..lanes].iter().map(|w| f64::from(*w)).sum::<f64>();
                }
            }
        }
        let share = match self.in_minibatches() {
            true => 1.0 / (samples * positions) as f64,
            false => 0.0,
        };
        let means: Vec<Pair> = sums
            .iter()
            .map(|sum| sum.map(|s| all((s * share) as f32)))
            .collect();
        for group in groups {
            own(&mut group.norms, i).statistics.work.clone_from(&means);
        }
        sums
    }
}

fn all(value: f32) -> crate::layers::lanes::Lanes {
    crate::layers::lanes::Lanes([value; crate::layers::lanes::LANES])
}

fn own(norms: &mut [Option<Normalised>], i: usize) -> &mut Normalised {
    norms[i].as_mut().expect("made for every batch normalisation")
}
