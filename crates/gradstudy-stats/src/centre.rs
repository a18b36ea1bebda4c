//! The middle of a sample in two numbers, so that a spread far below the size of the values keeps its digits.

use super::degenerate::Cause;

/// Rounding of a float32 number relative to its size.
const FLOAT32: f64 = f32::EPSILON as f64;

/// Largest deviation from the mean, in units of rounding of the mean, below which SciPy warns of catastrophic
/// cancellation.
const NEAR: f64 = 10.0;

/// Values whose fourth powers neither overflow nor vanish, with room for a spread 2⁻⁵³ times as large.
const SAFE: std::ops::RangeInclusive<f64> = 1e-45..=1e45;

/// The mean of a sample, as a float64 number near it and what is missing to it: x less the first is exact wherever the
/// values lie closer together than they are large.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Centre {
    /// A power of two by which values are multiplied first; 1 unless they are tiny or huge.
    scale: f64,
    /// The mean of the scaled values, rounded.
    origin: f64,
    /// The mean of what that leaves.
    rest: f64,
}

impl Centre {
    /// The centre of `sample`, which must be finite.
    pub fn of(sample: &[f64]) -> Self {
        let n = sample.len() as f64;
        let largest = largest(sample, f64::abs);
        let scale = match SAFE.contains(&largest) {
            true => 1.0,
            false => power_of_two_near(largest.recip()),
        };
        let origin = sum(sample, |x| x * scale) / n;
        let rest = sum(sample, |x| x * scale - origin) / n;
        Centre { scale, origin, rest }
    }

    /// x − x̄, times a power of two that is the same for every x.
    pub fn deviation(&self, x: f64) -> f64 {
        (x * self.scale - self.origin) - self.rest
    }

    /// Whether every value of the centre's `sample` lies within ten units of rounding of the mean: digits are few, though
    /// none is lost. `squares` is the sum of the squared deviations.
    ///
    /// # Errors
    /// [`Cause::Rounding`] where the standard deviation (over n) is within the rounding of the mean, |x̄|ε: ε is 2⁻⁵² as in
    /// SciPy, or 2⁻²³ where every value is a float32 number and one is not whole. So are values that were recorded in
    /// float32, while counts are exact however large.
    pub fn near_rounding(&self, sample: &[f64], squares: f64) -> Result<bool, Cause> {
        let (mean, sd) = (self.origin.abs(), (squares / sample.len() as f64).sqrt());
        // Then some value lies further out than ten of the larger units.
        if sd > NEAR * FLOAT32 * mean {
            return Ok(false);
        }
        let unit = rounding_unit(sample) * mean;
        match sd <= unit {
            true => Err(Cause::Rounding),
            false => Ok(largest(sample, |x| self.deviation(x).abs()) < NEAR * unit),
        }
    }
}

/// ε of the numbers that the sample was kept in, as far as it shows.
fn rounding_unit(sample: &[f64]) -> f64 {
    let narrow = sample.iter().all(|x| f64::from(*x as f32) == *x);
    match narrow && sample.iter().any(|x| x.fract() != 0.0) {
        true => FLOAT32,
        false => f64::EPSILON,
    }
}

/// The power of two at or below a number above zero (2¹⁰²² at most).
fn power_of_two_near(x: f64) -> f64 {
    let exponent = x.log2().floor().clamp(-1022.0, 1022.0) as i64;
    f64::from_bits(((exponent + 1023) as u64) << 52)
}

/// Sums that the processor adds side by side; their order is the same on every machine.
const LANES: usize = 8;

/// Σ f(x).
pub fn sum(sample: &[f64], f: impl Fn(f64) -> f64) -> f64 {
    let [sum] = sums(sample, |x| [f(x)]);
    sum
}

/// Several sums at once, each as [`sum`].
pub fn sums<const N: usize>(sample: &[f64], f: impl Fn(f64) -> [f64; N]) -> [f64; N] {
    let (whole, rest) = sample.as_chunks::<LANES>();
    let mut lanes = [[0.0; LANES]; N];
    for chunk in whole {
        let terms = chunk.map(&f);
        for (n, lanes) in lanes.iter_mut().enumerate() {
            for (lane, terms) in lanes.iter_mut().zip(&terms) {
                *lane += terms[n];
            }
        }
    }
    for (lane, &x) in rest.iter().enumerate() {
        for (lanes, term) in lanes.iter_mut().zip(f(x)) {
            lanes[lane] += term;
        }
    }
    lanes.map(|lanes| lanes.iter().sum())
}

/// The largest f(x) above zero, 0 if there is none.
fn largest(sample: &[f64], f: impl Fn(f64) -> f64) -> f64 {
    // `f64::max` takes care of NaN, which keeps it from becoming one instruction.
    let larger = |a: f64, b: f64| if b > a { b } else { a };
    let (whole, rest) = sample.as_chunks::<LANES>();
    let mut lanes = [0.0; LANES];
    for chunk in whole {
        for (lane, &x) in lanes.iter_mut().zip(chunk) {
            *lane = larger(*lane, f(x));
        }
    }
    let last = rest.iter().fold(0.0, |last, &x| larger(last, f(x)));
    lanes.into_iter().fold(last, larger)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(sample: &[f64]) -> Result<bool, Cause> {
        let centre = Centre::of(sample);
        centre.near_rounding(sample, sum(sample, |x| centre.deviation(x).powi(2)))
    }

    #[test]
    fn deviations_beside_a_large_mean_are_exact() {
        let steps = [-3.0, 5.0, 0.0, 1.0, 2.0, -1.0, 4.0, 0.0];
        for (mean, step) in [
            (1.0, 2f64.powi(-52)),
            (1e8, 2f64.powi(-26)),
            (-3e-9, 2f64.powi(-81)),
        ] {
            let sample = steps.map(|k| mean + k * step);
            let centre = Centre::of(&sample);
            for (x, k) in sample.iter().zip(steps) {
                assert_eq!(centre.deviation(*x) / step, k - 1.0, "{mean}");
            }
            assert_eq!(near(&sample), Ok(true));
        }
    }

    #[test]
    fn tiny_and_huge_values_keep_their_shape() {
        let steps = [-3.0, 5.0, 0.0, 1.0, 2.0, -1.0, 4.0, 0.0];
        for scale in [5e-324, 1e-300, 1e-46, 1e200, 3e307] {
            let sample = steps.map(|k| k * scale);
            let centre = Centre::of(&sample);
            let ratio = centre.deviation(sample[1]) / centre.deviation(sample[0]);
            assert!((ratio + 1.0).abs() < 1e-9, "{scale}: {centre:?}");
            assert_eq!(near(&sample), Ok(false));
        }
    }

    #[test]
    fn a_spread_within_rounding_is_none() {
        let next = |x: f64| f64::from_bits(x.to_bits() + 1);
        assert_eq!(near(&[7.5, next(7.5), 7.5, 7.5]), Err(Cause::Rounding));
        // In float32 …
        let step = f64::from(f32::EPSILON);
        assert_eq!(near(&[1.0, 1.0 + step, 1.0, 1.0]), Err(Cause::Rounding));
        // … unless the numbers are no float32 numbers, or whole.
        assert!(near(&[1.0, 1.0 + step, 1.0, 1.0 + step / 8.0]).is_ok());
        assert_eq!(near(&[1e7, 1e7 + 1.0, 1e7, 1e7]), Ok(false));
    }
}
