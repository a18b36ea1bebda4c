//! Every model against PyTorch (tests/reference/models): names, counts, logits, gradients of minibatches with batch
//! and with running statistics, training steps; host kernels and burn.

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

#[test]
fn initial_values_are_drawn_as_pytorch_draws_them() {
    for case in CASES {
        let network = Golden::read(case).network;
        let (values, other) = (weights::initial(&network, 3), weights::initial(&network, 4));
        for p in network.parameters().into_iter().chain(network.buffers()) {
            let (numbers, n) = (&values[p.range.clone()], p.range.len() as f64);
            match p.initial {
                Initial::Constant(value) => {
                    let expected = if ["weight", "running_var"].iter().any(|w| p.name.ends_with(w)) {
                        1.0
                    } else {
                        0.0
                    };
                    assert_eq!(value, expected, "{}", p.name);
                    assert!(numbers.iter().all(|v| f64::from(*v) == value), "{}", p.name);
                }
                Initial::Normal(sd) => {
                    // nn.Embedding's default, but for the positions of an image.
                    assert_eq!(sd, if case == "vit" { 0.02 } else { 1.0 }, "{}", p.name);
                    let sum = |power| {
                        numbers
                            .iter()
                            .map(|v| (f64::from(*v) / sd).powi(power))
                            .sum::<f64>()
                    };
                    let (mean, square, fourth) = (sum(1) / n, sum(2) / n, sum(4) / n);
                    assert!(mean.abs() < 4.5 / n.sqrt(), "{}: mean {mean}", p.name);
                    assert!(
                        (square - 1.0).abs() < 4.5 * (2.0 / n).sqrt(),
                        "{}: {square}",
                        p.name
                    );
                    assert!(
                        (fourth - 3.0).abs() < 4.5 * (96.0 / n).sqrt(),
                        "{}: {fourth}",
                        p.name
                    );
                    assert_ne!(numbers, &other[p.range.clone()], "{}", p.name);
                }
                Initial::Uniform(bound) => {
                    // PyTorch: fan_in is what one output sees; a bias has the bound of its layer's weight.
                    let weight = p.name.replace("bias", "weight");
                    let dims = network
                        .parameters()
                        .into_iter()
                        .find(|q| q.name == weight)
                        .unwrap()
                        .dims;
                    let fan_in: usize = dims[1..].iter().product();
                    assert!((bound * (fan_in as f64).sqrt() - 1.0).abs() < 1e-12, "{}", p.name);
                    assert!(numbers.iter().all(|v| f64::from(v.abs()) <= bound * (1.0 + 1e-6)));
                    let sd = (numbers.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>() / n).sqrt();
                    let expected = bound / 3.0f64.sqrt();
                    assert!(
                        (sd / expected - 1.0).abs() < 4.5 / (5.0 * n).sqrt(),
                        "{}: {sd}",
                        p.name
                    );
                    assert_ne!(numbers, &other[p.range.clone()], "{}", p.name);
                }
            }
        }
    }
}

#[test]
fn values_go_through_safetensors_and_come_from_pt_files() {
    let golden = Golden::read("fcn_bn");
    let values = golden.values("state");
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("w.safetensors");
    std::fs::write(&path, weights::to_safetensors(&golden.network, &values).unwrap()).unwrap();
    assert_eq!(weights::read(&golden.network, &path).unwrap(), values);
    // PyTorch's own files, with num_batches_tracked, alone and within a checkpoint.
    for name in ["fcn_bn.pt", "fcn_bn_checkpoint.pt"] {
        assert_eq!(
            weights::read(&golden.network, &reference(name)).unwrap(),
            values,
            "{name}"
        );
    }
}

#[test]
fn weights_that_do_not_fit_say_why() {
    let settings = |width, batchnorm| {
        format!(
            r#"{{"depth": 2, "width": {width}, "batchnorm": {batchnorm}, "activation": "relu", "logits": 5}}"#
        )
    };
    let error = |network: &Network, path: &Path| weights::read(network, path).unwrap_err().to_string();
    let pt = reference("fcn_bn.pt");
    let plain = build("fcn", &settings(9, false), [1, 4, 5]);
    assert!(
        error(&plain, &pt).contains("`bn1.bias` that FCN does not know"),
        "{}",
        error(&plain, &pt)
    );
    let wide = build("fcn", &settings(10, true), [1, 4, 5]);
    assert!(
        error(&wide, &pt).contains("shape [9, 20], the model has [10, 20]"),
        "{}",
        error(&wide, &pt)
    );
    // Parameters alone: the running statistics are missing.
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("w.safetensors");
    let bytes = weights::to_safetensors(&plain, &weights::initial(&plain, 0)).unwrap();
    std::fs::write(&path, bytes).unwrap();
    let normalised = build("fcn", &settings(9, true), [1, 4, 5]);
    assert!(
        error(&normalised, &path).contains("no tensor `bn1.weight`"),
        "{}",
        error(&normalised, &path)
    );
    let damaged = dir.path().join("w.pt");
    let whole = std::fs::read(&pt).unwrap();
    std::fs::write(&damaged, &whole[..whole.len() / 2]).unwrap();
    assert!(
        error(&normalised, &damaged).contains("not a state dict"),
        "{}",
        error(&normalised, &damaged)
    );
}

