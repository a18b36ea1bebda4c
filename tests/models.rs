//! Every model against PyTorch (tests/reference/models): names, counts, logits, gradients of minibatches with batch
//! and with running statistics, training steps; host kernels and burn.

mod checkpoints;
mod studies;
mod values;

use std::path::{Path, PathBuf};

use gradstudy::data::{Dataset, Normalization, NormalizationNote};
use gradstudy::gradients::engine::Engine;
use gradstudy::gradients::tensor::TensorNetwork;
use gradstudy::layers::lanes::LANES;
use gradstudy::layers::{BatchNormMode, Initial};
use gradstudy::models::{self, Network, weights};
use gradstudy::signature::{Args, Value};
use safetensors::SafeTensors;
use serde_json::Value as Json;

use crate::support::tensor_device;

const CASES: [&str; 11] = [
    "fcn_bn",
    "fcn_tanh",
    "fcn_tanh_bn",
    "fcn_linear",
    "lnn",
    "lnn_bn",
    "lnn_relu",
    "lenet_padding",
    "vit",
    "gpt",
    "resnet18",
];

fn reference(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/reference/models")
        .join(name)
}

fn args(settings: &Json) -> Args {
    let value = |value: &Json| match value {
        Json::Bool(b) => Value::Boolean(*b),
        Json::Number(n) => Value::Integer(n.as_i64().unwrap()),
        Json::String(s) => Value::Text(s.clone()),
        other => panic!("{other}"),
    };
    let settings = settings.as_object().unwrap();
    Args(settings.iter().map(|(k, v)| (k.clone(), value(v))).collect())
}

fn build(model: &str, settings: &str, shape: [usize; 3]) -> Network {
    let settings = args(&serde_json::from_str(settings).unwrap());
    models::find(model).unwrap().build(&settings, shape).unwrap()
}

/// A golden file and the network it is of.
struct Golden {
    bytes: Vec<u8>,
    network: Network,
    names: Vec<String>,
    parameters: usize,
    batches: Vec<usize>,
}

impl Golden {
    fn read(case: &str) -> Golden {
        let bytes = std::fs::read(reference(&format!("{case}.safetensors"))).unwrap();
        let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
        let meta = header.metadata().clone().unwrap();
        let json = |key: &str| serde_json::from_str(&meta[key]).unwrap();
        let shape: Vec<usize> = serde_json::from_value(json("shape")).unwrap();
        Golden {
            network: build(&meta["model"], &meta["settings"], shape.try_into().unwrap()),
            names: serde_json::from_value(json("names")).unwrap(),
            parameters: meta["parameters"].parse().unwrap(),
            batches: serde_json::from_value(json("batches")).unwrap(),
            bytes,
        }
    }

    fn tensor(&self, name: &str) -> Option<Vec<f32>> {
        let file = SafeTensors::deserialize(&self.bytes).unwrap();
        let tensor = file.tensor(name).ok()?;
        Some(floats(tensor.data()))
    }

    /// θ and running statistics under `prefix`.
    fn values(&self, prefix: &str) -> Vec<f32> {
        let mut values = vec![f32::NAN; self.network.value_count()];
        for p in self
            .network
            .parameters()
            .into_iter()
            .chain(self.network.buffers())
        {
            values[p.range].copy_from_slice(&self.tensor(&format!("{prefix}.{}", p.name)).unwrap());
        }
        values
    }

    fn data(&self) -> Dataset {
        let file = SafeTensors::deserialize(&self.bytes).unwrap();
        let labels = file.tensor("labels").unwrap().data().chunks_exact(4);
        let note = NormalizationNote {
            scheme: Normalization::None,
            mean: 0.0,
            sd: 1.0,
            channels: Vec::new(),
            constant_pixels: 0,
            fitted_on: 0,
        };
        Dataset {
            name: "golden".to_string(),
            images: self.tensor("x").unwrap(),
            shape: self.network.input,
            labels: labels
                .map(|b| u32::from_le_bytes(b.try_into().unwrap()))
                .collect(),
            classes: self.network.classes,
            digest: String::new(),
            note,
        }
    }
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    let chunks = bytes.chunks_exact(4);
    chunks
        .map(|b| f32::from_le_bytes(b.try_into().unwrap()))
        .collect()
}

/// ‖a − b‖ / ‖b‖.
fn relative_error(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len());
    let error: f64 = a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2)).sum();
    let norm: f64 = b.iter().map(|b| f64::from(*b).powi(2)).sum();
    (error / norm).sqrt()
}

