//! What the cache keeps of a step: its result, what an interrupted run left of it, and the lock on it.

use std::path::Path;

use super::{ExecuteError, Executor, at};
use crate::plan::{Step, StepId};
use crate::store::{Left, StepLock, StoreError, read_sealed};

impl Executor<'_> {
    /// One file of a finished step, as data.
    pub(super) fn yaml<T: serde::de::DeserializeOwned>(
        &self,
        id: &StepId,
        name: &str,
    ) -> Result<T, StoreError> {
        let bytes = self.store.read(id, name)?;
        serde_yaml::from_slice(&bytes).map_err(|error| {
            let path = self.store.directory(id).join(name);
            StoreError::Damaged {
                path,
                reason: error.to_string(),
            }
        })
    }

    /// Whether the step is in the cache, every byte of it as it was written; a damaged one is set aside with a warning.
    pub(super) fn cached(&self, step: &Step) -> Result<bool, ExecuteError> {
        let warn = |damage: &str| self.observer.warn(damage);
        let there = self
            .store
            .has_whole(&step.id, &warn)
            .map_err(|cause| at(step, cause))?;
        if there {
            self.discard_leftover(step);
        }
        Ok(there)
    }

    /// Removes what a process that was killed after its work left of it; what cannot be removed, as from a cache that may only
    /// be read, stays.
    pub(super) fn discard_leftover(&self, step: &Step) {
        if !self.store.partial(&step.id).exists() {
            return;
        }
        // Not that of a process at work.
        if let Ok(Some(_lock)) = self.store.try_lock(&step.id) {
            let _ = self.store.discard_partial(&step.id);
        }
    }

    /// What an interrupted run left of `step` in a file; nothing, with a warning, where it is damaged.
    pub(super) fn left(&self, step: &Step, path: &Path) -> Option<Vec<u8>> {
        match read_sealed(path) {
            Left::Nothing => None,
            Left::Whole(bytes) => Some(bytes),
            Left::Damaged => {
                self.warn_of_damage(step, path);
                None
            }
        }
    }

    /// Says that what an interrupted run left is of no use.
    pub(super) fn warn_of_damage(&self, step: &Step, file: &Path) {
        self.observer.warn(&format!(
            "`{}` is not as it was written: {} begins anew",
            file.display(),
            step.label
        ));
    }

    /// Waits until no other process works on `step`, and says for whom.
    pub(super) fn lock(&self, step: &Step) -> Result<StepLock, ExecuteError> {
        let waiting = |holder: &str| self.observer.waiting(step, holder);
        self.store
            .lock(&step.id, &waiting)
            .map_err(|cause| at(step, cause))
    }
}
