//! The gradient history G, in memory or in a memory-mapped file.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use memmap2::{MmapMut, MmapOptions};
use miette::Diagnostic;
use thiserror::Error;

use gradstudy_stats::history_view::HistoryView;

/// G: T gradients of n numbers in float32, one after the other.
#[derive(Debug)]
pub struct GradientHistory {
    parameters: usize,
    iterations: usize,
    map: MmapMut,
    file: Option<(File, PathBuf)>,
}

impl GradientHistory {
    /// Room for G in memory.
    pub fn in_memory(parameters: usize, iterations: usize) -> Result<Self, HistoryError> {
        let bytes = Self::bytes(parameters, iterations);
        let map = MmapMut::map_anon(bytes.max(1)).map_err(|reason| HistoryError::Memory { bytes, reason })?;
        // Huge pages make the first touch of a gigabyte several times cheaper; the kernel may decline.
        #[cfg(target_os = "linux")]
        let _ = map.advise(memmap2::Advice::HugePage);
        Ok(GradientHistory {
            parameters,
            iterations,
            map,
            file: None,
        })
    }

    /// Room for G in a file, created or (for a recording that goes on) opened with what it holds.
    pub fn in_file(parameters: usize, iterations: usize, path: &Path) -> Result<Self, HistoryError> {
        let bytes = Self::bytes(parameters, iterations);
        let fail = |reason| HistoryError::File {
            path: path.into(),
            bytes,
            reason,
        };
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(fail)?;
        // Claims the blocks now: a disk that fills up later would end the process instead of the step. Some file
        // systems cannot; there the file is sparse.
        match fs4::FileExt::allocate(&file, bytes as u64) {
            Err(error) if error.kind() != std::io::ErrorKind::Unsupported => return Err(fail(error)),
            _ => {}
        }
        file.set_len(bytes as u64).map_err(fail)?;
        // SAFETY: the file lies in the cache under a lock that this process holds; nobody else shortens it.
        let map = unsafe { MmapMut::map_mut(&file) }.map_err(fail)?;
        Ok(GradientHistory {
            parameters,
            iterations,
            map,
            file: Some((file, path.into())),
        })
    }

    /// G as a file holds it, which is not written to.
    ///
    /// # Errors
    /// The file cannot be read, or has another length.
    pub fn read(parameters: usize, iterations: usize, path: &Path) -> Result<Self, HistoryError> {
        let bytes = Self::bytes(parameters, iterations);
        let fail = |reason| HistoryError::Read {
            path: path.into(),
            reason,
        };
        let file = File::open(path).map_err(fail)?;
        let length = file.metadata().map_err(fail)?.len();
        if length != bytes as u64 {
            let reason = format!("it has {length} bytes, and {bytes} are G");
            return Err(fail(std::io::Error::new(std::io::ErrorKind::InvalidData, reason)));
        }
        // Without room kept for changes: the file may be larger than memory, and nothing is written to the map.
        // SAFETY: a file of a finished step, which nobody writes to.
        let map = unsafe { MmapOptions::new().no_reserve_swap().map_copy(&file) }.map_err(fail)?;
        Ok(GradientHistory {
            parameters,
            iterations,
            map,
            file: Some((file, path.into())),
        })
    }

    /// Bytes that G takes.
    pub fn bytes(parameters: usize, iterations: usize) -> usize {
        parameters * iterations * size_of::<f32>()
    }

    /// n, the number of parameters.
    pub fn parameters(&self) -> usize {
        self.parameters
    }

    /// T, the number of iterations.
    pub fn iterations(&self) -> usize {
        self.iterations
    }

    /// Where G lies, unless it is in memory alone.
    pub fn path(&self) -> Option<&Path> {
        self.file.as_ref().map(|(_, path)| path.as_path())
    }

    /// All of G: gradient t is `values()[t * n..(t + 1) * n]`.
    pub fn values(&self) -> &[f32] {
        bytemuck::cast_slice(&self.map[..Self::bytes(self.parameters, self.iterations)])
    }

    /// All of G, to write to.
    pub fn values_mut(&mut self) -> &mut [f32] {
        let bytes = Self::bytes(self.parameters, self.iterations);
        bytemuck::cast_slice_mut(&mut self.map[..bytes])
    }

    /// G as the statistics take it.
    pub fn view(&self) -> HistoryView<'_> {
        HistoryView::new(self.values(), self.parameters, self.iterations)
    }

    /// Writes a file's pages to the disk; nothing to do in memory.
    pub fn flush(&self) -> Result<(), HistoryError> {
        let Some((_, path)) = &self.file else {
            return Ok(());
        };
        let bytes = self.map.len();
        self.map.flush().map_err(|reason| HistoryError::File {
            path: path.clone(),
            bytes,
            reason,
        })
    }
}

/// Why G has no room.
#[derive(Debug, Error, Diagnostic)]
pub enum HistoryError {
    #[error("cannot get {} MB of memory for the gradient history: {reason}", bytes / 1_000_000)]
    #[diagnostic(
        code(gradstudy::history::memory),
        help("lower `--memory` so that the history goes to a file")
    )]
    Memory { bytes: usize, reason: std::io::Error },
    #[error("cannot keep {} MB of gradient history in `{}`: {reason}", bytes / 1_000_000, path.display())]
    #[diagnostic(
        code(gradstudy::history::file),
        help("make room on that disk, or name another place with `--cache-dir`; finished steps are kept")
    )]
    File {
        path: PathBuf,
        bytes: usize,
        reason: std::io::Error,
    },
    #[error("cannot read the gradient history `{}`: {reason}", path.display())]
    #[diagnostic(
        code(gradstudy::history::read),
        help("remove that folder of the cache and run the study again")
    )]
    Read { path: PathBuf, reason: std::io::Error },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_in_a_file_is_still_there_when_opened_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("history");
        let mut history = GradientHistory::in_file(3, 2, &path).unwrap();
        history
            .values_mut()
            .copy_from_slice(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        history.flush().unwrap();
        drop(history);
        let history = GradientHistory::in_file(3, 2, &path).unwrap();
        assert_eq!(history.view().column(1), [4.0, 5.0, 6.0]);
        drop(history);
        let mut history = GradientHistory::read(3, 2, &path).unwrap();
        history.values_mut()[0] = 9.0;
        drop(history);
        let history = GradientHistory::read(3, 2, &path).unwrap();
        assert_eq!(
            history.view().column(0),
            [1.0, 2.0, 3.0],
            "a history that is read is not written to"
        );
        assert!(GradientHistory::read(3, 3, &path).is_err());
    }
}
