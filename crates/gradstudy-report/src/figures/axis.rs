//! Limits and ticks of an axis.

mod symmetric;

use super::scale::scaled;
use super::{Axis, Scale};

/// What an axis shows, in its own unit: see [`Scale::to_axis`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Range {
    pub scale: Scale,
    pub low: f64,
    pub high: f64,
    /// Whether the numbers at its ticks are percents of its values.
    pub percent: bool,
}

/// Where ticks are, in data units.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ticks {
    pub major: Vec<(f64, TickLabel)>,
    pub minor: Vec<f64>,
}

/// A number as text: `0.25`, or `10` with an exponent set higher.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TickLabel {
    pub text: String,
    pub exponent: Option<String>,
}

impl Range {
    /// Around all values, with a margin so that no marker touches the frame. Values that the axis has no place for
    /// are passed over; without any other, the axis is 0–1 or 1–10.
    pub(super) fn around(scale: Scale, values: impl Iterator<Item = f64>) -> Range {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values.filter(|value| scale.admits(*value)) {
            let value = scale.to_axis(value);
            low = low.min(value);
            high = high.max(value);
        }
        if low > high {
            (low, high) = (0.0, 1.0);
        }
        // One value, or values that differ by rounding only.
        let least = match scale {
            Scale::Linear => low.abs().max(high.abs()).max(1e-300) * 1e-9,
            Scale::Log | Scale::SymLog { .. } => 1e-6,
        };
        if high - low < least {
            let half = match (scale, low) {
                (Scale::Log | Scale::SymLog { .. }, _) => 0.5,
                (Scale::Linear, 0.0) => 1.0,
                (Scale::Linear, low) => low.abs() / 10.0,
            };
            (low, high) = (low - half, high + half);
        }
        let margin = (high - low) / 30.0;
        Range {
            scale,
            low: low - margin,
            high: high + margin,
            percent: false,
        }
    }

    /// The range of `axis` around `values`; half a place on each side of its categories.
    pub(super) fn of(axis: &Axis, values: impl Iterator<Item = f64>) -> Range {
        let reach = axis.reach.into_iter().flat_map(|(low, high)| [low, high]);
        let range = Range::around(axis.scale, values.chain(reach));
        match axis.categories.len() {
            0 => Range {
                percent: axis.percent,
                ..range
            },
            places => Range {
                low: 0.5,
                high: places as f64 + 0.5,
                ..range
            },
        }
    }

    /// How far along the axis `value` lies, 0–1 within the frame; infinite or NaN where the axis has no place.
    pub(super) fn fraction(&self, value: f64) -> f64 {
        (self.scale.to_axis(value) - self.low) / (self.high - self.low)
    }

    /// The value at a fraction of the axis.
    pub(super) fn value(&self, fraction: f64) -> f64 {
        self.scale.value_at(self.low + fraction * (self.high - self.low))
    }

    /// Ticks with at most about `most` labels.
    pub(super) fn ticks(&self, most: usize) -> Ticks {
        if self.percent {
            return self.percent_ticks(most);
        }
        match self.scale {
            Scale::Linear => linear(self.low, self.high, most),
            Scale::Log => logarithmic(self, most),
            Scale::SymLog { decade } => symmetric::ticks(self, decade, most),
        }
    }

    /// Ticks at round percents, in data units.
    fn percent_ticks(&self, most: usize) -> Ticks {
        let (scale, low, high) = match self.scale {
            Scale::Linear => (Scale::Linear, 100.0 * self.low, 100.0 * self.high),
            Scale::Log => (Scale::Log, self.low + 2.0, self.high + 2.0),
            Scale::SymLog { decade } => (Scale::SymLog { decade: decade + 2 }, self.low, self.high),
        };
        let in_percent = Range {
            scale,
            low,
            high,
            percent: false,
        };
        let ticks = in_percent.ticks(most);
        Ticks {
            major: ticks
                .major
                .into_iter()
                .map(|(at, label)| (at / 100.0, label))
                .collect(),
            minor: ticks.minor.into_iter().map(|at| at / 100.0).collect(),
        }
    }

