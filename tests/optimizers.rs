//! Optimizers, clipping, schedules and recorded directions against PyTorch (tests/reference/optimizers).

use std::path::{Path, PathBuf};

use gradstudy::data::{self, SearchPath};
use gradstudy::execute::Executor;
use gradstudy::execute::observer::Silent;
use gradstudy::gradients::batches::Order;
use gradstudy::gradients::engine::Engine;
use gradstudy::gradients::transform::Transform;
use gradstudy::models::{self, weights};
use gradstudy::optimizers::{self, Optimizer};
use gradstudy::signature::{Args, Call, Value};
use gradstudy::store::Store;
use gradstudy::study::{Study, TransformSpec, check};
use gradstudy::syntax::Source;
use gradstudy::training::{self, Clip, Rates, Training, checkpoint};
use gradstudy::vocabulary::VOCABULARY;
use serde_json::Value as Json;

mod resumption;
mod settings;

use crate::support::Gradstudy;

fn reference(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/reference")
        .join(name)
}

fn json(name: &str) -> Json {
    serde_json::from_slice(&std::fs::read(reference("optimizers").join(name)).unwrap()).unwrap()
}

fn numbers(list: &Json) -> Vec<f64> {
    let list = list.as_array().unwrap();
    list.iter().map(|number| number.as_f64().unwrap()).collect()
}

fn f32s(list: &Json) -> Vec<f32> {
    numbers(list).into_iter().map(|number| number as f32).collect()
}

fn args(settings: &Json) -> Args {
    let value = |value: &Json| match value {
        Json::Bool(flag) => Value::Boolean(*flag),
        number => Value::Number(number.as_f64().unwrap()),
    };
    let settings = settings.as_object().unwrap();
    Args(settings.iter().map(|(k, v)| (k.clone(), value(v))).collect())
}

fn build(run: &Json, parameters: usize) -> Box<dyn Optimizer> {
    let kind = optimizers::find(run["optimizer"].as_str().unwrap()).unwrap();
    kind.build(&args(&run["args"]), parameters)
}

fn clip(run: &Json) -> Clip {
    match (run["clip"].as_f64(), run["clip_value"].as_f64()) {
        (Some(norm), _) => Clip::Norm(norm),
        (_, Some(value)) => Clip::Value(value),
        _ => Clip::None,
    }
}

fn name(run: &Json) -> String {
    format!("{} {} {:?}", run["optimizer"], run["args"], clip(run))
}

/// ‖a − b‖ / ‖b‖.
fn relative_error(a: &[f32], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    let error: f64 = a.iter().zip(b).map(|(a, b)| (f64::from(*a) - b).powi(2)).sum();
    let norm: f64 = b.iter().map(|b| b.powi(2)).sum();
    (error / norm).sqrt()
}

/// The largest of |a − b| / max(|b|, floor).
fn largest_error(a: &[f32], b: &[f64], floor: f64) -> f64 {
    assert_eq!(a.len(), b.len());
    let errors = a
        .iter()
        .zip(b)
        .map(|(a, b)| (f64::from(*a) - b).abs() / b.abs().max(floor));
    errors.fold(0.0, f64::max)
}

/// On given gradients only the rule itself rounds: each parameter is compared, at SGD's full range of movement too.
#[test]
fn every_rule_follows_torch_optim_on_given_gradients() {
    let golden = json("rules.json");
    let gradients: Vec<Vec<f32>> = golden["gradients"].as_array().unwrap().iter().map(f32s).collect();
    let steps = numbers(&golden["steps"]);
    for run in golden["runs"].as_array().unwrap() {
        let mut theta = f32s(&golden["theta"]);
        let mut optimizer = build(run, theta.len());
        let lr = run["args"]["lr"].as_f64().unwrap() as f32;
        for (t, gradient) in gradients.iter().enumerate() {
            let mut gradient = gradient.clone();
            clip(run).apply(&mut gradient);
            optimizer.step(&mut theta, &mut gradient, lr);
            if let Some(at) = steps.iter().position(|step| *step == (t + 1) as f64) {
                let error = largest_error(&theta, &numbers(&run["after"][at]), 1.0);
                assert!(error < 2e-6, "{}, step {}: {error:e}", name(run), t + 1);
            }
        }
    }
}

