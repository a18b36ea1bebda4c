//! One process at a time works on a step; the others wait, and know for whom.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use super::cache_lock::has_no_locks;
use super::{Store, StoreError};
use crate::plan::StepId;

/// Held while a step is worked on. Its file is gone when it is let go.
#[derive(Debug)]
pub struct StepLock {
    file: File,
    path: PathBuf,
    waited: bool,
}

impl StepLock {
    /// Whether another process held it first, and may have made the step.
    pub fn waited(&self) -> bool {
        self.waited
    }
}

impl Drop for StepLock {
    fn drop(&mut self) {
        // Removed while it is held: whoever waits for it sees that its file is another, and opens the new one.
        let _ = fs::remove_file(&self.path);
        let _ = self.file.unlock();
    }
}

impl Store {
    /// Waits until no other process works on the step; `waiting` is told once, and for whom, if one does.
    ///
    /// # Errors
    /// The lock's file cannot be written.
    pub fn lock(&self, id: &StepId, waiting: &dyn Fn(&str)) -> Result<StepLock, StoreError> {
        lock(&self.lock_file(id), waiting)
    }

    /// The lock of a step that nobody works on, this process included.
    ///
    /// # Errors
    /// The lock's file cannot be written.
    pub fn try_lock(&self, id: &StepId) -> Result<Option<StepLock>, StoreError> {
        let path = self.lock_file(id);
        let fail = StoreError::write(&path);
        let file = open(&path).map_err(&fail)?;
        match file.try_lock() {
            Ok(()) if is_at(&file, &path) => Ok(Some(StepLock {
                file,
                path,
                waited: false,
            })),
            Ok(()) | Err(TryLockError::WouldBlock) => Ok(None),
            // Nobody knows: what is there stays.
            Err(TryLockError::Error(reason)) if has_no_locks(&reason) => Ok(None),
            Err(TryLockError::Error(reason)) => Err(fail(reason)),
        }
    }

    fn lock_file(&self, id: &StepId) -> PathBuf {
        self.steps.join(format!("{}-{}.lock", id.0, self.class))
    }
}

fn open(path: &Path) -> std::io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
}

fn lock(path: &Path, waiting: &dyn Fn(&str)) -> Result<StepLock, StoreError> {
    let fail = StoreError::write(path);
    let mut waited = false;
    loop {
        let mut file = open(path).map_err(&fail)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                if !waited {
                    waiting(&holder(&mut file));
                }
                waited = true;
                file.lock().map_err(&fail)?;
            }
            // A file system without locks: a step may be made twice, and the first that is published stays.
            Err(TryLockError::Error(reason)) if has_no_locks(&reason) => {}
            Err(TryLockError::Error(reason)) => return Err(fail(reason)),
        }
        if !is_at(&file, path) {
            continue;
        }
        // For those who wait; a lock that cannot say so is a lock all the same.
        let _ = file.set_len(0);
        let _ = write!(
            file,
            "process {} on {}",
            std::process::id(),
            crate::process::host()
        );
        return Ok(StepLock {
            file,
            path: path.to_path_buf(),
            waited,
        });
    }
}

/// Who holds the lock, as its file says.
fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let _ = file.rewind();
    match file.read_to_string(&mut text) {
        Ok(length) if length > 0 => text,
        _ => "another process".to_string(),
    }
}

/// Whether `file` is still what `path` names.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let same = |a: fs::Metadata, b: fs::Metadata| (a.dev(), a.ino()) == (b.dev(), b.ino());
    match (file.metadata(), fs::metadata(path)) {
        (Ok(ours), Ok(named)) => same(ours, named),
        _ => false,
    }
}

/// Elsewhere a file that is open cannot be removed.
#[cfg(not(unix))]
fn is_at(_: &File, path: &Path) -> bool {
    path.exists()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, Barrier, Mutex};

    #[test]
    fn one_at_a_time_and_no_file_is_left() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = Arc::new(folder.path().join("step.lock"));
        let (inside, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (told, start) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Barrier::new(8)));
        let threads = (0..8).map(|_| {
            let (path, inside, most) = (path.clone(), inside.clone(), most.clone());
            let (told, start) = (told.clone(), start.clone());
            std::thread::spawn(move || {
                start.wait();
                for _ in 0..20 {
                    let tell = |who: &str| told.lock().expect("no panic").push(who.to_string());
                    let held = lock(&path, &tell).expect("locks");
                    most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    std::thread::yield_now();
                    inside.fetch_sub(1, Ordering::SeqCst);
                    drop(held);
                }
            })
        });
        threads
            .collect::<Vec<_>>()
            .into_iter()
            .for_each(|thread| thread.join().expect("no panic"));
        assert_eq!(most.load(Ordering::SeqCst), 1);
        assert!(!path.exists());
        let told = told.lock().expect("no panic");
        assert!(told.iter().all(|who| who.contains("process")), "{told:?}");
    }
}
