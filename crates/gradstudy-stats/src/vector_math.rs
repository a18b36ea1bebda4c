//! ln and exp for whole slices: loops that the compiler turns into vector code, within a few units in the
//! last place. They use the basic operations and the fused multiply-add, all of them correctly rounded, and
//! nothing of the C library, so every machine gets equal bits (one without a fused instruction, slowly).

use std::f64::consts::{LN_2, LOG2_E, SQRT_2};

/// 2⁵²: a whole number k ≤ 2⁵² in the low bits of this float's pattern is the float 2⁵² + k.
const TWO_52: f64 = 4_503_599_627_370_496.0;
/// 1.5 · 2⁵²: adding it rounds a float to the nearest whole number, which then stands in the low bits.
const ROUND: f64 = 6_755_399_441_055_744.0;
/// ln 2 in two parts; the first has so few bits that its product with an exponent is exact. The second holds
/// what `LN_2` itself is rounded by (ln 2 = 0.693147180559945309417232…).
const LN_2_HIGH: f64 = f64::from_bits(LN_2.to_bits() & 0xffff_ffff_0000_0000);
const LN_2_LOW: f64 = (LN_2 - LN_2_HIGH) + 2.319_046_813_846_3e-17;

/// 1/0! to 1/13!
const INVERSE_FACTORIALS: [f64; 14] = {
    let (mut inverses, mut factorial, mut degree) = ([1.0; 14], 1.0, 1);
    while degree < 14 {
        factorial *= degree as f64;
        inverses[degree] = 1.0 / factorial;
        degree += 1;
    }
    inverses
};

/// ln x for finite x ≥ √½ (smaller arguments give nonsense): x = m·2ᵏ with m in \[√½, √2), and
/// ln m = 2 artanh((m − 1)/(m + 1)) by its Taylor series.
#[inline(always)]
pub fn ln(x: f64) -> f64 {
    const HALF_SQRT_2: u64 = (SQRT_2 / 2.0).to_bits();
    let exponent = (x.to_bits() - HALF_SQRT_2) >> 52;
    let m = f64::from_bits(x.to_bits() - (exponent << 52));
    let k = f64::from_bits(TWO_52.to_bits() | exponent) - TWO_52;
    let s = (m - 1.0) / (m + 1.0);
    let s2 = s * s;
    // |s| ≤ 0.1716: the first term left out is below 1e-18 of the sum.
    let mut series: f64 = 1.0 / 23.0;
    for odd in [21.0, 19.0, 17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0] {
        series = series.mul_add(s2, 1.0 / odd);
    }
    let small = 2.0 * s;
    k.mul_add(LN_2_HIGH, small + (small * s2).mul_add(series, k * LN_2_LOW))
}

/// exp y for y ≤ 0, at least exp(−700): y = k ln 2 + r, and exp r by its Taylor series.
#[inline(always)]
pub fn exp_negative(y: f64) -> f64 {
    let y = if y > -700.0 { y } else { -700.0 };
    let rounded = y.mul_add(LOG2_E, ROUND);
    let k = rounded - ROUND;
    let r = k.mul_add(-LN_2_LOW, k.mul_add(-LN_2_HIGH, y));
    // |r| ≤ 0.347: the first term left out is below 1e-17.
    let mut series = INVERSE_FACTORIALS[13];
    for degree in (0..13).rev() {
        series = series.mul_add(r, INVERSE_FACTORIALS[degree]);
    }
    // The low bits of `rounded` hold k; shifting drops all others and adds k to the exponent.
    f64::from_bits(series.to_bits().wrapping_add(rounded.to_bits() << 52))
}

/// Exponent of x and log₂ of its mantissa in \[√½, √2), for a normal float x, within 3e-7.
#[inline(always)]
pub fn log2_f32(x: f32) -> (f32, f32) {
    const HALF_SQRT_2: u32 = (std::f32::consts::SQRT_2 / 2.0).to_bits();
    let exponent = (x.to_bits() as i32 - HALF_SQRT_2 as i32) >> 23;
    let m = f32::from_bits((x.to_bits() as i32 - (exponent << 23)) as u32);
    let s = (m - 1.0) / (m + 1.0);
    let s2 = s * s;
    let series = s2.mul_add(s2.mul_add(s2.mul_add(1.0 / 7.0, 1.0 / 5.0), 1.0 / 3.0), 1.0);
    (exponent as f32, 2.0 * std::f32::consts::LOG2_E * s * series)
}

