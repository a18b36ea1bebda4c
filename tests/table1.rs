//! The real thing: `studies/table1_random.study` on MNIST, made beforehand (by `.ci/run`) and named by
//! GRADSTUDY_RESULTS.

use std::path::Path;

use gradstudy::run::open_results;
use gradstudy::stats::outcome::{Direction, Outcome};

/// Where a PyTorch + SciPy script lands with seeds of its own (tests/reference/gradients/table1_torch.py), widened by
/// what one seed differs from another.
#[test]
#[ignore = "needs MNIST and a minute; .ci/run runs it where MNIST is at hand"]
fn table1_on_mnist_lies_where_pytorch_and_scipy_do() {
    let path = std::env::var("GRADSTUDY_RESULTS").expect("GRADSTUDY_RESULTS names a results.yaml");
    let results = open_results(Path::new(&path)).unwrap();
    let mut seen = 0;
    for measurement in &results.measurements {
        assert_eq!(measurement.subject.dataset, "MNIST");
        assert_eq!(measurement.subject.parameters, 44_426);
        let place = format!(
            "{} {:?} seed {}",
            measurement.test, measurement.direction, measurement.seed
        );
        let within = |what: &str, value: f64, low: f64, high: f64| {
            assert!(
                low <= value && value <= high,
                "{place}: {what} {value} is not in {low}..{high}"
            );
        };
        match (&measurement.outcome, measurement.direction) {
            (Outcome::PowerLaw(o), Direction::Dimension) => {
                within("mean d_ks", o.mean_ks_distance, 0.02, 0.045);
                within("power-law rate", o.acceptance.rate, 0.5, 1.0);
                within("d_c", o.critical_distance, 0.04300, 0.04301);
                assert_eq!(o.acceptance.degenerate.total(), 0);
            }
            (Outcome::PowerLaw(o), Direction::Iteration) => {
                within("mean d_ks", o.mean_ks_distance, 0.15, 0.30);
                within("power-law rate", o.acceptance.rate, 0.0, 0.005);
            }
            (Outcome::Normality(o), Direction::Dimension) => {
                within("Gaussian rate", o.acceptance.rate, 0.0, 0.02);
            }
            (Outcome::Normality(o), Direction::Iteration) => {
                within("Gaussian rate", o.acceptance.rate, 0.55, 0.75);
                within("mean p", o.mean_p_value, 0.25, 0.40);
            }
            (outcome, direction) => panic!("{place}: {outcome:?} along {direction:?}"),
        }
        seen += 1;
    }
    assert_eq!(seen, 12, "two tests, two directions, three seeds");
}
