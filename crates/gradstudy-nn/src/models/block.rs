//! Whole minibatches through a network whose batch normalisation goes by the statistics of each minibatch.
//!
//! The samples of a block of minibatches fill groups of sixteen lanes as anywhere else. Between two normalisations a
//! group goes through the layers on its own; at each normalisation all groups meet, the moments of their lanes become
//! those of their minibatches, and they part again. The backward pass does the same in reverse.

use std::ops::Range;

use rayon::prelude::*;

use crate::layers::batch_norm::Statistics;
use crate::layers::lanes::{LANES, Segment};
use crate::layers::{BatchNorm, Place};

use super::Network;
use super::pass::{Columns, Workspace};

/// Groups of samples that go through a network together.
#[derive(Debug)]
pub struct Block {
    groups: Vec<Group>,
}

#[derive(Debug)]
struct Group {
    workspace: Workspace,
    /// One for each layer that is a batch normalisation.
    statistics: Vec<Option<Statistics>>,
    /// The group's own part of the gradients, where groups run in parallel.
    columns: Vec<f32>,
    loss: f64,
}

/// The samples of a block: whole minibatches, one after the other.
#[derive(Debug, Clone, Copy)]
pub struct Samples<'a> {
    /// Row-major images.
    pub images: &'a [&'a [f32]],
    /// Of one sample after the other.
    pub labels: &'a [u32],
    /// Samples in a minibatch.
    pub batch: usize,
}

/// How a group that holds the block's samples `range` is divided among minibatches of `batch` samples.
pub fn segments(range: Range<usize>, batch: usize) -> Vec<Segment> {
    (range.start / batch..=(range.end - 1) / batch)
        .map(|column| {
            let start = range.start.max(column * batch);
            let end = range.end.min((column + 1) * batch);
            Segment {
                lanes: start - range.start..end - range.start,
                column,
                first: start == column * batch,
            }
        })
        .collect()
}

impl Network {
    /// Room for a block of `samples` samples.
    pub fn block(&self, samples: usize) -> Block {
        let statistics = || {
            let norms = self.layers.iter().map(|placed| placed.layer.batch_norm());
            norms.map(|norm| norm.map(BatchNorm::statistics)).collect()
        };
        let group = || Group {
            workspace: self.workspace(),
            statistics: statistics(),
            columns: Vec::new(),
            loss: 0.0,
        };
        Block {
            groups: (0..samples.div_ceil(LANES)).map(|_| group()).collect(),
        }
    }

    /// Gradients of the mean loss of each minibatch in `samples`, normalised by its own statistics, into `columns`
    /// (n numbers each). Returns the sum of the samples' losses. `running` receives the first minibatch's mean and
    /// unbiased variances in the order of the buffers.
    ///
    /// `parallel` spreads the groups over the threads, each with room for its own share of the gradients; without it
    /// this is work for one thread. The two differ in how sums are grouped.
    pub fn block_gradient(
        &self,
        values: &[f32],
        block: &mut Block,
        samples: Samples<'_>,
        columns: &mut [f32],
        mut running: Option<&mut [f32]>,
        parallel: bool,
    ) -> f64 {
        let count = samples.images.len();
        let groups = &mut block.groups[..count.div_ceil(LANES)];
        let segments: Vec<_> = (0..count)
            .step_by(LANES)
            .map(|first| segments(first..count.min(first + LANES), samples.batch))
            .collect();
        let norms: Vec<usize> = (0..self.layers.len())
            .filter(|i| self.layers[*i].layer.batch_norm().is_some())
            .collect();
        // Runs of layers between normalisations: run r is `starts[r]..ends[r]` and normalisation r follows it.
        let starts: Vec<usize> = std::iter::once(0).chain(norms.iter().map(|i| i + 1)).collect();
        let ends: Vec<usize> = norms.iter().copied().chain([self.layers.len()]).collect();

        for (run, layers) in starts
            .iter()
            .zip(&ends)
            .map(|(start, end)| *start..*end)
            .enumerate()
        {
            each(groups, parallel, |g, group| {
                match run.checked_sub(1) {
                    None => group
                        .workspace
                        .load(lanes_of(samples.images, g, 1).iter().copied()),
                    Some(before) => self.normalise(norms[before], values, group),
                }
                self.forward_layers(layers.clone(), values, &mut group.workspace);
                if let Some(i) = norms.get(run) {
                    self.measure(*i, group);
                }
            });
            if let Some(i) = norms.get(run) {
                let running = running.as_mut().map(|running| {
                    let range = &self.layers[*i].buffers;
                    &mut running[range.start - self.parameter_count()..range.end - self.parameter_count()]
                });
                let norm = self.norm(*i);
                norm.settle(&mut statistics(groups, *i), &segments, samples.batch, running);
            }
        }

        let n = self.parameter_count();
        let scale = 1.0 / samples.batch as f32;
        for (run, layers) in starts
            .iter()
            .zip(&ends)
            .map(|(start, end)| *start..*end)
            .enumerate()
            .rev()
        {
            let first = |group: &mut Group, g: usize| match norms.get(run) {
                None => {
                    let labels = lanes_of(samples.labels, g, self.positions);
                    let losses = self.loss(&mut group.workspace, labels, scale);
                    let losses = losses[..labels.len() / self.positions].iter();
                    group.loss = losses.map(|l| f64::from(*l)).sum();
                }
                Some(i) => self.normalise_backward(*i, values, group),
            };
            let last = |group: &mut Group| {
                if let Some(before) = run.checked_sub(1) {
                    self.measure_gradient(norms[before], group);
                }
            };
            if parallel {
                let range = self.parameters_of(layers.clone());
                each(groups, parallel, |g, group| {
                    first(group, g);
                    self.backward_apart(layers.clone(), values, group, &segments[g]);
                    last(group);
                });
                gather(groups, &segments, range, n, columns);
            } else {
                for (g, group) in groups.iter_mut().enumerate() {
                    first(group, g);
                    let columns = Columns {
                        values: &mut *columns,
                        stride: n,
                        origin: 0,
                    };
                    self.backward_layers(
                        layers.clone(),
                        values,
                        &mut group.workspace,
                        &segments[g],
                        columns,
                    );
                    last(group);
                }
            }
            if let Some(before) = run.checked_sub(1) {
                let i = norms[before];
                let place = Place {
                    stride: n,
                    offset: self.layers[i].range.start,
                };
                let norm = self.norm(i);
                norm.settle_gradient(
                    &mut statistics(groups, i),
                    &segments,
                    samples.batch,
                    columns,
                    place,
                );
            }
        }
        groups.iter().map(|group| group.loss).sum()
    }