#[track_caller]
fn equal(ours: &[f32], theirs: &[f32], bound: f64, what: &str) {
    let error = relative_error(ours, theirs);
    assert!(error < bound, "{what}: relative error {error:e}");
}

#[test]
fn names_and_counts_are_pytorch_s() {
    for case in CASES {
        let golden = Golden::read(case);
        assert_eq!(golden.network.parameter_count(), golden.parameters, "{case}");
        let names: Vec<_> = golden.network.parameters().into_iter().map(|p| p.name).collect();
        assert_eq!(names, golden.names, "{case}");
    }
}

#[test]
fn the_paper_s_models_have_their_parameter_counts() {
    let count = |model, settings, shape| build(model, settings, shape).parameter_count();
    let fcn = r#"{"depth": 2, "width": 70, "batchnorm": true, "activation": "relu", "logits": 10}"#;
    assert_eq!(
        count("fcn", fcn, [1, 28, 28]),
        784 * 70 + 70 * 70 + 700 + 2 * 70 + 10 + 4 * 70
    );
    let one = r#"{"depth": 1, "width": 70, "batchnorm": false, "activation": "relu", "logits": 12}"#;
    assert_eq!(count("fcn", one, [10, 1, 1]), 10 * 70 + 70 + 70 * 12 + 12);
    let lnn = r#"{"depth": 4, "width": 70, "batchnorm": false, "relu": false, "logits": 10}"#;
    assert_eq!(
        count("lnn", lnn, [1, 28, 28]),
        784 * 70 + 3 * 4900 + 700 + 4 * 70 + 10
    );
}

#[test]
fn transformers_have_their_parameter_counts() {
    let block = |d: usize| 4 * d + (3 * d * d + 3 * d) + (d * d + d) + (8 * d * d + 5 * d);
    let vit = r#"{"patch": 7, "dim": 64, "depth": 4, "heads": 4, "logits": 10}"#;
    let expected = 49 * 64 + 64 + 16 * 64 + 4 * block(64) + 2 * 64 + 65 * 10;
    assert_eq!(build("vit", vit, [1, 28, 28]).parameter_count(), expected);
    let gpt = r#"{"dim": 32, "depth": 3, "heads": 2, "logits": 65}"#;
    let expected = (65 + 48) * 32 + 3 * block(32) + 2 * 32 + 33 * 65;
    let network = build("gpt", gpt, [1, 1, 48]);
    assert_eq!(network.parameter_count(), expected);
    assert_eq!((network.classes, network.positions), (65, 48));
}

#[test]
fn logits_equal_pytorch_s_in_eval_mode() {
    for case in CASES {
        let golden = Golden::read(case);
        let (network, data, values) = (&golden.network, golden.data(), golden.values("state"));
        let mut workspace = network.workspace();
        let mut logits = Vec::new();
        for first in (0..data.len()).step_by(LANES) {
            let samples = first..data.len().min(first + LANES);
            workspace.load(samples.clone().map(|i| data.image(i)));
            network.forward(&values, &mut workspace);
            for lane in 0..samples.len() {
                logits.extend(workspace.logits().iter().map(|lanes| lanes.0[lane]));
            }
        }
        equal(&logits, &golden.tensor("logits").unwrap(), 2e-6, case);
    }
}

