//! A temporary file of numbers, for what cannot be read as it lies in its own file.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use std::path::Path;

use super::ArraysError;
use super::bytes::Bytes;
use super::matrix::{Element, Matrix, Order};

/// Numbers on their way to a temporary file without a name, which goes when the matrix does.
pub(super) struct Spill {
    file: BufWriter<File>,
}

impl Spill {
    pub fn new() -> Result<Self, ArraysError> {
        let file = tempfile::tempfile().map_err(ArraysError::temporary)?;
        Ok(Spill {
            file: BufWriter::with_capacity(1 << 20, file),
        })
    }

    pub fn push(&mut self, value: f64) -> Result<(), ArraysError> {
        self.file
            .write_all(&value.to_le_bytes())
            .map_err(ArraysError::temporary)
    }

    /// All bytes of `content`, a part of the file `path`; how many there were.
    pub fn copy(&mut self, content: &mut impl Read, path: &Path) -> Result<u64, ArraysError> {
        let (mut buffer, mut copied) = (vec![0; 1 << 20], 0);
        loop {
            let read = match content.read(&mut buffer) {
                Ok(0) => return Ok(copied),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    let problem = format!("cannot be unpacked: {error}");
                    return Err(ArraysError::malformed(path, problem));
                }
            };
            self.file
                .write_all(&buffer[..read])
                .map_err(ArraysError::temporary)?;
            copied += read as u64;
        }
    }

    /// Of a table of `rows` × `columns` that was pushed row by row, the columns `kept`.
    pub fn select(self, rows: usize, columns: usize, kept: &[usize]) -> Result<Spill, ArraysError> {
        let mut file = self
            .file
            .into_inner()
            .map_err(|error| ArraysError::temporary(error.into_error()))?;
        file.rewind().map_err(ArraysError::temporary)?;
        let mut reader = BufReader::with_capacity(1 << 20, file);
        let (mut selected, mut row) = (Spill::new()?, vec![0; columns * size_of::<f64>()]);
        for _ in 0..rows {
            reader.read_exact(&mut row).map_err(ArraysError::temporary)?;
            let numbers = row.as_chunks::<{ size_of::<f64>() }>().0;
            for &column in kept {
                selected.push(f64::from_le_bytes(numbers[column]))?;
            }
        }
        Ok(selected)
    }

    /// The first `length` bytes.
    pub fn bytes(self, length: usize) -> Result<Bytes, ArraysError> {
        let file = self
            .file
            .into_inner()
            .map_err(|error| ArraysError::temporary(error.into_error()))?;
        Bytes::of(file, 0, length, Path::new("(temporary file)"))
    }

    /// A matrix of what was pushed, row by row.
    pub fn matrix(
        self,
        path: &Path,
        rows: usize,
        column_names: Vec<String>,
        columns: usize,
    ) -> Result<Matrix, ArraysError> {
        Ok(Matrix {
            name: path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
            rows,
            columns,
            column_names,
            element: Element::F64,
            big_endian: false,
            order: Order::Rows,
            bytes: self.bytes(rows * columns * size_of::<f64>())?,
            notes: Vec::new(),
            left_out: Vec::new(),
        })
    }
}
