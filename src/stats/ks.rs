//! The Kolmogorov–Smirnov distance of a tail from a fitted distribution.

use std::f64::consts::LN_2;

use pulp::{Arch, Simd, WithSimd};

/// Which side of the steps of the empirical distribution F̂ is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ecdf {
    /// F̂(x₍ᵢ₎) = i/K, i = 0…K−1: what `powerlaw`, `plfit` and `poweRlaw` compute.
    Left,
    /// Both i/K and (i+1)/K, the supremum of the textbook: what `scipy.stats.kstest` computes.
    TwoSided,
}

impl Ecdf {
    /// Reads `left` or `two_sided`. Panics at another word: a mistake in gradstudy.
    pub fn from_word(word: &str) -> Self {
        match word {
            "left" => Ecdf::Left,
            "two_sided" => Ecdf::TwoSided,
            other => panic!("`{other}` is no ECDF convention, the signature promised one"),
        }
    }

    /// Largest distance of the value `cdf` of the i-th of `n` points (from 0, ascending) from F̂ there.
    fn distance(self, cdf: f64, i: usize, n: f64) -> f64 {
        let left = (cdf - i as f64 / n).abs();
        match self {
            Ecdf::Left => left,
            Ecdf::TwoSided => left.max((cdf - (i as f64 + 1.0) / n).abs()),
        }
    }
}

/// d_ks (Eq. 7) from F* at the points of the tail, ascending. Tied points keep ranks of their own.
pub fn ks_distance(cdf: &[f64], ecdf: Ecdf) -> f64 {
    let n = cdf.len() as f64;
    cdf.iter()
        .enumerate()
        .fold(0.0, |max, (i, &f)| max.max(ecdf.distance(f, i, n)))
}

/// d_c: the distance from which on the test of K = `points` rejects at level `alpha`.
///
/// 1.36/√K at α = 0.05, as the paper rounds it; else √(−ln(α/2)/2)/√K, the asymptotic value for a
/// distribution without fitted parameters.
pub fn critical_distance(alpha: f64, points: usize) -> f64 {
    let factor = if alpha == 0.05 {
        1.36
    } else {
        ((LN_2 - alpha.ln()) / 2.0).sqrt()
    };
    factor / (points as f64).sqrt()
}

/// Cells of \[0, 1\] that [`Unordered`] counts points in: a byte tells one, and cell c holds the points
/// nearest to c/255.
const CELLS: usize = 256;

/// [`ks_distance`] of points in any order, equal bit for bit: sorts only the few that may attain it. Holds
/// the scratch memory of one thread.
#[derive(Debug)]
pub struct Unordered {
    arch: Arch,
    /// The cell of each point.
    cells: Vec<u8>,
    /// Rank of each cell's first point.
    starts: [u32; CELLS],
    /// Upper bound of each cell's distance.
    upper: [f64; CELLS],
    close: Vec<(u8, f64)>,
}

impl Default for Unordered {
    fn default() -> Self {
        let arch = Arch::default();
        Unordered {
            arch,
            cells: Vec::new(),
            starts: [0; CELLS],
            upper: [0.0; CELLS],
            close: Vec::new(),
        }
    }
}

impl Unordered {
    /// d_ks from F* at the points of the tail, each in \[0, 1\].
    ///
    /// Points in the same cell have ranks next to each other, so the counts of the cells alone bound the
    /// distance on each cell from both sides; cells whose upper bound is below another's lower are passed by.
    pub fn ks_distance(&mut self, cdf: &[f64], ecdf: Ecdf) -> f64 {
        self.cells.resize(cdf.len(), 0);
        let least = self.arch.dispatch(Bounds {
            cdf,
            ecdf,
            cells: &mut self.cells,
            starts: &mut self.starts,
            upper: &mut self.upper,
        });
        // Rounding of the bounds must not hide the cell of the largest distance.
        let limit = least - 1e-9;
        self.close.clear();
        for (&cell, &f) in self.cells.iter().zip(cdf) {
            if self.upper[usize::from(cell)] >= limit {
                self.close.push((cell, f));
            }
        }
        self.close.sort_unstable_by(|a, b| a.1.total_cmp(&b.1));
        let n = cdf.len() as f64;
        let mut distance = 0.0f64;
        let mut first = 0;
        for (position, &(cell, f)) in self.close.iter().enumerate() {
            if cell != self.close[first].0 {
                first = position;
            }
            let rank = self.starts[usize::from(cell)] as usize + position - first;
            distance = distance.max(ecdf.distance(f, rank, n));
        }
        distance
    }
}

