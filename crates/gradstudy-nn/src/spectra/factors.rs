//! Inner products of gradients that are sums of outer products, without the products.
//!
//! A fully-connected layer's gradient is g_t = Σ_b (δ_tb a_tbᵀ, δ_tb), so ⟨g_s, g_t⟩ = Σ_bc (a_sb·a_tc + 1)(δ_sb·δ_tc):
//! T²B²(d + m) multiply-adds in place of T² m (d + 1). They are made in f64, in which products of f32 values are exact.

use std::ops::Range;

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use rayon::prelude::*;

use super::error::SpectrumError;
use super::gram::GramAccumulator;
use super::wide::Wide;
use gradstudy_stats::monitor::Monitor;

/// Inputs a and output gradients δ of one layer in every iteration.
#[derive(Debug, Clone, Copy)]
pub struct Factors<'a> {
    /// One column for each iteration; the layer's part is B inputs of d numbers, then B output gradients of m.
    pub columns: &'a [f32],
    pub stride: usize,
    /// Where in a column the part begins.
    pub offset: usize,
    /// B.
    pub batch: usize,
    /// d.
    pub inputs: usize,
    /// m.
    pub outputs: usize,
    /// The layer's first parameter: what an error names.
    pub parameter: usize,
}

impl<'a> Factors<'a> {
    fn part(&self, t: usize) -> (&'a [f32], &'a [f32]) {
        let column = &self.columns[t * self.stride + self.offset..];
        let (a, rest) = column.split_at(self.batch * self.inputs);
        (a, &rest[..self.batch * self.outputs])
    }

    /// Parameters of the layer.
    fn parameters(&self) -> usize {
        self.outputs * (self.inputs + 1)
    }

    /// a and δ of some iterations in f64: d × B|range| and m × B|range|, column-major.
    fn wide(&self, range: Range<usize>, [a, delta]: &mut [Vec<f64>; 2]) {
        a.clear();
        delta.clear();
        for t in range {
            let (inputs, outputs) = self.part(t);
            a.extend(inputs.iter().map(|&v| f64::from(v)));
            delta.extend(outputs.iter().map(|&v| f64::from(v)));
        }
    }

    fn check(&self, iterations: usize) -> Result<(), SpectrumError> {
        let bad = (0..iterations).into_par_iter().find_map_first(|t| {
            let (a, delta) = self.part(t);
            let value = a.iter().chain(delta).find(|value| !value.is_finite())?;
            Some((t, *value))
        });
        match bad {
            None => Ok(()),
            Some((t, value)) => Err(SpectrumError::NotFinite {
                parameter: self.parameter as u64,
                iteration: t as u64,
                value,
            }),
        }
    }
}

/// Samples on a side of the products that are made at once: they stay in the L2 cache.
const SIDE: usize = 240;

/// Iterations whose part of the mean is one matrix product.
const MEAN: usize = 256;

/// Room for one thread's products.
#[derive(Default)]
struct Scratch {
    left: [Vec<f64>; 2],
    right: [Vec<f64>; 2],
    products: [Vec<f64>; 2],
}

impl GramAccumulator {
    /// Adds a fully-connected layer; `centre` holds the given centre at its parameters if one was announced.
    ///
    /// `Ok(false)` if cancelled: the sums are then of no use. Progress is told in values of G.
    pub fn add_factors(
        &mut self,
        layer: Factors,
        centre: Option<&[f32]>,
        monitor: &Monitor,
    ) -> Result<bool, SpectrumError> {
        let t = self.samples();
        self.add_pending()?;
        layer.check(t)?;
        let diagonal = self.products_mut().diagonal_sum();
        match layer.batch {
            1 => self.add_single(&layer, monitor),
            _ => self.add_minibatches(&layer, monitor),
        }
        if monitor.cancelled() {
            return Ok(false);
        }
        let energy = self.products_mut().diagonal_sum() - diagonal;
        self.extend_mean(mean(&layer, t), energy);
        if let Some(centre) = centre {
            self.along(&along(&layer, centre, t), centre);
        }
        (monitor.progress)((layer.parameters() * t) as u64);
        Ok(true)
    }

    /// One sample for each gradient: every factor is packed once.
    fn add_single(&mut self, layer: &Factors, monitor: &Monitor) {
        let t = self.samples();
        let a = Wide::new(t, layer.inputs, |t| layer.part(t).0);
        let delta = Wide::new(t, layer.outputs, |t| layer.part(t).1);
        self.products_mut()
            .add_entrywise(&a, &delta, || monitor.cancelled());
    }

