//! Wilson's interval of rates of samples that hang together.

use gradstudy::stats::correlation::correlation;
use gradstudy::stats::interval::wilson_of_effective;

use super::*;

#[test]
fn so_many_effective_samples_are_so_many_samples() {
    for (accepted, tested) in [(0, 7), (3, 10), (4910, 5000), (5, 5)] {
        let independent = wilson(accepted, tested, 0.95);
        assert_eq!(
            wilson_of_effective(accepted, tested, tested as f64, 0.95),
            independent
        );
        // The rate of ten times as many, worth as many.
        let found = wilson_of_effective(10 * accepted, 10 * tested, tested as f64, 0.95);
        assert!((found.low - independent.low).abs() < 1e-12 && (found.high - independent.high).abs() < 1e-12);
        let fewer = wilson_of_effective(accepted, tested, tested as f64 / 3.0, 0.95);
        assert!(fewer.low <= independent.low && fewer.high >= independent.high);
    }
    for effective in [0.0, f64::NAN] {
        let nothing = wilson_of_effective(3, 10, effective, 0.95);
        assert_eq!((nothing.low, nothing.high), (0.0, 1.0));
    }
}

/// Gaussian rows with one factor behind all, r = 0.8: the interval of the effective number holds the rate of all such
/// histories as often as it says, that of all rows taken as independent does not.
#[test]
fn intervals_of_effective_samples_hold_the_rate() {
    let (rows, iterations, histories) = (100, 100, 300);
    let mut rng = ChaCha8Rng::seed_from_u64(31);
    let settings = NormalitySettings {
        points: iterations,
        alpha: 0.05,
        seed: 0,
    };
    let mut found = Vec::new();
    for _ in 0..histories {
        let mut values = Vec::with_capacity(rows * iterations);
        for _ in 0..iterations {
            let factor = 2.0 * gaussian(&mut rng);
            values.extend((0..rows).map(|_| (factor + gaussian(&mut rng)) as f32));
        }
        let view = HistoryView::new(&values, rows, iterations);
        let along = Direction::Iteration;
        let tested = watched(|monitor| normality_test(view, along, &settings, monitor)).0;
        let correlated = watched(|monitor| correlation(view, along, 1000, 5, monitor)).0;
        found.push((
            tested.expect("not cancelled").acceptance,
            correlated.expect("not cancelled").effective,
        ));
    }
    let rate = found.iter().map(|(it, _)| it.rate).sum::<f64>() / f64::from(histories);
    assert!((0.9..0.99).contains(&rate), "{rate}");
    let held = |samples: fn(u64, f64) -> f64| {
        let holds = found.iter().filter(|(it, effective)| {
            let interval = it.interval(samples(it.tested, *effective));
            (interval.low..=interval.high).contains(&rate)
        });
        holds.count() as f64 / f64::from(histories)
    };
    let (effective, independent) = (held(|_, effective| effective), held(|tested, _| tested as f64));
    assert!(effective > 0.93 && independent < 0.8, "{effective} {independent}");
}
