//! Which scale an axis has: as the study says, else as the numbers ask for.

use crate::figures::{Axis, Scale};

/// What the study says of an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    Log,
    Linear,
    Any,
}

impl Wish {
    /// The scale for `values`. Without a wish it is logarithmic where they are of one sign and those that are not zero
    /// span a factor of `span` or more; a logarithmic axis of values that are zero or negative is symmetric.
    pub fn scale(self, values: &[f64], span: f64) -> Scale {
        let finite = || values.iter().copied().filter(|value| value.is_finite());
        let log = match self {
            Wish::Linear => false,
            Wish::Log => true,
            Wish::Any => {
                let positive = || finite().filter(|value| *value > 0.0);
                let (low, high) = (
                    positive().fold(f64::INFINITY, f64::min),
                    positive().fold(0.0, f64::max),
                );
                finite().all(|value| value >= 0.0) && high >= span * low
            }
        };
        match (log, finite().any(|value| value <= 0.0)) {
            (false, _) => Scale::Linear,
            (true, false) => Scale::Log,
            (true, true) => Scale::symmetric(finite()),
        }
    }
}

/// The sentence under a figure on an axis that is logarithmic but for a part around zero.
pub(super) fn note(axis: &Axis, which: &str) -> Option<String> {
    match axis.scale {
        Scale::SymLog { decade } => {
            let (power, percent) = match axis.percent {
                true => (decade + 2, " %"),
                false => (decade, ""),
            };
            let bound = match power {
                -4..0 => format!("0.{:0>1$}", 1, power.unsigned_abs() as usize),
                0..=5 => 10u32.pow(power.unsigned_abs()).to_string(),
                _ => format!("1e{power}"),
            };
            Some(format!(
                "The {which} axis is logarithmic beyond ±{bound}{percent} and linear between, so that zero has a place."
            ))
        }
        Scale::Linear | Scale::Log => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_follow_the_wish_and_then_the_numbers() {
        let wide = [1e-4, f64::NAN, 0.3];
        assert_eq!(Wish::Any.scale(&wide, 100.0), Scale::Log);
        assert_eq!(Wish::Linear.scale(&wide, 100.0), Scale::Linear);
        assert_eq!(Wish::Any.scale(&[0.1, 0.3], 10.0), Scale::Linear);
        assert_eq!(Wish::Log.scale(&[0.1, 0.3], 10.0), Scale::Log);
        assert_eq!(
            Wish::Any.scale(&[0.0, 0.001, 0.1], 10.0),
            Scale::SymLog { decade: -3 }
        );
        assert_eq!(Wish::Any.scale(&[-5.0, 0.001, 0.1], 10.0), Scale::Linear);
        assert_eq!(Wish::Log.scale(&[-5.0, 0.2], 10.0), Scale::SymLog { decade: -1 });
        assert_eq!(Wish::Any.scale(&[0.0, 0.0], 10.0), Scale::Linear);
        assert_eq!(Wish::Any.scale(&[], 10.0), Scale::Linear);
    }

    #[test]
    fn the_note_says_where_the_axis_is_linear() {
        let said = |decade, percent| {
            let scale = Scale::SymLog { decade };
            let axis = Axis {
                scale,
                percent,
                ..Axis::linear("x")
            };
            note(&axis, "vertical").expect("a note")
        };
        for (decade, percent, bound) in [
            (-4, false, "±0.0001 "),
            (-3, true, "±0.1 % "),
            (0, false, "±1 "),
            (2, false, "±100 "),
            (-9, false, "±1e-9 "),
        ] {
            assert!(said(decade, percent).contains(bound), "{}", said(decade, percent));
        }
        assert_eq!(note(&Axis::log("x"), "vertical"), None);
    }
}
