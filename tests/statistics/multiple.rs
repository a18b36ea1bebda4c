//! Adjustments for many tests.

use gradstudy::stats::multiple::{Rejections, benjamini_hochberg, benjamini_yekutieli, holm};

use super::*;

/// SciPy's `false_discovery_control` and statsmodels' `multipletests` have the same numbers.
#[test]
fn adjusted_p_values_equal_scipy() {
    let golden: serde_json::Value =
        serde_json::from_str(include_str!("../reference/stats/gaussianity.json")).expect("JSON");
    let cases = golden["multiple"].as_array().expect("cases");
    assert!(cases.len() >= 3);
    for case in cases {
        let numbers = |key: &str| -> Vec<f64> {
            let values = case[key].as_array().expect("numbers");
            values.iter().map(|x| x.as_f64().expect("a number")).collect()
        };
        let p = numbers("p");
        for (name, found) in [
            ("bh", benjamini_hochberg(&p)),
            ("by", benjamini_yekutieli(&p)),
            ("holm", holm(&p)),
        ] {
            for (found, expected) in found.iter().zip(numbers(name)) {
                assert!((found - expected).abs() < 1e-13, "{name}: {found} {expected}");
            }
        }
    }
}

#[test]
fn nan_is_no_test() {
    let p = [0.01, f64::NAN, 0.04];
    let found = benjamini_hochberg(&p);
    assert!(found[1].is_nan() && (found[0], found[2]) == (0.02, 0.04));
    let found = holm(&p);
    assert!(found[1].is_nan() && (found[0], found[2]) == (0.02, 0.04));
    assert!(benjamini_hochberg(&[]).is_empty() && holm(&[]).is_empty());
    assert_eq!(Rejections::of(&[], 0.05), Rejections::default());
}

proptest! {
    /// The procedures by their own words: BH rejects the k smallest for the largest k with p₍ₖ₎ ≤ kα/m; Holm steps down
    /// from the smallest until one exceeds α/(m − i).
    #[test]
    fn rejections_are_those_of_the_procedures(
        p in prop::collection::vec(prop_oneof![0.0f64..1.0, 0.0f64..0.02], 0..60),
        alpha in 0.001f64..0.3,
    ) {
        let m = p.len() as f64;
        let mut sorted = p.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        let up = (1..=p.len()).rev().find(|&k| sorted[k - 1] * m / k as f64 <= alpha).unwrap_or(0);
        let down = (0..p.len()).take_while(|&i| sorted[i] * (m - i as f64) <= alpha).count();
        let found = Rejections::of(&p, alpha);
        prop_assert_eq!((found.benjamini_hochberg, found.holm), (up as u64, down as u64));
        prop_assert!(found.holm <= found.benjamini_hochberg && found.benjamini_hochberg <= found.single);
    }
}