/// A recording of some layers has the same rows as the whole one, whatever is done to the gradients.
#[test]
fn layers_are_rows_of_the_whole_history() {
    let gradstudy = crate::support::Gradstudy::new("");
    let columns = |layers: &str, transform: &str| -> Vec<f32> {
        let study = format!(
            "data d = fashion_mnist_5k(subset: 200)\nmodel m = lenet\n\
             record g = gradients(of: m, on: d, batch: 3, iterations: 90{layers}{transform})\n"
        );
        std::fs::write(gradstudy.path().join("test.study"), study).unwrap();
        gradstudy
            .run(&["export", "test.study", "--to", "g.npy"])
            .success();
        let bytes = std::fs::read(gradstudy.path().join("g.npy")).unwrap();
        npyz::NpyFile::new(&bytes[..]).unwrap().into_vec().unwrap()
    };
    let network = build("lenet", r#"{"logits": 10}"#, [1, 28, 28]);
    for transform in ["", ", clip: 0.5, weight_decay: 0.1", ", through: adam"] {
        let whole = columns("", transform);
        for (pattern, wanted) in [
            (
                "conv*",
                &["conv1.weight", "conv1.bias", "conv2.weight", "conv2.bias"][..],
            ),
            (
                "*.bias",
                &["conv1.bias", "conv2.bias", "fc1.bias", "fc2.bias", "fc3.bias"],
            ),
            ("fc3", &["fc3.weight", "fc3.bias"]),
        ] {
            let parameters = network.parameters();
            let parameters = parameters.iter().filter(|p| wanted.contains(&p.name.as_str()));
            let rows: Vec<usize> = parameters.flat_map(|p| p.range.clone()).collect();
            let expected: Vec<f32> = whole
                .chunks(network.parameter_count())
                .flat_map(|column| rows.iter().map(|row| column[*row]))
                .collect();
            let ours = columns(&format!(", layers: \"{pattern}\""), transform);
            assert!(ours == expected, "{pattern}{transform}");
        }
    }
}

/// gpt from a text file to spectra and tests: trained, then recorded one sequence at a time; twice, to the bit.
#[test]
fn a_transformer_is_trained_recorded_and_tested_on_text() {
    let study = r#"
        data d = text(file: "all.txt", context: 12, test: "some.txt")
        model m = gpt(dim: 16, depth: 1, heads: 2, logits: 30) { assert parameters == 4494 }
        train t = adam(lr: 0.01) { of: m  on: d  epochs: 8  batch: 8 }
        record g = gradients(of: t, on: d, iterations: 40)
        test bell = normality(g, points: 40)
        spectrum c = covariance(g, top: 20)
        test tail = power_law(c, tail: top(20))
        table r { of: [bell, tail]  rows: [dataset, sg_type]  columns: [gaussian_rate, d_ks] }
    "#;
    let gradstudy = crate::support::Gradstudy::new(study);
    let text = "the quick brown fox jumps over the lazy dog. ".repeat(40);
    std::fs::write(gradstudy.path().join("all.txt"), &text).unwrap();
    std::fs::write(gradstudy.path().join("some.txt"), &text[..400]).unwrap();
    let results = |threads: &str| {
        let run = gradstudy
            .command(&["run", "test.study"])
            .env("RAYON_NUM_THREADS", threads)
            .env("GRADSTUDY_CACHE", gradstudy.path().join(threads))
            .output()
            .unwrap();
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        let folder = gradstudy.runs().pop().unwrap();
        let manifest = std::fs::read_to_string(folder.join("manifest.yaml")).unwrap();
        (
            std::fs::read_to_string(folder.join("results.yaml")).unwrap(),
            manifest,
        )
    };
    let (first, manifest) = results("1");
    assert!(first == results("2").0);
    let accuracy = manifest
        .lines()
        .find_map(|line| line.trim().strip_prefix("test_accuracy: "))
        .unwrap();
    // Text that repeats is learned, but for the start of a window.
    assert!(accuracy.parse::<f64>().unwrap() > 0.6, "{accuracy}");
}
