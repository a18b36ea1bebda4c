//! Matrices of numbers in files of any usual kind, without reading them into memory: `.npy`, `.safetensors` and
//! `.pt` are read as they lie, `.npz`, tables in text, Arrow and Parquet go through a temporary file once.

mod block;
mod bytes;
mod columnar;
mod error;
mod guard;
mod matrix;
mod npy;
pub mod npz;
pub mod pytorch;
mod safetensors;
mod spill;
pub mod text;
pub mod write;

use std::path::Path;

pub use block::Block;
pub use error::ArraysError;
pub use matrix::{Along, Element, LeftOut, Matrix, Order};
use text::TextSettings;

/// How a file is read, as far as the user says.
#[derive(Debug, Clone, Copy, Default)]
pub struct Reading<'a> {
    /// The array that is wanted; all of them without it.
    pub array: Option<&'a str>,
    /// `index` is of Arrow and Parquet files, too; the rest is of tables in text.
    pub text: TextSettings,
}

/// Every array of `path`, or the one called `wanted`, read without further settings ([`open_with`]).
///
/// # Errors
/// As of [`open_with`].
pub fn open(path: &Path, wanted: Option<&str>) -> Result<Vec<Matrix>, ArraysError> {
    let reading = Reading {
        array: wanted,
        ..Reading::default()
    };
    open_with(path, &reading)
}

/// Every array of `path`, in the order of the file, or the one that `reading` names. What the file holds beside them is in
/// the first one's `left_out`.
///
/// # Errors
/// A file that is not there, of another kind, damaged, or without such an array; an array of anything but real numbers;
/// a setting that the file's kind does not have.
pub fn open_with(path: &Path, reading: &Reading) -> Result<Vec<Matrix>, ArraysError> {
    let wanted = reading.array;
    let kind = kind(path);
    let TextSettings {
        header,
        index,
        separator,
        decimal,
    } = reading.text;
    let is_columnar = matches!(kind.as_str(), "arrow" | "ipc" | "feather" | "parquet" | "pq");
    let given = [
        ("header", header.is_some()),
        ("separator", separator.is_some()),
        ("decimal", decimal.is_some()),
        ("index", index.is_some() && !is_columnar),
    ];
    if let (false, Some((setting, _))) = (is_text(&kind), given.into_iter().find(|(_, given)| *given)) {
        let path = path.into();
        return Err(ArraysError::Setting { path, setting });
    }
    let arrays = match kind.as_str() {
        "npy" => vec![npy::open(path)?],
        "npz" => npy::open_archive(path, wanted)?,
        "safetensors" => safetensors::open(path, wanted)?,
        "pt" | "pth" | "bin" | "ckpt" => pytorch::open(path, wanted)?,
        // Damaged files make these libraries panic.
        "arrow" | "ipc" | "feather" => guard::guarded(|| columnar::open_arrow(path, index))
            .unwrap_or_else(|panic| Err(columnar::unsound(path, &panic)))?,
        "parquet" | "pq" => guard::guarded(|| columnar::open_parquet(path, index))
            .unwrap_or_else(|panic| Err(columnar::unsound(path, &panic)))?,
        kind if is_text(kind) => vec![text::matrix::open(path, &reading.text)?],
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

/// The extension in small letters; of a packed file the one before `.gz`.
fn kind(path: &Path) -> String {
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .to_ascii_lowercase();
    let packed = name
        .strip_suffix(".gz")
        .filter(|name| name.rsplit_once('.').is_some_and(|(_, kind)| is_text(kind)));
    let name = packed.unwrap_or(&name);
    name.rsplit_once('.')
        .map_or(String::new(), |(_, kind)| kind.to_string())
}

/// Whether files of this extension are tables in text.
fn is_text(kind: &str) -> bool {
    matches!(kind, "csv" | "tsv" | "tab" | "txt" | "dat" | "data" | "asc")
}
