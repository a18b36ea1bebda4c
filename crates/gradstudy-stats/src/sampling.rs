//! Drawing a few indices of many, without replacement and independent of the number of threads.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Draws distinct indices; holds the scratch memory of one thread.
#[derive(Debug)]
pub struct Sampler {
    seeded: ChaCha8Rng,
    /// One bit for every index, set while it is drawn.
    taken: Vec<u64>,
    drawn: Vec<usize>,
}

impl Sampler {
    /// A sampler of `seed`; two of the same seed draw the same.
    pub fn new(seed: u64) -> Self {
        Sampler {
            seeded: ChaCha8Rng::seed_from_u64(seed),
            taken: Vec::new(),
            drawn: Vec::new(),
        }
    }

    /// `count` distinct indices below `population`, every subset equally likely (R. W. Floyd's algorithm,
    /// Comm. ACM 30 (1987), p. 754). They depend on the seed and on `stream`, the number of the sample,
    /// alone. The order is not random. Panics if `count > population`.
    pub fn draw(&mut self, stream: u64, count: usize, population: usize) -> &[usize] {
        assert!(count <= population, "{count} distinct indices below {population}");
        let mut rng = self.seeded.clone();
        rng.set_stream(stream);
        self.taken
            .resize(population.div_ceil(64).max(self.taken.len()), 0);
        self.drawn.clear();
        for last in population - count..population {
            let mut index = below(&mut rng, last as u64 + 1) as usize;
            if self.taken[index / 64] >> (index % 64) & 1 == 1 {
                index = last;
            }
            self.taken[index / 64] |= 1 << (index % 64);
            self.drawn.push(index);
        }
        for &index in &self.drawn {
            self.taken[index / 64] = 0;
        }
        &self.drawn
    }
}

/// A uniform whole number below `bound`, without bias (D. Lemire, ACM TOMACS 29 (2019)).
pub(super) fn below(rng: &mut ChaCha8Rng, bound: u64) -> u64 {
    // Half the random bits do for all but huge populations.
    if let Ok(bound) = u32::try_from(bound) {
        loop {
            let product = u64::from(rng.next_u32()) * u64::from(bound);
            // Only the lowest `2³² mod bound` remainders are drawn once too often.
            if product as u32 >= bound || product as u32 >= bound.wrapping_neg() % bound {
                return product >> 32;
            }
        }
    }
    loop {
        let product = u128::from(rng.next_u64()) * u128::from(bound);
        if product as u64 >= bound || product as u64 >= bound.wrapping_neg() % bound {
            return (product >> 64) as u64;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_distinct_and_repeatable() {
        let mut sampler = Sampler::new(7);
        let first = sampler.draw(3, 100, 5000).to_vec();
        let other = sampler.draw(4, 100, 5000).to_vec();
        assert_ne!(first, other);
        assert_eq!(sampler.draw(3, 100, 5000), first);
        assert_eq!(Sampler::new(7).draw(3, 100, 5000), first);
        assert_ne!(Sampler::new(8).draw(3, 100, 5000), first);
        let mut sorted = first;
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), 100);
        assert!(sorted.iter().all(|&index| index < 5000));
    }

    #[test]
    fn all_of_them_is_a_permutation() {
        let mut all = Sampler::new(0).draw(0, 64, 64).to_vec();
        all.sort_unstable();
        assert_eq!(all, (0..64).collect::<Vec<_>>());
    }

    /// Each of 20 indices is in a draw of 5 with probability 1/4: χ² with 19 degrees of freedom (nearly, as
    /// the counts of one draw sum to 5) stays below its 99.99 % point.
    #[test]
    fn every_index_is_equally_likely() {
        let (draws, mut counts) = (20_000, [0u32; 20]);
        let mut sampler = Sampler::new(11);
        for stream in 0..draws {
            for &index in sampler.draw(stream, 5, 20) {
                counts[index] += 1;
            }
        }
        let expected = draws as f64 / 4.0;
        let chi2: f64 = counts
            .iter()
            .map(|&c| (f64::from(c) - expected).powi(2) / expected)
            .sum();
        assert!(chi2 < 49.6, "{chi2}");
    }
}
