//! The power-law test of one f32 sample with the K largest values: the inner loop of [`super::many`].
//!
//! The plain form of the same test is [`PowerLawTest::of`]; the two agree within rounding.

use pulp::{Arch, Simd, WithSimd};

use super::degenerate::Cause;
use super::ks::Ecdf;
use super::ks_search::KsSearch;
use super::power_law::{PowerLawFit, PowerLawTest};
use super::select::{INFINITY_KEY, Selector, key};
use super::vector_math::log_sum;

/// Tests many samples; holds the scratch memory of one thread.
#[derive(Debug, Default)]
pub struct TailKernel {
    arch: Arch,
    selector: Selector,
    search: KsSearch,
}

impl TailKernel {
    /// Fits the `k` largest |x| and measures their distance. `critical_distance` is d_c for K = `k`.
    pub fn test(
        &mut self,
        values: &[f32],
        k: usize,
        ecdf: Ecdf,
        critical_distance: f64,
    ) -> Result<PowerLawTest, Cause> {
        let Some(keys) = self.selector.top_k(values, k) else {
            return Err(cause(values));
        };
        let fit = self.arch.dispatch(Fit { keys }).ok_or_else(|| cause(values))?;
        let ks_distance = self.search.distance(keys, &fit, ecdf);
        Ok(PowerLawTest {
            fit,
            ks_distance,
            critical_distance,
        })
    }
}

/// Fits a tail; `None` if it holds NaN, infinity or zero, or equal values only. A type of its own, because a
/// closure need not be compiled for the vector instructions it runs under.
struct Fit<'a> {
    keys: &'a [u32],
}

impl WithSimd for Fit<'_> {
    type Output = Option<PowerLawFit>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Self::Output {
        let (mut min, mut max) = (u32::MAX, 0);
        for &key in self.keys {
            min = min.min(key);
            max = max.max(key);
        }
        if max >= INFINITY_KEY || min == 0 || min == max {
            return None;
        }
        let x_min = f64::from(f32::from_bits(min));
        let log_sum = log_sum(self.keys, 1.0 / x_min);
        Some(PowerLawFit::from_log_sum(log_sum, x_min, self.keys.len()))
    }
}

/// Why a sample whose tail cannot be fitted is degenerate.
fn cause(values: &[f32]) -> Cause {
    if values.iter().any(|x| !x.is_finite()) {
        Cause::NotFinite
    } else if values
        .first()
        .is_some_and(|&first| values.iter().all(|&x| key(x) == key(first)))
    {
        Cause::Constant
    } else {
        Cause::TooFew
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_instruction_set_gives_equal_bits() {
        let values: Vec<f32> = (1..5004).map(|i| 1e-3 / (i as f32 * 12.9898).sin()).collect();
        let mut plain = TailKernel {
            arch: Arch::Scalar,
            search: KsSearch::plain(),
            ..TailKernel::default()
        };
        let mut best = TailKernel::default();
        for k in [2, 100, 1000] {
            let test = best.test(&values, k, Ecdf::Left, 0.1).expect("a tail");
            assert_eq!(plain.test(&values, k, Ecdf::Left, 0.1), Ok(test), "{k}");
        }
    }
}
