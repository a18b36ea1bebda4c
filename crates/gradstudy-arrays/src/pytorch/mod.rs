//! Tensors of files that PyTorch's `torch.save` wrote (`.pt`, `.pth`, `.bin`, `.ckpt`), read without Python and without
//! running what is pickled in them.

mod build;
mod container;
mod entries;
mod input;
mod node;
pub mod numpy;
mod pickle;
mod stored;

use std::cell::RefCell;
use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use ::safetensors;
use zip::ZipArchive;

use super::ArraysError;
use super::bytes::Bytes;
use super::matrix::{Element, LeftOut, Matrix, Order, shape_of};
use super::spill::Spill;
use container::{Container, Packing, StoragePlace};
pub use entries::{EntryValue, FileEntry};
pub use stored::{ElementKind, StoredTensor};

/// Bytes of a storage that are read into memory to pick out a tensor that does not lie in one piece; of a larger one
/// each row is read by itself, unless its rows lie among each other.
const WINDOW: usize = 64 << 20;

/// Numbers that a view may have which repeats those of its storage.
const REPEATED: usize = 1 << 26;

/// Bytes that are read at a time.
const READ: usize = 8 << 20;

/// A file of PyTorch, of which the numbers have not been read.
#[derive(Debug)]
pub struct PytorchFile {
    file: File,
    path: PathBuf,
    container: Container,
    /// Storages whose bytes are known to be sound.
    sound: RefCell<HashSet<String>>,
}

/// Every tensor of real numbers by its name, or the one that is `wanted`. A tensor by itself has the file's name, those of
/// a list are numbered from 0, and dictionaries within each other join their keys by dots.
///
/// # Errors
/// A file that is damaged, that `torch.save` did not write, or that holds no such tensor.
pub(super) fn open(path: &Path, wanted: Option<&str>) -> Result<Vec<Matrix>, ArraysError> {
    let file = PytorchFile::open(path)?;
    let (mut tensors, mut rest) = (Vec::new(), Vec::new());
    for entry in file.entries()? {
        let name = match entry.path.is_empty() {
            true => path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
            false => entry.name(),
        };
        match entry.value {
            EntryValue::Tensor(tensor) => match tensor.kind {
                ElementKind::Real(element) => tensors.push((name, element, tensor)),
                ElementKind::Other(kind, _) => rest.push((name, kind)),
            },
            EntryValue::Other(kind) => rest.push((name, kind)),
        }
    }
    if let Some(wanted) = wanted
        && tensors.iter().all(|(name, ..)| name != wanted)
    {
        if let Some((name, kind)) = rest.into_iter().find(|(name, _)| name == wanted) {
            return Err(ArraysError::Element {
                place: format!("`{name}`"),
                found: kind,
            });
        }
        let known = tensors.into_iter().map(|(name, ..)| name).collect();
        return Err(ArraysError::absent(path, wanted, known));
    }
    if tensors.is_empty() {
        let held: Vec<String> = rest
            .iter()
            .map(|(name, kind)| format!("`{name}` ({kind})"))
            .collect();
        let held = match held.is_empty() {
            true => "nothing".to_string(),
            false => held.join(", "),
        };
        return Err(ArraysError::malformed(
            path,
            format!("holds no tensor of real numbers: {held}"),
        ));
    }
    let arrays: Result<Vec<Matrix>, ArraysError> = tensors
        .into_iter()
        .filter(|(name, ..)| wanted.is_none_or(|wanted| wanted == name))
        .map(|(name, element, tensor)| file.matrix(name, element, &tensor))
        .collect();
    let mut arrays = arrays?;
    if let (Some(first), None) = (arrays.first_mut(), wanted) {
        first.left_out = rest
            .into_iter()
            .map(|(name, kind)| LeftOut::of_kind(&name, kind))
            .collect();
    }
    Ok(arrays)
}

impl PytorchFile {
    /// Opens the file at `path` and reads what it says of its tensors.
    ///
    /// # Errors
    /// A file that is not there, damaged, or that `torch.save` did not write.
    pub fn open(path: &Path) -> Result<Self, ArraysError> {
        let file = gradstudy_base::files::open(path).map_err(|reason| ArraysError::file(path, reason))?;
        let container = container::open(&file).map_err(|reason| unread(path, &reason))?;
        Ok(PytorchFile {
            file,
            path: path.to_path_buf(),
            container,
            sound: RefCell::default(),
        })
    }

