//! Thinning keeps the shape of a curve.

use gradstudy::figures::thin::{TOLERANCE, thin};
use gradstudy::figures::{Axis, to_svg};
use proptest::prelude::*;

use super::samples::rank_figure;

/// Distance from `p` to the segment a–b, by trying many points of it.
fn distance(p: (f64, f64), a: (f64, f64), b: (f64, f64)) -> f64 {
    let at = |i: i32| {
        let t = f64::from(i) / 4000.0;
        (a.0 + t * (b.0 - a.0), a.1 + t * (b.1 - a.1))
    };
    (0..=4000)
        .map(at)
        .map(|q| (p.0 - q.0).hypot(p.1 - q.1))
        .fold(f64::INFINITY, f64::min)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn the_curve_moves_by_less_than_the_tolerance(
        heights in prop::collection::vec(0.0..1.0f64, 2..60),
        roughness in prop::sample::select(vec![0.0, 0.001, 0.01, 1.0]),
    ) {
        let n = heights.len() as f64;
        let points: Vec<(f64, f64)> = heights
            .iter()
            .enumerate()
            .map(|(i, height)| (i as f64 / n, (i as f64 / n).powi(2) * (1.0 - roughness) + height * roughness))
            .collect();
        let kept = thin(&points, 0.002, f64::INFINITY);
        prop_assert_eq!((kept[0], kept[kept.len() - 1]), (0, points.len() - 1));
        prop_assert!(kept.windows(2).all(|pair| pair[0] < pair[1]));
        for pair in kept.windows(2) {
            for left_out in pair[0] + 1..pair[1] {
                let moved = distance(points[left_out], points[pair[0]], points[pair[1]]);
                prop_assert!(moved <= 0.002 + 1e-6, "point {left_out} is {moved} away");
            }
        }
    }
}

#[test]
fn every_point_that_sticks_out_is_kept() {
    // A straight line with spikes of 0.3 % of the axis.
    let points: Vec<(f64, f64)> = (0..1000)
        .map(|i| (f64::from(i) / 999.0, if i % 100 == 50 { 0.503 } else { 0.5 }))
        .collect();
    let kept = thin(&points, 0.002, f64::INFINITY);
    assert!(
        (0..10).all(|spike| kept.contains(&(100 * spike + 50))),
        "{kept:?}"
    );
    assert!(
        kept.len() <= 2 + 3 * 10,
        "the straight parts need no points: {}",
        kept.len()
    );
}

#[test]
fn gaps_between_markers_are_closed() {
    let points: Vec<(f64, f64)> = (0..5000).map(|i| (f64::from(i) / 4999.0, 0.3)).collect();
    assert_eq!(thin(&points, 0.002, f64::INFINITY).len(), 2);
    let kept = thin(&points, 0.002, 0.01);
    let widest = kept
        .windows(2)
        .map(|pair| points[pair[1]].0 - points[pair[0]].0)
        .fold(0.0, f64::max);
    assert!(widest <= 0.01 && kept.len() < 110, "{widest} {}", kept.len());
    // Points that are farther apart than the gap by themselves all stay.
    let sparse: Vec<(f64, f64)> = (0..20).map(|i| (f64::from(i) / 19.0, 0.3)).collect();
    assert_eq!(thin(&sparse, 0.002, 0.01).len(), 20);
    assert!(thin(&[], 0.002, 0.01).is_empty() && thin(&[(0.0, 0.0)], 0.002, 0.01) == [0]);
}

#[test]
fn five_thousand_ranks_become_a_few_hundred_markers() {
    let figure = rank_figure("ranks", 5000, 1000);
    let svg = to_svg(&figure).expect("draws");
    let circles = svg.matches("<circle").count();
    assert!((100..700).contains(&circles), "{circles} circles");
    let mut linear = figure;
    linear.x = Axis::linear("rank");
    assert!(to_svg(&linear).expect("draws").matches("<circle").count() < 700);
    const { assert!(TOLERANCE <= 0.002) }
}
