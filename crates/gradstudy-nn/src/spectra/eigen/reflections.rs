//! Vectors turned back through the reflections of the second stage.

use faer::Mat;
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::chase_kernel::Reflector;

/// The reflectors H₁ H₂ … of all sweeps, whose product Q has Qᵀ A Q tridiagonal.
pub struct Reflections<const B: usize> {
    pub(super) sweeps: Vec<Vec<Reflector<B>>>,
}

/// Columns that are turned back at once: with the order 5000 they stay in the L2 cache.
const STRIP: usize = 16;

impl<const B: usize> Reflections<B> {
    /// X ← Q X.
    pub fn apply(&self, x: &mut Mat<f64>) {
        let order = x.nrows();
        let mut strips = Vec::new();
        let mut rest = x.as_mut();
        while rest.ncols() > 0 {
            let width = STRIP.min(rest.ncols());
            let (strip, later) = rest.split_at_col_mut(width);
            strips.push(strip);
            rest = later;
        }
        let arch = Arch::new();
        strips.into_par_iter().for_each(|mut strip| {
            // Row by row, with room for whole blocks beyond the end, where reflectors are zero.
            let mut rows = vec![[0.0; STRIP]; order + B];
            for j in 0..strip.ncols() {
                for i in 0..order {
                    rows[i][j] = strip[(i, j)];
                }
            }
            arch.dispatch(TurnBack {
                reflections: self,
                rows: &mut rows,
            });
            for j in 0..strip.ncols() {
                for i in 0..order {
                    strip[(i, j)] = rows[i][j];
                }
            }
        });
    }
}

/// Applies all reflectors to the rows, the last sweep's first; those of one sweep do not touch each other's rows.
struct TurnBack<'a, const B: usize> {
    reflections: &'a Reflections<B>,
    rows: &'a mut [[f64; STRIP]],
}

impl<const B: usize> WithSimd for TurnBack<'_, B> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        simd.vectorize(
            #[inline(always)]
            || {
                for (index, sweep) in self.reflections.sweeps.iter().enumerate().rev() {
                    for (step, h) in sweep.iter().enumerate() {
                        let rows = &mut self.rows[index + 1 + step * B..][..B];
                        let mut sum = [0.0f64; STRIP];
                        for (row, v) in rows.iter().zip(&h.v) {
                            for c in 0..STRIP {
                                sum[c] = v.mul_add(row[c], sum[c]);
                            }
                        }
                        for value in &mut sum {
                            *value *= -h.tau;
                        }
                        for (row, v) in rows.iter_mut().zip(&h.v) {
                            for c in 0..STRIP {
                                row[c] = v.mul_add(sum[c], row[c]);
                            }
                        }
                    }
                }
            },
        );
    }
}
