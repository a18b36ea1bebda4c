//! Power laws of whole numbers, and published data sets (`tests/reference/stats/make_discrete.py`).

use gradstudy::stats::discrete::discrete_power_law;

use super::*;

fn published() -> serde_json::Value {
    serde_json::from_str(include_str!("../reference/stats/published.json")).expect("JSON")
}

fn values(set: &serde_json::Value) -> Vec<f64> {
    let counts = set["counts"].as_array().expect("counts");
    let each = counts.iter().flat_map(|pair| {
        let count = pair[1].as_u64().expect("a count") as usize;
        std::iter::repeat_n(pair[0].as_f64().expect("a value"), count)
    });
    each.collect()
}

#[test]
fn discrete_fits_equal_scipy_s() {
    let mut compared = 0;
    for (name, set) in published().as_object().expect("sets") {
        if set["discrete"] != true {
            continue;
        }
        let sample = values(set);
        let fits = set["fits"]
            .as_array()
            .expect("fits")
            .iter()
            .map(|fit| (fit, None));
        let scan = (&set["scan"], Some(TailRule::Scan { at_least: 10 }));
        for (expected, rule) in fits.chain([scan]) {
            let number = |key: &str| expected[key].as_f64().expect("a number");
            let tail = rule.unwrap_or(TailRule::At(number("x_min")));
            for (ecdf, key) in [(Ecdf::Left, "left"), (Ecdf::TwoSided, "two_sided")] {
                if rule.is_some() && ecdf == Ecdf::TwoSided {
                    continue;
                }
                let settings = PowerLawSettings { tail, ecdf, ..top(2) };
                let found = discrete_power_law(&sample, &settings).expect("a tail");
                assert_eq!(found.fit.x_min, number("x_min"), "{name}");
                assert_eq!(found.fit.n_tail as f64, number("n_tail"), "{name}");
                assert!(
                    (found.fit.exponent - number("beta")).abs() < 1e-6,
                    "{name} {found:?} {expected}"
                );
                assert!(
                    (found.ks_distance - number(key)).abs() < 1e-6,
                    "{name} {found:?} {expected}"
                );
                assert!(
                    (found.fit.standard_error / number("se") - 1.0).abs() < 1e-3,
                    "{name} {found:?}"
                );
                compared += 1;
            }
        }
    }
    assert_eq!(compared, 18);
}

/// Clauset, Shalizi and Newman (2009), Table 6.1, to their digits.
#[test]
fn published_data_sets_give_the_published_numbers() {
    for (name, set) in published().as_object().expect("sets") {
        let sample = values(set);
        let settings = PowerLawSettings {
            tail: TailRule::Scan { at_least: 10 },
            ..top(2)
        };
        let found = if set["discrete"] == true {
            discrete_power_law(&sample, &settings)
        } else {
            PowerLawTest::of(&sample, &settings)
        };
        let fit = found.expect("a tail").fit;
        let [beta, x_min] =
            ["published_beta", "published_x_min"].map(|key| set[key].as_f64().expect("a number"));
        let digits = if beta == 2.3 || beta == 2.4 { 0.05 } else { 0.005 };
        assert!(
            (fit.exponent - beta).abs() < digits + 1e-9,
            "{name}: {fit:?} {beta}"
        );
        assert!((fit.x_min / x_min - 1.0).abs() < 1e-9, "{name}: {fit:?} {x_min}");
    }
}

#[test]
fn discrete_samples_that_do_not_apply() {
    let of = |sample: &[f64], tail| discrete_power_law(sample, &PowerLawSettings { tail, ..top(2) });
    let minimum = TailRule::Minimum;
    assert_eq!(of(&[1.0, 2.5, 3.0], minimum), Err(Cause::NotWhole));
    assert_eq!(of(&[1.0, f64::NAN], minimum), Err(Cause::NotFinite));
    assert_eq!(of(&[1.0, f64::INFINITY], minimum), Err(Cause::NotFinite));
    assert_eq!(of(&[3.0, -3.0], minimum), Err(Cause::Constant));
    assert_eq!(of(&[0.0, 0.0, 3.0], minimum), Err(Cause::TooFew));
    assert_eq!(of(&[], minimum), Err(Cause::TooFew));
    assert_eq!(of(&[1.0, 2.0], TailRule::Top(3)), Err(Cause::TooFew));
    assert_eq!(
        of(&[1.0, 2.0, 3.0], TailRule::Scan { at_least: 4 }),
        Err(Cause::TooFew)
    );
    // Ties at the K-th largest value are kept.
    let found = of(&[1.0, 2.0, 2.0, 2.0, 5.0], TailRule::Top(2)).expect("a tail");
    assert_eq!((found.fit.n_tail, found.fit.x_min), (4, 2.0));
    let found = of(&[1.0, 2.0, 2.0, 2.0, 5.0], TailRule::Quantile(0.5)).expect("a tail");
    assert_eq!((found.fit.n_tail, found.fit.x_min), (4, 2.0));
    // A first value that is not there still is the law's first.
    let found = of(&[1.0, 4.0, 5.0, 4.0, 9.0], TailRule::At(2.5)).expect("a tail");
    assert_eq!((found.fit.n_tail, found.fit.x_min), (4, 3.0));
}
