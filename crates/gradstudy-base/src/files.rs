//! Files that a user names: regular ones alone. A pipe may never end or never begin, a device neither.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

/// Opens a regular file for reading.
///
/// # Errors
/// It cannot be opened, or is a folder, a pipe, a socket or a device.
pub fn open(path: &Path) -> io::Result<File> {
    // Asked before it is opened: to open a pipe that nobody writes to takes for ever.
    let what = fs::metadata(path)?.file_type();
    match what.is_file() {
        true => File::open(path),
        false if what.is_dir() => Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder")),
        false => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is no regular file, but a pipe, a socket or a device",
        )),
    }
}

/// Reads a regular file whole.
///
/// # Errors
/// See [`open`]; or it cannot be read.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = open(path)?;
    let length = file.metadata()?.len();
    let mut bytes = Vec::new();
    // A file may claim to be larger than any memory.
    bytes
        .try_reserve_exact(usize::try_from(length).unwrap_or(usize::MAX))
        .map_err(|_| {
            io::Error::new(
                io::ErrorKind::OutOfMemory,
                format!("{length} bytes do not fit into memory"),
            )
        })?;
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_regular_files_are_read() {
        let folder = std::env::temp_dir();
        assert_eq!(open(&folder).unwrap_err().kind(), io::ErrorKind::IsADirectory);
        #[cfg(unix)]
        assert_eq!(
            read(Path::new("/dev/zero")).unwrap_err().kind(),
            io::ErrorKind::InvalidInput
        );
        assert_eq!(
            read(Path::new("no such file")).unwrap_err().kind(),
            io::ErrorKind::NotFound
        );
    }
}