#[test]
fn fifty_steps_of_lenet_equal_pytorch_s() {
    let golden = json("training.json");
    let stride = golden["stride"].as_u64().unwrap() as usize;
    let settings = [("split", "train"), ("normalize", "global")];
    let settings = settings.map(|(key, word)| (key.to_string(), Value::Text(word.to_string())));
    let data = data::dataset("fashion_mnist_5k")
        .unwrap()
        .load(&Args(settings.into_iter().collect()), &SearchPath::default())
        .unwrap();
    let logits = Args([("logits".to_string(), Value::Integer(10))].into_iter().collect());
    let network = models::find("lenet")
        .unwrap()
        .build(&logits, [1, 28, 28])
        .unwrap();
    let start = weights::read(&network, &reference("gradients/lenet_weights.safetensors")).unwrap();
    for run in golden["runs"].as_array().unwrap() {
        let lr = run["args"]["lr"].as_f64().unwrap();
        let optimizer = build(run, start.len());
        let mut training = Training::new(
            &network,
            &data,
            &Engine::Host,
            optimizer,
            vec![lr; 2],
            128,
            Order::Sequential,
            0,
            start.clone(),
        );
        training.clip = clip(run);
        for step in 0..50 {
            let loss = training.step(step, lr).unwrap();
            let expected = run["losses"][step].as_f64().unwrap();
            let place = format!("{}, step {}", name(run), step + 1);
            assert!((loss - expected).abs() < 1e-5, "{place}: {loss}, {expected}");
            let after = run["after"].as_array().unwrap();
            let Some(after) = after.iter().find(|after| after["step"] == step + 1) else {
                continue;
            };
            let entries: Vec<f32> = training.theta.iter().copied().step_by(stride).collect();
            let error = relative_error(&entries, &numbers(&after["entries"]));
            let norm: f64 = training.theta.iter().map(|x| f64::from(*x).powi(2)).sum();
            let norm_error = (norm.sqrt() / after["norm"].as_f64().unwrap() - 1.0).abs();
            // Where PyTorch's own float32 run took the other side of a kink, another CPU's may take it here.
            let bound = 1e-5f64.max(2.0 * after["torch_f32_relative_error"].as_f64().unwrap());
            assert!(
                error < bound && norm_error < bound,
                "{place}: {error:e}, {norm_error:e}"
            );
        }
    }
}

const TRAINING: &str = "data d = fashion_mnist_5k\nmodel m = lenet\nrecord g = gradients(of: p, on: d, keep: true)\n\
                        train p = ";

/// What `text`, a study, checks to.
#[track_caller]
fn study(text: &str) -> Study {
    match check(&Source::new("test.study", text), &VOCABULARY) {
        Ok((study, _)) => study,
        Err(errors) => panic!("{:?}", errors.iter().collect::<Vec<_>>()),
    }
}

/// The codes that `text` is answered with.
fn codes(text: &str) -> Vec<&'static str> {
    let result = check(&Source::new("test.study", text), &VOCABULARY);
    let errors = result.expect_err("the study is wrong");
    errors.iter().map(|diagnostic| diagnostic.code).collect()
}

