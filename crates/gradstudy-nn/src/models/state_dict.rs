//! Named tensors of a weights file: `.safetensors`, or what PyTorch saved (`.pt`, `.pth`).

use std::io::Read;
use std::path::{Path, PathBuf};

use safetensors::{Dtype, SafeTensors};

use super::weights_error::WeightsError;
use gradstudy_arrays::pytorch::{self, ElementKind, EntryValue, PytorchFile, StoredTensor};

/// A file of weights, of whose numbers none has been read.
pub(super) struct StateFile {
    path: PathBuf,
    pub tensors: Vec<FileTensor>,
    /// Names of all that is in it, with the place of those that are tensors.
    pub names: Vec<(String, Option<usize>)>,
    format: Format,
}

enum Format {
    Safetensors(Vec<u8>),
    Pytorch(PytorchFile),
}

/// One tensor of a file.
pub(super) struct FileTensor {
    /// With the keys that lead to it, joined by dots.
    pub name: String,
    /// Of these keys all but the last: the dictionary in which it is.
    pub container: String,
    pub dims: Vec<usize>,
    /// What its numbers are, by PyTorch's name.
    pub kind: String,
    stored: Stored,
}

enum Stored {
    Safetensors(Dtype),
    Pytorch(StoredTensor),
}

impl FileTensor {
    /// Whether its numbers are floats of 2, 4 or 8 bytes.
    pub fn is_float(&self) -> bool {
        ["float16", "bfloat16", "float32", "float64"].contains(&self.kind.as_str())
    }
}

impl StateFile {
    /// Reads names, shapes and types of the file at `path`, in its order.
    ///
    /// # Errors
    /// A file that cannot be read or is of neither kind.
    pub fn open(path: &Path) -> Result<Self, WeightsError> {
        let unread = |reason| WeightsError::Read {
            path: path.into(),
            reason,
        };
        let mut head = Vec::new();
        let file = gradstudy_base::files::open(path).map_err(unread)?;
        file.take(9).read_to_end(&mut head).map_err(unread)?;
        let is_pytorch = head.starts_with(b"PK") || head.first() == Some(&0x80) && head.get(8) != Some(&b'{');
        match is_pytorch {
            true => pytorch(path),
            false => safetensors(path, gradstudy_base::files::read(path).map_err(unread)?),
        }
    }

    /// The numbers of one of its tensors, each as float64.
    ///
    /// # Errors
    /// What cannot be read or is damaged.
    pub fn numbers(&self, tensor: &FileTensor) -> Result<Vec<f64>, WeightsError> {
        match (&self.format, &tensor.stored) {
            (Format::Pytorch(file), Stored::Pytorch(stored)) => file
                .numbers(stored)
                .map_err(|error| WeightsError::pytorch(&self.path, error)),
            (Format::Safetensors(bytes), Stored::Safetensors(dtype)) => {
                let malformed = |reason| WeightsError::Malformed {
                    path: self.path.clone(),
                    reason,
                };
                let file = SafeTensors::deserialize(bytes).map_err(malformed)?;
                let view = file.tensor(&tensor.name).map_err(malformed)?;
                let element = pytorch::element_of(*dtype).expect("only floats are asked for");
                Ok(pytorch::numbers(element, view.data()))
            }
            _ => unreachable!("a tensor belongs to its own file"),
        }
    }
}

fn safetensors(path: &Path, bytes: Vec<u8>) -> Result<StateFile, WeightsError> {
    let file = SafeTensors::deserialize(&bytes).map_err(|reason| WeightsError::Malformed {
        path: path.into(),
        reason,
    })?;
    let tensor = |(name, view): (&str, safetensors::tensor::TensorView<'_>)| FileTensor {
        name: name.to_string(),
        container: String::new(),
        dims: view.shape().to_vec(),
        kind: match pytorch::element_of(view.dtype()) {
            Some(element) => ElementKind::Real(element).name().to_string(),
            None => format!("{:?}", view.dtype()),
        },
        stored: Stored::Safetensors(view.dtype()),
    };
    let mut tensors: Vec<FileTensor> = file.iter().map(tensor).collect();
    tensors.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(StateFile {
        path: path.into(),
        names: named(&tensors),
        tensors,
        format: Format::Safetensors(bytes),
    })
}

fn pytorch(path: &Path) -> Result<StateFile, WeightsError> {
    let fail = |error| WeightsError::pytorch(path, error);
    let file = PytorchFile::open(path).map_err(fail)?;
    let (mut tensors, mut names) = (Vec::new(), Vec::new());
    for entry in file.entries().map_err(fail)? {
        let name = entry.name();
        let EntryValue::Tensor(stored) = entry.value else {
            names.push((name, None));
            continue;
        };
        names.push((name.clone(), Some(tensors.len())));
        tensors.push(FileTensor {
            name,
            container: match entry.path.split_last() {
                Some((_, keys)) => keys.join("."),
                None => String::new(),
            },
            dims: stored.shape.clone(),
            kind: stored.kind.name().to_string(),
            stored: Stored::Pytorch(stored),
        });
    }
    Ok(StateFile {
        path: path.into(),
        tensors,
        names,
        format: Format::Pytorch(file),
    })
}

fn named(tensors: &[FileTensor]) -> Vec<(String, Option<usize>)> {
    let places = tensors.iter().enumerate();
    places
        .map(|(place, tensor)| (tensor.name.clone(), Some(place)))
        .collect()
}
