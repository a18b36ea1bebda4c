//! What products with curvature matrices take beyond gradients.

use cubecl::prelude::*;

use super::elementwise::{first_maximum, window};
use super::{Buffer, Gpu};

impl Gpu {
    /// δ = p − e_y of each sample, p being the softmax of its `classes` logits, in float64, and y its label.
    pub fn loss_gradient(&self, logits: &Buffer, labels: &Buffer, classes: usize) -> Buffer {
        let delta = self.empty(logits.len);
        let (cubes, threads) = self.elementwise(labels.len);
        loss_gradient::launch(
            &self.client,
            cubes,
            threads,
            logits.arg(),
            labels.arg(),
            delta.arg(),
            classes,
        );
        delta
    }

    /// (diag(p) − p pᵀ) ż of each sample, for the tangents ż of its logits.
    pub fn loss_curvature(&self, logits: &Buffer, tangent: &Buffer, classes: usize) -> Buffer {
        let output = self.empty(logits.len);
        let (cubes, threads) = self.elementwise(logits.len / classes);
        loss_curvature::launch(
            &self.client,
            cubes,
            threads,
            logits.arg(),
            tangent.arg(),
            output.arg(),
            classes,
        );
        output
    }

    /// δ δᵀ ż of each sample.
    pub fn gradient_curvature(&self, delta: &Buffer, tangent: &Buffer, classes: usize) -> Buffer {
        let output = self.empty(delta.len);
        let (cubes, threads) = self.elementwise(delta.len / classes);
        gradient_curvature::launch(
            &self.client,
            cubes,
            threads,
            delta.arg(),
            tangent.arg(),
            output.arg(),
            classes,
        );
        output
    }

    /// The tangent at the first maximum of each window of `input`.
    pub fn max_pool_tangent(&self, input: &Buffer, tangent: &Buffer, size: [usize; 2], k: usize) -> Buffer {
        let output = self.empty(input.len / (k * k));
        let (cubes, threads) = self.elementwise(output.len);
        max_pool_tangent::launch(
            &self.client,
            cubes,
            threads,
            input.arg(),
            tangent.arg(),
            output.arg(),
            size,
            k,
        );
        output
    }

    /// Adds the sum of the rows of `rows`, which are as long as `chosen`, to the numbers of `sums` from `at` on, where
    /// `chosen` is not 0.
    pub fn add_rows(&self, rows: &Buffer, chosen: &Buffer, sums: &Buffer, at: usize) {
        let (cubes, threads) = self.elementwise(chosen.len);
        add_rows::launch(
            &self.client,
            cubes,
            threads,
            rows.address(),
            rows.arg(),
            chosen.arg(),
            sums.arg(),
            rows.len / chosen.len,
            at,
        );
    }
}

/// The class of the first of the largest logits from `first` on.
#[cube]
fn likeliest(logits: &Tensor<f32>, first: usize, #[comptime] classes: usize) -> usize {
    let mut best = 0usize;
    for c in 1..classes {
        if logits[first + c] > logits[first + best] {
            best = c;
        }
    }
    best
}

/// exp(z − `largest`), for a logit z.
#[cube]
fn power(logits: &Tensor<f32>, at: usize, largest: f64) -> f64 {
    (f64::cast_from(logits[at]) - largest).exp()
}

#[cube(launch)]
fn loss_gradient(
    logits: &Tensor<f32>,
    labels: &Tensor<u32>,
    delta: &mut Tensor<f32>,
    #[comptime] classes: usize,
) {
    if ABSOLUTE_POS < labels.len() {
        let first = ABSOLUTE_POS * classes;
        let label = labels[ABSOLUTE_POS] as usize;
        let largest = f64::cast_from(logits[first + likeliest(logits, first, classes)]);
        let mut total = 0.0f64;
        // All classes but the label: p − 1 of the label without cancelling.
        let mut others = 0.0f64;
        for c in 0..classes {
            let value = power(logits, first + c, largest);
            total += value;
            if c != label {
                others += value;
            }
        }
        for c in 0..classes {
            let mut value = power(logits, first + c, largest);
            if c == label {
                value = -others;
            }
            delta[first + c] = f32::cast_from(value / total);
        }
    }
}

#[cube(launch)]
fn loss_curvature(
    logits: &Tensor<f32>,
    tangent: &Tensor<f32>,
    output: &mut Tensor<f32>,
    #[comptime] classes: usize,
) {
    let first = ABSOLUTE_POS * classes;
    if first < output.len() {
        let best = likeliest(logits, first, classes);
        let largest = f64::cast_from(logits[first + best]);
        // A shift of all tangents changes nothing: the likeliest becomes zero, so that no difference of nearly equal
        // numbers is taken where p is nearly one.
        let base = f64::cast_from(tangent[first + best]);
        let mut total = 0.0f64;
        let mut mean = 0.0f64;
        for c in 0..classes {
            let value = power(logits, first + c, largest);
            total += value;
            mean += value * (f64::cast_from(tangent[first + c]) - base);
        }
        mean /= total;
        for c in 0..classes {
            let p = power(logits, first + c, largest) / total;
            let shifted = f64::cast_from(tangent[first + c]) - base;
            output[first + c] = f32::cast_from(p * (shifted - mean));
        }
    }
}

#[cube(launch)]
fn gradient_curvature(
    delta: &Tensor<f32>,
    tangent: &Tensor<f32>,
    output: &mut Tensor<f32>,
    #[comptime] classes: usize,
) {
    let first = ABSOLUTE_POS * classes;
    if first < output.len() {
        let mut slope = 0.0f64;
        for c in 0..classes {
            slope += f64::cast_from(delta[first + c]) * f64::cast_from(tangent[first + c]);
        }
        for c in 0..classes {
            output[first + c] = f32::cast_from(f64::cast_from(delta[first + c]) * slope);
        }
    }
}

#[cube(launch)]
fn max_pool_tangent(
    input: &Tensor<f32>,
    tangent: &Tensor<f32>,
    output: &mut Tensor<f32>,
    #[comptime] size: [usize; 2],
    #[comptime] k: usize,
) {
    if ABSOLUTE_POS < output.len() {
        let first = window(ABSOLUTE_POS, size, k);
        let place = first_maximum(input, first, size, k);
        output[ABSOLUTE_POS] = tangent[first + place / k * comptime!(size[1]) + place % k];
    }
}

#[cube(launch, address_type = "dynamic")]
fn add_rows(rows: &Tensor<f32>, chosen: &Tensor<u32>, sums: &mut Tensor<f64>, count: usize, at: usize) {
    let stride = chosen.len();
    if ABSOLUTE_POS < stride && chosen[ABSOLUTE_POS] != 0u32 {
        let mut sum = 0.0f64;
        let mut place = ABSOLUTE_POS;
        for _ in 0..count {
            sum += f64::cast_from(rows[place]);
            place += stride;
        }
        sums[at + ABSOLUTE_POS] += sum;
    }
}
