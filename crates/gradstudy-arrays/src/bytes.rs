//! Bytes of a file, read where they are asked for.
//!
//! Plain reads into memory of our own rather than a map: mapped pages count as the process's, so that a matrix larger than
//! the memory it may take would seem to take all there is.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::ArraysError;

/// Bytes of a file from `offset` on.
#[derive(Debug)]
pub(super) struct Bytes {
    #[cfg(unix)]
    file: File,
    #[cfg(not(unix))]
    file: std::sync::Mutex<File>,
    path: PathBuf,
    offset: u64,
}

impl Bytes {
    /// `length` bytes of `file` from `offset` on.
    ///
    /// # Errors
    /// The file is shorter.
    pub fn of(file: File, offset: u64, length: usize, path: &Path) -> Result<Self, ArraysError> {
        let size = file
            .metadata()
            .map_err(|reason| ArraysError::file(path, reason))?
            .len();
        let end = offset.saturating_add(length as u64);
        if size < end {
            let problem = format!("is truncated: {end} bytes are promised and {size} there");
            return Err(ArraysError::malformed(path, problem));
        }
        #[cfg(not(unix))]
        let file = std::sync::Mutex::new(file);
        Ok(Bytes {
            file,
            path: path.to_path_buf(),
            offset,
        })
    }

    /// Fills `buffer` with the bytes from `from` on; several threads may do so at once.
    ///
    /// # Errors
    /// What cannot be read, as when the file was cut off meanwhile.
    pub fn read(&self, from: u64, buffer: &mut [u8]) -> Result<(), ArraysError> {
        self.read_at(self.offset + from, buffer)
            .map_err(|reason| ArraysError::file(&self.path, reason))
    }

    #[cfg(unix)]
    fn read_at(&self, at: u64, buffer: &mut [u8]) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(&self.file, buffer, at)
    }

    #[cfg(not(unix))]
    fn read_at(&self, at: u64, buffer: &mut [u8]) -> io::Result<()> {
        use std::io::{Read, Seek, SeekFrom};
        let mut file = self.file.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(buffer)
    }
}
