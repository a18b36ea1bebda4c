//! Second stage: a symmetric band to tridiagonal form by chasing bulges (Schwarz 1968; Lang, "A parallel algorithm
//! for reducing symmetric banded matrices to tridiagonal form", 1993).
//!
//! Sweep s annihilates column s with a reflector of B rows and chases the bulge down: its step p works on the B columns
//! from s + 1 + pB on, and on nothing else. Two steps of one sweep and one of the next that lie two steps apart are
//! therefore independent, which gives both the order in cache (groups of sweeps follow each other closely) and the
//! parallel tasks. The order of operations on each number is always the same.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::chase_kernel::{Reflector, block_below, diagonal_block, pitch, reflector};
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
