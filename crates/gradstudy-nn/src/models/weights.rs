//! A network's values: drawn as PyTorch draws them, read from `.safetensors` or PyTorch's own files and written to
//! `.safetensors` under PyTorch's names.

use std::collections::HashMap;
use std::path::Path;

use rand::RngExt;
use safetensors::Dtype;
use safetensors::tensor::TensorView;

use super::state_dict::StateFile;
pub use super::weights_error::WeightsError;
use super::{Network, choose};
use crate::layers::Initial;
use gradstudy_base::seed;

/// Initial values: weights and biases uniform in ±1/√fan_in, PyTorch's default for `Conv2d` and `Linear`
/// (`kaiming_uniform_` with a = √5 has this bound, too); 1 and 0 for normalisations, a running mean 0 and
/// variance 1; normal with standard deviation 1 for embeddings. θ first, then the running statistics. The same on every device: drawn on the host.
pub fn initial(network: &Network, seed: u64) -> Vec<f32> {
    let mut values = vec![0.0; network.value_count()];
    for tensor in network.parameters().into_iter().chain(network.buffers()) {
        let numbers = &mut values[tensor.range];
        match tensor.initial {
            Initial::Constant(value) => numbers.fill(value as f32),
            Initial::Normal(sd) => {
                let mut rng = seed::rng(seed, &format!("initial weights/{}", tensor.name));
                // Box and Muller's transform; 1 − u is never 0.
                for pair in numbers.chunks_mut(2) {
                    let (u, v): (f64, f64) = (rng.random(), rng.random());
                    let (radius, angle) = (sd * (-2.0 * (1.0 - u).ln()).sqrt(), std::f64::consts::TAU * v);
                    let values = [radius * angle.cos(), radius * angle.sin()];
                    pair.iter_mut()
                        .zip(values)
                        .for_each(|(to, value)| *to = value as f32);
                }
            }
            Initial::Uniform(bound) => {
                let mut rng = seed::rng(seed, &format!("initial weights/{}", tensor.name));
                for value in numbers {
                    let uniform: f64 = rng.random();
                    *value = (bound * (2.0 * uniform - 1.0)) as f32;
                }
            }
        }
    }
    values
}

/// A network's values as the bytes of a `.safetensors` file.
pub fn to_safetensors(network: &Network, values: &[f32]) -> Result<Vec<u8>, safetensors::SafeTensorError> {
    let tensors: Result<Vec<_>, _> = network
        .parameters()
        .into_iter()
        .chain(network.buffers())
        .map(|p| {
            let bytes = bytemuck::cast_slice(&values[p.range]);
            TensorView::new(Dtype::F32, p.dims, bytes).map(|view| (p.name, view))
        })
        .collect();
    safetensors::serialize(tensors?, None::<HashMap<String, String>>)
}

/// A network's values from a file.
#[derive(Debug)]
pub struct LoadedWeights {
    /// θ, then the running statistics.
    pub values: Vec<f32>,
    /// What was stripped from names, converted and left out, in words; empty for a plain state dict of float32.
    pub notes: Vec<String>,
}

/// The file that `weights: "FILE"` or `weights: "FILE:KEY"` names, and the key of the state dict in it.
pub fn file_and_key(text: &str) -> (&Path, Option<&str>) {
    let whole = Path::new(text);
    match text.rsplit_once(':') {
        Some((file, key)) if !whole.exists() && Path::new(file).exists() => (Path::new(file), Some(key)),
        _ => (whole, None),
    }
}

/// Reads a network's values from a `.safetensors` file or one that PyTorch saved (`.pt`), with PyTorch's names, as floats of
/// 2, 4 or 8 bytes; `text` is `FILE`, or `FILE:KEY` where a file holds several state dicts. What wrappers put before the
/// names is taken off if all of the network's tensors are found so, and said in the notes, as is what else lies in the
/// file. PyTorch's `num_batches_tracked` counters are passed over.
///
/// # Errors
/// A file that cannot be read; one that lacks tensors of the network, has others beside them or of other shapes, or has
/// the network's several times; values that are no finite floats.
pub fn load(network: &Network, text: &str) -> Result<LoadedWeights, WeightsError> {
    let (path, key) = file_and_key(text);
    read_from(network, path, key)
}

/// The values of [`load`] from the file at `path`.
///
/// # Errors
/// Those of [`load`].
pub fn read(network: &Network, path: &Path) -> Result<Vec<f32>, WeightsError> {
    read_from(network, path, None).map(|loaded| loaded.values)
}

fn read_from(network: &Network, path: &Path, key: Option<&str>) -> Result<LoadedWeights, WeightsError> {
    let file = StateFile::open(path)?;
    let chosen = choose::choose(network, &file, path, key)?;
    let mut values = vec![0.0; network.value_count()];
    for (parameter, place) in choose::tensors_of(network).into_iter().zip(&chosen.places) {
        let tensor = &file.tensors[place.expect("all are there")];
        let (path, name) = (path.to_path_buf(), tensor.name.clone());
        if !tensor.is_float() {
            let dtype = tensor.kind.clone();
            return Err(WeightsError::Dtype { path, name, dtype });
        }
        let numbers = file.numbers(tensor)?;
        if let Some(&value) = numbers.iter().find(|value| !value.is_finite()) {
            return Err(WeightsError::NotFinite { path, name, value });
        }
        if let Some(&value) = numbers.iter().find(|value| !(**value as f32).is_finite()) {
            return Err(WeightsError::TooLarge { path, name, value });
        }
        let to = &mut values[parameter.range];
        to.iter_mut()
            .zip(numbers)
            .for_each(|(to, value)| *to = value as f32);
    }
    Ok(LoadedWeights {
        values,
        notes: choose::notes(network, &file, &chosen),
    })
}
