//! Measurements of spectra and eigenspaces in a study, from end to end.

use gradstudy::results::Results;
use gradstudy::stats::outcome::Outcome;

use crate::support::Gradstudy;

const STUDY: &str = r#"
study "Spectra of a small network" { seeds: 0 }
data  fashion = fashion_mnist_5k(subset: 600)
model net     = fcn(depth: 1, width: 8)
train short   = sgd(lr: 0.05, momentum: 0.9) { of: net on: fashion epochs: 1 batch: 50 }
record g0 = gradients(of: net, on: fashion, batch: 10, iterations: 60)
record g1 = gradients(of: short, on: fashion, batch: 10, iterations: 60)
spectrum c    = covariance(g0, top: 40)
spectrum away = covariance(g0, top: 40, centre: full_batch)
spectrum gaps = eigengaps(c, order: rank)
spectrum h    = hessian(of: short, on: fashion, samples: 200, top: 10, batch_norm: batch(50))
spectrum r    = gauss_newton(of: short, on: fashion, samples: 200, top: 10, batch_norm: running)
test of_c    = spectrum_shape(c)
test of_away = spectrum_shape(away)
test of_gaps = spectrum_shape(gaps)
test of_h    = spectrum_shape(h)
test of_r    = spectrum_shape(r)
test turn    = davis_kahan(g0, top: 5)
test shared  = subspace_overlap(g0, g1, top: 5)
table shapes { of: [of_c, of_gaps, of_h, of_r]  rows: [spectrum]  columns: [trace, effective_rank, slope, outliers, converged] }
table spaces { of: [turn, shared]  rows: [training]  columns: [perturbation, median_sine, median_bound, bounded, overlap] }
table centre { of: of_away  rows: [spectrum]  columns: [trace, participation_ratio, kept_share] }
figure turning = angles([turn, shared])
"#;

#[test]
fn the_full_batch_is_one_gradient() {
    let gradstudy = Gradstudy::new(
        r#"
study "The full batch" { seeds: 0  allow: [W0103] }
data  fashion = fashion_mnist_5k(subset: 600)
model net     = fcn(depth: 1, width: 8)
vary batch in [300, 600]
record g = gradients(of: net, on: fashion, batch: batch, iterations: 60)
spectrum m = second_moment(g, top: 50)
test tail = power_law(m, tail: top(20))
test shape = spectrum_shape(m)
test rows = power_law(g, tail: top(30), along: [iteration])
table full { of: [tail, shape, rows]  rows: [batch]  columns: [d_ks, trace, effective_rank] }
"#,
    );
    let said = gradstudy.run(&["run", "test.study"]).success().stdout;
    for expected in [
        "With B = 600 the minibatch is the whole data set",
        ": 1 of 20",
        ": 1 of 1 (with too few values above zero)",
        ": 6386 of 6386 (constant)",
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    let text = std::fs::read_to_string(gradstudy.runs()[0].join("results.yaml")).unwrap();
    let results: Results = serde_yaml::from_str(&text).unwrap();
    let shape = |batch: u64| {
        let of = results.measurements.iter().filter(|it| it.subject.batch == batch);
        of.filter_map(|it| match &it.outcome {
            Outcome::Shape(shape) => Some(shape.clone()),
            _ => None,
        })
        .next()
        .expect("a shape")
    };
    assert!((shape(600).effective_rank - 1.0).abs() < 1e-9, "{:?}", shape(600));
    assert!(shape(300).effective_rank > 1.1);
    // Two halves average to the whole: ‖g‖² is at most the mean of their squared lengths, which trace/T is.
    assert!(shape(600).trace < shape(300).trace);
}

#[test]
fn shapes_bounds_and_overlaps_come_out_of_a_study() {
    let gradstudy = Gradstudy::new(STUDY);
    let said = gradstudy.run(&["run", "test.study"]).success().stdout;
    for expected in [
        "Outliers",
        "Effective rank",
        "‖εM‖",
        "Overlap",
        "Participation ratio",
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    let run = &gradstudy.runs()[0];
    let text = std::fs::read_to_string(run.join("results.yaml")).unwrap();
    let results: Results = serde_yaml::from_str(&text).unwrap();
    let outcome = |test: &str| {
        let found = results.measurements.iter().find(|it| it.test == test);
        &found.unwrap_or_else(|| panic!("{test}")).outcome
    };
    let shape = |test: &str| match outcome(test) {
        Outcome::Shape(shape) => shape,
        other => panic!("{other:?}"),
    };
    // Around another centre the trace grows by the square of the distance, and no eigenvalue falls.
    assert!(shape("of_away").trace > shape("of_c").trace);
    assert!(shape("of_away").largest >= shape("of_c").largest * (1.0 - 1e-6));
    assert_eq!(shape("of_c").converged, None);
    assert_eq!(
        (shape("of_h").converged, shape("of_r").converged),
        (Some(10), Some(10))
    );
    assert!(shape("of_h").worst_residual <= 1e-4 && shape("of_h").trace.is_nan());
    match outcome("turn") {
        Outcome::DavisKahan(turn) => {
            assert_eq!((turn.half, turn.eigenvectors.len()), (30, 5));
            assert!(turn.eigenvectors.iter().all(|it| it.sine <= it.bound));
        }
        other => panic!("{other:?}"),
    }
    match outcome("shared") {
        Outcome::Overlap(shared) => {
            let last = shared.by_rank[4];
            assert!(
                shared.by_rank.len() == 5 && last > 5.0 / 6394.0 && last < 1.0,
                "{last}"
            );
        }
        other => panic!("{other:?}"),
    }

    let figure = std::fs::read_to_string(run.join("turning.csv")).unwrap();
    assert!(
        figure.contains("Davis–Kahan bound") && figure.contains("overlap"),
        "{figure}"
    );

    // What is in the cache is not made again, and gives the same results.
    let again = gradstudy.run(&["run", "test.study"]).success().stdout;
    let tables = |said: &str| said.split("\n\n").take(2).collect::<Vec<_>>().join("\n");
    assert_eq!(tables(&said), tables(&again));
    let plan = gradstudy.run(&["plan", "test.study"]).success().stdout;
    assert!(!plan.contains("will run"), "{plan}");
}

#[test]
fn what_cannot_be_measured_is_told_before_anything_runs() {
    for (old, new, expected) in [
        ("batch(50)", "batch(30)", "no whole number of minibatches of 30"),
        ("batch(50)", "batch(30)", "E0513"),
        (
            "davis_kahan(g0, top: 5)",
            "davis_kahan(g0, top: 30)",
            "at most 29",
        ),
        (
            "subspace_overlap(g0, g1, top: 5)",
            "subspace_overlap(g0, g1, top: 60)",
            "at most 59",
        ),
        (
            "subspace_overlap(g0, g1, top: 5)",
            "subspace_overlap(g0, c, top: 5)",
            "E0",
        ),
        (
            "spectrum_shape(c)",
            "spectrum_shape(c, along: iteration)",
            "E0510",
        ),
        ("spectrum_shape(c)", "spectrum_shape(g0)", "E0"),
        (
            "fcn(depth: 1, width: 8)",
            "fcn(depth: 1, width: 8, bn: true)",
            "E0302",
        ),
    ] {
        let gradstudy = Gradstudy::new(&STUDY.replace(old, new));
        let run = gradstudy.run(&["run", "test.study"]);
        assert!(run.stderr.contains(expected), "{new}: {}", run.stderr);
        assert!(gradstudy.runs().is_empty(), "{new}");
    }
}
