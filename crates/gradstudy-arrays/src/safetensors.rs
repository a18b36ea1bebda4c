//! Tensors of a `.safetensors` file.

use std::io::Read;
use std::path::Path;

use ::safetensors::Dtype;
use ::safetensors::tensor::Metadata;

use super::ArraysError;
use super::bytes::Bytes;
use super::matrix::{Element, LeftOut, Matrix, Order, shape_of};
use super::npy::with_left_out;

/// Bytes that a header may have, as the format says.
const LONGEST_HEADER: u64 = 100_000_000;

/// Every tensor, by name, or the one that is `wanted`.
pub(super) fn open(path: &Path, wanted: Option<&str>) -> Result<Vec<Matrix>, ArraysError> {
    let mut file = gradstudy_base::files::open(path).map_err(|reason| ArraysError::file(path, reason))?;
    let damaged = |error: &dyn std::fmt::Display| {
        ArraysError::malformed(path, format!("is no sound .safetensors file: {error}"))
    };
    let unread = |reason| ArraysError::file(path, reason);
    let mut length = [0; size_of::<u64>()];
    file.read_exact(&mut length)
        .map_err(|_| damaged(&"it has no header"))?;
    let length = u64::from_le_bytes(length);
    if length > LONGEST_HEADER {
        return Err(damaged(&format!("its header would have {length} bytes")));
    }
    // `SafeTensors::read_metadata` wants the whole file in memory.
    let mut head = Vec::new();
    (&mut file).take(length).read_to_end(&mut head).map_err(unread)?;
    let metadata: Metadata = serde_json::from_slice(&head).map_err(|error| damaged(&error))?;
    // The length of the header stands before it.
    let begin = length as usize + size_of::<u64>();
    let tensors = metadata.tensors();
    let mut names: Vec<String> = tensors.keys().cloned().collect();
    names.sort();
    if let Some(name) = wanted.filter(|name| names.iter().all(|known| known != name)) {
        return Err(ArraysError::absent(path, name, names));
    }
    let (mut arrays, mut left_out) = (Vec::new(), Vec::new());
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
            other if wanted.is_none() => {
                left_out.push(LeftOut::of_kind(
                    &name,
                    format_args!("no real numbers ({other:?})"),
                ));
                continue;
            }
            other => {
                return Err(ArraysError::Element {
                    place: format!("`{name}`"),
                    found: format!("{other:?}"),
                });
            }
        };
        let (start, end) = tensor.data_offsets;
        let numbers = tensor
            .shape
            .iter()
            .try_fold(1usize, |product, &axis| product.checked_mul(axis));
        let promised = numbers.and_then(|numbers| numbers.checked_mul(element.size()));
        if end.checked_sub(start).is_none_or(|there| Some(there) != promised) {
            return Err(damaged(&format!("`{name}` is not as large as its shape says")));
        }
        let (rows, columns) = shape_of(&tensor.shape);
        arrays.push(Matrix {
            name,
            rows,
            columns,
            column_names: Vec::new(),
            notes: Vec::new(),
            left_out: Vec::new(),
            element,
            big_endian: false,
            order: Order::Rows,
            bytes: Bytes::of(
                file.try_clone().map_err(unread)?,
                (begin + start) as u64,
                end - start,
                path,
            )?,
        });
    }
    with_left_out(path, arrays, left_out)
}
