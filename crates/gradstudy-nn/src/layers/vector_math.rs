//! exp and the normal distribution in float32: loops over them become vector code under `pulp`'s dispatch. They use
//! the basic operations and the fused multiply-add alone, so every machine gets equal bits.

use std::f32::consts::{LOG2_E, PI, SQRT_2};

/// 1.5 · 2²³: adding it rounds a float to the nearest whole number, which then stands in the low bits.
const ROUND: f32 = 12_582_912.0;

/// ln 2 in two parts; the first has so few bits that its product with an exponent is exact.
const LN_2_HIGH: f32 = 0.693_359_4;
const LN_2_LOW: f32 = -2.121_944_4e-4;

/// 1/0! to 1/7!
const INVERSE_FACTORIALS: [f32; 8] = [
    1.0,
    1.0,
    0.5,
    1.0 / 6.0,
    1.0 / 24.0,
    1.0 / 120.0,
    1.0 / 720.0,
    1.0 / 5040.0,
];

/// exp y for y ≤ 88, within 2e-7 of itself; below −87 it is exp −87.
#[inline(always)]
pub fn exp(y: f32) -> f32 {
    let y = if y < -87.0 { -87.0 } else { y };
    let rounded = y.mul_add(LOG2_E, ROUND);
    let k = rounded - ROUND;
    let r = k.mul_add(-LN_2_LOW, k.mul_add(-LN_2_HIGH, y));
    let mut series = INVERSE_FACTORIALS[7];
    for degree in (0..7).rev() {
        series = series.mul_add(r, INVERSE_FACTORIALS[degree]);
    }
    // The low bits of `rounded` hold k; shifting drops all others and adds k to the exponent.
    f32::from_bits(series.to_bits().wrapping_add(rounded.to_bits() << 23))
}

/// Mills' ratio Φ(−x)/φ(x) for x ≥ 0 as t · polynomial(t) with t = 1/(1 + `MILLS_SCALE` x): fitted for the least
/// relative error, 9e-8 (tests/reference/models/mills.py).
const MILLS_SCALE: f32 = 0.36;
const MILLS: [f32; 9] = [
    0.359_996_1,
    0.360_157_28,
    0.310_844_06,
    0.240_742_9,
    -0.001_009_858,
    0.269_212_06,
    -0.560_565_1,
    0.349_744_56,
    -0.075_807_84,
];

/// The standard normal distribution: its function Φ(x), to a few units in the last place in both tails, and its
/// density φ(x).
#[inline(always)]
pub fn normal(x: f32) -> (f32, f32) {
    let density = exp(-0.5 * x * x) * (1.0 / (SQRT_2 * SQRT_PI));
    let t = 1.0 / MILLS_SCALE.mul_add(x.abs(), 1.0);
    let mut ratio = MILLS[8];
    for degree in (0..8).rev() {
        ratio = ratio.mul_add(t, MILLS[degree]);
    }
    let tail = density * (ratio * t);
    (if x > 0.0 { 1.0 - tail } else { tail }, density)
}

const SQRT_PI: f32 = 1.772_453_9;
const _: () = assert!((SQRT_PI * SQRT_PI - PI).abs() < 1e-6);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_the_exponential() {
        for step in 0..200_000 {
            let y = 10.0 - step as f32 * 4.8e-4;
            let expected = f64::from(y).exp();
            assert!((f64::from(exp(y)) - expected).abs() <= 2e-7 * expected, "{y}");
        }
        assert_eq!(exp(0.0), 1.0);
        assert!(exp(f32::NEG_INFINITY) < 2e-38 && exp(f32::NAN).is_nan());
    }

    #[test]
    fn normal_is_the_normal_distribution() {
        use statrs::distribution::{ContinuousCDF, Normal};
        use statrs::function::erf::erfc;
        let exact = Normal::standard();
        for step in -3000..3000 {
            let x = step as f32 * 3e-3;
            let (distribution, density) = normal(x);
            let wide = f64::from(x);
            let expected = 0.5 * erfc(-wide / std::f64::consts::SQRT_2);
            assert!((exact.cdf(wide) - expected).abs() < 1e-9);
            // The rounding of x²/2 under the exponential grows with it.
            let bound = 6e-7 + 6e-8 * wide * wide;
            assert!(
                (f64::from(distribution) / expected - 1.0).abs() < bound,
                "{x}: {distribution}"
            );
            let expected = (-0.5 * wide * wide).exp() / (2.0 * std::f64::consts::PI).sqrt();
            assert!(
                (f64::from(density) / expected - 1.0).abs() < bound,
                "{x}: {density}"
            );
        }
    }
}