    /// What is in it, in its order.
    ///
    /// # Errors
    /// Entries that cannot be told apart by their names.
    pub fn entries(&self) -> Result<Vec<FileEntry>, ArraysError> {
        entries::entries(&self.container.pickle).map_err(|reason| unread(&self.path, &reason))
    }

    /// The numbers of a tensor, its last axis running fastest.
    ///
    /// # Errors
    /// What cannot be read or is damaged, and elements that are no real numbers.
    pub fn numbers(&self, tensor: &StoredTensor) -> Result<Vec<f64>, ArraysError> {
        let ElementKind::Real(element) = tensor.kind else {
            return Err(unread(
                &self.path,
                &format!("a tensor of {} is asked for", tensor.kind.name()),
            ));
        };
        if self.container.storages.contains_key(&tensor.storage) && tensor.count() != Some(0) {
            self.check(&tensor.storage)?;
        }
        let mut numbers = Vec::new();
        self.gather(tensor, element, &mut |bytes| {
            element.read(bytes, self.container.big_endian, |x| numbers.push(x));
            Ok(())
        })?;
        Ok(numbers)
    }

    /// Compares a storage with its checksum, once.
    fn check(&self, key: &str) -> Result<(), ArraysError> {
        let place = self.place(key)?;
        let Packing::None(Some(crc)) = place.packing else {
            return Ok(());
        };
        if !self.sound.borrow_mut().insert(key.to_string()) {
            return Ok(());
        }
        let length = usize::try_from(place.bytes).map_err(|_| self.too_large())?;
        let bytes = self.bytes(place.offset, length)?;
        let (mut sum, mut buffer) = (flate2::Crc::new(), vec![0; READ.min(length)]);
        let mut from = 0;
        while from < length {
            let part = &mut buffer[..READ.min(length - from)];
            bytes.read(from as u64, part)?;
            sum.update(part);
            from += part.len();
        }
        match sum.sum() == crc {
            true => Ok(()),
            false => Err(unread(
                &self.path,
                &format!("its storage {key} does not have its checksum"),
            )),
        }
    }

    /// A tensor as a matrix: where it lies, if it lies in one piece, else picked out into a temporary file.
    fn matrix(&self, name: String, element: Element, tensor: &StoredTensor) -> Result<Matrix, ArraysError> {
        let (rows, columns) = shape_of(&tensor.shape);
        let count = tensor.count().ok_or_else(|| self.too_large())?;
        let length = count
            .checked_mul(element.size())
            .ok_or_else(|| self.too_large())?;
        let by_columns = !tensor.is_contiguous() && tensor.is_by_columns();
        let bytes = match length > 0 && (by_columns || tensor.is_contiguous()) {
            true => self.window(tensor, 0, length)?,
            false => {
                let mut spill = Spill::new()?;
                self.gather(tensor, element, &mut |bytes| {
                    spill.copy(&mut &bytes[..], &self.path).map(|_| ())
                })?;
                spill.bytes(length)?
            }
        };
        Ok(Matrix {
            name,
            rows,
            columns,
            column_names: Vec::new(),
            element,
            big_endian: self.container.big_endian,
            order: if by_columns { Order::Columns } else { Order::Rows },
            bytes,
            notes: Vec::new(),
            left_out: Vec::new(),
        })
    }

    /// Hands on the bytes of a tensor's numbers, its last axis running fastest, some at a time.
    fn gather(
        &self,
        tensor: &StoredTensor,
        element: Element,
        put: &mut dyn FnMut(&[u8]) -> Result<(), ArraysError>,
    ) -> Result<(), ArraysError> {
        let size = element.size();
        let (Some(count), Some(extent)) = (tensor.count(), tensor.extent()) else {
            return Err(self.too_large());
        };
        if count == 0 {
            return Ok(());
        }
        if count > extent && count > REPEATED {
            let problem = format!("a view shows {extent} numbers as {count}: save `tensor.contiguous()`");
            return Err(unread(&self.path, &problem));
        }
        let window = extent.checked_mul(size).ok_or_else(|| self.too_large())?;
        let (rows, inner, strides, row_stride) = match (tensor.shape.as_slice(), tensor.strides.as_slice()) {
            ([rows, inner @ ..], [first, strides @ ..]) => (*rows, inner, strides, *first),
            _ => (1, [].as_slice(), [].as_slice(), 0),
        };
        let row_extent = extent - (rows - 1) * row_stride;
        // Rows that lie among each other would be read many times over.
        let apart = rows == 1 || row_extent <= row_stride.saturating_mul(4);
        let whole = window <= WINDOW || !apart;
        let all = self.window(tensor, 0, window)?;
        let mut buffer = vec![0; if whole { window } else { row_extent * size }];
        if whole {
            all.read(0, &mut buffer)?;
        }
        let mut row = Vec::with_capacity(inner.iter().product::<usize>() * size);
        for index in 0..rows {
            let start = index * row_stride * size;
            let from = match whole {
                true => start,
                false => {
                    all.read(start as u64, &mut buffer)?;
                    0
                }
            };
            row.clear();
            pick(&buffer[from..], inner, strides, size, &mut row);
            put(&row)?;
        }
        Ok(())
    }

