//! The fast inner loops.

use super::*;

/// Floats of every kind, with many ties and zeros.
fn any_value() -> impl Strategy<Value = f32> {
    prop_oneof![
        4 => any::<u32>().prop_map(f32::from_bits),
        4 => -3.0f32..3.0,
        2 => (0i8..4).prop_map(f32::from),
        2 => Just(0.0f32),
        1 => (0u32..20).prop_map(f32::from_bits),
        1 => prop_oneof![Just(f32::INFINITY), Just(f32::NEG_INFINITY), Just(-0.0f32)],
    ]
}

proptest! {
    #[test]
    fn selection_equals_a_full_sort(
        values in prop_oneof![
            prop::collection::vec(any_value(), 1..300),
            prop::collection::vec(any_value(), 2600..6000),
            // A guess from a part of these goes wrong.
            (2600usize..6000, 0usize..2600).prop_map(|(n, i)| {
                (0..n).map(|j| if j == i { 1.0 } else { 0.0 }).collect()
            }),
            (2600usize..6000).prop_map(|n| (0..n).map(|j| (j % 10) as f32).collect()),
        ],
        share in 0.0f64..1.0,
    ) {
        let k = ((values.len() as f64 * share * share) as usize).max(1);
        let mut selector = Selector::default();
        let mut found = selector.top_k(&values, k).expect("enough values").to_vec();
        found.sort_unstable();
        let mut keys: Vec<u32> = values.iter().map(|x| x.abs().to_bits()).collect();
        keys.sort_unstable();
        prop_assert_eq!(&found, &keys[keys.len() - k..]);
        prop_assert!(selector.top_k(&values, values.len() + 1).is_none());
    }

    #[test]
    fn searched_distance_equals_that_of_all_points(
        mut tail in prop_oneof![
            prop::collection::vec(any_value(), 2..1500),
            prop::collection::vec((0.0f64..1.0).prop_map(|u| u.powf(-0.7) as f32), 2..1500),
            prop::collection::vec((1u8..=20).prop_map(f32::from), 2..300),
            prop::collection::vec(1.0f32..1.0001, 2..300),
            prop::collection::vec((1u32..0x0100_0000).prop_map(f32::from_bits), 2..300),
        ],
        factor in prop_oneof![Just(1.0f64), 0.01f64..100.0],
    ) {
        tail.retain_mut(|x| {
            *x = x.abs();
            *x > 0.0 && x.is_finite()
        });
        let Some(x_min) = tail.iter().copied().reduce(f32::min).map(f64::from) else { return Ok(()) };
        let logs: Vec<f64> = tail.iter().map(|&x| (f64::from(x) / x_min).ln()).collect();
        let log_sum = logs.iter().sum::<f64>() * factor;
        if log_sum <= 0.0 {
            return Ok(());
        }
        // The law need not be the fitted one.
        let fit = PowerLawFit::from_log_sum(log_sum, x_min, tail.len());
        let keys: Vec<u32> = tail.iter().map(|x| x.to_bits()).collect();
        let mut cdf: Vec<f64> = tail.iter().map(|&x| fit.cdf(f64::from(x))).collect();
        cdf.sort_unstable_by(f64::total_cmp);
        // Both sides round x/x_min, by 2⁻⁵³ of itself or twice that; the law multiplies its logarithm by α.
        let rounding = 1e-11 + (fit.exponent - 1.0) * 2f64.powi(-51);
        for ecdf in [Ecdf::Left, Ecdf::TwoSided] {
            let found = KsSearch::default().distance(&keys, &fit, ecdf);
            let expected = ks_distance(&cdf, ecdf);
            prop_assert!((found - expected).abs() < rounding, "{} {}", found, expected);
        }
    }
}
