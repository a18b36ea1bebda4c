//! The device of `GRADSTUDY_DEVICE` (burn's CPU backend by default) beside gradstudy's own kernels on the CPU.

mod beside;

use std::path::Path;
use std::sync::atomic::AtomicBool;

use gradstudy::data::SearchPath;
use gradstudy::execute::Executor;
use gradstudy::execute::observer::Silent;
use gradstudy::gradients::engine::Engine;
use gradstudy::plan::{self, Work};
use gradstudy::results::Results;
use gradstudy::stats::outcome::{Acceptance, Outcome};
use gradstudy::store::Store;
use gradstudy::study;
use gradstudy::syntax::Source;
use gradstudy::vocabulary::VOCABULARY;

use crate::support::{Gradstudy, tensor_device};

fn name() -> String {
    std::env::var("GRADSTUDY_DEVICE").unwrap_or_else(|_| "flex".to_string())
}

/// Relative error of G that a device may have.
const BOUND: f64 = 1e-4;

#[test]
fn weights_and_gradients_on_a_device_are_those_of_the_cpu() {
    let search = SearchPath::default();
    for (model, record, batch_norm) in [
        ("lenet(logits: 10)", "batch: 1, iterations: 150", ""),
        ("lenet(logits: 10)", "batch: 20, iterations: 30", ""),
        (
            "fcn(depth: 2, width: 20)",
            "batch: 10, iterations: 30",
            ", batch_norm: running",
        ),
    ] {
        let text = format!(
            "data d = fashion_mnist_5k(subset: 600)\nmodel m = {model}\n\
             train p = sgd(lr: 0.05, momentum: 0.9) {{ of: m  on: d with symmetric(40%)  epochs: 1  batch: 100 }}\n\
             record g = gradients(of: m, on: d with symmetric(40%), {record}{batch_norm})\n\
             record h = gradients(of: p, on: d with symmetric(40%), {record})\n\
             test t = normality(g, points: 20)\ntest u = normality(h, points: 20)\n"
        );
        let (study, _) = study::check(&Source::new("test.study", text), &VOCABULARY)
            .unwrap_or_else(|found| panic!("{found:?}"));
        let plan = plan::lower(&study, &search).unwrap();
        let (device, products) = tensor_device();
        let of = |engine: &Engine| {
            let folder = tempfile::tempdir().unwrap();
            let store = Store::open(folder.path(), "test").unwrap();
            let stop = AtomicBool::new(false);
            let executor = Executor::new(&store, &search, engine, u64::MAX, &Silent, &stop);
            let made = plan.records.iter().map(|record| {
                let Work::Record { weights, .. } = &plan.step(&record.step).work else {
                    unreachable!("a record step")
                };
                let (_, theta) = executor.theta(&plan, weights).unwrap();
                (
                    theta,
                    executor.history(&plan, &record.step).unwrap().values().to_vec(),
                )
            });
            made.collect::<Vec<_>>()
        };
        let (host, other) = (of(&Engine::Host), of(&Engine::Burn(device, products)));
        assert!(host[0].0 == other[0].0, "{model}: initial weights");
        for (what, ours, theirs) in [
            ("G at random weights", &host[0].1, &other[0].1),
            ("trained weights", &host[1].0, &other[1].0),
        ] {
            let error = relative_error(theirs, ours);
            assert!(error < BOUND, "{model}, {record}: {what} differ by {error:e}");
        }
    }
}

fn relative_error(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len());
    let (error, norm) = a.iter().zip(b).fold((0.0, 0.0), |(error, norm), (a, b)| {
        let (a, b) = (f64::from(*a), f64::from(*b));
        (error + (a - b).powi(2), norm + b * b)
    });
    (error / norm).sqrt()
}

