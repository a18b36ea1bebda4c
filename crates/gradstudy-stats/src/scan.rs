//! The tail of least KS distance over every distinct value of a sample (Clauset, Shalizi and Newman, SIAM Review
//! 51 (2009), section 3.3): the exact optimum, without measuring every tail to its end.
//!
//! In logarithms the fit to each tail follows from a running sum. A tail is given up at the first point whose
//! distance reaches the least so far: the points that ended its neighbours' tails are tried first, then evenly
//! spaced ones. Between two of those F* and F̂ only grow, which bounds the distance and leaves few points to look
//! at. Tails within rounding of the least are measured again in the plainest way, so that rounding and the order
//! of the search decide nothing.

use pulp::{Arch, Simd, WithSimd};

use super::ks::{Ecdf, ks_distance};
use super::power_law::PowerLawFit;
use super::vector_math::{exp_negative, ln};

/// Points that ended the latest tails, tried first on the next.
const WITNESSES: usize = 8;

/// Finds tails; holds the scratch memory of one thread.
#[derive(Debug, Default)]
pub struct Scanner {
    arch: Arch,
    /// ln(x_max/x), from the largest value down.
    logs: Vec<f64>,
    /// Every 16th, 64th, 256th … of `logs`: evenly spaced points lie together.
    spaced: Vec<Vec<f64>>,
    /// 1 − F* at evenly spaced points.
    survival: Vec<f64>,
    /// Least that the distance can be, and size, of the tails that may have the least distance.
    near: Vec<(f64, usize)>,
}

impl Scanner {
    /// The start of the tail of least KS distance in `ascending`, which must be sorted, finite and above zero;
    /// of tails with equal distance the longest.
    ///
    /// A tail begins at the first of equal values and has at least `at_least` points, not all of them equal;
    /// `None` if there is no such tail. Values that the largest exceeds by a factor above `f64::MAX` begin none.
    pub fn start(&mut self, ascending: &[f64], at_least: usize, ecdf: Ecdf) -> Option<usize> {
        let &largest = ascending.last()?;
        self.logs.clear();
        self.logs.extend(
            ascending
                .iter()
                .rev()
                .map(|&x| largest / x)
                .take_while(|ratio| ratio.is_finite())
                .map(ln),
        );
        self.spaced.clear();
        let mut stride = 16;
        while stride * stride <= self.logs.len() {
            self.spaced
                .push(self.logs.iter().step_by(stride).copied().collect());
            stride *= 4;
        }
        self.near.clear();
        self.arch.dispatch(Search {
            ascending,
            at_least,
            ecdf,
            logs: &self.logs,
            spaced: &self.spaced,
            survival: &mut self.survival,
            near: &mut self.near,
        });
        let mut best: Option<(f64, usize)> = None;
        for &(_, size) in &self.near {
            let start = ascending.len() - size;
            let Some(distance) = distance(&ascending[start..], ecdf) else {
                continue;
            };
            if best.is_none_or(|least| (distance, start) < least) {
                best = Some((distance, start));
            }
        }
        best.map(|(_, start)| start)
    }
}

/// d_ks of the power law fitted to all of `tail` (ascending), in the plainest way.
fn distance(tail: &[f64], ecdf: Ecdf) -> Option<f64> {
    let fit = PowerLawFit::new(tail, *tail.first()?)?;
    let cdf: Vec<f64> = tail.iter().map(|&x| fit.cdf(x)).collect();
    Some(ks_distance(&cdf, ecdf))
}

/// Fills `near`. A type of its own, because a closure need not be compiled for the vector instructions it runs
/// under.
struct Search<'a> {
    ascending: &'a [f64],
    at_least: usize,
    ecdf: Ecdf,
    logs: &'a [f64],
    spaced: &'a [Vec<f64>],
    survival: &'a mut Vec<f64>,
    near: &'a mut Vec<(f64, usize)>,
}

