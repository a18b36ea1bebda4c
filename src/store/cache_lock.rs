//! A lock of the whole cache, for those who use steps and those who free them.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;

use super::StoreError;

/// Lies in the cache.
const FILE: &str = "lock";

/// Shared while a run is registered (its steps are safe from then on) or unregistered work goes on; held by one alone while
/// steps are freed.
#[derive(Debug)]
pub struct CacheLock {
    /// Let go when it is closed; none where the file system has no locks.
    file: Option<File>,
}

impl CacheLock {
    /// Waits until nobody frees steps of the cache under `root`; `waiting` is called once if somebody does.
    ///
    /// # Errors
    /// The lock's file cannot be written.
    pub fn shared(root: &Path, waiting: &dyn Fn()) -> Result<Self, StoreError> {
        acquire(root, waiting, File::try_lock_shared, File::lock_shared)
    }

    /// Waits until nobody else holds the lock of the cache under `root`; `waiting` is called once if somebody does.
    ///
    /// # Errors
    /// The lock's file cannot be written.
    pub fn alone(root: &Path, waiting: &dyn Fn()) -> Result<Self, StoreError> {
        acquire(root, waiting, File::try_lock, File::lock)
    }

    /// Whether the file system has locks.
    pub fn is_held(&self) -> bool {
        self.file.is_some()
    }
}

/// Whether the file system has no locks: some network file systems say so one way or another.
pub fn has_no_locks(error: &io::Error) -> bool {
    // ENOSYS, ENOLCK and EOPNOTSUPP of Linux.
    error.kind() == io::ErrorKind::Unsupported || matches!(error.raw_os_error(), Some(37 | 38 | 95))
}

fn acquire(
    root: &Path,
    waiting: &dyn Fn(),
    attempt: fn(&File) -> Result<(), TryLockError>,
    wait: fn(&File) -> io::Result<()>,
) -> Result<CacheLock, StoreError> {
    let path = root.join(FILE);
    let fail = StoreError::write(&path);
    fs::create_dir_all(root).map_err(&fail)?;
    let opened = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path);
    let file = opened.map_err(&fail)?;
    let locked = match attempt(&file) {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => {
            waiting();
            wait(&file)
        }
        Err(TryLockError::Error(reason)) => Err(reason),
    };
    match locked {
        Ok(()) => Ok(CacheLock { file: Some(file) }),
        Err(reason) if has_no_locks(&reason) => Ok(CacheLock { file: None }),
        Err(reason) => Err(fail(reason)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};

    #[test]
    fn many_share_it_and_one_waits_for_all() {
        let folder = tempfile::tempdir().expect("a folder");
        let never = || panic!("nobody waits");
        let first = CacheLock::shared(folder.path(), &never).expect("locks");
        let second = CacheLock::shared(folder.path(), &never).expect("locks");
        let (waits, has) = (AtomicBool::new(false), AtomicBool::new(false));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let waiting = || waits.store(true, Ordering::SeqCst);
                let alone = CacheLock::alone(folder.path(), &waiting).expect("locks");
                has.store(true, Ordering::SeqCst);
                drop(alone);
            });
            while !waits.load(Ordering::SeqCst) {
                std::thread::yield_now();
            }
            drop(first);
            assert!(!has.load(Ordering::SeqCst), "one still shares it");
            drop(second);
        });
        assert!(has.load(Ordering::SeqCst));
    }
}
