//! Second stage: a symmetric band to tridiagonal form by chasing bulges (Schwarz 1968; Lang, "A parallel algorithm
//! for reducing symmetric banded matrices to tridiagonal form", 1993).
//!
//! Sweep s annihilates column s with a reflector of B rows and chases the bulge down: its step p works on the B columns
//! from s + 1 + pB on, and on nothing else. Two steps of one sweep and one of the next that lie two steps apart are
//! therefore independent, which gives both the order in cache (groups of sweeps follow each other closely) and the
//! parallel tasks. The order of operations on each number is always the same.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::reflections::Reflections;
use super::tridiagonal::Tridiagonal;

/// Sweeps of one group.
const GROUP: usize = 4;
/// Steps that a group makes at a time.
const STRIDE: usize = 4;
/// Rounds by which a group lags behind the one before: (GROUPS · 2 + STRIDE − 1)/STRIDE, rounded up.
const LAG: usize = (2 * GROUP + STRIDE - 1).div_ceil(STRIDE);

/// Columns of a band, B below and B of bulge, each with room so that the diagonals of neighbours lie `PITCH` apart.
pub struct Band<const B: usize> {
    values: Vec<f64>,
    order: usize,
}

/// Distance of (i, j + 1) from (i, j): not a multiple of 4096 bytes, so that columns do not evict each other.
const fn pitch(half_width: usize) -> usize {
    2 * half_width + 8
}

impl<const B: usize> Band<B> {
    /// Of a matrix of this order.
    pub fn zeros(order: usize) -> Self {
        // Room for whole blocks beyond the end: zeros, which no reflector mixes in.
        let values = vec![0.0; (order + 3 * B) * (pitch(B) + 1) + 8];
        Band { values, order }
    }

    /// Puts `entry(i, j)` at row and column `at` + i and `at` + j, for i ≥ j within `size` rows and columns.
    pub fn set_diagonal(&mut self, at: usize, size: usize, entry: impl Fn(usize, usize) -> f64) {
        for j in 0..size {
            for i in j..size {
                self.values[8 + (at + j) * pitch(B) + at + i] = entry(i, j);
            }
        }
    }

    /// Puts `entry(i, j)` at row `at` + B + i and column `at` + j, for i ≤ j: the triangle that ends the band.
    pub fn set_corner(&mut self, at: usize, entry: impl Fn(usize, usize) -> f64) {
        for j in 0..B {
            for i in 0..=j.min(self.order - at - B - 1) {
                self.values[8 + (at + j) * pitch(B) + at + B + i] = entry(i, j);
            }
        }
    }
}

/// A reflector I − τ v vᵀ, v₁ = 1.
#[derive(Clone, Copy)]
pub(super) struct Reflector<const B: usize> {
    pub(super) v: [f64; B],
    pub(super) tau: f64,
}

/// Reflects x onto (β, 0, …).
#[inline(always)]
fn reflector<const B: usize>(x: &[f64; B]) -> (Reflector<B>, f64) {
    let mut rest = *x;
    rest[0] = 0.0;
    let square = dot(&rest, &rest);
    let mut v = rest;
    if square == 0.0 {
        v[0] = 1.0;
        return (Reflector { v, tau: 0.0 }, x[0]);
    }
    let beta = -x[0].mul_add(x[0], square).sqrt().copysign(x[0]);
    let scale = 1.0 / (x[0] - beta);
    for value in &mut v {
        *value *= scale;
    }
    v[0] = 1.0;
    (
        Reflector {
            v,
            tau: (beta - x[0]) / beta,
        },
        beta,
    )
}

#[inline(always)]
fn dot<const B: usize>(a: &[f64; B], b: &[f64; B]) -> f64 {
    let mut lanes = [0.0f64; 8];
    for start in (0..B).step_by(8) {
        for lane in 0..8 {
            lanes[lane] = a[start + lane].mul_add(b[start + lane], lanes[lane]);
        }
    }
    let [a, b, c, d, e, f, g, h] = lanes;
    ((a + e) + (c + g)) + ((b + f) + (d + h))
}

