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

/// How many eigenvalues lie below each shift: the changes of sign in p₀ = 1, p_k = (d_k − x) p_(k−1) − e²_(k−1) p_(k−2).
///
/// Each p_k is what slightly other d and e give exactly, as with the quotients p_k/p_(k−1), whose divisions take four times
/// as long. Off-diagonal entries are not zero, so two zeros never follow each other.
struct Counts<'a> {
    /// d_k and e²_(k−1), for a matrix of norm up to one.
    rows: &'a [(f64, f64)],
    shifts: &'a [f64; LANES],
}

/// Rows in which no p leaves the range of f64: in one it shrinks to 10⁻³⁸ at worst.
const SAFE: usize = 4;

impl WithSimd for Counts<'_> {
    type Output = [u64; LANES];

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        simd.vectorize(
            #[inline(always)]
            || {
                let Counts { rows, shifts } = self;
                let (mut before, mut last) = ([0.0f64; LANES], [1.0f64; LANES]);
                let mut counts = [0u64; LANES];
                for rows in rows.chunks(SAFE) {
                    for (d, square) in rows {
                        for lane in 0..LANES {
                            let p = (d - shifts[lane]).mul_add(last[lane], -(square * before[lane]));
                            counts[lane] += (p.to_bits() ^ last[lane].to_bits()) >> 63;
                            (before[lane], last[lane]) = (last[lane], p);
                        }
                    }
                    for lane in 0..LANES {
                        let size = before[lane].abs().max(last[lane].abs());
                        let exponent = size.to_bits() & (0x7ff << 52);
                        let scale = f64::from_bits((2046 << 52) - exponent);
                        before[lane] *= scale;
                        last[lane] *= scale;
                    }
                }
                counts
            },
        )
    }
}

/// Where to count next, for descending intervals: the middle of each that stands alone; those that are the same divide
/// it evenly among themselves.
fn shifts(lows: &[f64; LANES], highs: &[f64; LANES]) -> [f64; LANES] {
    let mut shifts = [0.0; LANES];
    let mut first = 0;
    while first < LANES {
        let same = |l: &usize| (lows[*l], highs[*l]) == (lows[first], highs[first]);
        let count = (first..LANES).take_while(same).count();
        for l in first..first + count {
            let share = (l - first + 1) as f64 / (count + 1) as f64;
            shifts[l] = highs[l] + share * (lows[l] - highs[l]);
        }
        first += count;
    }
    shifts
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
        let (low, high) = self.bounds();
        let norm = low.abs().max(high.abs());
        if norm == 0.0 {
            return vec![0.0; top];
        }
        // To a norm between one half and one.
        let scale = 2f64.powi((-(norm.log2().floor() as i32) - 1).clamp(-1000, 1000));
        let (low, high, norm) = (low * scale, high * scale, norm * scale);
        let slack = 4.0 * f64::EPSILON * norm;
        let (low, high) = (low - slack, high + slack);
        // Far below the last place of the norm.
        let least = 1e-3 * f64::EPSILON * norm;
        let square = |e: &f64| (e * scale).abs().max(least).powi(2);
        let squares = std::iter::once(0.0).chain(self.below.iter().map(square));
        let rows: Vec<(f64, f64)> = self.diagonal.iter().map(|d| d * scale).zip(squares).collect();
        let counts = |shifts: &[f64; LANES]| Arch::new().dispatch(Counts { rows: &rows, shifts });
        let tasks: Vec<[f64; LANES]> = (0..top.div_ceil(LANES))
            .into_par_iter()
            .map(|task| {
                // Lane l looks for the eigenvalue with `wanted[l]` below it.
                let wanted: [usize; LANES] =
                    std::array::from_fn(|lane| n.saturating_sub(1 + task * LANES + lane));
                let (mut lows, mut highs) = ([low; LANES], [high; LANES]);
                loop {
                    let shifts = shifts(&lows, &highs);
                    let counts = counts(&shifts);
                    let mut open = false;
                    for l in 0..LANES {
                        for (&count, &shift) in counts.iter().zip(&shifts) {
                            if count as usize <= wanted[l] {
                                lows[l] = lows[l].max(shift);
                            } else {
                                highs[l] = highs[l].min(shift);
                            }
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
        values.iter_mut().for_each(|value| *value /= scale);
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pairs of rows [[a, b], [b, a]] that do not touch each other have the eigenvalues a ± b.
    #[test]
    fn pairs_that_do_not_touch_have_sums_and_differences() {
        for size in [1e-250, 1e-3, 1.0, 1e250] {
            let pairs: Vec<(f64, f64)> = (0..40)
                .map(|k| (2.0 * 10f64.powi(-(k / 2)), 1.5 * 10f64.powi(-k / 3)))
                .map(|(a, b)| (a * size, b * size))
                .collect();
            let tridiagonal = Tridiagonal {
                diagonal: pairs.iter().flat_map(|(a, _)| [*a, *a]).collect(),
                below: pairs.iter().flat_map(|(_, b)| [*b, 0.0]).take(79).collect(),
            };
            let mut expected: Vec<f64> = pairs.iter().flat_map(|(a, b)| [a + b, a - b]).collect();
            expected.sort_by(|a, b| b.total_cmp(a));
            let found = tridiagonal.top_eigenvalues(80);
            for (found, expected) in found.iter().zip(&expected) {
                assert!(
                    (found - expected).abs() <= 4.0 * f64::EPSILON * 3.5 * size,
                    "{found:e} is not {expected:e}"
                );
            }
            assert_eq!(tridiagonal.top_eigenvalues(3), found[..3]);
        }
    }

    #[test]
    fn equal_intervals_are_divided_and_others_halved() {
        let (mut lows, mut highs) = ([0.0; LANES], [1.0; LANES]);
        lows[0] = 0.5;
        highs[LANES - 1] = 0.25;
        let shifts = shifts(&lows, &highs);
        assert_eq!((shifts[0], shifts[LANES - 1]), (0.75, 0.125));
        assert_eq!(shifts[1], 1.0 - 1.0 / 31.0);
        assert!(shifts[1..LANES - 1].is_sorted_by(|a, b| a > b));
    }
}
