//! Networks of every layer against PyTorch in float64 (tests/reference/networks): names, gradients, twenty steps of
//! training, Hessian products, a state dict.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use gradstudy::data::Dataset;
use gradstudy::gradients::engine::Engine;
use gradstudy::hessian::{Curvature, Operator};
use gradstudy::layers::BatchNormMode;
use gradstudy::models::{Network, weights};
use safetensors::SafeTensors;

use super::{dataset, network, relative_error};
use crate::support::tensor_device;

const CASES: [&str; 4] = ["smooth", "depthwise", "residual", "convnext"];
const BATCH: usize = 8;
const STEPS: usize = 20;

fn reference(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/reference/networks")
        .join(name)
}

struct Golden {
    bytes: Vec<u8>,
    network: Network,
}

impl Golden {
    fn read(case: &str) -> Golden {
        let bytes = std::fs::read(reference(&format!("{case}.safetensors"))).unwrap();
        let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
        let text = header.metadata().as_ref().unwrap()["network"].clone();
        let shape = SafeTensors::deserialize(&bytes)
            .unwrap()
            .tensor("x")
            .unwrap()
            .shape()[1..]
            .to_vec();
        Golden {
            network: network(&text, shape.try_into().unwrap()),
            bytes,
        }
    }

    fn numbers<const N: usize, T>(&self, name: &str, from: fn([u8; N]) -> T) -> Option<Vec<T>> {
        let file = SafeTensors::deserialize(&self.bytes).unwrap();
        let tensor = file.tensor(name).ok()?;
        Some(
            tensor
                .data()
                .as_chunks::<N>()
                .0
                .iter()
                .map(|b| from(*b))
                .collect(),
        )
    }

    fn floats(&self, name: &str) -> Vec<f32> {
        self.numbers(name, f32::from_le_bytes)
            .unwrap_or_else(|| panic!("{name}"))
    }

    /// θ and running statistics under `prefix`; every tensor there is one of the network.
    fn values(&self, prefix: &str) -> Vec<f32> {
        let mut values = vec![f32::NAN; self.network.value_count()];
        let all: Vec<_> = self
            .network
            .parameters()
            .into_iter()
            .chain(self.network.buffers())
            .collect();
        let file = SafeTensors::deserialize(&self.bytes).unwrap();
        let stored = file
            .names()
            .into_iter()
            .filter(|name| name.starts_with(&format!("{prefix}.")));
        assert_eq!(stored.count(), all.len());
        for p in all {
            values[p.range].copy_from_slice(&self.floats(&format!("{prefix}.{}", p.name)));
        }
        values
    }

    fn data(&self) -> Dataset {
        let labels = self.numbers("labels", u32::from_le_bytes).unwrap();
        dataset(&self.network, self.floats("x"), labels)
    }
}

#[test]
fn gradients_equal_pytorch_s() {
    let (device, products) = tensor_device();
    for case in CASES {
        let golden = Golden::read(case);
        let (network, data, values) = (&golden.network, golden.data(), golden.values("state"));
        let theirs = golden.floats("columns");
        let indices: Vec<u32> = (0..data.len() as u32).collect();
        for engine in [Engine::Host, Engine::Burn(device.clone(), products)] {
            let mut ours = vec![f32::NAN; theirs.len()];
            let mode = BatchNormMode::Batch;
            engine
                .record(network, &values, &data, &indices, BATCH, mode, &mut ours, &|_| {})
                .unwrap();
            let n = network.parameter_count();
            for (t, (ours, theirs)) in ours.chunks(n).zip(theirs.chunks(n)).enumerate() {
                let error = relative_error(ours, theirs);
                assert!(error < 5e-6, "{case}, minibatch {t}: relative error {error:e}");
            }
        }
    }
}

#[test]
fn twenty_steps_of_training_end_where_pytorch_s_do() {
    for case in CASES {
        let golden = Golden::read(case);
        let (network, data, mut values) = (&golden.network, golden.data(), golden.values("state"));
        let mut gradient = vec![0.0; network.parameter_count()];
        let mut running = vec![0.0; network.buffer_count()];
        for t in 0..STEPS {
            let first = (t * BATCH % data.len()) as u32;
            let indices: Vec<u32> = (first..first + BATCH as u32).collect();
            Engine::Host
                .gradient(network, &values, &data, &indices, &mut gradient, &mut running)
                .unwrap();
            values.iter_mut().zip(&gradient).for_each(|(v, g)| *v -= 0.05 * g);
            network.update_running(&mut values, &running);
        }
        let trained = golden.values("trained");
        for p in network.parameters().into_iter().chain(network.buffers()) {
            let error = relative_error(&values[p.range.clone()], &trained[p.range]);
            assert!(error < 2e-5, "{case}, {}: relative error {error:e}", p.name);
        }
    }
}

#[test]
fn hessian_products_equal_pytorch_s() {
    let mut compared = 0;
    for case in CASES {
        let golden = Golden::read(case);
        let Some(expected) = golden.numbers("products", f64::from_le_bytes) else {
            continue;
        };
        let (data, values, directions) = (golden.data(), golden.values("state"), golden.floats("directions"));
        let samples: Vec<u32> = (0..data.len() as u32).collect();
        let operator = Operator::new(&golden.network, &values, &data, &samples, Curvature::Hessian).unwrap();
        let mut products = vec![0.0; directions.len()];
        operator
            .products(&directions, &mut products, &AtomicBool::new(false))
            .expect("nobody cancels")
            .unwrap();
        let error: f64 = products.iter().zip(&expected).map(|(a, b)| (a - b).powi(2)).sum();
        let norm: f64 = expected.iter().map(|b| b.powi(2)).sum();
        let error = (error / norm).sqrt();
        assert!(error < 1e-6, "{case}: relative error {error:e}");
        compared += 1;
    }
    assert_eq!(compared, 3);
}

#[test]
fn a_state_dict_of_the_same_module_loads_by_name() {
    let golden = Golden::read("smooth");
    let loaded = weights::load(&golden.network, reference("smooth.pt").to_str().unwrap()).unwrap();
    assert_eq!(loaded.values, golden.values("state"));
    assert!(loaded.notes.is_empty(), "{:?}", loaded.notes);
    let other = network("network([fc: linear(3)])", golden.network.input);
    let error = weights::load(&other, reference("smooth.pt").to_str().unwrap()).unwrap_err();
    assert!(error.to_string().contains("`0.weight`"), "{error}");
}