/// The gradients of the golden recordings, transformed in two parts, against torch.optim at θ that stands still.
#[test]
fn recorded_directions_are_those_of_torch_optim() {
    let golden = json("rules.json");
    let (theta, steps) = (f32s(&golden["theta"]), numbers(&golden["steps"]));
    let raw: Vec<f32> = golden["gradients"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(f32s)
        .collect();
    let n = theta.len();
    for run in golden["recordings"].as_array().unwrap() {
        let through = run["optimizer"].as_str().filter(|name| *name != "none");
        let spec = TransformSpec {
            weight_decay: run["weight_decay"].as_f64().filter(|decay| *decay != 0.0),
            clip: run["clip"].as_f64(),
            through: through.map(|name| Call {
                name: name.to_string(),
                args: args(&run["args"]),
            }),
        };
        let mut columns = raw.clone();
        let mut transform = Transform::new(&spec, &theta);
        let (first, rest) = columns.split_at_mut(7 * n);
        transform.apply(first);
        transform.apply(rest);
        let expected: Vec<Vec<f64>> = run["columns"].as_array().unwrap().iter().map(numbers).collect();
        for (step, column) in steps.iter().zip(&expected) {
            let t = *step as usize - 1;
            for (i, (ours, value)) in columns[t * n..(t + 1) * n].iter().zip(column).enumerate() {
                // Sums of gradients of both signs cancel: rounding is that of the larger sums.
                let size = expected
                    .iter()
                    .fold(0.0, |size: f64, column| size.max(column[i].abs()));
                let error = (f64::from(*ours) - value).abs();
                assert!(
                    error <= 3e-6 * size,
                    "{}, t = {t}, {i}: {ours}, {value}",
                    name(run)
                );
            }
        }
    }
}

#[test]
fn a_clipped_recording_keeps_within_its_bound() {
    let golden = json("rules.json");
    let raw: Vec<f32> = golden["gradients"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(f32s)
        .collect();
    let theta = f32s(&golden["theta"]);
    let (mut columns, spec) = (
        raw.clone(),
        TransformSpec {
            clip: Some(0.1),
            ..Default::default()
        },
    );
    Transform::new(&spec, &theta).apply(&mut columns);
    for (clipped, raw) in columns.chunks(theta.len()).zip(raw.chunks(theta.len())) {
        let norm = |column: &[f32]| column.iter().map(|g| f64::from(*g).powi(2)).sum::<f64>().sqrt();
        assert!(norm(raw) > 0.1 && (norm(clipped) / 0.1 - 1.0).abs() < 1e-7);
    }
}

#[test]
fn schedules_are_those_of_torch() {
    for case in json("schedules.json")["cases"].as_array().unwrap() {
        let (epochs, steps) = (
            case["epochs"].as_u64().unwrap(),
            case["steps_per_epoch"].as_u64().unwrap(),
        );
        let (settings, lr) = (case["settings"].as_str().unwrap(), case["lr"].as_f64().unwrap());
        let text = format!(
            "data d = fashion_mnist_5k\nmodel m = lenet\n\
             train p = sgd(lr: {lr}) {{ of: m  on: d  epochs: {epochs}  batch: 8  {settings} }}\n\
             record g = gradients(of: p, on: d, keep: true)"
        );
        let train = study(&text).cases[0].trains["p"].clone();
        let rates: Rates = match (&train.schedule, &train.decay) {
            (Some(schedule), None) => training::rates(schedule, lr, epochs as usize, steps as usize),
            (None, Some(decay)) => {
                let at: Vec<usize> = decay.at.iter().map(|at| at.epoch(epochs) as usize).collect();
                training::step_decay(lr, epochs as usize, decay.factor, &at).into()
            }
            _ => panic!("{settings}: no schedule, or two"),
        };
        assert_eq!(rates.epochs(), epochs as usize);
        let expected = numbers(&case["rates"]);
        for (unit, expected) in expected.iter().enumerate() {
            let (epoch, step) = match per_epoch(&case["rates"], epochs, steps) {
                1 => (unit, steps as usize - 1),
                many => (unit / many, unit % many),
            };
            let ours = rates.at(epoch, step);
            assert!(
                (ours - expected).abs() < 1e-12,
                "{settings}, {unit}: {ours}, expected {expected}"
            );
        }
    }
}

/// Whether the golden rates are one for each epoch or one for each step.
fn per_epoch(rates: &Json, epochs: u64, steps: u64) -> usize {
    let per_epoch = rates.as_array().unwrap().len() as u64 / epochs;
    assert!(per_epoch == 1 || per_epoch == steps);
    per_epoch as usize
}

/// Raw and transformed gradients of one study, as exported, against the definition in float64.
#[test]
fn a_study_records_through_an_optimizer() {
    let gradstudy = Gradstudy::new(
        r#"
        study "Through" { seeds: 0 }
        data d = fashion_mnist_5k(subset: 300)
        model m = lenet
        vary through in [raw: none, momentum: sgd(momentum: 0.9), adam: adam]
        record g = gradients(of: m, on: d, batch: 10, iterations: 40, through: through)
        record h = gradients(of: m, on: d, batch: 10, iterations: 40, through: through, clip: 0.5, weight_decay: 0.1)
        test tails = power_law(g, tail: top(30))
        test other = power_law(h, tail: top(30))
        table one { of: [tails, other] rows: [through, sg_type] columns: d_ks }
    "#,
    );
    let export = |record: &str, level: &str| -> Vec<f32> {
        let file = format!("{record}_{level}.npy");
        let at = format!("through={level}");
        let arguments = [
            "export",
            "test.study",
            "--record",
            record,
            "--at",
            &at,
            "--to",
            &file,
        ];
        gradstudy.run(&arguments).success();
        let bytes = std::fs::read(gradstudy.path().join(file)).unwrap();
        npyz::NpyFile::new(&bytes[..]).unwrap().into_vec().unwrap()
    };
    let raw = export("g", "raw");
    let (t, n) = (40, raw.len() / 40);
    let (momentum, adam) = (export("g", "momentum"), export("g", "adam"));
    let at = |history: &[f32], t: usize, i: usize| f64::from(history[t * n + i]);
    for i in (0..n).step_by(97) {
        let (mut v, mut m, mut s, mut size) = (0.0f64, 0.0, 0.0, 0.0f64);
        for t in 0..t {
            let g = at(&raw, t, i);
            v = 0.9 * v + g;
            size = size.max(v.abs());
            m = 0.9 * m + 0.1 * g;
            s = 0.999 * s + 0.001 * g * g;
            let power = (t + 1) as i32;
            let root: f64 = (s / (1.0 - 0.999f64.powi(power))).sqrt();
            let u = m / (1.0 - 0.9f64.powi(power)) / (root + 1e-8);
            assert!((at(&momentum, t, i) - v).abs() <= 1e-6 * size, "t = {t}, i = {i}");
            assert!(
                (at(&adam, t, i) - u).abs() < 1e-5,
                "t = {t}, i = {i}: {} {u}",
                at(&adam, t, i)
            );
        }
    }
    let clipped = export("h", "raw");
    let mut largest = 0.0f64;
    for column in clipped.chunks(n) {
        let norm = column.iter().map(|g| f64::from(*g).powi(2)).sum::<f64>().sqrt();
        largest = largest.max(norm);
        assert!(norm < 0.5 + 1e-7, "{norm}");
    }
    assert!(largest > 0.5 - 1e-7, "something is clipped: {largest}");
    let table = gradstudy.run(&["run", "test.study"]).success().stdout;
    assert!(table.contains("momentum") && table.contains("adam"), "{table}");
}
