//! One digest of several files as they lie on the disk.

use std::path::PathBuf;

/// BLAKE3 (hex) of the length and bytes of each file, in that order. Errors: the file that cannot be read.
pub(super) fn file_digest(paths: &[PathBuf]) -> Result<String, (PathBuf, std::io::Error)> {
    let mut hasher = blake3::Hasher::new_derive_key("gradstudy data files 1: length and bytes of each file");
    for path in paths {
        let mut add = || {
            let file = gradstudy_base::files::open(path)?;
            hasher.update(&file.metadata()?.len().to_le_bytes());
            hasher.update_reader(file)?;
            Ok(())
        };
        add().map_err(|reason| (path.clone(), reason))?;
    }
    Ok(hasher.finalize().to_hex().to_string())
}
