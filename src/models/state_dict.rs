//! Named tensors of a weights file: `.safetensors`, or a state dict that PyTorch saved (`.pt`, `.pth`).

use std::path::Path;

use burn_store::pytorch_reader::{DType, PytorchReader};
use safetensors::{Dtype, SafeTensors};

use super::weights::WeightsError;

/// One tensor of a file.
pub(super) struct FileTensor {
    pub name: String,
    pub dims: Vec<usize>,
    /// Its numbers; the name of the type where it is no float.
    pub values: Result<Vec<f32>, String>,
}

/// Checkpoints often hold the state dict under one of these keys, beside the optimizer's state.
const NESTED: [&str; 3] = ["state_dict.", "model_state_dict.", "model."];

/// The tensors of the file at `path`, whose contents are `bytes`, in the order of their names.
pub(super) fn tensors(bytes: &[u8], path: &Path) -> Result<Vec<FileTensor>, WeightsError> {
    let is_pytorch = bytes.starts_with(b"PK") || bytes.starts_with(&[0x80]) && bytes.get(8) != Some(&b'{');
    let mut tensors = match is_pytorch {
        true => pytorch(path)?,
        false => safetensors(bytes, path)?,
    };
    tensors.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(tensors)
}

fn safetensors(bytes: &[u8], path: &Path) -> Result<Vec<FileTensor>, WeightsError> {
    let file = SafeTensors::deserialize(bytes).map_err(|reason| WeightsError::Malformed {
        path: path.into(),
        reason,
    })?;
    let tensor = |(name, view): (&str, safetensors::tensor::TensorView<'_>)| FileTensor {
        name: name.to_string(),
        dims: view.shape().to_vec(),
        values: match view.dtype() {
            Dtype::F32 => Ok(f32s(view.data())),
            Dtype::F64 => Ok(f64s(view.data())),
            dtype => Err(format!("{dtype:?}")),
        },
    };
    Ok(file.iter().map(tensor).collect())
}

fn pytorch(path: &Path) -> Result<Vec<FileTensor>, WeightsError> {
    let fail = |reason: String| WeightsError::Pytorch {
        path: path.into(),
        reason,
    };
    let reader = PytorchReader::new(path).map_err(|error| fail(error.to_string()))?;
    let mut tensors = Vec::new();
    for (name, tensor) in reader.tensors() {
        let bytes = tensor.read().map_err(|error| fail(error.to_string()))?;
        tensors.push(FileTensor {
            name: name.clone(),
            dims: tensor.shape().to_vec(),
            values: match tensor.dtype() {
                DType::F32 => Ok(f32s(&bytes)),
                DType::F64 => Ok(f64s(&bytes)),
                dtype => Err(format!("{dtype:?}")),
            },
        });
    }
    if let Some(key) = NESTED
        .into_iter()
        .find(|key| tensors.iter().any(|tensor| tensor.name.starts_with(key)))
    {
        tensors.retain_mut(|tensor| match tensor.name.strip_prefix(key) {
            Some(rest) => {
                tensor.name = rest.to_string();
                true
            }
            None => false,
        });
    }
    Ok(tensors)
}

fn f32s(bytes: &[u8]) -> Vec<f32> {
    let chunks = bytes.chunks_exact(4);
    chunks
        .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
        .collect()
}

fn f64s(bytes: &[u8]) -> Vec<f32> {
    let chunks = bytes.chunks_exact(8);
    chunks
        .map(|b| f64::from_le_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]]) as f32)
        .collect()
}
