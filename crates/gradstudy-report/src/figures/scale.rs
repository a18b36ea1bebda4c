//! How values become lengths on an axis.

use super::Scale;

/// Whether a difference of two such values still has a finite multiple.
pub(super) fn finite(value: f64) -> bool {
    value.abs() < 1e300
}

impl Scale {
    /// The symmetric-logarithmic scale for `values`: linear up to the power of ten at or below the smallest of them
    /// that is not zero, in size. Without any such value it is linear up to 1.
    pub fn symmetric(values: impl Iterator<Item = f64>) -> Scale {
        let smallest = values
            .map(f64::abs)
            .filter(|value| *value > 0.0 && finite(*value))
            .fold(f64::INFINITY, f64::min);
        match smallest.is_finite() {
            true => Scale::SymLog {
                decade: smallest.log10().floor() as i32,
            },
            false => Scale::SymLog { decade: 0 },
        }
    }

    /// Whether the axis has a place for the value.
    pub(super) fn admits(self, value: f64) -> bool {
        finite(value) && (self != Scale::Log || value > 0.0)
    }

    /// Where on the axis `value` lies, in the axis's own unit: the value, its base-ten logarithm, or, beyond the
    /// linear part of a symmetric logarithm, decades with their sign, that part being one decade long.
    pub(super) fn to_axis(self, value: f64) -> f64 {
        match self {
            Scale::Linear => value,
            Scale::Log => value.log10(),
            Scale::SymLog { decade } => {
                let decades = value.abs().log10() - f64::from(decade);
                match decades >= 0.0 {
                    true => (decades + 1.0).copysign(value),
                    // NaN goes this way as well.
                    false => value / power_of_ten(decade),
                }
            }
        }
    }

    /// The value at a place on the axis.
    pub(super) fn value_at(self, at: f64) -> f64 {
        match self {
            Scale::Linear => at,
            Scale::Log => 10f64.powf(at),
            Scale::SymLog { decade } => match at.abs() >= 1.0 {
                true => 10f64.powf(at.abs() - 1.0 + f64::from(decade)).copysign(at),
                false => at * power_of_ten(decade),
            },
        }
    }
}

/// 10^power, rounded once.
pub(super) fn power_of_ten(power: i32) -> f64 {
    scaled(1.0, power)
}

/// factor · 10^power, rounded once.
pub(super) fn scaled(factor: f64, power: i32) -> f64 {
    format!("{factor}e{power}").parse().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_symmetric_logarithm_has_a_place_for_zero() {
        let scale = Scale::symmetric([0.0, 3e-4, -2.0, f64::NAN].into_iter());
        assert_eq!(scale, Scale::SymLog { decade: -4 });
        let at = |value| scale.to_axis(value);
        for (value, place) in [
            (0.0, 0.0),
            (5e-5, 0.5),
            (1e-4, 1.0),
            (1e-3, 2.0),
            (-1e-3, -2.0),
            (1.0, 5.0),
        ] {
            assert!((at(value) - place).abs() < 1e-12, "{value}: {}", at(value));
        }
        for value in [0.0, 3e-5, 1e-4, 0.2, 7.0, -7.0, -1e-9] {
            assert!((scale.value_at(at(value)) - value).abs() <= 1e-12 * f64::abs(value));
        }
        assert!(scale.admits(0.0) && scale.admits(-1.0) && !scale.admits(f64::NAN));
        assert!(!Scale::Log.admits(0.0) && Scale::Linear.admits(0.0));
    }
}
