//! NumPy's archives: a ZIP file with one `NAME.npy` for each array.

use std::fs::File;
use std::io::{self, BufReader, Read};

use npyz::NpyFile;
use zip::ZipArchive;
use zip::result::ZipError;

const ENDING: &str = ".npy";

/// An open `.npz` file.
pub struct Npz {
    archive: ZipArchive<BufReader<File>>,
}

impl Npz {
    /// The archive in `file`.
    ///
    /// # Errors
    /// It is no ZIP file, or cannot be read.
    pub fn new(file: File) -> io::Result<Self> {
        let archive = ZipArchive::new(BufReader::with_capacity(1 << 18, file))?;
        Ok(Npz { archive })
    }

    /// The names of its arrays, in alphabetical order.
    pub fn names(&self) -> Vec<String> {
        let members = self.archive.file_names().flatten();
        let arrays = members.filter_map(|name| name.strip_suffix(ENDING).map(str::to_string));
        let mut names: Vec<String> = arrays.collect();
        names.sort_unstable();
        names
    }

    /// The array of this name, its header read and its numbers not yet; `None` where the archive has none such.
    ///
    /// # Errors
    /// It is packed in a way that NumPy does not use, or is no array.
    pub fn array(&mut self, name: &str) -> io::Result<Option<NpyFile<impl Read + use<'_>>>> {
        match self.archive.by_name(&format!("{name}{ENDING}")) {
            Ok(member) => NpyFile::new(member).map(Some),
            Err(ZipError::FileNotFound) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}