    fn add_minibatches(&mut self, layer: &Factors, monitor: &Monitor) {
        let step = (SIDE / layer.batch).max(1);
        self.products_mut()
            .add_tiles(Scratch::default, |scratch, rows, columns, add| {
                if monitor.cancelled() {
                    return;
                }
                for j in columns
                    .clone()
                    .step_by(step)
                    .map(|j| j..columns.end.min(j + step))
                {
                    layer.wide(j.clone(), &mut scratch.right);
                    for i in rows.clone().step_by(step).map(|i| i..rows.end.min(i + step)) {
                        if i.end <= j.start {
                            continue;
                        }
                        layer.wide(i.clone(), &mut scratch.left);
                        scratch.multiply(layer, i.len(), j.len());
                        scratch.sum(layer.batch, i.len(), j.len(), |a, b, value| {
                            add(i.start + a, j.start + b, value)
                        });
                    }
                }
            });
    }
}

impl Scratch {
    /// Both products of all samples of `rows` and of `columns` iterations.
    fn multiply(&mut self, layer: &Factors, rows: usize, columns: usize) {
        let (m, n) = (rows * layer.batch, columns * layer.batch);
        for (side, height) in [layer.inputs, layer.outputs].into_iter().enumerate() {
            let product = &mut self.products[side];
            product.resize(m * n, 0.0);
            let left = MatRef::from_column_major_slice(&self.left[side], height, m);
            let right = MatRef::from_column_major_slice(&self.right[side], height, n);
            let to = MatMut::from_column_major_slice_mut(product, m, n);
            matmul(to, Accum::Replace, left.transpose(), right, 1.0, Par::Seq);
        }
    }

    /// Σ (a·a + 1)(δ·δ) over the pairs of samples of each pair of iterations.
    fn sum(&self, batch: usize, rows: usize, columns: usize, mut add: impl FnMut(usize, usize, f64)) {
        let m = rows * batch;
        let [inputs, outputs] = &self.products;
        for j in 0..columns {
            for i in 0..rows {
                let mut sum = 0.0;
                for c in j * batch..(j + 1) * batch {
                    let pairs = c * m + i * batch..c * m + (i + 1) * batch;
                    let pairs = inputs[pairs.clone()].iter().zip(&outputs[pairs]);
                    sum += pairs.map(|(a, d)| (a + 1.0) * d).sum::<f64>();
                }
                add(i, j, sum);
            }
        }
    }
}

/// The mean of the layer's gradients: weights row by row, then biases.
fn mean(layer: &Factors, iterations: usize) -> Vec<f64> {
    let Factors { inputs, outputs, .. } = *layer;
    let mut mean = vec![0.0; layer.parameters()];
    let (weight, bias) = mean.split_at_mut(inputs * outputs);
    let mut both = [Vec::new(), Vec::new()];
    for first in (0..iterations).step_by(MEAN) {
        layer.wide(first..iterations.min(first + MEAN), &mut both);
        let [a, delta] = &both;
        let samples = delta.len() / outputs;
        let (a, d) = (
            MatRef::from_column_major_slice(a, inputs, samples),
            MatRef::from_column_major_slice(delta, outputs, samples),
        );
        // A row-major weight is the column-major matrix a δᵀ.
        let to = MatMut::from_column_major_slice_mut(&mut *weight, inputs, outputs);
        matmul(to, Accum::Add, a, d.transpose(), 1.0, Par::rayon(0));
        for column in delta.chunks_exact(outputs) {
            bias.iter_mut().zip(column).for_each(|(sum, value)| *sum += value);
        }
    }
    mean.iter_mut().for_each(|value| *value /= iterations as f64);
    mean
}

/// g_t·c for each t.
fn along(layer: &Factors, centre: &[f32], iterations: usize) -> Vec<f64> {
    let Factors { inputs, outputs, .. } = *layer;
    let centre: Vec<f64> = centre.iter().map(|&c| f64::from(c)).collect();
    let (weight, bias) = centre.split_at(inputs * outputs);
    let weight = MatRef::from_column_major_slice(weight, inputs, outputs);
    let blocks: Vec<usize> = (0..iterations).step_by(MEAN).collect();
    let parts = blocks.into_par_iter().map(|first| {
        let mut both = [Vec::new(), Vec::new()];
        layer.wide(first..iterations.min(first + MEAN), &mut both);
        let [a, delta] = &both;
        let samples = delta.len() / outputs;
        let mut through = vec![0.0; delta.len()];
        let a = MatRef::from_column_major_slice(a, inputs, samples);
        let to = MatMut::from_column_major_slice_mut(&mut through, outputs, samples);
        matmul(to, Accum::Replace, weight.transpose(), a, 1.0, Par::Seq);
        let of = |s: usize| {
            let range = s * outputs..(s + 1) * outputs;
            let rows = delta[range.clone()].iter().zip(&through[range]).zip(bias);
            rows.map(|((d, x), b)| d * (x + b)).sum::<f64>()
        };
        let sums: Vec<f64> = (0..samples).map(of).collect();
        sums.chunks(layer.batch)
            .map(|sums| sums.iter().sum())
            .collect::<Vec<f64>>()
    });
    parts.collect::<Vec<_>>().concat()
}