#[test]
fn gradients_of_minibatches_equal_pytorch_s() {
    let (device, products) = tensor_device();
    for case in CASES {
        let golden = Golden::read(case);
        let (network, data, values) = (&golden.network, golden.data(), golden.values("state"));
        let n = network.parameter_count();
        let mut compared = 0;
        for batch in &golden.batches {
            for (mode, word) in [
                (BatchNormMode::Batch, "batch"),
                (BatchNormMode::Running, "running"),
            ] {
                let Some(theirs) = golden.tensor(&format!("columns.b{batch}.{word}")) else {
                    assert!(
                        network.check_batch(*batch, mode).is_err(),
                        "{case}, B = {batch}, {word}"
                    );
                    continue;
                };
                let minibatches = theirs.len() / n;
                // Normalising two or three samples can amplify rounding; then PyTorch's own float32 says how much.
                let float32 = golden.tensor(&format!("float32.b{batch}.{word}")).unwrap();
                let bound = |t: usize| 2e-6 + 4.0 * f64::from(float32[t]);
                let indices: Vec<u32> = (0..(batch * minibatches) as u32).collect();
                for (engine, name) in [
                    (Engine::Host, "host"),
                    (Engine::Burn(device.clone(), products), "burn"),
                ] {
                    let mut ours = vec![f32::NAN; n * minibatches];
                    engine
                        .record(
                            network,
                            &values,
                            &data,
                            &indices,
                            *batch,
                            mode,
                            &mut ours,
                            &|_| {},
                        )
                        .unwrap();
                    for (t, (ours, theirs)) in ours.chunks(n).zip(theirs.chunks(n)).enumerate() {
                        let what = format!("{case}, B = {batch}, {word} statistics, {name}, minibatch {t}");
                        equal(ours, theirs, bound(t), &what);
                        compared += 1;
                    }
                }
                let plain = TensorNetwork::new(network, &values, &device, products);
                let plain = plain.plain_gradient(&data, &indices[..*batch], mode).into_data();
                let what = format!("{case}, B = {batch}, {word} statistics, plain");
                equal(plain.as_slice().unwrap(), &theirs[..n], bound(0), &what);
            }
        }
        assert!(compared >= 8, "{case}: {compared} columns");
    }
}

/// Blocks of many minibatches, shared by threads or not, do what single minibatches do.
#[test]
fn minibatches_do_not_see_each_other() {
    let golden = Golden::read("fcn_bn");
    let (network, data, values) = (&golden.network, golden.data(), golden.values("state"));
    let n = network.parameter_count();
    for batch in [2, 7, 30] {
        let indices: Vec<u32> = (0..300).map(|i| i * 17 % data.len() as u32).collect();
        let indices = &indices[..300 / batch * batch];
        let record = |indices: &[u32]| {
            let mut columns = vec![f32::NAN; n * indices.len() / batch];
            let mode = BatchNormMode::Batch;
            Engine::Host
                .record(
                    network,
                    &values,
                    &data,
                    indices,
                    batch,
                    mode,
                    &mut columns,
                    &|_| {},
                )
                .unwrap();
            columns
        };
        let all = record(indices);
        let mut running = vec![f32::NAN; network.buffer_count()];
        for (t, indices) in indices.chunks(batch).enumerate() {
            let column = &all[t * n..(t + 1) * n];
            equal(
                &record(indices),
                column,
                1e-6,
                &format!("B = {batch}, minibatch {t}, alone"),
            );
            let mut gradient = vec![f32::NAN; n];
            Engine::Host
                .gradient(network, &values, &data, indices, &mut gradient, &mut running)
                .unwrap();
            equal(
                &gradient,
                column,
                1e-6,
                &format!("B = {batch}, minibatch {t}, in training"),
            );
        }
    }
}

#[test]
fn three_steps_of_training_move_weights_and_running_statistics_as_pytorch_s_do() {
    let (device, products) = tensor_device();
    for case in CASES {
        for (engine, name) in [
            (Engine::Host, "host"),
            (Engine::Burn(device.clone(), products), "burn"),
        ] {
            let golden = Golden::read(case);
            let (network, data, mut values) = (&golden.network, golden.data(), golden.values("state"));
            let (n, batch) = (network.parameter_count(), *golden.batches.last().unwrap());
            let (mut gradient, mut running) = (vec![0.0; n], vec![0.0; network.buffer_count()]);
            let losses: Vec<f64> = {
                let file = SafeTensors::deserialize(&golden.bytes).unwrap();
                let bytes = file.tensor("losses").unwrap().data().to_vec();
                bytes
                    .chunks(8)
                    .map(|b| f64::from_le_bytes(b.try_into().unwrap()))
                    .collect()
            };
            for (t, expected) in losses.iter().enumerate() {
                let indices: Vec<u32> = ((t * batch) as u32..((t + 1) * batch) as u32).collect();
                let loss = engine.gradient(network, &values, &data, &indices, &mut gradient, &mut running);
                let loss = loss.unwrap();
                assert!(
                    (loss / expected - 1.0).abs() < 1e-5,
                    "{case}, {name}: loss {loss}, {expected}"
                );
                values.iter_mut().zip(&gradient).for_each(|(v, g)| *v -= 0.05 * g);
                network.update_running(&mut values, &running);
            }
            let trained = golden.values("trained");
            for p in network.parameters().into_iter().chain(network.buffers()) {
                let what = format!("{case}, {name}, {}", p.name);
                equal(&values[p.range.clone()], &trained[p.range], 2e-5, &what);
            }
        }
    }
}
