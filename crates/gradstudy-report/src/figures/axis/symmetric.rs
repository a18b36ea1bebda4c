//! Ticks of a symmetric-logarithmic axis: zero, and powers of ten with their sign.

use super::{Range, TickLabel, Ticks, power_label, scaled};

/// Zero and at most about `most` powers of ten, 10^`decade` being the first; where there is but one of them on the
/// axis, also 2 and 5 times those.
pub(super) fn ticks(range: &Range, decade: i32, most: usize) -> Ticks {
    // 10^(decade + j) lies at j + 1 on the axis, its negative at −(j + 1).
    let reach = range.low.abs().max(range.high.abs());
    let powers = reach.floor().clamp(0.0, 1e4) as i32;
    let both_sides = if range.low <= -1.0 { 2 } else { 1 };
    let step = (both_sides * powers).max(1).unsigned_abs() as usize;
    let step = step.div_ceil(most.max(2) - 1) as i32;
    let signed = |values: Vec<f64>| -> Vec<f64> {
        let mut all: Vec<f64> = values.iter().map(|value| -value).chain(values.clone()).collect();
        all.retain(|value| range.holds(*value));
        all.sort_by(f64::total_cmp);
        all
    };
    let multiples = |factors: &[f64]| {
        let all = (0..=powers).flat_map(|j| factors.iter().map(move |f| scaled(*f, decade + j)));
        signed(all.collect())
    };
    let (labelled, rest): (Vec<i32>, Vec<i32>) =
        (0..powers).partition(|power| (power + 1).rem_euclid(step) == 0);
    let mut major: Vec<(f64, TickLabel)> = Vec::new();
    let mut label = |value: f64, label: TickLabel| {
        if range.holds(value) {
            major.push((value, label));
        }
    };
    let zero = TickLabel {
        text: "0".to_string(),
        exponent: None,
    };
    label(0.0, zero);
    let coarse = powers < 2;
    let factors: &[f64] = if coarse { &[1.0, 2.0, 5.0] } else { &[1.0] };
    let last = if coarse { powers + 1 } else { powers };
    let shown = (0..last).filter(|power| coarse || labelled.contains(power));
    for (power, factor) in shown.flat_map(|power| factors.iter().map(move |factor| (power, *factor))) {
        let value = scaled(factor, decade + power);
        let of = match factor == 1.0 && !coarse {
            true => power_label(decade + power),
            false => super::number(value, value, value),
        };
        let negative = TickLabel {
            text: format!("−{}", of.text),
            exponent: of.exponent.clone(),
        };
        label(value, of);
        label(-value, negative);
    }
    let minor = match step {
        1 => multiples(&[2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]),
        _ => signed(rest.iter().map(|power| scaled(1.0, decade + power)).collect()),
    };
    major.sort_by(|a, b| a.0.total_cmp(&b.0));
    let minor = minor
        .into_iter()
        .filter(|value| major.iter().all(|(at, _)| at != value))
        .collect();
    Ticks { major, minor }
}

#[cfg(test)]
mod tests {
    use super::super::tests::labels;
    use crate::figures::Scale;
    use crate::figures::axis::Range;

    fn range(decade: i32, low: f64, high: f64) -> Range {
        Range {
            scale: Scale::SymLog { decade },
            low,
            high,
            percent: false,
        }
    }

    #[test]
    fn zero_and_signed_powers_are_labelled() {
        let ticks = range(-3, -0.2, 3.2).ticks(6);
        assert_eq!(labels(&ticks), ["0", "10^−3", "10^−2", "10^−1"]);
        assert!(ticks.minor.contains(&0.02) && !ticks.minor.contains(&-0.002));
        let ticks = range(0, -2.2, 2.2).ticks(6);
        assert_eq!(labels(&ticks), ["−10^1", "−10^0", "0", "10^0", "10^1"]);
    }

    #[test]
    fn many_decades_are_labelled_every_few_and_few_by_numbers() {
        let ticks = range(-20, -0.5, 20.5).ticks(6);
        assert_eq!(
            labels(&ticks),
            ["0", "10^−17", "10^−13", "10^−9", "10^−5", "10^−1"]
        );
        let ticks = range(0, -0.05, 1.8).ticks(6);
        assert_eq!(labels(&ticks), ["0", "1", "2", "5"]);
    }
}
