//! The Kolmogorov–Smirnov distance of a fitted power law from a tail in any order: exact, though F* is computed
//! for few of its points.
//!
//! Points are counted in cells whose bounds rise with x. The counts and F* at the bounds alone bound the distance
//! on each cell from both sides; only points of cells that may attain the largest distance are sorted and measured.

use pulp::{Arch, Simd, WithSimd};

use super::ks::Ecdf;
use super::power_law::PowerLawFit;
use super::vector_math::{exp_negative, exp_negative_f32, ln, log2_f32};

/// Cells that points are counted in.
const CELLS: usize = 512;

/// Bits of 1.
const ONE: u32 = 1f32.to_bits();

/// Cell c begins where α(key − least key) is this. As the bits of a float are nearly its base-2 logarithm, ONE less
/// that product are nearly the bits of (x/x_min)^(−α) = 1 − F*, and cells are nearly equal parts of F*.
const BOUNDS: [f32; CELLS] = {
    let (mut bounds, mut cell) = ([0.0; CELLS], 0);
    while cell < CELLS {
        bounds[cell] = (ONE - (1.0 - cell as f32 / CELLS as f32).to_bits()) as f32;
        cell += 1;
    }
    bounds
};

/// Measures many tails; holds the scratch memory of one thread.
#[derive(Debug)]
pub struct KsSearch {
    arch: Arch,
    /// The cell of each point.
    cells: Vec<u16>,
    /// Rank of each cell's first point.
    starts: [u32; CELLS],
    /// 1 for cells that may attain the largest distance, else 0.
    close: [u8; CELLS],
    /// Points of those cells: key, then cell.
    points: Vec<u64>,
    /// F* of those points.
    cdf: Vec<f64>,
}

impl Default for KsSearch {
    fn default() -> Self {
        KsSearch {
            arch: Arch::default(),
            cells: Vec::new(),
            starts: [0; CELLS],
            close: [0; CELLS],
            points: Vec::new(),
            cdf: Vec::new(),
        }
    }
}

impl KsSearch {
    /// A search that does without vector instructions.
    #[cfg(test)]
    pub(super) fn plain() -> Self {
        KsSearch {
            arch: Arch::Scalar,
            ..KsSearch::default()
        }
    }

    /// d_ks of `fit` from the points with these keys (see [`super::select`]), positive and finite, the least of
    /// them that of `fit.x_min`.
    pub fn distance(&mut self, keys: &[u32], fit: &PowerLawFit, ecdf: Ecdf) -> f64 {
        self.cells.resize(keys.len(), 0);
        self.arch.dispatch(Bounds {
            keys,
            fit,
            ecdf,
            cells: &mut self.cells,
            starts: &mut self.starts,
            close: &mut self.close,
        });
        self.points.resize(keys.len() + 1, 0);
        let mut count = 0;
        for (&key, &cell) in keys.iter().zip(&self.cells) {
            self.points[count] = u64::from(key) << 32 | u64::from(cell);
            count += usize::from(self.close[usize::from(cell) % CELLS]);
        }
        let points = &mut self.points[..count];
        points.sort_unstable();
        self.cdf.resize(count, 0.0);
        self.arch.dispatch(Cdf {
            points,
            fit,
            cdf: &mut self.cdf,
        });

        let n = keys.len() as f64;
        let (mut distance, mut first, mut current) = (0.0f64, 0, usize::MAX);
        for (position, (&point, &f)) in points.iter().zip(&self.cdf).enumerate() {
            let cell = point as u16 as usize;
            if cell != current {
                (first, current) = (position, cell);
            }
            let rank = self.starts[cell] as usize + position - first;
            distance = distance.max(ecdf.distance(f, rank, n));
        }
        distance
    }
}

/// Fills `cells`, `starts` and `close`. Types of their own, because a closure need not be compiled for the vector
/// instructions it runs under.
struct Bounds<'a> {
    keys: &'a [u32],
    fit: &'a PowerLawFit,
    ecdf: Ecdf,
    cells: &'a mut [u16],
    starts: &'a mut [u32; CELLS],
    close: &'a mut [u8; CELLS],
}

