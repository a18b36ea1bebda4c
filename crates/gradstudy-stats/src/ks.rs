//! The Kolmogorov–Smirnov distance of a tail from a fitted distribution.

use std::f64::consts::LN_2;

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
    pub(super) fn distance(self, cdf: f64, i: usize, n: f64) -> f64 {
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
