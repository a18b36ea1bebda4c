//! The second derivatives of batch normalisation.
//!
//! With x̂ = (x − μ)r, r = 1/√(σ² + ε), y = γx̂ + β and means ⟨·⟩ over the samples and positions that share their
//! statistics, the tangents (dots) along ẋ, γ̇ and β̇ are
//!
//! - x̂̇ = r(ẋ − ⟨ẋ⟩ − x̂⟨x̂ẋ⟩), ẏ = γx̂̇ + γ̇x̂ + β̇, ṙ = −r²⟨x̂ẋ⟩,
//! - and of the backward pass δ_x = γr(δ − a − x̂b), a = ⟨δ⟩, b = ⟨δx̂⟩:
//!   δ̇_x = γr(δ̇ − ȧ − x̂ḃ) − γrb x̂̇ + (γ̇ − γr⟨x̂ẋ⟩) r(δ − a − x̂b), ȧ = ⟨δ̇⟩, ḃ = ⟨δ̇x̂ + δx̂̇⟩.
//!
//! With running statistics all means are zero.

use pulp::Arch;

use super::batch_norm::{BatchNorm, Statistics};
use super::batch_norm_kernels::Pair;
use super::lanes::{LANES, Lanes};

/// A normalisation of one group of samples on its way through a curvature product.
#[derive(Debug)]
pub struct Normalised {
    /// Its scales, and sums and means in turn.
    pub statistics: Statistics,
    /// a and b.
    pub gradient: Vec<Pair>,
    /// ⟨ẋ⟩ and ⟨x̂ẋ⟩.
    pub tangent: Vec<Pair>,
}

/// What a tangent of the backward pass is made from.
#[derive(Clone, Copy)]
pub struct Along<'a> {
    pub input: &'a [Lanes],
    pub input_tangent: &'a [Lanes],
    pub grad_output: &'a [Lanes],
}

impl BatchNorm {
    /// Room for one group.
    pub fn normalised(&self) -> Normalised {
        let statistics = self.statistics();
        Normalised {
            gradient: statistics.work.clone(),
            tangent: statistics.work.clone(),
            statistics,
        }
    }

    /// `output_tangent` ← γx̂̇ + γ̇x̂ + β̇, `direction` being γ̇ and β̇; `normalised.tangent` holds its means.
    /// `term` is scratch of the output's size.
    pub fn tangent(
        &self,
        theta: &[f32],
        direction: &[f32],
        normalised: &mut Normalised,
        along: (&[Lanes], &[Lanes]),
        output_tangent: &mut [Lanes],
        term: &mut [Lanes],
    ) {
        let (input, input_tangent) = along;
        let Normalised {
            statistics, tangent, ..
        } = normalised;
        // The derivative in x is symmetric: forwards it is what it is backwards.
        statistics.work.clone_from(tangent);
        self.batch_backward(theta, statistics, input, input_tangent, output_tangent);
        self.normalise(direction, statistics, input, term);
        for (sum, term) in output_tangent.iter_mut().zip(term) {
            sum.0.iter_mut().zip(term.0).for_each(|(s, t)| *s += t);
        }
    }

    /// Adds Σ δx̂̇ of each lane to the second half of `normalised.statistics.work`.
    pub fn add_cross_sums(&self, normalised: &mut Normalised, along: Along) {
        let positions = self.positions();
        let Normalised {
            statistics, tangent, ..
        } = normalised;
        let Statistics { work, scales } = statistics;
        Arch::new().dispatch(|| {
            for (c, work) in work.iter_mut().enumerate() {
                let part = c * positions..(c + 1) * positions;
                let mut sum = [0f32; LANES];
                for p in part {
                    let (_, x_hat_dot) = normal(along, p, &scales[c], &tangent[c]);
                    let delta = &along.grad_output[p].0;
                    for lane in 0..LANES {
                        sum[lane] += delta[lane] * x_hat_dot[lane];
                    }
                }
                work[1].0.iter_mut().zip(sum).for_each(|(w, s)| *w += s);
            }
        });
    }

    /// Adds −γrb x̂̇ + (γ̇ − γr⟨x̂ẋ⟩) r(δ − a − x̂b) to `grad_input_tangent`.
    pub fn add_curvature(
        &self,
        theta: &[f32],
        direction: &[f32],
        normalised: &Normalised,
        along: Along,
        grad_input_tangent: &mut [Lanes],
    ) {
        let positions = self.positions();
        Arch::new().dispatch(|| {
            for c in 0..self.channels() {
                let (scales, tangent) = (&normalised.statistics.scales[c], &normalised.tangent[c]);
                let [a, b] = &normalised.gradient[c];
                let (weight, weight_dot) = (theta[c], direction[c]);
                let (mut of_x_hat_dot, mut of_rest) = ([0f32; LANES], [0f32; LANES]);
                for lane in 0..LANES {
                    let r = scales[1].0[lane];
                    of_x_hat_dot[lane] = -weight * r * b.0[lane];
                    of_rest[lane] = (weight_dot - weight * r * tangent[1].0[lane]) * r;
                }
                for p in c * positions..(c + 1) * positions {
                    let (x_hat, x_hat_dot) = normal(along, p, scales, tangent);
                    let delta = &along.grad_output[p].0;
                    let out = &mut grad_input_tangent[p].0;
                    for lane in 0..LANES {
                        let rest = delta[lane] - a.0[lane] - x_hat[lane] * b.0[lane];
                        out[lane] += of_x_hat_dot[lane] * x_hat_dot[lane] + of_rest[lane] * rest;
                    }
                }
            }
        });
    }
}

/// x̂ and x̂̇ at element `p` of a channel.
#[inline(always)]
fn normal(along: Along, p: usize, scales: &Pair, tangent: &Pair) -> ([f32; LANES], [f32; LANES]) {
    let (x, x_dot) = (&along.input[p].0, &along.input_tangent[p].0);
    let (mut x_hat, mut x_hat_dot) = ([0f32; LANES], [0f32; LANES]);
    for lane in 0..LANES {
        let r = scales[1].0[lane];
        x_hat[lane] = (x[lane] - scales[0].0[lane]) * r;
        x_hat_dot[lane] = r * (x_dot[lane] - tangent[0].0[lane] - x_hat[lane] * tangent[1].0[lane]);
    }
    (x_hat, x_hat_dot)
}
