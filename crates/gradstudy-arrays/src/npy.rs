//! NumPy's arrays.

use std::io::{self, BufReader, Read, Seek};
use std::path::Path;

use npyz::{DType, NpyHeader};

use super::bytes::Bytes;
use super::matrix::{Element, LeftOut, Matrix, Order, shape_of};
use super::npz::Npz;
use super::spill::Spill;
use super::{ArraysError, npy};

/// A `.npy` file.
pub(super) fn open(path: &Path) -> Result<Matrix, ArraysError> {
    let file = gradstudy_base::files::open(path).map_err(|reason| ArraysError::file(path, reason))?;
    let mut reader = BufReader::new(&file);
    let header = NpyHeader::from_reader(&mut reader).map_err(|error| not_an_array(path, error))?;
    let offset = reader
        .stream_position()
        .map_err(|reason| ArraysError::file(path, reason))?;
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let layout = npy::layout(&header, path, &name)?;
    let bytes = Bytes::of(file, offset, layout.bytes, path)?;
    Ok(layout.matrix(name, bytes))
}

/// Every array of an `.npz` file (or the one that is `wanted`), unpacked to a temporary file.
pub(super) fn open_archive(path: &Path, wanted: Option<&str>) -> Result<Vec<Matrix>, ArraysError> {
    let damaged = |error: io::Error| not_an_array(path, error);
    let file = gradstudy_base::files::open(path).map_err(|reason| ArraysError::file(path, reason))?;
    let mut archive = Npz::new(file).map_err(damaged)?;
    let names = archive.names();
    if let Some(name) = wanted.filter(|name| names.iter().all(|known| known != name)) {
        return Err(ArraysError::absent(path, name, names));
    }
    let (mut arrays, mut left_out) = (Vec::new(), Vec::new());
    for name in names {
        if wanted.is_some_and(|wanted| wanted != name) {
            continue;
        }
        let Some(array) = archive.array(&name).map_err(damaged)? else {
            continue;
        };
        let layout = match npy::layout(array.header(), path, &name) {
            Ok(layout) => layout,
            // Names of classes and the like beside the numbers.
            Err(ArraysError::Element { found, .. }) if wanted.is_none() => {
                left_out.push(LeftOut::of_kind(&name, format_args!("no real numbers ({found})")));
                continue;
            }
            Err(error) => return Err(error),
        };
        let mut spill = Spill::new()?;
        let mut content = array.into_inner().take(layout.bytes as u64);
        let written = spill.copy(&mut content, path)?;
        if written < layout.bytes as u64 {
            let problem = format!("is truncated: `{name}` has {written} of {} bytes", layout.bytes);
            return Err(ArraysError::malformed(path, problem));
        }
        arrays.push(layout.matrix(name, spill.bytes(layout.bytes)?));
    }
    with_left_out(path, arrays, left_out)
}

/// The arrays of a file, the first of which names what else is in it.
///
/// # Errors
/// There is no array of numbers.
pub(super) fn with_left_out(
    path: &Path,
    mut arrays: Vec<Matrix>,
    left_out: Vec<LeftOut>,
) -> Result<Vec<Matrix>, ArraysError> {
    match (arrays.first_mut(), left_out.first()) {
        (Some(first), _) => first.left_out = left_out,
        (None, Some(left)) => {
            let problem = format!("has no array of numbers: `{}` {}", left.name, left.reason);
            return Err(ArraysError::malformed(path, problem));
        }
        (None, None) => {}
    }
    Ok(arrays)
}

fn not_an_array(path: &Path, error: io::Error) -> ArraysError {
    ArraysError::malformed(path, format!("cannot be read as an array: {error}"))
}

/// What a header says.
pub(super) struct Layout {
    element: Element,
    big_endian: bool,
    shape: (usize, usize),
    order: Order,
    /// Of all numbers.
    bytes: usize,
}

impl Layout {
    fn matrix(&self, name: String, bytes: Bytes) -> Matrix {
        Matrix {
            name,
            rows: self.shape.0,
            columns: self.shape.1,
            column_names: Vec::new(),
            notes: Vec::new(),
            left_out: Vec::new(),
            element: self.element,
            big_endian: self.big_endian,
            order: self.order,
            bytes,
        }
    }
}

fn layout(header: &NpyHeader, path: &Path, name: &str) -> Result<Layout, ArraysError> {
    let other = |found: String| ArraysError::Element {
        place: format!("`{name}`"),
        found,
    };
    let descr = match header.dtype() {
        // Such as `'<f4'`: order of bytes, kind, bytes.
        DType::Plain(plain) => plain.to_string().trim_matches('\'').to_string(),
        found => return Err(other(found.descr())),
    };
    let element = match &descr[1..] {
        "b1" => Element::Bool,
        "u1" => Element::U8,
        "i1" => Element::I8,
        "u2" => Element::U16,
        "i2" => Element::I16,
        "u4" => Element::U32,
        "i4" => Element::I32,
        "u8" => Element::U64,
        "i8" => Element::I64,
        "f2" => Element::F16,
        "f4" => Element::F32,
        "f8" => Element::F64,
        _ => return Err(other(descr)),
    };
    let axes: Option<Vec<usize>> = header.shape().iter().map(|&axis| axis.try_into().ok()).collect();
    let bytes = |axes: &[usize]| {
        axes.iter()
            .try_fold(element.size(), |product, &axis| product.checked_mul(axis))
    };
    let Some((axes, bytes)) = axes.and_then(|axes| bytes(&axes).map(|bytes| (axes, bytes))) else {
        return Err(ArraysError::malformed(
            path,
            "promises more numbers than can be counted",
        ));
    };
    let fortran = header.order() == npyz::Order::Fortran;
    if fortran && axes.len() > 2 {
        return Err(ArraysError::malformed(
            path,
            "is in Fortran's order and has more than two axes; write it with numpy.ascontiguousarray",
        ));
    }
    Ok(Layout {
        element,
        big_endian: descr.starts_with('>'),
        shape: shape_of(&axes),
        order: if fortran && axes.len() == 2 {
            Order::Columns
        } else {
            Order::Rows
        },
        bytes,
    })
}
