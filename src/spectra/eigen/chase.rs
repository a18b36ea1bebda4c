//! Second stage: a symmetric band to tridiagonal form by chasing bulges (Schwarz 1968; Lang, "A parallel algorithm
//! for reducing symmetric banded matrices to tridiagonal form", 1993).
//!
//! Sweep s annihilates column s with a reflector of B rows and chases the bulge down: its step p works on the B columns
//! from s + 1 + pB on, and on nothing else. Two steps of one sweep and one of the next that lie two steps apart are
//! therefore independent, which gives both the order in cache (groups of sweeps follow each other closely) and the
//! parallel tasks. The order of operations on each number is always the same.

use faer::MatRef;
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
struct Band<const B: usize> {
    values: Vec<f64>,
    order: usize,
}

/// Distance of (i, j + 1) from (i, j): not a multiple of 4096 bytes, so that columns do not evict each other.
const fn pitch(half_width: usize) -> usize {
    2 * half_width + 8
}

impl<const B: usize> Band<B> {
    fn new(matrix: MatRef<f64>) -> Self {
        let n = matrix.nrows();
        // Room for whole blocks beyond the end: zeros, which no reflector mixes in.
        let mut values = vec![0.0; (n + 3 * B) * (pitch(B) + 1) + 8];
        for j in 0..n {
            for i in j..n.min(j + B + 1) {
                values[8 + j * pitch(B) + i] = matrix[(i, j)];
            }
        }
        Band { values, order: n }
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
        simd.vectorize(
            #[inline(always)]
            || {
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
                        chase(&mut band[at..], &mut sweep.reflector);
                    }
                }
            },
        );
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

/// Applies `reflector` to the diagonal block at the front of `band` and to the block below it, and makes the next.
#[inline(always)]
fn chase<const B: usize>(band: &mut [f64], reflector: &mut Reflector<B>) {
    diagonal_block(band, reflector);
    *reflector = block_below(band, reflector);
}

/// D ← H D H on the lower triangle.
#[inline(always)]
fn diagonal_block<const B: usize>(band: &mut [f64], h: &Reflector<B>) {
    let mut y = [0.0f64; B];
    for j in 0..B {
        // From the multiple of 8 before the diagonal on; what lies above the diagonal there is padding.
        let from = j / 8 * 8;
        let column: &[f64] = &band[8 + j * pitch(B) + from..8 + j * pitch(B) + B];
        let mut lanes = [0.0f64; 8];
        let vj = h.v[j];
        let mut head = [0.0f64; 8];
        for lane in 0..8 {
            head[lane] = if from + lane > j { column[lane] } else { 0.0 };
        }
        for lane in 0..8 {
            lanes[lane] = head[lane] * h.v[from + lane];
            y[from + lane] = head[lane].mul_add(vj, y[from + lane]);
        }
        let mut start = 8;
        while from + start < B {
            for lane in 0..8 {
                let a = column[start + lane];
                lanes[lane] = a.mul_add(h.v[from + start + lane], lanes[lane]);
                y[from + start + lane] = a.mul_add(vj, y[from + start + lane]);
            }
            start += 8;
        }
        let [a, b, c, d, e, f, g, i] = lanes;
        y[j] += column[j - from].mul_add(vj, ((a + e) + (c + g)) + ((b + f) + (d + i)));
    }
    // w = τ y − τ²(y·v)/2 v, D ← D − v wᵀ − w vᵀ
    let half = -0.5 * h.tau * h.tau * dot(&y, &h.v);
    let mut w = [0.0f64; B];
    for i in 0..B {
        w[i] = half.mul_add(h.v[i], h.tau * y[i]);
    }
    for j in 0..B {
        let from = j / 8 * 8;
        let column: &mut [f64] = &mut band[8 + j * pitch(B) + from..8 + j * pitch(B) + B];
        let (vj, wj) = (-h.v[j], -w[j]);
        let mut start = 0;
        while from + start < B {
            for lane in 0..8 {
                let i = from + start + lane;
                let updated = h.v[i].mul_add(wj, w[i].mul_add(vj, column[start + lane]));
                column[start + lane] = updated;
            }
            start += 8;
        }
    }
}

/// E ← G E H with the G that annihilates E H's first column below its first entry.
#[inline(always)]
fn block_below<const B: usize>(band: &mut [f64], h: &Reflector<B>) -> Reflector<B> {
    let mut w = [0.0f64; B];
    for j in 0..B {
        let at = 8 + j * pitch(B) + B;
        let column: &[f64; B] = band[at..at + B].try_into().expect("B values");
        let vj = h.v[j];
        for i in 0..B {
            w[i] = column[i].mul_add(vj, w[i]);
        }
    }
    for value in &mut w {
        *value *= -h.tau;
    }
    let first: &mut [f64; B] = (&mut band[8 + B..8 + 2 * B]).try_into().expect("B values");
    for i in 0..B {
        first[i] += w[i];
    }
    let (g, beta) = reflector(first);
    *first = [0.0; B];
    first[0] = beta;
    for j in 1..B {
        let at = 8 + j * pitch(B) + B;
        let column: &mut [f64; B] = (&mut band[at..at + B]).try_into().expect("B values");
        let vj = h.v[j];
        let mut new = [0.0f64; B];
        for i in 0..B {
            new[i] = w[i].mul_add(vj, column[i]);
        }
        let factor = -g.tau * dot(&new, &g.v);
        for i in 0..B {
            column[i] = g.v[i].mul_add(factor, new[i]);
        }
    }
    g
}

/// The tridiagonal matrix similar to the band of half-width B (a multiple of 8) in `matrix`'s lower triangle, and the
/// reflections that made it if `keep` (order² / 2 numbers).
pub fn tridiagonalise<const B: usize>(matrix: MatRef<f64>, keep: bool) -> (Tridiagonal, Reflections<B>) {
    let Band { mut values, order } = Band::<B>::new(matrix);
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
