//! Eigenvalues of a symmetric tridiagonal matrix by bisection on Sturm counts (Givens 1954; Demmel, Dhillon and Ren,
//! "On the correctness of some bisection-like parallel eigenvalue algorithms in floating point arithmetic", 1995):
//! each within a few units of the last place of ‖T‖, whatever the number of threads.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

/// Eigenvalues that one task looks for at once: four vectors of eight hide the latency of the division.
const LANES: usize = 32;

/// A symmetric tridiagonal matrix.
pub struct Tridiagonal {
    pub diagonal: Vec<f64>,
    /// One shorter.
    pub below: Vec<f64>,
}

/// How many eigenvalues lie below each shift.
struct Counts<'a> {
    diagonal: &'a [f64],
    /// Squares, the first 0.
    squares: &'a [f64],
    shifts: &'a [f64; LANES],
    /// Stands for a pivot that is smaller.
    least: f64,
}

impl WithSimd for Counts<'_> {
    type Output = [u64; LANES];

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        simd.vectorize(
            #[inline(always)]
            || {
                let Counts {
                    diagonal,
                    squares,
                    shifts,
                    least,
                } = self;
                let mut pivots = [1.0f64; LANES];
                let mut counts = [0u64; LANES];
                for (d, square) in diagonal.iter().zip(squares) {
                    for lane in 0..LANES {
                        let q = (d - shifts[lane]) - square / pivots[lane];
                        let q = if q.abs() < least { -least } else { q };
                        counts[lane] += q.to_bits() >> 63;
                        pivots[lane] = q;
                    }
                }
                counts
            },
        )
    }
}

impl Tridiagonal {
    /// Every eigenvalue lies in this interval (Gershgorin).
    pub fn bounds(&self) -> (f64, f64) {
        let n = self.diagonal.len();
        let mut bounds = (f64::INFINITY, f64::NEG_INFINITY);
        for i in 0..n {
            let before = if i > 0 { self.below[i - 1].abs() } else { 0.0 };
            let after = if i + 1 < n { self.below[i].abs() } else { 0.0 };
            bounds.0 = bounds.0.min(self.diagonal[i] - before - after);
            bounds.1 = bounds.1.max(self.diagonal[i] + before + after);
        }
        bounds
    }

    /// The `top` largest eigenvalues, descending.
    pub fn top_eigenvalues(&self, top: usize) -> Vec<f64> {
        let n = self.diagonal.len();
        let squares: Vec<f64> = std::iter::once(0.0)
            .chain(self.below.iter().map(|e| e * e))
            .take(n)
            .collect();
        let (low, high) = self.bounds();
        let norm = low.abs().max(high.abs());
        if norm == 0.0 {
            return vec![0.0; top];
        }
        let slack = 4.0 * f64::EPSILON * norm;
        let (low, high) = (low - slack, high + slack);
        let largest = squares.iter().fold(0.0f64, |a, &b| a.max(b));
        let least = f64::MIN_POSITIVE * largest.max(1.0);
        let counts = |shifts: &[f64; LANES]| {
            Arch::new().dispatch(Counts {
                diagonal: &self.diagonal,
                squares: &squares,
                shifts,
                least,
            })
        };
        let tasks: Vec<[f64; LANES]> = (0..top.div_ceil(LANES))
            .into_par_iter()
            .map(|task| {
                // Lane l looks for the eigenvalue with `wanted[l]` below it.
                let wanted: [usize; LANES] =
                    std::array::from_fn(|lane| n.saturating_sub(1 + task * LANES + lane));
                let (mut lows, mut highs) = ([low; LANES], [high; LANES]);
                loop {
                    let middles: [f64; LANES] = std::array::from_fn(|l| 0.5 * (lows[l] + highs[l]));
                    let counts = counts(&middles);
                    let mut open = false;
                    for l in 0..LANES {
                        if counts[l] as usize <= wanted[l] {
                            lows[l] = middles[l];
                        } else {
                            highs[l] = middles[l];
                        }
                        open |= highs[l] - lows[l] > f64::EPSILON * norm;
                    }
                    if !open {
                        break std::array::from_fn(|l| 0.5 * (lows[l] + highs[l]));
                    }
                }
            })
            .collect();
        let mut values: Vec<f64> = tasks.into_iter().flatten().take(top).collect();
        // Neighbours found by different lanes may be out of order by rounding.
        values.sort_unstable_by(|a, b| b.total_cmp(a));
        values
    }
}
