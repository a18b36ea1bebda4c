//! The power-law test.

use gradstudy::stats::bootstrap::{BootstrapSettings, NullDistances, bootstrap};
use gradstudy::stats::outcome::{BootstrapOutcome, PowerLawOutcome};

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

fn power_law_outcome(view: HistoryView, direction: Direction, given: &[(&str, Value)]) -> PowerLawOutcome {
    let mut args = default_args(TESTS[0].signature());
    for (key, value) in given {
        args.0.insert(key.to_string(), value.clone());
    }
    let (outcome, done) = watched(|monitor| TESTS[0].run(view, direction, &args, 9, monitor));
    let samples = if direction == Direction::Iteration {
        view.parameters
    } else {
        view.iterations
    };
    assert_eq!(done as usize, samples);
    match outcome {
        Some(Outcome::PowerLaw(outcome)) => outcome,
        other => panic!("{other:?}"),
    }
}

fn rule(name: &str, args: &[(&str, Value)]) -> (&'static str, Value) {
    ("tail", Value::Call(call(name, args)))
}

/// One set of replicates for all samples: the p-value of each is that of a bootstrap of its own within both their
/// errors, and the error of the mean is that seen over seeds.
#[test]
fn shared_replicates_are_those_of_each_sample() {
    let values = pareto(400, 1.8);
    let mut values: Vec<f64> = values
        .iter()
        .enumerate()
        .map(|(i, x)| x * (1.0 + 0.002 * (i % 7) as f64))
        .collect();
    values.extend([0.1, 0.2, 0.3]);
    for tail in [TailRule::Top(100), TailRule::Top(400)] {
        let settings = PowerLawSettings { tail, ..top(2) };
        let draws = BootstrapSettings {
            replicates: 4000,
            exceedances: 4001,
            seed: 1,
        };
        let own = bootstrap(&values, &settings, &draws, &Monitor::SILENT)
            .expect("not cancelled")
            .expect("a tail");
        let null = NullDistances::draw(own.test.fit.n_tail, settings.ecdf, 4000, 2, &Monitor::SILENT);
        let null = null.expect("not cancelled");
        let p = null.p_value(own.test.ks_distance);
        assert_eq!(p, (null.exceedances(own.test.ks_distance) + 1) as f64 / 4001.0);
        assert!(
            (p - own.p_value).abs() < 4.0 * 1.5 * own.standard_error + 1e-3,
            "{p} {own:?}"
        );
    }
    let distances: Vec<f64> = (0..50).map(|i| 0.02 + 0.001 * f64::from(i)).collect();
    let means: Vec<(f64, f64)> = (0..60)
        .map(|seed| {
            let null =
                NullDistances::draw(300, Ecdf::Left, 400, seed, &Monitor::SILENT).expect("not cancelled");
            let p = distances.iter().map(|&d| null.p_value(d)).sum::<f64>() / 50.0;
            (p, null.error_of_mean(&distances))
        })
        .collect();
    let mean = means.iter().map(|m| m.0).sum::<f64>() / 60.0;
    let sd = (means.iter().map(|m| (m.0 - mean).powi(2)).sum::<f64>() / 59.0).sqrt();
    let said = means.iter().map(|m| m.1).sum::<f64>() / 60.0;
    assert!((sd / said - 1.0).abs() < 0.35, "{sd} {said}");
}

/// Through the registry: rows of power-law tails keep their rate, exponential ones lose it; degenerate ones count as 0.
#[test]
fn bootstrap_of_a_history() {
    let (parameters, iterations) = (40, 300);
    let mut rng = ChaCha8Rng::seed_from_u64(31);
    let mut values = vec![0.0f32; parameters * iterations];
    for t in 0..iterations {
        for i in 0..parameters {
            let u = uniform(&mut rng);
            values[t * parameters + i] = match i {
                0 => 0.0,
                1..20 => u.powf(-0.6) as f32,
                _ => -u.ln() as f32,
            };
        }
    }
    let view = HistoryView::new(&values, parameters, iterations);
    let check = |found: &BootstrapOutcome, most: u64| {
        assert_eq!(found.replicates, most);
        assert_eq!(
            (found.acceptance.tested, found.acceptance.degenerate.constant),
            (40, 1)
        );
        let accepted = found.acceptance.accepted;
        assert!((15..=19).contains(&accepted), "{found:?}");
        assert_eq!(found.rejections.single, 39 - accepted);
        assert!(found.rejections.holm <= found.rejections.benjamini_hochberg);
        // p is 1/(replicates + 1) at least, which 39 samples take above α for fewer replicates.
        assert!(found.rejections.holm >= 15 || most < 779, "{found:?}");
        assert!(
            found.standard_error > 0.0 && found.standard_error < 0.03,
            "{found:?}"
        );
        assert!(found.mean_replicates <= most as f64);
    };
    let replicates = ("bootstrap", Value::Integer(999));
    for tail in [rule("top", &[("k", Value::Integer(250))]), rule("minimum", &[])] {
        let found = power_law_outcome(view, Direction::Iteration, &[tail.clone(), replicates.clone()]);
        check(found.bootstrap.as_ref().expect("asked for"), 999);
        assert!(found.distances.is_none());
        // The rest is what it is without a bootstrap.
        let plain = power_law_outcome(view, Direction::Iteration, &[tail]);
        assert!(plain.bootstrap.is_none());
        assert_eq!(
            plain,
            PowerLawOutcome {
                bootstrap: None,
                samples: plain.samples.clone(),
                ..found
            }
        );
    }
    let tail = rule("quantile", &[("q", Value::Number(0.1))]);
    let found = power_law_outcome(
        view,
        Direction::Iteration,
        &[tail, ("bootstrap", Value::Integer(299))],
    );
    let bootstrap = found.bootstrap.expect("asked for");
    check(&bootstrap, 299);
    // Large p-values stop at 50 exceedances.
    assert!(bootstrap.mean_replicates < 290.0, "{bootstrap:?}");

    let tail = rule("top", &[("k", Value::Integer(250))]);
    let found = power_law_outcome(
        view,
        Direction::Iteration,
        &[tail, ("distances", Value::Text("all".into()))],
    );
    let distances = found.distances.expect("asked for");
    assert!(distances.mean_kuiper > found.mean_ks_distance * 0.9 && distances.mean_anderson_darling > 1.0);
    let se = found.mean_standard_error * 250f64.sqrt();
    assert!((se - (found.mean_exponent - 1.0)).abs() < 1e-12);
    assert!((found.mean_corrected_exponent - 1.0 - (found.mean_exponent - 1.0) * 0.996).abs() < 1e-12);
}

#[test]
fn a_cancelled_bootstrap_gives_nothing() {
    let cancel = AtomicBool::new(true);
    let monitor = Monitor {
        progress: &|_| (),
        cancel: &cancel,
    };
    assert!(NullDistances::draw(100, Ecdf::Left, 100, 0, &monitor).is_none());
    let draws = BootstrapSettings {
        replicates: 10,
        exceedances: 11,
        seed: 1,
    };
    assert!(bootstrap(&pareto(50, 2.0), &top(20), &draws, &monitor).is_none());
}