    /// `length` bytes of the storage of `tensor`, from `start` bytes after the tensor's first number on.
    fn window(&self, tensor: &StoredTensor, start: usize, length: usize) -> Result<Bytes, ArraysError> {
        let place = self.place(&tensor.storage)?;
        let before = tensor.offset.checked_mul(tensor.kind.size());
        let before = before
            .and_then(|before| before.checked_add(start))
            .ok_or_else(|| self.too_large())? as u64;
        if before
            .checked_add(length as u64)
            .is_none_or(|end| end > place.bytes)
        {
            let problem = format!("its storage {} is shorter than its tensors", tensor.storage);
            return Err(unread(&self.path, &problem));
        }
        let Packing::Entry(index) = place.packing else {
            return self.bytes(place.offset + before, length);
        };
        let fault = |error: &dyn std::fmt::Display| unread(&self.path, &error.to_string());
        let file = self
            .file
            .try_clone()
            .map_err(|reason| ArraysError::file(&self.path, reason))?;
        let mut archive = ZipArchive::new(BufReader::new(file)).map_err(|error| fault(&error))?;
        let mut entry = archive.by_index(index).map_err(|error| fault(&error))?;
        io::copy(&mut (&mut entry).take(before), &mut io::sink()).map_err(|error| fault(&error))?;
        let mut spill = Spill::new()?;
        if spill.copy(&mut (&mut entry).take(length as u64), &self.path)? < length as u64 {
            return Err(fault(&"it is cut off"));
        }
        // Its checksum is looked at when the end is reached.
        io::copy(&mut entry, &mut io::sink()).map_err(|error| fault(&error))?;
        spill.bytes(length)
    }

    fn bytes(&self, offset: u64, length: usize) -> Result<Bytes, ArraysError> {
        let file = self
            .file
            .try_clone()
            .map_err(|reason| ArraysError::file(&self.path, reason))?;
        Bytes::of(file, offset, length, &self.path)
    }

    fn place(&self, key: &str) -> Result<StoragePlace, ArraysError> {
        let place = self.container.storages.get(key).copied();
        place.ok_or_else(|| unread(&self.path, &format!("it lacks its storage {key}")))
    }

    fn too_large(&self) -> ArraysError {
        unread(&self.path, "a tensor is larger than can be counted")
    }
}

/// Appends the elements of a strided block, whose first one is that of `bytes`, to `to`.
fn pick(bytes: &[u8], shape: &[usize], strides: &[usize], size: usize, to: &mut Vec<u8>) {
    match (shape, strides) {
        ([axis], [1]) => to.extend_from_slice(&bytes[..axis * size]),
        ([axis, shape @ ..], [stride, strides @ ..]) => {
            for index in 0..*axis {
                pick(&bytes[index * stride * size..], shape, strides, size, to);
            }
        }
        _ => to.extend_from_slice(&bytes[..size]),
    }
}

/// What a `.safetensors` file calls an element; none for what is no real number.
pub fn element_of(dtype: safetensors::Dtype) -> Option<Element> {
    use safetensors::Dtype;
    Some(match dtype {
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
        _ => return None,
    })
}

/// Little-endian elements as numbers.
pub fn numbers(element: Element, bytes: &[u8]) -> Vec<f64> {
    let mut numbers = Vec::with_capacity(bytes.len() / element.size());
    element.read(bytes, false, |x| numbers.push(x));
    numbers
}

fn unread(path: &Path, reason: &str) -> ArraysError {
    ArraysError::malformed(path, format!("is no file of PyTorch that can be read: {reason}"))
}
