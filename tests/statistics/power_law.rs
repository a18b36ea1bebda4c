//! The power-law test.

use super::*;

#[test]
fn power_law_equals_powerlaw_and_scipy() {
    let golden = golden();
    for case in golden["power_law"].as_array().expect("cases") {
        let number = |key: &str| case[key].as_f64().expect("a number");
        let sample: Vec<f64> = match case["name"].as_str().expect("a name") {
            "pareto n=1000 beta=1.5" => pareto(1000, 1.5),
            "pareto n=1000 beta=2.5" => pareto(1000, 2.5),
            "pareto n=300 beta=4.5" => pareto(300, 4.5),
            "exponential n=5000" => (0..5000)
                .map(|i| -(-(f64::from(i) + 0.5) / 5000.0).ln_1p())
                .collect(),
            other => panic!("unknown sample {other}"),
        };
        let k = number("k") as usize;
        for (ecdf, key) in [(Ecdf::Left, "ks_left"), (Ecdf::TwoSided, "ks_two_sided")] {
            let found = PowerLawTest::of(&sample, &PowerLawSettings { ecdf, ..top(k) }).expect("a tail");
            assert!((found.fit.x_min / number("x_min") - 1.0).abs() < 1e-12, "{case}");
            assert!(
                (found.fit.exponent / number("alpha") - 1.0).abs() < 1e-12,
                "{case}"
            );
            assert!(
                (found.ks_distance - number(key)).abs() < 1e-12,
                "{case}: {}",
                found.ks_distance
            );
            // The kernel sees the sample as f32.
            let narrow: Vec<f32> = sample.iter().map(|&x| x as f32).collect();
            let d_c = critical_distance(0.05, k);
            let kernel = TailKernel::default().test(&narrow, k, ecdf, d_c).expect("a tail");
            assert!(
                (kernel.fit.exponent / number("alpha") - 1.0).abs() < 1e-6,
                "{case}"
            );
            assert!((kernel.ks_distance - number(key)).abs() < 1e-6, "{case}");
        }
    }
}

/// At the quantiles of a power law, Σ ln x over all points is Σ −ln(1 − (i + ½)/n)/(β − 1).
#[test]
fn closed_form_of_the_exponent() {
    let n = 1000;
    for beta in [1.3, 2.0, 3.5, 6.0] {
        let sample = pareto(n, beta);
        let log = |i: usize| -(-(i as f64 + 0.5) / n as f64).ln_1p() / (beta - 1.0);
        let sum: f64 = (0..n).map(|i| log(i) - log(0)).sum();
        let found = PowerLawTest::of(&sample, &top(n)).expect("a tail");
        assert!((found.fit.exponent - (1.0 + n as f64 / sum)).abs() < 1e-10);
        assert!((found.fit.zipf_exponent - 1.0 / (found.fit.exponent - 1.0)).abs() < 1e-14);
        let error = (found.fit.exponent - 1.0) / (n as f64).sqrt();
        assert!((found.fit.standard_error - error).abs() < 1e-14);
        assert!(found.accepted());
        // Every point's distance from the definition: the share of points below it.
        let direct = sample.iter().map(|&x| {
            let below = sample.iter().filter(|&&other| other < x).count() as f64 / n as f64;
            (found.fit.cdf(x) - below).abs()
        });
        assert!((found.ks_distance - direct.fold(0.0, f64::max)).abs() < 1e-14);
    }
}

#[test]
fn tail_rules_fit_from_their_x_min() {
    let sample = pareto(1000, 2.5);
    let with = |tail| {
        PowerLawTest::of(&sample, &PowerLawSettings { tail, ..top(2) })
            .expect("a tail")
            .fit
    };
    assert_eq!(with(TailRule::Minimum), with(TailRule::Top(1000)));
    let at = with(TailRule::At(2.0));
    assert_eq!(at.n_tail, sample.iter().filter(|&&x| x >= 2.0).count());
    let sum: f64 = sample.iter().filter(|&&x| x >= 2.0).map(|x| (x / 2.0).ln()).sum();
    assert!((at.exponent - (1.0 + at.n_tail as f64 / sum)).abs() < 1e-12);
    assert_eq!(with(TailRule::Quantile(0.9)).n_tail, 100);
}

/// With β fitted the 5 % point of d_ks √K is near 1.06 (left), so the paper's 1.36 rejects true power laws in
/// about 0.5 % of cases, and exponential tails nearly always.
#[test]
fn the_power_law_test_has_its_size_and_power() {
    let mut rng = ChaCha8Rng::seed_from_u64(43);
    let mut rejected = [0, 0];
    let mut beyond = 0;
    for _ in 0..1000 {
        let power: Vec<f64> = (0..500).map(|_| uniform(&mut rng).powf(-1.0 / 1.5)).collect();
        let test = PowerLawTest::of(&power, &top(500)).expect("a tail");
        rejected[0] += u32::from(!test.accepted());
        beyond += u32::from(test.ks_distance * 500f64.sqrt() > 1.06);
        let exponential: Vec<f64> = (0..1000).map(|_| -uniform(&mut rng).ln()).collect();
        rejected[1] += u32::from(
            !PowerLawTest::of(&exponential, &top(500))
                .expect("a tail")
                .accepted(),
        );
    }
    assert!((1..=13).contains(&rejected[0]), "{rejected:?}");
    assert!((29..=75).contains(&beyond), "{beyond}");
    assert!(rejected[1] > 950, "{rejected:?}");
}