/// Fills all but `cdf` and gives the bound that the largest distance reaches.
struct Bounds<'a> {
    cdf: &'a [f64],
    ecdf: Ecdf,
    cells: &'a mut [u8],
    starts: &'a mut [u32; CELLS],
    upper: &'a mut [f64; CELLS],
}

impl WithSimd for Bounds<'_> {
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> f64 {
        // Adding 2⁵² rounds to the nearest whole number and leaves it in the low bits.
        const TWO_52: f64 = 4_503_599_627_370_496.0;
        let cells_per_unit = (CELLS - 1) as f64;
        for (cell, &f) in self.cells.iter_mut().zip(self.cdf) {
            *cell = (f * cells_per_unit + TWO_52).to_bits() as u8;
        }
        let mut counts = [0u32; CELLS];
        for &cell in &*self.cells {
            counts[usize::from(cell)] += 1;
        }
        let mut start = 0;
        for (slot, count) in self.starts.iter_mut().zip(counts) {
            *slot = start;
            start += count;
        }

        let step = 1.0 / self.cdf.len() as f64;
        let width = 1.0 / cells_per_unit;
        // `Left` compares the last point of a cell with the step below it.
        let last_step = if self.ecdf == Ecdf::Left { step } else { 0.0 };
        let larger = |a: f64, b: f64| if a > b { a } else { b };
        let mut attained = [0.0; CELLS];
        for cell in 0..CELLS {
            // On this cell F* is in [low, low + width] and F̂ in [before, after].
            let low = (f64::from(cell as u32) - 0.5) * width;
            let before = f64::from(self.starts[cell]) * step;
            let after = f64::from(self.starts[cell] + counts[cell]) * step - last_step;
            let some = if counts[cell] == 0 { 0.0 } else { 1.0 };
            self.upper[cell] = some * larger(low + width - before, after - low);
            attained[cell] = some * larger(low - before, after - low - width);
        }
        let mut least = 0.0;
        for bound in attained {
            least = larger(least, bound);
        }
        least
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_paper_s_critical_distances() {
        assert_eq!(critical_distance(0.05, 1000), 1.36 / 1000f64.sqrt());
        assert_eq!(format!("{:.4}", critical_distance(0.05, 1000)), "0.0430");
        assert_eq!(format!("{:.4}", critical_distance(0.05, 200)), "0.0962");
        // Kolmogorov's asymptotic table (N. Smirnov, Ann. Math. Statist. 19 (1948)): 1.63 at 1 %, 1.22 at 10 %.
        assert!((critical_distance(0.01, 1) - 1.63).abs() < 0.005);
        assert!((critical_distance(0.10, 1) - 1.22).abs() < 0.005);
    }

    #[test]
    fn distance_by_hand() {
        let cdf = [0.0, 0.5, 0.6, 0.9];
        assert_eq!(ks_distance(&cdf, Ecdf::Left), 0.25);
        assert!((ks_distance(&cdf, Ecdf::TwoSided) - 0.25).abs() < 1e-15);
        assert_eq!(ks_distance(&[0.5], Ecdf::Left), 0.5);
        assert_eq!(ks_distance(&[0.2], Ecdf::TwoSided), 0.8);
    }
}
