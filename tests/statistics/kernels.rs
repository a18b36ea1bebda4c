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
    fn unordered_distance_equals_the_sorted_one(
        mut cdf in prop_oneof![
            prop::collection::vec(0.0f64..=1.0, 1..1500),
            prop::collection::vec((0u8..=20).prop_map(|i| f64::from(i) / 20.0), 1..300),
            prop::collection::vec(0.5f64..0.51, 1..300),
        ],
    ) {
        let mut unordered = Unordered::default();
        let found = [Ecdf::Left, Ecdf::TwoSided].map(|ecdf| unordered.ks_distance(&cdf, ecdf));
        cdf.sort_unstable_by(f64::total_cmp);
        prop_assert_eq!(found, [Ecdf::Left, Ecdf::TwoSided].map(|ecdf| ks_distance(&cdf, ecdf)));
    }
}
