//! Tensors of a `.safetensors` file, mapped.

use std::fs::File;
use std::path::Path;

use ::safetensors::{Dtype, SafeTensors};
use memmap2::Mmap;

use super::ArraysError;
use super::matrix::{Element, Map, Matrix, Order, shape_of};

/// Every tensor, by name, or the one that is `wanted`.
pub(super) fn open(path: &Path, wanted: Option<&str>) -> Result<Vec<Matrix>, ArraysError> {
    let file = File::open(path).map_err(|reason| ArraysError::file(path, reason))?;
    let damaged = |error: ::safetensors::SafeTensorError| {
        ArraysError::malformed(path, format!("is no sound .safetensors file: {error}"))
    };
    // SAFETY: as in `Map::of`.
    let whole = unsafe { Mmap::map(&file) }.map_err(|reason| ArraysError::file(path, reason))?;
    let (header, metadata) = SafeTensors::read_metadata(&whole).map_err(damaged)?;
    // The length of the header stands before it.
    let begin = header + size_of::<u64>();
    let tensors = metadata.tensors();
    let mut names: Vec<String> = tensors.keys().cloned().collect();
    names.sort();
    if let Some(name) = wanted.filter(|name| names.iter().all(|known| known != name)) {
        return Err(ArraysError::absent(path, name, names));
    }
    let mut arrays = Vec::new();
    for name in names
        .into_iter()
        .filter(|name| wanted.is_none_or(|wanted| wanted == name))
    {
        let tensor = tensors[&name];
        let element = match tensor.dtype {
            Dtype::BOOL => Element::Bool,
            Dtype::U8 => Element::U8,
            Dtype::I8 => Element::I8,
            Dtype::U16 => Element::U16,
            Dtype::I16 => Element::I16,
            Dtype::U32 => Element::U32,
            Dtype::I32 => Element::I32,
            Dtype::U64 => Element::U64,
            Dtype::I64 => Element::I64,
            Dtype::F16 => Element::F16,
            Dtype::BF16 => Element::Bf16,
            Dtype::F32 => Element::F32,
            Dtype::F64 => Element::F64,
            other => {
                return Err(ArraysError::Element {
                    place: format!("`{name}`"),
                    found: format!("{other:?}"),
                });
            }
        };
        let (start, end) = tensor.data_offsets;
        let (rows, columns) = shape_of(&tensor.shape);
        arrays.push(Matrix {
            name,
            rows,
            columns,
            column_names: Vec::new(),
            element,
            big_endian: false,
            order: Order::Rows,
            map: Map::of(&file, begin + start, end - start, path)?,
        });
    }
    Ok(arrays)
}
