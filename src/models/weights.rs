//! θ: drawn as PyTorch draws it, read from and written to `.safetensors` under PyTorch's names.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use rand::RngExt;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use thiserror::Error;

use super::Network;
use crate::seed;

/// Initial weights and biases, uniform in ±1/√fan_in: PyTorch's default for `Conv2d` and `Linear`
/// (`kaiming_uniform_` with a = √5 has this bound, too). The same on every device: drawn on the host.
pub fn initial(network: &Network, seed: u64) -> Vec<f32> {
    let mut theta = vec![0.0; network.parameter_count()];
    for parameter in network.parameters() {
        let mut rng = seed::rng(seed, &format!("initial weights/{}", parameter.name));
        for value in &mut theta[parameter.range] {
            let uniform: f64 = rng.random();
            *value = (parameter.bound * (2.0 * uniform - 1.0)) as f32;
        }
    }
    theta
}

/// θ as the bytes of a `.safetensors` file.
pub fn to_safetensors(network: &Network, theta: &[f32]) -> Result<Vec<u8>, safetensors::SafeTensorError> {
    let tensors: Result<Vec<_>, _> = network
        .parameters()
        .into_iter()
        .map(|p| {
            let bytes = bytemuck::cast_slice(&theta[p.range]);
            TensorView::new(Dtype::F32, p.dims, bytes).map(|view| (p.name, view))
        })
        .collect();
    safetensors::serialize(tensors?, None::<HashMap<String, String>>)
}

/// Reads θ from a `.safetensors` file with PyTorch's names (f32 or f64).
pub fn read(network: &Network, path: &Path) -> Result<Vec<f32>, WeightsError> {
    let bytes = std::fs::read(path).map_err(|reason| WeightsError::Read {
        path: path.into(),
        reason,
    })?;
    from_safetensors(network, &bytes, path)
}

/// Reads θ from the bytes of a `.safetensors` file; `path` is for messages.
pub fn from_safetensors(network: &Network, bytes: &[u8], path: &Path) -> Result<Vec<f32>, WeightsError> {
    let file = SafeTensors::deserialize(bytes).map_err(|reason| WeightsError::Malformed {
        path: path.into(),
        reason,
    })?;
    let parameters = network.parameters();
    let known: Vec<_> = parameters.iter().map(|p| p.name.as_str()).collect();
    if let Some(name) = file.names().into_iter().find(|name| !known.contains(name)) {
        let (path, name, model) = (path.into(), name.to_string(), network.name);
        return Err(WeightsError::Unknown {
            path,
            name,
            model,
            known: known.join(", "),
        });
    }
    let mut theta = vec![0.0; network.parameter_count()];
    for parameter in parameters {
        let Ok(tensor) = file.tensor(&parameter.name) else {
            let (path, name, model) = (path.into(), parameter.name, network.name);
            return Err(WeightsError::Missing { path, name, model });
        };
        if tensor.shape() != parameter.dims {
            let (path, name) = (path.into(), parameter.name);
            let (found, expected) = (tensor.shape().to_vec(), parameter.dims);
            return Err(WeightsError::Shape {
                path,
                name,
                found,
                expected,
            });
        }
        let values = &mut theta[parameter.range];
        match tensor.dtype() {
            Dtype::F32 => tensor
                .data()
                .chunks_exact(4)
                .zip(values)
                .for_each(|(b, v)| *v = f32::from_le_bytes([b[0], b[1], b[2], b[3]])),
            Dtype::F64 => tensor.data().chunks_exact(8).zip(values).for_each(|(b, v)| {
                *v = f64::from_le_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]]) as f32
            }),
            dtype => {
                return Err(WeightsError::Dtype {
                    path: path.into(),
                    name: parameter.name,
                    dtype,
                });
            }
        }
    }
    Ok(theta)
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
    #[error("`{name}` in `{}` holds {dtype:?}", path.display())]
    #[diagnostic(
        code(gradstudy::weights::dtype),
        help("save the weights as float32 or float64")
    )]
    Dtype {
        path: PathBuf,
        name: String,
        dtype: Dtype,
    },
}
