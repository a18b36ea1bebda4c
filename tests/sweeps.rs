//! Sweeps over settings: columns of the training behind a row, and cells that fail.

use std::fs;

use gradstudy::run::{open_manifest, open_results};
use gradstudy::stats::outcome::Outcome;

use crate::support::Gradstudy;

const STUDY: &str = r#"
study "A sweep" { seeds: 0..1 }
data  points = csv("train.csv", label: "class", test: "test.csv")
model net    = fcn(depth: 1, width: 6, batchnorm: false, activation: none, logits: 2)
vary  lr     in [0.05, 1e6]
train fitted = sgd(lr: lr) { of: net  on: points  epochs: 3  batch: 10 }
record g     = gradients(of: fitted, on: points, batch: 10, iterations: 40)
test  tails  = power_law(g, tail: top(10))
table sweep {
  of: [tails]
  rows: [lr, sg_type]
  columns: [power_law_rate, train_loss, train_accuracy, test_loss, test_accuracy, first_train_accuracy, first_test_loss]
}
figure rates = rates(tails, against: lr, show: [test_accuracy, train_accuracy])
figure over_accuracy = rates(tails, against: test_accuracy, show: [power_law_rate])
"#;

/// Two clouds that a line tells apart, most of them.
fn points(count: usize, phase: f64) -> Vec<([f64; 2], usize)> {
    (0..count)
        .map(|i| {
            let class = i % 2;
            let turn = phase + i as f64 * 2.399;
            let radius = 1.6 * ((i as f64 * 0.618).fract());
            let centre = if class == 0 { -1.0 } else { 1.0 };
            ([centre + radius * turn.cos(), radius * turn.sin()], class)
        })
        .collect()
}

fn csv(points: &[([f64; 2], usize)]) -> String {
    let rows = points.iter().map(|([x, y], class)| format!("{x},{y},{class}\n"));
    format!("x,y,class\n{}", rows.collect::<String>())
}

fn folder(study: &str) -> Gradstudy {
    let gradstudy = Gradstudy::new(study);
    fs::write(gradstudy.path().join("train.csv"), csv(&points(60, 0.0))).unwrap();
    fs::write(gradstudy.path().join("test.csv"), csv(&points(40, 1.0))).unwrap();
    gradstudy
}

#[test]
fn a_training_that_diverges_is_a_row_that_says_so() {
    let gradstudy = folder(STUDY);
    let said = gradstudy.run(&["run", "test.study"]);
    assert_eq!(said.code, Some(1), "{}\n{}", said.stdout, said.stderr);
    assert!(said.stdout.contains("diverged at epoch 1"), "{}", said.stdout);
    assert!(said.stdout.contains("lr = 1e6"), "{}", said.stdout);
    assert!(
        said.stderr.contains("2 of ") && said.stderr.contains("steps failed"),
        "{}",
        said.stderr
    );
    let run = &gradstudy.runs()[0];
    let table = fs::read_to_string(run.join("sweep.md")).unwrap();
    let row = |label: &str| {
        let row = table.lines().find(|line| line.starts_with(label));
        row.unwrap_or_else(|| panic!("{label}: {table}")).to_string()
    };
    assert!(row("| 1e6").contains("diverged at epoch 1 |"), "{table}");
    assert!(!row("| 0.05").contains('–'), "{table}");
    assert!(table.contains("Not made, "), "{table}");
    for (file, text) in [
        ("sweep.csv", "diverged at epoch 1"),
        ("sweep.tex", "{diverged at epoch 1}"),
        ("report.html", "diverged at epoch 1"),
    ] {
        let content = fs::read_to_string(run.join(file)).unwrap();
        assert!(content.contains(text), "{file}: {content}");
    }
    let manifest = open_manifest(run).unwrap();
    let failed: Vec<&str> = manifest.failures.iter().map(|it| it.reason.as_str()).collect();
    assert_eq!(failed, ["diverged at epoch 1"; 2]);
    let trainings: Vec<&String> = manifest.trainings.keys().collect();
    assert!(
        trainings
            .iter()
            .all(|name| name.starts_with("fitted (lr = 0.05): ")),
        "{trainings:?}"
    );
    // What needs nothing that failed is there, and stays: a rerun makes only what lacks.
    let again = gradstudy.run(&["run", "test.study", "--reports-dir", "again"]);
    assert_eq!(again.code, Some(1));
    let runs = fs::read_dir(gradstudy.path().join("again/test")).unwrap();
    let newest = runs.map(|entry| entry.unwrap().path()).next().unwrap();
    let reused = open_manifest(&newest).unwrap().times.steps;
    assert!(
        reused
            .iter()
            .filter(|step| step.reused && step.seconds > 0.0)
            .count()
            >= 6,
        "{reused:?}"
    );
}

