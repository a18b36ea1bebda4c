//! An optimizer's step, and the running statistics of batch normalisation.

use cubecl::prelude::*;

use super::{Buffer, Gpu, GpuError};

/// What a step does with each parameter and its moments.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Update {
    /// g ← g + λθ, v ← βv + g, θ ← θ − η v or, by Nesterov, θ − η (g + βv). Its moment: v.
    Momentum {
        lr: f32,
        momentum: f32,
        nesterov: bool,
        /// λ.
        coupled: f32,
    },
    /// θ ← θ − δθ, g ← g + λθ, m ← m + ν₁(g − m), v ← β₂v + ν₂g², θ ← θ − η c₁m / (c₂√v + ε). Its moments: m, v and,
    /// for AMSGrad, the largest v so far, which then divides.
    Moments {
        lr: f32,
        beta2: f32,
        /// ν₁, ν₂.
        new: [f32; 2],
        /// c₁, c₂.
        correct: [f32; 2],
        eps: f32,
        /// λ.
        coupled: f32,
        /// δ.
        decoupled: f32,
        amsgrad: bool,
    },
}

/// What is done to a gradient beforehand: multiplied by a number, then cut off at ± a bound.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clipped {
    pub scale: f32,
    pub bound: f32,
}

/// Partial sums of squares that go to the host: for each cube, one of each thread.
const CUBES: usize = 64;

impl Gpu {
    /// Moves the first `gradient.len` numbers of `theta` by one step.
    pub fn update(
        &self,
        update: Update,
        theta: &Buffer,
        gradient: &Buffer,
        moments: &[Buffer],
        clipped: Clipped,
    ) {
        let (cubes, threads) = self.elementwise(gradient.len);
        match update {
            Update::Momentum {
                lr,
                momentum,
                nesterov,
                coupled,
            } => momentum_step::launch(
                &self.client,
                cubes,
                threads,
                theta.arg(),
                gradient.arg(),
                moments[0].arg(),
                lr,
                momentum,
                coupled,
                clipped.scale,
                clipped.bound,
                nesterov,
            ),
            Update::Moments {
                lr,
                beta2,
                new,
                correct,
                eps,
                coupled,
                decoupled,
                amsgrad,
            } => moments_step::launch(
                &self.client,
                cubes,
                threads,
                theta.arg(),
                gradient.arg(),
                moments[0].arg(),
                moments[1].arg(),
                moments[if amsgrad { 2 } else { 1 }].arg(),
                lr,
                beta2,
                new[0],
                new[1],
                correct[0],
                correct[1],
                eps,
                coupled,
                decoupled,
                clipped.scale,
                clipped.bound,
                amsgrad,
            ),
        }
    }

    /// Σ x².
    pub fn square_sum(&self, values: &Buffer) -> Result<f64, GpuError> {
        let parts = self.empty_wide(CUBES * self.threads);
        square_sums::launch(
            &self.client,
            CubeCount::Static(CUBES as u32, 1, 1),
            CubeDim::new_1d(self.threads as u32),
            values.arg(),
            parts.arg(),
        );
        Ok(self.read_wide(&parts)?.iter().sum())
    }

    /// r ← (1 − `momentum`) r + `momentum` s for the running statistics r at `offset` of `values` and one minibatch's
    /// statistics s: its `moments`, the biased variances (its second half) times `unbiased`.
    pub fn update_running(
        &self,
        values: &Buffer,
        offset: usize,
        moments: &Buffer,
        unbiased: f64,
        momentum: f64,
    ) {
        let (cubes, threads) = self.elementwise(moments.len);
        running_step::launch(
            &self.client,
            cubes,
            threads,
            values.arg(),
            moments.arg(),
            offset,
            unbiased,
            momentum,
        );
    }
}

#[cube]
fn clip(gradient: f32, scale: f32, bound: f32) -> f32 {
    // What is not a number passes all comparisons.
    let mut g = gradient * scale;
    if g > bound {
        g = bound;
    }
    if g < -bound {
        g = -bound;
    }
    g
}

#[cube(launch)]
fn momentum_step(
    theta: &mut Tensor<f32>,
    gradient: &Tensor<f32>,
    velocity: &mut Tensor<f32>,
    lr: f32,
    momentum: f32,
    coupled: f32,
    scale: f32,
    bound: f32,
    #[comptime] nesterov: bool,
) {
    let i = ABSOLUTE_POS;
    if i < gradient.len() {
        let x = theta[i];
        let g = clip(gradient[i], scale, bound) + coupled * x;
        let v = momentum * velocity[i] + g;
        velocity[i] = v;
        let mut direction = v;
        if nesterov {
            direction = g + momentum * v;
        }
        theta[i] = x - lr * direction;
    }
}

#[cube(launch)]
fn moments_step(
    theta: &mut Tensor<f32>,
    gradient: &Tensor<f32>,
    first: &mut Tensor<f32>,
    second: &mut Tensor<f32>,
    largest: &mut Tensor<f32>,
    lr: f32,
    beta2: f32,
    new1: f32,
    new2: f32,
    correct1: f32,
    correct2: f32,
    eps: f32,
    coupled: f32,
    decoupled: f32,
    scale: f32,
    bound: f32,
    #[comptime] amsgrad: bool,
) {
    let i = ABSOLUTE_POS;
    if i < gradient.len() {
        let x = theta[i] - decoupled * theta[i];
        let g = clip(gradient[i], scale, bound) + coupled * x;
        let m = first[i] + new1 * (g - first[i]);
        let v = beta2 * second[i] + new2 * g * g;
        first[i] = m;
        second[i] = v;
        let mut divisor = v;
        if amsgrad {
            divisor = max(largest[i], v);
            largest[i] = divisor;
        }
        theta[i] = x - lr * (correct1 * m / (correct2 * divisor.sqrt() + eps));
    }
}

#[cube(launch)]
fn square_sums(values: &Tensor<f32>, parts: &mut Tensor<f64>) {
    let mut sum = 0.0f64;
    let mut i = ABSOLUTE_POS;
    while i < values.len() {
        let x = f64::cast_from(values[i]);
        sum += x * x;
        i += parts.len();
    }
    parts[ABSOLUTE_POS] = sum;
}

#[cube(launch)]
fn running_step(
    values: &mut Tensor<f32>,
    moments: &Tensor<f32>,
    offset: usize,
    unbiased: f64,
    momentum: f64,
) {
    let i = ABSOLUTE_POS;
    if i < moments.len() {
        let mut new = f64::cast_from(moments[i]);
        if i >= moments.len() / 2 {
            new *= unbiased;
        }
        let old = f64::cast_from(values[offset + i]);
        values[offset + i] =
            f32::cast_from((1.0f64 - momentum) * old + momentum * f64::cast_from(f32::cast_from(new)));
    }
}
