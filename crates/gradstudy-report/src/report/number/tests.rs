use super::*;
use proptest::prelude::*;

fn show(mean: f64, sd: Option<f64>, format: Format) -> String {
    quantity(mean, sd, format, Target::Markdown).replace(NARROW_SPACE, " ")
}

#[test]
fn prints_like_the_paper() {
    let cases = [
        (0.0247, Format::Significant(3), "0.0247"),
        (0.0430, Format::Significant(3), "0.0430"),
        (0.191, Format::Significant(3), "0.191"),
        (0.00818, Format::Significant(3), "0.00818"),
        (1.302, Format::Significant(4), "1.302"),
        (1.3024, Format::Decimals(3), "1.302"),
        (0.8297, Format::Decimals(3), "0.830"),
        (0.0123, Format::Decimals(3), "0.012"),
        (11.4421, Format::Decimals(3), "11.442"),
        (0.000123, Format::Decimals(3), "1.23×10⁻⁴"),
        (0.00123, Format::PValue(3), "1.23×10⁻³"),
        (0.982, Format::Percent(3), "98.2 %"),
        (0.000788, Format::Percent(3), "0.0788 %"),
        (0.0, Format::Percent(3), "0 %"),
        (1.0, Format::Percent(3), "100 %"),
        (0.9998, Format::Percent(3), "99.98 %"),
        (0.99999, Format::Percent(3), "99.999 %"),
        (0.000411, Format::PValue(3), "4.11×10⁻⁴"),
        (0.00103, Format::PValue(3), "1.03×10⁻³"),
        (0.321, Format::PValue(3), "0.321"),
        (44426.0, Format::Count, "44 426"),
        (5000.0, Format::Count, "5000"),
        (4919.5, Format::Count, "4919.5"),
        (0.0, Format::Count, "0"),
        (-1234567.0, Format::Significant(3), "−1.23×10⁶"),
    ];
    for (value, format, expected) in cases {
        assert_eq!(show(value, None, format), expected, "{value} as {format:?}");
    }
}

#[test]
fn spread_has_the_decimals_of_the_mean_and_at_least_one_digit() {
    let cases = [
        (0.0247, 0.0003, Format::Significant(3), "0.0247 ± 0.0003"),
        (0.0247, 0.0123, Format::Significant(3), "0.0247 ± 0.0123"),
        (0.0247, 0.00002, Format::Significant(3), "0.02470 ± 0.00002"),
        (0.000411, 0.00003, Format::PValue(3), "(4.11 ± 0.30)×10⁻⁴"),
        (0.000411, 0.0000002, Format::PValue(3), "(4.110 ± 0.002)×10⁻⁴"),
        (0.982, 0.0013, Format::Percent(3), "98.2 ± 0.1 %"),
        (0.0430, 0.0, Format::Significant(3), "0.0430"),
        (4919.0, 4.0, Format::Count, "4919 ± 4"),
        (44426.5, 0.7, Format::Count, "44 426.5 ± 0.7"),
        (523.3, 41.2, Format::Count, "523 ± 41"),
        (1.0942, 0.0313, Format::Decimals(3), "1.094 ± 0.031"),
        (0.0, 0.25, Format::Significant(3), "0.00 ± 0.25"),
    ];
    for (mean, sd, format, expected) in cases {
        assert_eq!(
            show(mean, Some(sd), format),
            expected,
            "{mean} ± {sd} as {format:?}"
        );
    }
}

#[test]
fn a_rate_shows_what_its_samples_can_tell() {
    let show = |accepted: u64, samples: u64| {
        let rate = accepted as f64 / samples as f64;
        show(rate, None, of_samples(Format::Percent(3), rate, samples))
    };
    assert_eq!(show(1, 10), "10 %");
    assert_eq!(show(7, 10), "70 %");
    assert_eq!(show(1, 3), "33 %");
    assert_eq!(show(10, 10), "100 %");
    assert_eq!(show(0, 10), "0 %");
    assert_eq!(show(199, 200), "99.5 %");
    assert_eq!(show(2, 5000), "0.04 %");
    assert_eq!(show(3255, 5000), "65.1 %");
    assert_eq!(show(4999, 5000), "99.98 %");
}

#[test]
fn no_value_is_a_dash() {
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(show(value, None, Format::Significant(3)), DASH);
    }
    assert_eq!(show(0.5, Some(f64::NAN), Format::Significant(3)), "0.500");
    assert_eq!(quantity(f64::NAN, None, Format::Count, Target::Latex), "--");
}

#[test]
fn latex_is_left_to_siunitx() {
    let latex = |mean, sd, format| quantity(mean, sd, format, Target::Latex);
    assert_eq!(
        latex(0.000411, Some(0.00003), Format::PValue(3)),
        "\\num{4.11 +- 0.30 e-4}"
    );
    assert_eq!(
        latex(0.982, Some(0.0013), Format::Percent(3)),
        "\\num{98.2 +- 0.1}\\,\\%"
    );
    assert_eq!(latex(44426.0, None, Format::Count), "\\num{44426}");
    assert_eq!(latex(-0.5, None, Format::Significant(2)), "\\num{-0.50}");
}

