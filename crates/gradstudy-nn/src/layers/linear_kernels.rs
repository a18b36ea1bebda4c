//! Fully-connected layers over lanes of samples: y = W x + b, its transpose, and per-sample outer products.

use pulp::{Simd, WithSimd};

use super::lanes::{LANES, Lanes, vectors, vectors_mut, vectors_per_lanes};

/// `output` ← W `input` + b, W of shape \[outputs, inputs\].
pub struct Forward<'a> {
    pub weights: &'a [f32],
    pub bias: &'a [f32],
    pub input: &'a [Lanes],
    pub output: &'a mut [Lanes],
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let mut first = 0;
        while first < self.output.len() {
            first += match self.output.len() - first {
                12.. => forward_block::<S, 12>(simd, &mut self, first),
                8.. => forward_block::<S, 8>(simd, &mut self, first),
                4.. => forward_block::<S, 4>(simd, &mut self, first),
                2.. => forward_block::<S, 2>(simd, &mut self, first),
                _ => forward_block::<S, 1>(simd, &mut self, first),
            };
        }
    }
}

/// Computes outputs `first..first + N` and returns N.
#[inline(always)]
fn forward_block<S: Simd, const N: usize>(simd: S, job: &mut Forward<'_>, first: usize) -> usize {
    let v = vectors_per_lanes::<S>();
    let inputs = job.input.len();
    let rows: [&[f32]; N] = std::array::from_fn(|o| &job.weights[(first + o) * inputs..][..inputs]);
    for i in 0..v {
        let mut acc: [S::f32s; N] = std::array::from_fn(|o| simd.splat_f32s(job.bias[first + o]));
        for (k, x) in vectors::<S>(job.input).iter().skip(i).step_by(v).enumerate() {
            for o in 0..N {
                acc[o] = simd.mul_add_e_f32s(simd.splat_f32s(rows[o][k]), *x, acc[o]);
            }
        }
        let output = &mut vectors_mut::<S>(job.output)[first * v..][..N * v];
        for o in 0..N {
            output[o * v + i] = acc[o];
        }
    }
    N
}

/// `grad_input` ← Wᵀ `grad_output`.
pub struct Backward<'a> {
    pub weights: &'a [f32],
    pub grad_output: &'a [Lanes],
    pub grad_input: &'a mut [Lanes],
}

impl WithSimd for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let mut first = 0;
        while first < self.grad_input.len() {
            first += match self.grad_input.len() - first {
                16.. => backward_block::<S, 16>(simd, &mut self, first),
                8.. => backward_block::<S, 8>(simd, &mut self, first),
                4.. => backward_block::<S, 4>(simd, &mut self, first),
                2.. => backward_block::<S, 2>(simd, &mut self, first),
                _ => backward_block::<S, 1>(simd, &mut self, first),
            };
        }
    }
}

/// Computes inputs `first..first + N` and returns N.
#[inline(always)]
fn backward_block<S: Simd, const N: usize>(simd: S, job: &mut Backward<'_>, first: usize) -> usize {
    let v = vectors_per_lanes::<S>();
    let inputs = job.grad_input.len();
    for i in 0..v {
        let mut acc = [simd.splat_f32s(0.0); N];
        let deltas = vectors::<S>(job.grad_output).iter().skip(i).step_by(v);
        for (row, delta) in job.weights.chunks_exact(inputs).zip(deltas) {
            let row = &row[first..][..N];
            for k in 0..N {
                acc[k] = simd.mul_add_e_f32s(simd.splat_f32s(row[k]), *delta, acc[k]);
            }
        }
        let grad_input = &mut vectors_mut::<S>(job.grad_input)[first * v..][..N * v];
        for k in 0..N {
            grad_input[k * v + i] = acc[k];
        }
    }
    N
}

/// Copies lanes \[features\] into sixteen contiguous samples \[16, features\].
pub fn transpose(lanes: &[Lanes], samples: &mut [f32]) {
    for (lane, sample) in samples.chunks_exact_mut(lanes.len()).enumerate().take(LANES) {
        for (value, lanes) in sample.iter_mut().zip(lanes) {
            *value = lanes.0[lane];
        }
    }
}

/// `weight` ← δ aᵀ (or += when `add`) for one sample: `a` is contiguous, δ is lane `lane` of `grad_output`.
pub struct OuterProduct<'a> {
    pub a: &'a [f32],
    pub grad_output: &'a [Lanes],
    pub lane: usize,
    pub add: bool,
    pub weight: &'a mut [f32],
}

impl WithSimd for OuterProduct<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (a, a_tail) = S::as_simd_f32s(self.a);
        for (row, delta) in self.weight.chunks_exact_mut(self.a.len()).zip(self.grad_output) {
            let scalar = delta.0[self.lane];
            let delta = simd.splat_f32s(scalar);
            let (row, row_tail) = S::as_mut_simd_f32s(row);
            if self.add {
                row.iter_mut()
                    .zip(a)
                    .for_each(|(w, a)| *w = simd.mul_add_e_f32s(delta, *a, *w));
                row_tail
                    .iter_mut()
                    .zip(a_tail)
                    .for_each(|(w, a)| *w += scalar * a);
            } else {
                row.iter_mut()
                    .zip(a)
                    .for_each(|(w, a)| *w = simd.mul_f32s(delta, *a));
                row_tail.iter_mut().zip(a_tail).for_each(|(w, a)| *w = scalar * a);
            }
        }
    }
}