impl WithSimd for Search<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        // The least distance is at most this.
        let mut least = f64::INFINITY;
        let mut witnesses = Witnesses::default();
        // Tails of sizes far apart bring `least` near its end; then each is looked at.
        for every_size in [false, true] {
            let (mut sum, mut lost, mut next_size) = (0.0f64, 0.0, self.at_least);
            for (index, &last) in self.logs.iter().enumerate() {
                // A. Neumaier's sum (ZAMM 54 (1974)): errors stay within rounding of the result.
                let total = sum + last;
                lost += if sum > last {
                    (sum - total) + last
                } else {
                    (last - total) + sum
                };
                sum = total;

                let size = index + 1;
                if size < next_size || !self.is_tail(size) {
                    continue;
                }
                let log_sum = size as f64 * last - sum - lost;
                let slope = size as f64 / log_sum;
                if !(log_sum > 0.0 && slope.is_finite()) {
                    continue;
                }
                if !every_size {
                    next_size = size + size / 8;
                }
                let tail = Tail::new(self.logs, size, slope, self.ecdf);
                let slack = tail.rounding();
                let limit = least + slack;
                if tail.reaches_at(&witnesses, limit) {
                    continue;
                }
                match tail.distance(self.spaced, self.survival, limit) {
                    Ok(distance) => {
                        least = least.min(distance + slack);
                        self.near.retain(|near| near.0 <= least);
                        self.near.push((distance - slack, size));
                    }
                    Err(witness) => witnesses.push(witness),
                }
            }
        }
    }
}

impl Search<'_> {
    /// Whether the `size` largest values end with the last of equal ones and are not all equal.
    #[inline(always)]
    fn is_tail(&self, size: usize) -> bool {
        let start = self.ascending.len() - size;
        let first = self.ascending[start];
        (start == 0 || self.ascending[start - 1] != first)
            && first != self.ascending[self.ascending.len() - 1]
    }
}

/// Ranks from the largest value down.
#[derive(Default)]
struct Witnesses {
    ranks: [usize; WITNESSES],
    oldest: usize,
}

impl Witnesses {
    #[inline(always)]
    fn push(&mut self, rank: usize) {
        self.ranks[self.oldest] = rank;
        self.oldest = (self.oldest + 1) % WITNESSES;
    }
}

/// The `logs.len()` largest values with their fit. Ranks count from 0, the largest value.
struct Tail<'a> {
    logs: &'a [f64],
    /// β̂ − 1.
    slope: f64,
    /// 1/K.
    step: f64,
    /// 1 − F̂ at rank r is (r + `shift`)/K, in the middle of the step if both of its sides count…
    shift: f64,
    /// … which lie this far from the middle.
    side: f64,
}

impl<'a> Tail<'a> {
    #[inline(always)]
    fn new(logs: &'a [f64], size: usize, slope: f64, ecdf: Ecdf) -> Self {
        let step = 1.0 / size as f64;
        let (shift, side) = match ecdf {
            Ecdf::Left => (1.0, 0.0),
            Ecdf::TwoSided => (0.5, 0.5 * step),
        };
        Tail {
            logs: &logs[..size],
            slope,
            step,
            shift,
            side,
        }
    }

    /// A bound on the rounding of a distance: a logarithm is off by a few units in its last place, and both the
    /// slope and the exponents carry that on.
    #[inline(always)]
    fn rounding(&self) -> f64 {
        1e-13 + 4e-15 * self.slope * (1.0 + self.logs[self.logs.len() - 1])
    }

    /// 1 − F* at a point.
    #[inline(always)]
    fn survival(&self, log: f64) -> f64 {
        exp_negative(self.slope * (log - self.logs[self.logs.len() - 1]))
    }

    /// |F* − F̂| at a rank, less `side`.
    #[inline(always)]
    fn deviation(&self, survival: f64, rank: f64) -> f64 {
        (survival - (rank + self.shift) * self.step).abs()
    }

    /// Whether the distance is `limit` or more at one of the witnesses.
    #[inline(always)]
    fn reaches_at(&self, witnesses: &Witnesses, limit: f64) -> bool {
        let mut worst = 0.0;
        let ranks = witnesses.ranks.map(|rank| rank.min(self.logs.len() - 1));
        let logs = ranks.map(|rank| self.logs[rank]);
        for (rank, log) in ranks.into_iter().zip(logs) {
            worst = larger(worst, self.deviation(self.survival(log), rank as f64));
        }
        worst + self.side >= limit
    }