/// One sweep on its way down.
#[derive(Clone)]
struct Sweep<const B: usize> {
    index: usize,
    reflector: Reflector<B>,
    /// Every reflector that was applied, from the top down, if they are kept.
    applied: Option<Vec<Reflector<B>>>,
}

/// A group's steps of one round.
struct Task<'a, const B: usize> {
    sweeps: &'a mut [Sweep<B>],
    /// The band from (`column`, `column`) − 8 on.
    band: &'a mut [f64],
    column: usize,
    /// Step of the group's first sweep; each further one is two steps behind.
    first_step: isize,
    order: usize,
}

impl<const B: usize> WithSimd for Task<'_, B> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Task {
            sweeps,
            band,
            column,
            first_step,
            order,
        } = self;
        for step in first_step..first_step + STRIDE as isize {
            for (i, sweep) in sweeps.iter_mut().enumerate() {
                let own = step - 2 * i as isize;
                if own < 0 {
                    continue;
                }
                let row = sweep.index + 1 + own as usize * B;
                if row >= order {
                    continue;
                }
                if own == 0 {
                    let at = (sweep.index - column) * (pitch(B) + 1) + 8 + 1;
                    start(sweep, &mut band[at..at + B]);
                }
                if let Some(applied) = &mut sweep.applied {
                    applied.push(sweep.reflector);
                }
                let at = (row - column) * (pitch(B) + 1);
                let band = &mut band[at..];
                diagonal_block(simd, band, &sweep.reflector);
                sweep.reflector = block_below(simd, band, &sweep.reflector);
            }
        }
    }
}

/// Annihilates the column of the sweep.
#[inline(always)]
fn start<const B: usize>(sweep: &mut Sweep<B>, below: &mut [f64]) {
    let x: &mut [f64; B] = below.try_into().expect("B values");
    let (reflector, beta) = reflector(x);
    *x = [0.0; B];
    x[0] = beta;
    sweep.reflector = reflector;
}

/// Most vectors that B numbers take.
const VECTORS: usize = 32;

/// Row j: which of eight rows lie below the diagonal in column j.
const BELOW: [[u64; 8]; 8] = {
    let mut masks = [[0; 8]; 8];
    let mut j = 0;
    while j < 8 {
        let mut i = j + 1;
        while i < 8 {
            masks[j][i] = u64::MAX;
            i += 1;
        }
        j += 1;
    }
    masks
};

/// D ← H D H on the lower triangle of the block at the front of `band`.
#[inline(always)]
fn diagonal_block<S: Simd, const B: usize>(simd: S, band: &mut [f64], h: &Reflector<B>) {
    // Without the mirror images, which `across` has.
    let mut y = [simd.splat_f64s(0.0); VECTORS];
    let mut across = [0.0; B];
    eight_products::<S, B, 0>(simd, band, h, &mut y, &mut across);
    eight_products::<S, B, 8>(simd, band, h, &mut y, &mut across);
    eight_products::<S, B, 16>(simd, band, h, &mut y, &mut across);
    eight_products::<S, B, 24>(simd, band, h, &mut y, &mut across);
    // w = τ y − τ²(y·v)/2 v, D ← D − v wᵀ − w vᵀ
    let count = B / S::F64_LANES;
    let v = S::as_simd_f64s(&h.v).0;
    let mut product = simd.splat_f64s(0.0);
    for q in 0..count {
        y[q] = simd.add_f64s(y[q], S::as_simd_f64s(&across).0[q]);
        product = simd.mul_add_e_f64s(y[q], v[q], product);
    }
    let half = simd.splat_f64s(-0.5 * h.tau * h.tau * simd.reduce_sum_f64s(product));
    let tau = simd.splat_f64s(h.tau);
    let mut w = [0.0; B];
    for q in 0..count {
        y[q] = simd.mul_add_e_f64s(half, v[q], simd.mul_f64s(tau, y[q]));
        S::as_mut_simd_f64s(&mut w).0[q] = y[q];
    }
    eight_updates::<S, B, 0>(simd, band, h, &y, &w);
    eight_updates::<S, B, 8>(simd, band, h, &y, &w);
    eight_updates::<S, B, 16>(simd, band, h, &y, &w);
    eight_updates::<S, B, 24>(simd, band, h, &y, &w);
}

