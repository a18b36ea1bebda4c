//! Where a function changes its sign.

/// A root of `f` between `low` and `high`, at which it has different signs (or is zero), to the last bit or so; by
/// halving, which no shape of `f` can mislead.
pub fn bisect(mut low: f64, mut high: f64, f: impl Fn(f64) -> f64) -> f64 {
    let rising = f(low) <= 0.0;
    for _ in 0..200 {
        let middle = low + (high - low) / 2.0;
        if middle <= low.min(high) || middle >= low.max(high) {
            break;
        }
        if (f(middle) <= 0.0) == rising {
            low = middle;
        } else {
            high = middle;
        }
    }
    low + (high - low) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_are_found() {
        assert!((bisect(0.0, 2.0, |x| x * x - 2.0) - 2f64.sqrt()).abs() < 1e-15);
        assert!((bisect(0.0, 3.0, f64::cos) - std::f64::consts::FRAC_PI_2).abs() < 1e-15);
        assert_eq!(bisect(1.0, 1.0, |x| x - 1.0), 1.0);
    }
}