/// exp y for y ≤ 0, at least exp(−80), within 3e-7 of 1.
#[inline(always)]
pub fn exp_negative_f32(y: f32) -> f32 {
    /// 1.5 · 2²³, as [`ROUND`].
    const ROUND_F32: f32 = 12_582_912.0;
    let y = if y > -80.0 { y } else { -80.0 };
    let rounded = y.mul_add(std::f32::consts::LOG2_E, ROUND_F32);
    let k = rounded - ROUND_F32;
    let r = k.mul_add(-std::f32::consts::LN_2, y);
    let mut series = 1.0f32 / 720.0;
    for inverse in [1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        series = series.mul_add(r, inverse);
    }
    f32::from_bits(series.to_bits().wrapping_add(rounded.to_bits() << 23))
}

/// Σ ln(xᵢ · `scale`) for the floats with these bits, where every product is a normal number above 0: the logarithm of
/// their product, of which exponents are summed and mantissas multiplied, in sixteen lanes. With a rounding for each
/// factor the sum is off by less than 2e-16 · `bits.len()`, in the mean much less.
#[inline(always)]
pub fn log_sum(bits: &[u32], scale: f64) -> f64 {
    const LANES: usize = 16;
    const MANTISSA: u64 = (1 << 52) - 1;
    let mut total = 0.0;
    let mut exponents = 0i64;
    // Mantissas are below 2: 512 of them in a lane do not overflow.
    for part in bits.chunks(512 * LANES) {
        let (mut products, mut biased) = ([1.0f64; LANES], [0u64; LANES]);
        let (whole, rest) = part.as_chunks::<LANES>();
        for chunk in whole {
            for lane in 0..LANES {
                let x = (f64::from(f32::from_bits(chunk[lane])) * scale).to_bits();
                biased[lane] += x >> 52;
                products[lane] *= f64::from_bits(x & MANTISSA | 1f64.to_bits());
            }
        }
        for lane in 0..rest.len() {
            let x = (f64::from(f32::from_bits(rest[lane])) * scale).to_bits();
            biased[lane] += x >> 52;
            products[lane] *= f64::from_bits(x & MANTISSA | 1f64.to_bits());
        }
        let mut product = 1.0;
        for lane in 0..LANES {
            let x = products[lane].to_bits();
            exponents += biased[lane] as i64 + (x >> 52) as i64 - 1023;
            product *= f64::from_bits(x & MANTISSA | 1f64.to_bits());
        }
        exponents -= 1023 * part.len() as i64;
        total += ln(product);
    }
    (exponents as f64).mul_add(LN_2_HIGH, (exponents as f64).mul_add(LN_2_LOW, total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ln_is_the_logarithm() {
        let mut x = 0.71;
        while x < 1e83 {
            let expected = f64::ln(x);
            assert!(
                (ln(x) - expected).abs() <= 4e-16 * expected.abs().max(0.25),
                "{x}"
            );
            x *= 1.000_7;
        }
        assert_eq!(ln(1.0), 0.0);
        assert!((ln(1.0 + 1e-10) / 1e-10 - 1.0).abs() < 1e-6);
    }

    #[test]
    fn short_forms_are_near() {
        let mut x = 1.2e-38f32;
        while x < 3e38 {
            let (whole, part) = log2_f32(x);
            let expected = f64::from(x).log2();
            assert!(
                (f64::from(whole) + f64::from(part) - expected).abs() < 3e-7,
                "{x}"
            );
            x *= 1.000_7;
        }
        for step in 0..100_000 {
            let y = -(step as f32) * 8e-4;
            let error = f64::from(exp_negative_f32(y)) - f64::from(y).exp();
            assert!(error.abs() < 3e-7, "{y}");
        }
    }

    #[test]
    fn log_sum_is_the_sum_of_logarithms() {
        for n in [1, 15, 16, 17, 1000, 20_000] {
            let bits: Vec<u32> = (0..n)
                .map(|i| (1e-30f32 + (i as f32 * 12.9898).sin().abs().powi(9)).to_bits())
                .collect();
            let least = f64::from(f32::from_bits(*bits.iter().min().expect("one at least")));
            let ratio = |&bits: &u32| (f64::from(f32::from_bits(bits)) / least).ln();
            let expected: f64 = bits.iter().map(ratio).sum();
            let found = log_sum(&bits, 1.0 / least);
            assert!((found - expected).abs() <= 1e-14 * (expected + n as f64), "{n}");
        }
    }

    #[test]
    fn exp_is_the_exponential() {
        for step in 0..200_000 {
            let y = -f64::from(step) * 0.003;
            let expected = y.exp();
            assert!((exp_negative(y) - expected).abs() <= 6e-16 * expected, "{y}");
        }
        assert_eq!(exp_negative(0.0), 1.0);
        assert!(exp_negative(f64::NEG_INFINITY) < 1e-300);
    }
}