/// Columns J to J + 8 of D times their part of v, and, across, their rows times v.
#[inline(always)]
fn eight_products<S: Simd, const B: usize, const J: usize>(
    simd: S,
    band: &[f64],
    h: &Reflector<B>,
    y: &mut [S::f64s; VECTORS],
    across: &mut [f64; B],
) {
    let lanes = S::F64_LANES;
    let v = S::as_simd_f64s(&h.v).0;
    for j in 0..8 {
        let column: &[f64; B] = band[8 + (J + j) * pitch(B)..][..B].try_into().expect("B values");
        let vectors = S::as_simd_f64s(column).0;
        let masks = S::as_simd_u64s(&BELOW[j]).0;
        let vj = simd.splat_f64s(h.v[J + j]);
        let mut sum = simd.splat_f64s(0.0);
        for q in J / lanes..B / lanes {
            let mut a = vectors[q];
            if q < (J + 8) / lanes {
                let bits = simd.and_u64s(pulp::bytemuck::cast(a), masks[q - J / lanes]);
                a = pulp::bytemuck::cast(bits);
            }
            y[q] = simd.mul_add_e_f64s(a, vj, y[q]);
            sum = simd.mul_add_e_f64s(a, v[q], sum);
        }
        across[J + j] = column[J + j].mul_add(h.v[J + j], simd.reduce_sum_f64s(sum));
    }
}

/// Columns J to J + 8 of D less v wᵀ + w vᵀ; what lies above the diagonal there is padding.
#[inline(always)]
fn eight_updates<S: Simd, const B: usize, const J: usize>(
    simd: S,
    band: &mut [f64],
    h: &Reflector<B>,
    w: &[S::f64s; VECTORS],
    each: &[f64; B],
) {
    let v = S::as_simd_f64s(&h.v).0;
    for j in J..J + 8 {
        let column: &mut [f64; B] = (&mut band[8 + j * pitch(B)..][..B]).try_into().expect("B values");
        let vectors = S::as_mut_simd_f64s(column).0;
        let (vj, wj) = (simd.splat_f64s(-h.v[j]), simd.splat_f64s(-each[j]));
        for q in J / S::F64_LANES..B / S::F64_LANES {
            let less = simd.mul_add_e_f64s(w[q], vj, vectors[q]);
            vectors[q] = simd.mul_add_e_f64s(v[q], wj, less);
        }
    }
}

/// E ← G E H for the block below, with the G that annihilates E H's first column below its first entry.
#[inline(always)]
fn block_below<S: Simd, const B: usize>(simd: S, band: &mut [f64], h: &Reflector<B>) -> Reflector<B> {
    let count = B / S::F64_LANES;
    let zero = simd.splat_f64s(0.0);
    // Of even and odd columns.
    let mut sums = [[zero; VECTORS]; 2];
    for pair in 0..B / 2 {
        for odd in 0..2 {
            let j = 2 * pair + odd;
            let column: &[f64; B] = band[8 + j * pitch(B) + B..][..B].try_into().expect("B values");
            let vj = simd.splat_f64s(h.v[j]);
            for q in 0..count {
                sums[odd][q] = simd.mul_add_e_f64s(S::as_simd_f64s(column).0[q], vj, sums[odd][q]);
            }
        }
    }
    let tau = simd.splat_f64s(-h.tau);
    let mut w = [zero; VECTORS];
    for q in 0..count {
        w[q] = simd.mul_f64s(tau, simd.add_f64s(sums[0][q], sums[1][q]));
    }
    let first: &mut [f64; B] = (&mut band[8 + B..8 + 2 * B]).try_into().expect("B values");
    for q in 0..count {
        let values = S::as_mut_simd_f64s(first).0;
        values[q] = simd.add_f64s(values[q], w[q]);
    }
    let (g, beta) = reflector(first);
    *first = [0.0; B];
    first[0] = beta;
    let v = S::as_simd_f64s(&g.v).0;
    for j in 1..B {
        let column: &mut [f64; B] = (&mut band[8 + j * pitch(B) + B..][..B])
            .try_into()
            .expect("B values");
        let vectors = S::as_mut_simd_f64s(column).0;
        let vj = simd.splat_f64s(h.v[j]);
        let mut new = [zero; VECTORS];
        let mut product = zero;
        for q in 0..count {
            new[q] = simd.mul_add_e_f64s(w[q], vj, vectors[q]);
            product = simd.mul_add_e_f64s(new[q], v[q], product);
        }
        let factor = simd.splat_f64s(-g.tau * simd.reduce_sum_f64s(product));
        for q in 0..count {
            vectors[q] = simd.mul_add_e_f64s(v[q], factor, new[q]);
        }
    }
    g
}