#[test]
fn fail_fast_ends_with_the_first_failure() {
    let gradstudy = folder(STUDY);
    let said = gradstudy.run(&["run", "test.study", "--fail-fast"]);
    assert_eq!(said.code, Some(2), "{}", said.stderr);
    assert!(said.stderr.contains("the training diverged"), "{}", said.stderr);
    assert!(gradstudy.runs().is_empty());
}

/// Loss and accuracy of exported weights, by the definition, in float64.
#[test]
fn loss_and_accuracy_are_those_of_the_weights() {
    let study = STUDY
        .replace("[0.05, 1e6]", "[0.05]")
        .replace("seeds: 0..1", "seeds: 0");
    let gradstudy = folder(&study.replace(
        "data  points = csv(",
        "data  points = csv(normalize: none, file: ",
    ));
    gradstudy.run(&["run", "test.study"]).success();
    let export = [
        "export",
        "test.study",
        "--what",
        "weights",
        "--name",
        "fitted",
        "--to",
        "w.safetensors",
    ];
    gradstudy.run(&export).success();
    let bytes = fs::read(gradstudy.path().join("w.safetensors")).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let mut tensors: Vec<(String, Vec<usize>, Vec<f64>)> = file
        .tensors()
        .into_iter()
        .map(|(name, tensor)| {
            let values = tensor.data().chunks_exact(4);
            let values = values.map(|b| f64::from(f32::from_le_bytes([b[0], b[1], b[2], b[3]])));
            (name, tensor.shape().to_vec(), values.collect())
        })
        .collect();
    tensors.sort_by_key(|(name, shape, _)| (name.split('.').next().unwrap().to_string(), 3 - shape.len()));
    let [first, first_bias, last, last_bias] = tensors.as_slice() else {
        panic!("{:?}", tensors.iter().map(|it| &it.0).collect::<Vec<_>>());
    };
    // The first layer is the one with two inputs.
    let layers = match first.1[1] == 2 {
        true => [(first, first_bias), (last, last_bias)],
        false => [(last, last_bias), (first, first_bias)],
    };
    let evaluate = |points: &[([f64; 2], usize)]| {
        let (mut loss, mut right) = (0.0, 0);
        for (x, class) in points {
            // What is read becomes float32.
            let mut values: Vec<f64> = x.iter().map(|x| f64::from(*x as f32)).collect();
            for ((_, shape, weights), (_, _, bias)) in layers {
                values = (0..shape[0])
                    .map(|o| {
                        (0..shape[1])
                            .map(|i| weights[o * shape[1] + i] * values[i])
                            .sum::<f64>()
                            + bias[o]
                    })
                    .collect();
            }
            loss -= values[*class] - values.iter().map(|v| v.exp()).sum::<f64>().ln();
            right += usize::from(values[*class] > values[1 - class]);
        }
        (loss / points.len() as f64, right as f64 / points.len() as f64)
    };
    let results = open_results(&gradstudy.runs()[0]).unwrap();
    let training = results.measurements[0].training.clone().unwrap();
    let (loss, accuracy) = evaluate(&points(40, 1.0));
    assert_eq!(training.test_accuracy.last, Some(accuracy));
    assert!(
        (training.test_loss.last.unwrap() / loss - 1.0).abs() < 1e-5,
        "{training:?} {loss}"
    );
    let (_, accuracy) = evaluate(&points(60, 0.0));
    assert_eq!(training.train_accuracy.last, Some(accuracy));
    assert!(accuracy > 0.6, "{accuracy}");
    assert_eq!(training.chance, Some(0.5));
    assert!(training.train_loss.first > training.train_loss.last);
    assert!(matches!(results.measurements[0].outcome, Outcome::PowerLaw(_)));
}

#[test]
fn a_network_that_guesses_is_a_warning_beside_its_row() {
    // Labels at random, and a step too small to learn anything.
    let study = STUDY
        .replace("[0.05, 1e6]", "[1e-12]")
        .replace("on: points  epochs", "on: points with shuffled  epochs");
    let said = folder(&study).run(&["run", "test.study"]).success();
    assert!(
        said.stdout
            .contains("the network guesses: a training accuracy of "),
        "{}",
        said.stdout
    );
}