impl WithSimd for Bounds<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let x_min = self.fit.x_min as f32;
        let least = x_min.to_bits();
        let alpha = (self.fit.exponent - 1.0) as f32;
        // Each step is monotone, rounding included, so cells hold points of neighbouring ranks.
        for (cell, &key) in self.cells.iter_mut().zip(self.keys) {
            let bits = (key - least) as f32 * alpha;
            let bits = if bits < ONE as f32 { bits } else { ONE as f32 };
            let rest = f32::from_bits(ONE - bits as i32 as u32);
            let place = ((1.0 - rest) * CELLS as f32) as i32;
            *cell = place.min(CELLS as i32 - 1) as u16;
        }
        // Four tables in turn: an addition need not wait for the one before.
        let mut tables = [[0u32; CELLS]; 4];
        let (fours, rest) = self.cells.as_chunks::<4>();
        for four in fours {
            for (table, &cell) in tables.iter_mut().zip(four) {
                table[usize::from(cell) % CELLS] += 1;
            }
        }
        for &cell in rest {
            tables[0][usize::from(cell) % CELLS] += 1;
        }
        let [mut counts, b, c, d] = tables;
        for cell in 0..CELLS {
            counts[cell] += b[cell] + c[cell] + d[cell];
        }
        let mut start = 0;
        for (slot, count) in self.starts.iter_mut().zip(counts) {
            *slot = start;
            start += count;
        }
        if x_min < f32::MIN_POSITIVE {
            // The bits of subnormal numbers are no logarithms: look at every point.
            *self.close = [1; CELLS];
            return;
        }

        // F* where each cell begins, and 1 where the last ends.
        let mut cdf = [1f32; CELLS + 1];
        let room = (f32::MAX.to_bits() - least) as f32;
        let (inverse, log_min) = (1.0 / alpha, log2_f32(x_min));
        for (f, bound) in cdf.iter_mut().zip(BOUNDS) {
            let offset = bound * inverse;
            let offset = if offset < room { offset } else { room };
            let x = f32::from_bits((least + offset as i32 as u32).min(f32::MAX.to_bits()));
            let (whole, part) = log2_f32(x);
            let log = (whole - log_min.0) + (part - log_min.1);
            *f = 1.0 - exp_negative_f32(-std::f32::consts::LN_2 * alpha * log);
        }
        let n = self.keys.len() as f32;
        let step = 1.0 / n;
        // `Left` compares the last point of a cell with the step below it.
        let last_step = if self.ecdf == Ecdf::Left { step } else { 0.0 };
        // What rounding may have done to the keys of the bounds, to F* and to the ranks.
        let slack = 4e-6 + alpha * 4e-6;
        let larger = |a: f32, b: f32| if a > b { a } else { b };
        let (mut upper, mut attained) = ([0f32; CELLS], [0f32; CELLS]);
        for cell in 0..CELLS {
            let (low, high) = (cdf[cell], cdf[cell + 1]);
            let before = self.starts[cell] as i32 as f32 * step;
            let after = (self.starts[cell] + counts[cell]) as i32 as f32 * step - last_step;
            let some = if counts[cell] == 0 { 0.0 } else { 1.0 };
            upper[cell] = some * larger(high - before, after - low);
            attained[cell] = some * larger(low - before, after - high);
        }
        let mut reached = 0.0;
        for bound in attained {
            reached = larger(reached, bound);
        }
        for cell in 0..CELLS {
            // Written so that a bound that is no number keeps its points.
            let passed = upper[cell] < reached - 2.0 * slack;
            self.close[cell] = u8::from(!passed && counts[cell] > 0);
        }
    }
}

/// F* of `points`.
struct Cdf<'a> {
    points: &'a [u64],
    fit: &'a PowerLawFit,
    cdf: &'a mut [f64],
}

impl WithSimd for Cdf<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let (scale, slope) = (1.0 / self.fit.x_min, 1.0 - self.fit.exponent);
        for (f, &point) in self.cdf.iter_mut().zip(self.points) {
            let x = f64::from(f32::from_bits((point >> 32) as u32));
            *f = 1.0 - exp_negative(slope * ln(x * scale));
        }
    }
}