    fn holds(&self, value: f64) -> bool {
        (0.0..=1.0).contains(&self.fraction(value))
    }
}

/// Powers of ten; within less than two of them also 2 and 5 times those; within less, as on a linear axis.
fn logarithmic(range: &Range, most: usize) -> Ticks {
    let (first, last) = (range.low.ceil() as i32, range.high.floor() as i32);
    let powers = (last - first + 1).max(0) as usize;
    let multiples = |factors: &[f64]| -> Vec<f64> {
        let all = (first - 1..=last).flat_map(|power| factors.iter().map(move |f| scaled(*f, power)));
        all.filter(|value| range.holds(*value)).collect()
    };
    let between = multiples(&[2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]);
    if powers >= 2 {
        let step = powers.div_ceil(most.max(2)) as i32;
        let (labelled, rest): (Vec<i32>, Vec<i32>) =
            (first..=last).partition(|power| power.rem_euclid(step) == 0);
        return Ticks {
            major: labelled
                .iter()
                .map(|power| (scaled(1.0, *power), power_label(*power)))
                .collect(),
            minor: match step {
                1 => between,
                _ => rest.iter().map(|power| scaled(1.0, *power)).collect(),
            },
        };
    }
    let coarse = multiples(&[1.0, 2.0, 5.0]);
    if coarse.len() >= 3 {
        let minor = between.into_iter().filter(|value| !coarse.contains(value));
        return Ticks {
            minor: minor.collect(),
            major: coarse
                .into_iter()
                .map(|value| (value, number(value, value, value)))
                .collect(),
        };
    }
    linear(range.value(0.0), range.value(1.0), most)
}

/// Multiples of 1, 2 or 5 times a power of ten, with four or five minor steps between two of them.
fn linear(low: f64, high: f64, most: usize) -> Ticks {
    let rough = (high - low) / most.max(2) as f64;
    let power = rough.log10().floor() as i32;
    let step = [(1.0, 5.0), (2.0, 4.0), (5.0, 5.0), (10.0, 5.0)];
    let (factor, parts) = step
        .into_iter()
        .find(|(factor, _)| scaled(*factor, power) >= rough)
        .unwrap_or((10.0, 5.0));
    let step = scaled(factor, power);
    let largest = low.abs().max(high.abs());
    // A product of a whole number and the step's decimal text, so that 3 × 0.1 is 0.3.
    let at = |index: f64| scaled(index * factor, power);
    let indices = |step: f64| (low / step).ceil() as i64..=(high / step).floor() as i64;
    let major: Vec<(f64, TickLabel)> = indices(step)
        .map(|index| at(index as f64))
        .map(|value| (value, number(value, step, largest)))
        .collect();
    let minor = indices(step / parts)
        .filter(|index| index % parts as i64 != 0)
        .map(|index| at(index as f64 / parts));
    Ticks {
        minor: minor.collect(),
        major,
    }
}

/// The label of 10^power.
fn power_label(power: i32) -> TickLabel {
    TickLabel {
        text: "10".to_string(),
        exponent: Some(minus(&power.to_string())),
    }
}

/// `value` with the decimals that its neighbours at a distance of `step` need.
fn number(value: f64, step: f64, largest: f64) -> TickLabel {
    let plain = value == 0.0 || (1e-4..1e5).contains(&largest);
    if plain {
        let decimals = (-step.log10().floor()).clamp(0.0, 12.0) as usize;
        return TickLabel {
            text: minus(&format!("{value:.decimals$}")),
            exponent: None,
        };
    }
    let decimals = (value.abs().log10().floor() - step.log10().floor()).clamp(0.0, 12.0) as usize;
    let text = format!("{value:.decimals$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    TickLabel {
        text: minus(&format!("{mantissa}×10")),
        exponent: Some(minus(exponent)),
    }
}

