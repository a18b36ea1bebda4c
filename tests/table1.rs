//! The real thing: studies on MNIST, made beforehand (by `.ci/run`) and named by GRADSTUDY_RESULTS (`table1_random`) and
//! GRADSTUDY_PRETRAINED (`pretraining`).

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

#[test]
#[ignore = "needs MNIST and a minute; .ci/run runs it where MNIST is at hand"]
fn the_paper_s_recipe_trains_to_the_accuracies_expected_of_it() {
    let path = std::env::var("GRADSTUDY_PRETRAINED").expect("GRADSTUDY_PRETRAINED names a manifest.yaml");
    let manifest: serde_yaml::Value = serde_yaml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let accuracy = |model: &str| {
        let mut trainings = manifest["trainings"].as_mapping().unwrap().iter();
        let found =
            trainings.find(|(label, _)| label.as_str().unwrap().contains(&format!(": {model} on MNIST")));
        found.expect("a training of it").1["test_accuracy"]
            .as_f64()
            .unwrap()
    };
    assert!(accuracy("LeNet") >= 0.988, "LeNet: {}", accuracy("LeNet"));
    assert!(accuracy("FCN") >= 0.975, "FCN: {}", accuracy("FCN"));
}
