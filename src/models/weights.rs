//! A network's values: drawn as PyTorch draws them, read from `.safetensors` or PyTorch's own files and written to
//! `.safetensors` under PyTorch's names.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use rand::RngExt;
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use thiserror::Error;

use super::{Network, state_dict};
use crate::layers::Initial;
use crate::seed;

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

/// Reads a network's values from a `.safetensors` file or a state dict saved by PyTorch (`.pt`), with PyTorch's
/// names, as float32 or float64. PyTorch's `num_batches_tracked` counters are passed over.
pub fn read(network: &Network, path: &Path) -> Result<Vec<f32>, WeightsError> {
    let bytes = std::fs::read(path).map_err(|reason| WeightsError::Read {
        path: path.into(),
        reason,
    })?;
    let mut tensors = state_dict::tensors(&bytes, path)?;
    let wanted: Vec<_> = network
        .parameters()
        .into_iter()
        .chain(network.buffers())
        .collect();
    tensors.retain(|tensor| match tensor.name.strip_suffix("num_batches_tracked") {
        Some(norm) => !wanted
            .iter()
            .any(|p| p.name.strip_suffix("running_var") == Some(norm)),
        None => true,
    });
    if let Some(unknown) = tensors
        .iter()
        .find(|tensor| wanted.iter().all(|p| p.name != tensor.name))
    {
        let known: Vec<_> = wanted.iter().map(|p| p.name.as_str()).collect();
        return Err(WeightsError::Unknown {
            path: path.into(),
            name: unknown.name.clone(),
            model: network.name,
            known: known.join(", "),
        });
    }
    let mut values = vec![0.0; network.value_count()];
    for parameter in wanted {
        let Some(tensor) = tensors.iter().find(|tensor| tensor.name == parameter.name) else {
            let (path, name, model) = (path.into(), parameter.name, network.name);
            return Err(WeightsError::Missing { path, name, model });
        };
        if tensor.dims != parameter.dims {
            let (path, name) = (path.into(), parameter.name);
            let (found, expected) = (tensor.dims.clone(), parameter.dims);
            return Err(WeightsError::Shape {
                path,
                name,
                found,
                expected,
            });
        }
        match &tensor.values {
            Ok(numbers) => {
                if let Some(value) = numbers.iter().find(|value| !value.is_finite()) {
                    let (path, name, value) = (path.into(), parameter.name, *value);
                    return Err(WeightsError::NotFinite { path, name, value });
                }
                values[parameter.range].copy_from_slice(numbers);
            }
            Err(dtype) => {
                return Err(WeightsError::Dtype {
                    path: path.into(),
                    name: parameter.name,
                    dtype: dtype.clone(),
                });
            }
        }
    }
    Ok(values)
}

/// Why weights cannot be read.
#[derive(Debug, Error, Diagnostic)]
pub enum WeightsError {
    #[error("cannot read the weights `{}`: {reason}", path.display())]
    #[diagnostic(
        code(gradstudy::weights::read),
        help("check the path; it is relative to where gradstudy is started")
    )]
    Read { path: PathBuf, reason: std::io::Error },
    #[error("`{}` is not a complete .safetensors file: {reason}", path.display())]
    #[diagnostic(
        code(gradstudy::weights::malformed),
        help("save it again with `safetensors.torch.save_file`")
    )]
    Malformed {
        path: PathBuf,
        reason: safetensors::SafeTensorError,
    },
    #[error("`{}` is not a state dict that can be read: {reason}", path.display())]
    #[diagnostic(
        code(gradstudy::weights::pytorch),
        help("save it again with `torch.save(model.state_dict(), path)` or as .safetensors")
    )]
    Pytorch { path: PathBuf, reason: String },
    #[error("`{}` has no tensor `{name}`, which {model} needs", path.display())]
    #[diagnostic(
        code(gradstudy::weights::missing),
        help("save `model.state_dict()` of the same architecture")
    )]
    Missing {
        path: PathBuf,
        name: String,
        model: &'static str,
    },
    #[error("`{}` has a tensor `{name}` that {model} does not know", path.display())]
    #[diagnostic(code(gradstudy::weights::unknown), help("its tensors are {known}"))]
    Unknown {
        path: PathBuf,
        name: String,
        model: &'static str,
        known: String,
    },
    #[error("`{name}` in `{}` has shape {found:?}, the model has {expected:?}", path.display())]
    #[diagnostic(
        code(gradstudy::weights::shape),
        help("the file belongs to another architecture or data set")
    )]
    Shape {
        path: PathBuf,
        name: String,
        found: Vec<usize>,
        expected: Vec<usize>,
    },
    #[error("`{name}` in `{}` holds {value}", path.display())]
    #[diagnostic(
        code(gradstudy::weights::not_finite),
        help("the training that made it diverged, or the file is damaged: take other weights")
    )]
    NotFinite { path: PathBuf, name: String, value: f32 },
    #[error("`{name}` in `{}` holds {dtype}", path.display())]
    #[diagnostic(
        code(gradstudy::weights::dtype),
        help("save the weights as float32 or float64")
    )]
    Dtype {
        path: PathBuf,
        name: String,
        dtype: String,
    },
}