    /// d_ks, or the rank of a point where it is `limit` or more.
    #[inline(always)]
    fn distance(&self, spaced: &[Vec<f64>], survival: &mut Vec<f64>, limit: f64) -> Result<f64, usize> {
        let limit = limit - self.side;
        let size = self.logs.len();
        // The level whose stride is next below the root of the size.
        let (mut level, mut stride) = (0, 16);
        while level + 1 < spaced.len() && (stride * 4) * (stride * 4) <= size {
            level += 1;
            stride *= 4;
        }
        if stride * stride > size || spaced.is_empty() {
            let worst = self.worst_of(0, size);
            return if worst >= limit {
                Err(self.rank_of(worst, 0, size))
            } else {
                Ok(worst + self.side)
            };
        }

        let points = size.div_ceil(stride);
        survival.clear();
        survival.extend(
            spaced[level][..points]
                .iter()
                .map(|&log| exp_negative(self.slope * (log - self.logs[size - 1]))),
        );
        let mut lanes = [0.0; 8];
        for (i, &s) in survival.iter().enumerate() {
            lanes[i % 8] = larger(lanes[i % 8], self.deviation(s, (i * stride) as f64));
        }
        let mut worst = lanes.into_iter().fold(0.0, larger);
        if worst >= limit {
            let rank = (0..points).find(|&i| self.deviation(survival[i], (i * stride) as f64) >= worst);
            return Err(rank.unwrap_or(0) * stride);
        }
        survival.push(1.0);
        for i in 0..points {
            // Strictly between this point and the next (or the end).
            let (first, end) = (i * stride + 1, size.min((i + 1) * stride));
            let above = survival[i + 1] - (first as f64 + self.shift) * self.step;
            let below = ((end - 1) as f64 + self.shift) * self.step - survival[i];
            if larger(above, below) <= worst {
                continue;
            }
            let found = self.worst_of(first, end);
            if found >= limit {
                return Err(self.rank_of(found, first, end));
            }
            worst = larger(worst, found);
        }
        Ok(worst + self.side)
    }

    /// Largest deviation at the ranks `first..end`.
    #[inline(always)]
    fn worst_of(&self, first: usize, end: usize) -> f64 {
        let mut lanes = [0.0; 8];
        let (whole, rest) = self.logs[first..end].as_chunks::<8>();
        let mut rank = first as f64;
        for chunk in whole {
            for lane in 0..8 {
                let found = self.deviation(self.survival(chunk[lane]), rank + lane as f64);
                lanes[lane] = larger(lanes[lane], found);
            }
            rank += 8.0;
        }
        for (i, &log) in rest.iter().enumerate() {
            lanes[i] = larger(lanes[i], self.deviation(self.survival(log), rank + i as f64));
        }
        lanes.into_iter().fold(0.0, larger)
    }

    /// The rank among `first..end` with this deviation.
    #[inline(always)]
    fn rank_of(&self, worst: f64, first: usize, end: usize) -> usize {
        (first..end)
            .find(|&rank| self.deviation(self.survival(self.logs[rank]), rank as f64) >= worst)
            .unwrap_or(first)
    }
}

/// `f64::max` without its care for NaN, which keeps it from becoming one instruction.
#[inline(always)]
fn larger(a: f64, b: f64) -> f64 {
    if a > b { a } else { b }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_by_hand() {
        let mut scanner = Scanner::default();
        // Of two points, the left convention sees 1 − e⁻² − ½ at the upper, whatever they are.
        assert_eq!(scanner.start(&[1.0, 3.0], 2, Ecdf::Left), Some(0));
        assert_eq!(scanner.start(&[1.0, 3.0], 3, Ecdf::Left), None);
        // Equal values stay together: from 2 on d = 1 − e⁻² − ½ at the first 5, from 1 on 0.529 − 0.2 at the first 2.
        let tied = [1.0, 2.0, 2.0, 5.0, 5.0];
        assert_eq!(scanner.start(&tied, 3, Ecdf::Left), Some(0));
        // Equal values alone are no tail.
        assert_eq!(scanner.start(&[2.0, 2.0, 2.0], 2, Ecdf::Left), None);
        assert_eq!(scanner.start(&[], 2, Ecdf::Left), None);
    }

    #[test]
    fn every_instruction_set_finds_the_same_tail() {
        let mut sample: Vec<f64> = (1..4000)
            .map(|i| 1.0 / (f64::from(i) * 12.9898).sin().abs())
            .collect();
        sample.sort_unstable_by(f64::total_cmp);
        let mut plain = Scanner {
            arch: Arch::Scalar,
            ..Scanner::default()
        };
        for ecdf in [Ecdf::Left, Ecdf::TwoSided] {
            let found = Scanner::default().start(&sample, 10, ecdf);
            assert!(found.is_some());
            assert_eq!(plain.start(&sample, 10, ecdf), found);
        }
    }

    /// A range beyond double precision: only the upper part can hold the tail.
    #[test]
    fn hopeless_ranges_are_left_out() {
        let mut sample = vec![1e-300; 3];
        sample.extend((0..40).map(|i| 1e100 * 1.2f64.powi(i)));
        let start = Scanner::default().start(&sample, 10, Ecdf::Left);
        assert!(start.is_some_and(|start| start >= 3), "{start:?}");
    }
}