/// The tridiagonal matrix similar to a band of half-width B (a multiple of 8), and the reflections that made it if `keep`
/// (order² / 2 numbers).
pub fn tridiagonalise<const B: usize>(band: Band<B>, keep: bool) -> (Tridiagonal, Reflections<B>) {
    const { assert!(B == 32, "what is written out below by blocks of eight columns") };
    let Band { mut values, order } = band;
    let idle = Reflector {
        v: [0.0; B],
        tau: 0.0,
    };
    let mut sweeps: Vec<Sweep<B>> = (0..order.saturating_sub(2))
        .map(|index| Sweep {
            index,
            reflector: idle,
            applied: keep.then(Vec::new),
        })
        .collect();
    let mut groups: Vec<&mut [Sweep<B>]> = sweeps.chunks_mut(GROUP).collect();
    let steps = order.div_ceil(B) + 2 * GROUP;
    let rounds = match groups.len() {
        0 => 0,
        count => steps.div_ceil(STRIDE) + (count - 1) * LAG,
    };
    let mut oldest = 0;
    for round in 0..rounds {
        let newest = (round / LAG).min(groups.len() - 1);
        while oldest < newest && (round - oldest * LAG) * STRIDE > steps {
            oldest += 1;
        }
        // From the top of the band down come the groups from the newest to the oldest.
        let mut rest = &mut values[..];
        let mut passed = 0;
        let mut tasks = Vec::with_capacity(newest - oldest + 1);
        for (back, sweeps) in groups[oldest..=newest].iter_mut().rev().enumerate() {
            let first_step = ((round - (newest - back) * LAG) * STRIDE) as isize;
            let (first, last) = (sweeps[0].index, sweeps[sweeps.len() - 1].index);
            let behind = first_step - 2 * (sweeps.len() as isize - 1);
            // The column that the last sweep starts from, or the first of its step.
            let low = if behind <= 0 {
                first
            } else {
                last + 1 + behind as usize * B
            };
            let high = first + 1 + (first_step as usize + STRIDE) * B;
            if low >= order {
                continue;
            }
            let (low, high) = (low * (pitch(B) + 1), (high.min(order + 2 * B)) * (pitch(B) + 1));
            let (_, from) = std::mem::take(&mut rest).split_at_mut(low - passed);
            let (band, later) = from.split_at_mut(high - low);
            rest = later;
            passed = high;
            tasks.push(Task {
                sweeps,
                band,
                column: low / (pitch(B) + 1),
                first_step,
                order,
            });
        }
        let arch = Arch::new();
        tasks.into_par_iter().for_each(|task| arch.dispatch(task));
    }
    let at = |i: usize, j: usize| values[8 + j * pitch(B) + i];
    let diagonal = (0..order).map(|j| at(j, j)).collect();
    let below = (1..order).map(|j| at(j, j - 1)).collect();
    let sweeps = sweeps.into_iter().filter_map(|sweep| sweep.applied).collect();
    (Tridiagonal { diagonal, below }, Reflections { sweeps })
}