    fn norm(&self, i: usize) -> &BatchNorm {
        let norm = self.layers[i].layer.batch_norm();
        norm.expect("layers chosen for being batch normalisations")
    }

    fn normalise(&self, i: usize, values: &[f32], group: &mut Group) {
        let theta = &values[self.layers[i].range.clone()];
        let statistics = own(&mut group.statistics, i);
        let normalise =
            |input: &[_], output: &mut [_]| self.norm(i).normalise(theta, statistics, input, output);
        self.forward_with(i, &mut group.workspace, normalise);
    }

    fn measure(&self, i: usize, group: &mut Group) {
        let input = &group.workspace.activations[self.layers[i].from];
        self.norm(i).moments(input, own(&mut group.statistics, i));
    }

    fn measure_gradient(&self, i: usize, group: &mut Group) {
        let input = &group.workspace.activations[self.layers[i].from];
        let grad_output = &group.workspace.gradients[i + 1];
        let statistics = own(&mut group.statistics, i);
        self.norm(i).gradient_sums(input, grad_output, statistics);
    }

    fn normalise_backward(&self, i: usize, values: &[f32], group: &mut Group) {
        let theta = &values[self.layers[i].range.clone()];
        let statistics = own(&mut group.statistics, i);
        self.pass_back(i, &mut group.workspace, |input, _, grad_output, grad_input, _| {
            self.norm(i)
                .batch_backward(theta, statistics, input, grad_output, grad_input);
        });
    }

    /// The parameters of consecutive layers.
    fn parameters_of(&self, layers: Range<usize>) -> Range<usize> {
        let layers = &self.layers[layers];
        match (layers.first(), layers.last()) {
            (Some(first), Some(last)) => first.range.start..last.range.end,
            _ => 0..0,
        }
    }

    /// Runs layers backward with the gradients going to the group's own columns, one for each of its segments.
    fn backward_apart(&self, layers: Range<usize>, values: &[f32], group: &mut Group, segments: &[Segment]) {
        let range = self.parameters_of(layers.clone());
        let own: Vec<Segment> = segments
            .iter()
            .enumerate()
            .map(|(column, segment)| Segment {
                lanes: segment.lanes.clone(),
                column,
                first: true,
            })
            .collect();
        group.columns.resize(range.len() * own.len(), 0.0);
        let columns = Columns {
            values: &mut group.columns,
            stride: range.len(),
            origin: range.start,
        };
        self.backward_layers(layers, values, &mut group.workspace, &own, columns);
    }
}

/// The part of `samples`, of which each has `each` elements, that group `g` holds.
fn lanes_of<T>(samples: &[T], g: usize, each: usize) -> &[T] {
    &samples[g * LANES * each..samples.len().min((g + 1) * LANES * each)]
}

fn own(statistics: &mut [Option<Statistics>], i: usize) -> &mut Statistics {
    statistics[i]
        .as_mut()
        .expect("made for every batch normalisation")
}

fn statistics(groups: &mut [Group], i: usize) -> Vec<&mut Statistics> {
    groups
        .iter_mut()
        .map(|group| own(&mut group.statistics, i))
        .collect()
}

fn each(groups: &mut [Group], parallel: bool, work: impl Fn(usize, &mut Group) + Sync) {
    if parallel {
        let groups = groups.par_iter_mut().enumerate();
        groups.for_each(|(g, group)| work(g, group));
    } else {
        groups
            .iter_mut()
            .enumerate()
            .for_each(|(g, group)| work(g, group));
    }
}

/// Numbers of a gradient that a thread adds up at once.
const PIECE: usize = 16_384;

/// Adds the groups' own columns up, in the order of the groups, into parameters `range` of `columns`.
fn gather(groups: &[Group], segments: &[Vec<Segment>], range: Range<usize>, n: usize, columns: &mut [f32]) {
    if range.is_empty() {
        return;
    }
    for (m, column) in columns.chunks_exact_mut(n).enumerate() {
        let pieces = column[range.clone()].par_chunks_mut(PIECE).enumerate();
        pieces.for_each(|(piece, sums)| {
            sums.fill(0.0);
            for (group, segments) in groups.iter().zip(segments) {
                let Some(own) = segments.iter().position(|segment| segment.column == m) else {
                    continue;
                };
                let part = &group.columns[own * range.len() + piece * PIECE..][..sums.len()];
                sums.iter_mut().zip(part).for_each(|(sum, value)| *sum += value);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_divided_at_minibatch_boundaries() {
        let parts: Vec<_> = segments(16..32, 10)
            .into_iter()
            .map(|s| (s.lanes, s.column, s.first))
            .collect();
        assert_eq!(parts, [(0..4, 1, false), (4..14, 2, true), (14..16, 3, true)]);
    }
}