#[test]
fn published_numbers_keep_their_digits() {
    let show = |value, format| published(value, format, Target::Terminal).replace(NARROW_SPACE, " ");
    assert_eq!(show(0.043, Format::Significant(3)), "0.0430");
    assert_eq!(show(0.62, Format::Percent(3)), "62.0 %");
    assert_eq!(show(0.003, Format::Percent(3)), "0.3 %");
    assert_eq!(show(0.000788, Format::Percent(3)), "0.0788 %");
    assert_eq!(show(0.0, Format::Percent(3)), "0 %");
    assert_eq!(show(0.000411, Format::PValue(3)), "4.11×10⁻⁴");
    assert_eq!(show(11.442, Format::Significant(4)), "11.442");
    assert_eq!(show(1.3, Format::Decimals(3)), "1.30");
    assert_eq!(show(0.866, Format::Decimals(3)), "0.866");
    assert_eq!(show(0.047, Format::PValue(3)), "0.047");
    assert_eq!(show(5.111, Format::Decimals(3)), "5.111");
}

#[test]
fn contrast_shows_the_digits_that_differ() {
    assert_eq!(contrast(0.195, 0.197), ["0.1950", "0.1970"]);
    assert_eq!(
        contrast(0.0011479764, 0.0011479765),
        ["0.00114797640", "0.00114797650"]
    );
    assert_eq!(contrast(51.0, 52.0), ["51", "52"]);
    assert_eq!(contrast(4.11e-4, f64::NAN), ["4.110e-4", DASH]);
    assert_ne!(
        contrast(0.1, 0.1f64.next_up())[0],
        contrast(0.1, 0.1f64.next_up())[1]
    );
    assert_eq!(
        [difference(0.0012), difference(-4.11e-4)],
        ["+0.00120", "-4.11e-4"]
    );
}

#[test]
fn intervals_and_durations() {
    let wilson = Interval {
        low: 0.978,
        high: 0.98531,
    };
    assert_eq!(
        interval(&wilson, Format::Percent(3), 5000, Target::Latex),
        "\\num{97.8}--\\num{98.5}\\,\\%"
    );
    assert_eq!(duration(0.312), "0.31 s");
    assert_eq!(duration(59.96), "1 min 00 s");
    assert_eq!(duration(200.2), "3 min 20 s");
    assert_eq!(duration(7500.0), "2 h 05 min");
    assert_eq!(duration(f64::NAN), DASH);
}

/// What a number reads as, from the text siunitx gets.
fn read(parts: &Parts) -> f64 {
    let exponent = parts.exponent.unwrap_or(0);
    let value: f64 = format!("{}e{exponent}", parts.mantissa)
        .parse()
        .expect("decimal digits");
    if parts.percent { value / 100.0 } else { value }
}

proptest! {
    #[test]
    fn reads_back_within_the_printed_precision(value in prop::num::f64::NORMAL, digits in 1u8..9) {
        prop_assume!((1e-250..1e250).contains(&value.abs()));
        for format in [Format::Significant(digits), Format::PValue(digits), Format::Percent(digits)] {
            let back = read(&parts(value, None, format).expect("finite"));
            let tolerance = 0.5000001 * 10f64.powi(1 - i32::from(digits)) * value.abs();
            prop_assert!((back - value).abs() <= tolerance, "{value} read back as {back}");
        }
    }

    #[test]
    fn a_rate_reads_100_percent_only_if_it_is(accepted in 0u64..100_000, more in 0u64..100) {
        let rate = accepted as f64 / (accepted + more).max(1) as f64;
        let parts = parts(rate, None, Format::Percent(3)).expect("finite");
        prop_assert_eq!(parts.mantissa.parse::<f64>().ok() == Some(100.0), rate == 1.0);
        prop_assert_eq!(parts.mantissa.parse::<f64>().ok() == Some(0.0), rate == 0.0);
    }

    #[test]
    fn a_positive_spread_is_never_printed_as_zero(mean in 1e-9f64..1e9, ratio in 1e-6f64..10.0) {
        for format in [Format::Significant(3), Format::PValue(3), Format::Count] {
            let spread = parts(mean, Some(mean * ratio), format).and_then(|parts| parts.spread);
            let spread: f64 = spread.expect("has a spread").parse().expect("decimal digits");
            prop_assert!(spread > 0.0);
        }
    }

    #[test]
    fn whole_numbers_read_back_exactly(value in 0u64..1u64 << 53) {
        let digits = |text: String| text.chars().filter(char::is_ascii_digit).collect::<String>();
        prop_assert_eq!(digits(count(value, Target::Terminal)), value.to_string());
        let text = quantity(value as f64, None, Format::Count, Target::Terminal);
        prop_assert_eq!(digits(text), value.to_string());
    }
}

#[test]
fn sizes_have_units() {
    let shown = [0, 999, 1500, 312_000, 1_500_000_000].map(size);
    assert_eq!(shown, ["0 B", "999 B", "1.5 kB", "312 kB", "1.5 GB"]);
}

#[test]
fn the_last_printed_digit() {
    let units = [
        (0.043, Format::Significant(3), 1e-4),
        (0.0355, Format::Significant(3), 1e-4),
        (4.11e-4, Format::PValue(3), 1e-6),
        (0.766, Format::Percent(3), 1e-3),
        (0.0018, Format::Percent(3), 1e-4),
        (1.302, Format::Significant(4), 1e-3),
        (0.000788, Format::Percent(3), 1e-6),
    ];
    for (value, format, unit) in units {
        let found = printed_unit(value, format);
        assert!((found / unit - 1.0).abs() < 1e-9, "{value}: {found}");
    }
}