fn minus(number: &str) -> String {
    number.replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn labels(ticks: &Ticks) -> Vec<String> {
        let text = |label: &TickLabel| match &label.exponent {
            Some(exponent) => format!("{}^{exponent}", label.text),
            None => label.text.clone(),
        };
        ticks.major.iter().map(|(_, label)| text(label)).collect()
    }

    fn exactly(scale: Scale, low: f64, high: f64) -> Range {
        Range {
            scale,
            low,
            high,
            percent: false,
        }
    }

    #[test]
    fn powers_of_ten_are_labelled_and_their_multiples_marked() {
        let ticks = exactly(Scale::Log, -2.1, 1.2).ticks(6);
        assert_eq!(labels(&ticks), ["10^−2", "10^−1", "10^0", "10^1"]);
        assert_eq!(ticks.major[0].0, 0.01);
        assert!(ticks.minor.contains(&0.3) && ticks.minor.contains(&0.009) && !ticks.minor.contains(&20.0));
    }

    #[test]
    fn many_decades_are_labelled_every_few() {
        let ticks = exactly(Scale::Log, -17.5, 0.5).ticks(6);
        assert_eq!(
            labels(&ticks),
            ["10^−15", "10^−12", "10^−9", "10^−6", "10^−3", "10^0"]
        );
        assert!(ticks.minor.contains(&1e-4) && !ticks.minor.contains(&2e-4));
    }

    #[test]
    fn within_a_decade_numbers_are_plain() {
        let ticks = exactly(Scale::Log, 0.1, 1.1).ticks(6);
        assert_eq!(labels(&ticks), ["2", "5", "10"]);
        let ticks = exactly(Scale::Log, 0.3, 0.5).ticks(5);
        assert_eq!(labels(&ticks), ["2.0", "2.5", "3.0"]);
    }

    #[test]
    fn linear_ticks_are_round() {
        let ticks = exactly(Scale::Linear, -3.0, 103.0).ticks(6);
        assert_eq!(labels(&ticks), ["0", "20", "40", "60", "80", "100"]);
        assert_eq!(ticks.minor[0], 5.0);
        let ticks = exactly(Scale::Linear, -0.31, 0.31).ticks(6);
        assert_eq!(labels(&ticks), ["−0.2", "0.0", "0.2"]);
        let ticks = exactly(Scale::Linear, 0.0, 4.1e6).ticks(5);
        assert_eq!(labels(&ticks)[1..], ["1×10^6", "2×10^6", "3×10^6", "4×10^6"]);
    }

    #[test]
    fn percents_are_round_and_stay_where_their_fractions_are() {
        let rates = Axis::rate("rate (%)");
        let ticks = Range::of(&rates, [0.2].into_iter()).ticks(6);
        assert_eq!(labels(&ticks), ["0", "20", "40", "60", "80", "100"]);
        assert_eq!(ticks.major[2].0, 0.4);
        let small = Axis {
            scale: Scale::Log,
            reach: None,
            ..rates
        };
        let ticks = Range::of(&small, [1e-5, 1e-3].into_iter()).ticks(6);
        assert_eq!(labels(&ticks), ["10^−3", "10^−2", "10^−1"]);
        assert_eq!(ticks.major[0].0, 1e-5);
    }

    #[test]
    fn any_data_has_limits() {
        for scale in [Scale::Linear, Scale::Log, Scale::SymLog { decade: -3 }] {
            for values in [
                vec![],
                vec![0.0],
                vec![5.0, 5.0],
                vec![f64::NAN, -1.0, f64::INFINITY],
                vec![f64::MIN_POSITIVE, f64::MAX],
                vec![-f64::MAX, f64::MAX],
                vec![1e-320, 1e-310],
            ] {
                let range = Range::around(scale, values.iter().copied());
                assert!(range.low < range.high, "{scale:?} {values:?} {range:?}");
                let ticks = range.ticks(6);
                assert!(
                    ticks.major.len() < 60 && ticks.minor.len() < 400,
                    "{scale:?} {values:?} {ticks:?}"
                );
            }
        }
    }
}
