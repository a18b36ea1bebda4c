//! Matrices of numbers in files of any usual kind, without reading them into memory: `.npy`, `.safetensors` and
//! `.pt` are read as they lie, `.npz`, `.csv`, Arrow and Parquet go through a temporary file once.

mod block;
mod bytes;
mod columnar;
mod csv;
mod error;
mod matrix;
mod npy;
pub(crate) mod pytorch;
mod safetensors;
mod spill;
pub mod write;

use std::path::Path;

pub use block::Block;
pub use error::ArraysError;
pub use matrix::{Along, Element, Matrix, Order};

/// Every array of `path`, in the order of the file, or the one called `wanted`.
///
/// # Errors
/// A file that is not there, of another kind, damaged, or without such an array; an array of anything but real numbers.
pub fn open(path: &Path, wanted: Option<&str>) -> Result<Vec<Matrix>, ArraysError> {
    let extension = path.extension().and_then(|extension| extension.to_str());
    let arrays = match extension.unwrap_or_default().to_ascii_lowercase().as_str() {
        "npy" => vec![npy::open(path)?],
        "npz" => npy::open_archive(path, wanted)?,
        "safetensors" => safetensors::open(path, wanted)?,
        "pt" | "pth" | "bin" | "ckpt" => pytorch::open(path, wanted)?,
        "csv" => vec![csv::open(path, b',')?],
        "tsv" => vec![csv::open(path, b'\t')?],
        "arrow" | "ipc" | "feather" => vec![columnar::open_arrow(path)?],
        "parquet" => vec![columnar::open_parquet(path)?],
        _ => return Err(ArraysError::Kind { path: path.into() }),
    };
    match wanted {
        None => Ok(arrays),
        Some(name) => {
            let known = arrays.iter().map(|array| array.name.clone()).collect();
            let found: Vec<Matrix> = arrays.into_iter().filter(|array| array.name == name).collect();
            if found.is_empty() {
                return Err(ArraysError::absent(path, name, known));
            }
            Ok(found)
        }
    }
}