const STUDY: &str = r#"
study "Devices" { seeds: [0, 1]  allow: [W0103] }
data  fashion = fashion_mnist_5k(subset: 600)
model lenet   = lenet(logits: 10)
record g = gradients(of: lenet, on: fashion, batch: 5, iterations: 100)
spectrum c = covariance(g, top: 60)
test tails = power_law(g, tail: top(50))
test bell  = normality(g, points: 50)
test ks    = power_law(c, tail: top(60))
table both { of: [tails, bell]  rows: [sg_type]  columns: [d_ks, power_law_rate, p_value, gaussian_rate] }
table one  { of: [ks]  rows: [spectrum]  columns: [d_ks, d_c, power_law, s] }
"#;

fn results(run: &Path) -> Results {
    serde_yaml::from_str(&std::fs::read_to_string(run.join("results.yaml")).unwrap()).unwrap()
}

/// Two in a thousand may lie so near a threshold that rounding decides.
fn same_verdicts(a: &Acceptance, b: &Acceptance, what: &str) {
    assert_eq!((a.tested, &a.degenerate), (b.tested, &b.degenerate), "{what}");
    let differ = a.accepted.abs_diff(b.accepted);
    assert!(
        differ as f64 <= 2e-3 * a.tested as f64,
        "{what}: {differ} verdicts"
    );
}

/// Distances and exponents to 10⁻³, verdicts unless a sample lies that near its threshold.
#[test]
fn a_study_on_a_device_comes_to_the_same_numbers() {
    let (host, other) = (Gradstudy::new(STUDY), Gradstudy::new(STUDY));
    host.run(&["run", "test.study", "--device", "cpu"]).success();
    other.run(&["run", "test.study", "--device", &name()]).success();
    let (a, b) = (results(&host.runs()[0]), results(&other.runs()[0]));
    assert_eq!(a.measurements.len(), b.measurements.len());
    let close = |a: f64, b: f64, what: &str| assert!((a / b - 1.0).abs() < 1e-3, "{what}: {a} and {b}");
    for (ours, theirs) in a.measurements.iter().zip(&b.measurements) {
        let what = format!("{} {:?}", ours.test, ours.direction);
        match (&ours.outcome, &theirs.outcome) {
            (Outcome::PowerLaw(a), Outcome::PowerLaw(b)) => {
                close(a.mean_ks_distance, b.mean_ks_distance, &what);
                close(a.mean_exponent, b.mean_exponent, &what);
                same_verdicts(&a.acceptance, &b.acceptance, &what);
            }
            (Outcome::Normality(a), Outcome::Normality(b)) => {
                close(a.mean_p_value, b.mean_p_value, &what);
                same_verdicts(&a.acceptance, &b.acceptance, &what);
            }
            (a, b) => panic!("{what}: {a:?} and {b:?}"),
        }
    }
    let [a, b] = [&host.runs()[0], &other.runs()[0]].map(|run| run.display().to_string());
    let said = host.run(&["diff", &a, &b, "--fail-on", "flip"]);
    assert_eq!(said.code, Some(0), "{}", said.stdout);
}

#[test]
fn a_gpu_that_is_not_there_is_a_clear_error() {
    let gradstudy = Gradstudy::new(STUDY);
    let said = gradstudy.run(&["run", "test.study", "--device", "cuda:77"]);
    assert_eq!(said.code, Some(2));
    assert!(
        said.stderr.contains("--device cpu") || said.stderr.contains("nvidia-smi"),
        "{}",
        said.stderr
    );
    let said = gradstudy.run(&["run", "test.study", "--device", "cpu", "--precision", "tf32"]);
    assert_eq!(said.code, Some(2));
    assert!(said.stderr.contains("CUDA devices"), "{}", said.stderr);
    if !name().starts_with("cuda") {
        let said = gradstudy.run(&["run", "test.study", "--device", "cuda:all"]);
        assert_eq!(said.code, Some(2));
        assert!(said.stderr.contains("--device cpu"), "{}", said.stderr);
    }
    let said = gradstudy.run(&["devices"]).success().stdout;
    for what in ["cpu ", "flex ", "cuda ", "driver: ", "libcuda: ", "libdevice: "] {
        assert!(said.contains(what), "{what}: {said}");
    }
}
