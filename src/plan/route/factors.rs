//! Which layers' inner products are made of inputs and output gradients instead of rows of G.
//!
//! That follows from the plan alone, never from the memory, the cache or what else is asked for: a spectrum has the same
//! digits on every route.

use std::ops::Range;

use super::{CORES, FACTORS, RECORD, Recording, SINGLE, WRITE};
use crate::models::Network;
use crate::models::parts::{Layout, Part};

/// The layers of a recording whose inner products are made of their factors, each with its parameters, in the order of θ.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FactorLayers(pub Vec<(usize, Range<usize>)>);

/// How the rows that a spectrum is of are added up.
#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    /// Rows of G.
    pub rows: Vec<Range<usize>>,
    /// Layers by their factors.
    pub factors: Vec<usize>,
}

impl FactorLayers {
    /// Those of `recording`, where gradstudy's own kernels record (`host`): only they take gradients apart. All of
    /// them together must save more than another pass over the minibatches takes, which they need where G is at hand.
    pub fn of(recording: &Recording, host: bool) -> Self {
        let network = recording.network;
        let (t, b) = (recording.iterations as f64, recording.batch as f64);
        let few = network.parameter_count() < recording.iterations;
        if !host || !recording.identity || recording.history_only || network.has_batch_norm() || few {
            return FactorLayers::default();
        }
        let (mut layers, mut saved) = (Vec::new(), 0.0);
        for (i, placed) in network.layers.iter().enumerate() {
            let Some((inputs, outputs)) = placed.layer.outer_product() else {
                continue;
            };
            let rows = t * t * placed.range.len() as f64 / (SINGLE * CORES);
            let written = 4.0 * t * placed.range.len() as f64 / WRITE;
            let factors = t * t * b * b * (inputs + outputs) as f64 / (FACTORS * CORES);
            if factors < rows + written {
                saved += rows - factors;
                layers.push((i, placed.range.clone()));
            }
        }
        match saved > recording.pass_seconds() {
            true => FactorLayers(layers),
            false => FactorLayers::default(),
        }
    }

    /// How the rows `selection` are added up: a layer by its factors if all of it is selected.
    pub fn split(&self, selection: &[Range<usize>]) -> Split {
        let (mut rows, mut factors) = (Vec::new(), Vec::new());
        for range in selection {
            let mut first = range.start;
            for (i, layer) in &self.0 {
                if range.start <= layer.start && layer.end <= range.end {
                    factors.push(*i);
                    if first < layer.start {
                        rows.push(first..layer.start);
                    }
                    first = layer.end;
                }
            }
            if first < range.end {
                rows.push(first..range.end);
            }
        }
        Split { rows, factors }
    }

    /// The passes that record the factors of all these layers in columns of at most `bytes` in all, but for one layer that
    /// takes more.
    pub fn passes(&self, network: &Network, batch: usize, iterations: usize, bytes: u64) -> Vec<Layout> {
        let layout = |layers: &[usize]| {
            let mut parts = vec![Part::Absent; network.layers.len()];
            layers.iter().for_each(|&i| parts[i] = Part::Factors);
            Layout::new(network, parts, batch)
        };
        let size = |layers: &[usize]| 4 * (layout(layers).stride * iterations) as u64;
        let mut passes: Vec<Vec<usize>> = Vec::new();
        for (i, _) in &self.0 {
            match passes.last_mut() {
                Some(pass) if size(&[&pass[..], &[*i]].concat()) <= bytes => pass.push(*i),
                _ => passes.push(vec![*i]),
            }
        }
        passes.iter().map(|pass| layout(pass)).collect()
    }
}

impl Recording<'_> {
    /// Seconds that one pass over the minibatches takes.
    pub(super) fn pass_seconds(&self) -> f64 {
        let samples = (self.iterations * self.batch) as f64;
        samples * self.network.gradient_flops() as f64 / (RECORD * CORES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_that_are_selected_whole_go_by_their_factors() {
        let layers = FactorLayers(vec![(1, 10..20), (3, 30..50)]);
        let split = |selection: &[Range<usize>]| {
            let Split { rows, factors } = layers.split(selection);
            (rows, factors)
        };
        assert_eq!(split(&[0..60]), (vec![0..10, 20..30, 50..60], vec![1, 3]));
        assert_eq!(split(&[10..20, 31..50]), (vec![31..50], vec![1]));
        assert_eq!(split(&[5..15, 30..50]), (vec![5..15], vec![3]));
        assert_eq!(
            FactorLayers::default().split(&[3..9]),
            Split {
                rows: vec![3..9],
                factors: vec![]
            }
        );
    }
}
