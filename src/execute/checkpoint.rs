//! Sums that are kept on the disk on the way: by windows of rows, or by passes over the minibatches.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use bytemuck::cast_slice;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use super::Executor;
use super::targets::Target;
use crate::plan::Step;
use crate::plan::route::Split;
use crate::spectra::SpectrumError;
use crate::spectra::products::Precision;
use crate::store::replace_sealed;

/// Sums on the disk: the products of many rows are not made twice.
pub(super) struct Checkpoint {
    folder: PathBuf,
    path: PathBuf,
    saved: Instant,
    took: Duration,
    /// What the file held when the work began.
    left: Option<Vec<u8>>,
}

/// Saving takes a part of the time between two saves that is no larger than this.
const SHARE: u32 = 20;

/// The name of the file of sums in `precision`, or in both.
fn file_name(of: &str, precision: Option<Precision>, centred: bool) -> String {
    let around = if centred { "-centred" } else { "" };
    let precision = precision.map_or("both".to_string(), |precision| format!("{precision:?}"));
    format!("{of}-{precision}{around}.safetensors").to_lowercase()
}

/// The pieces or passes that were added.
const DONE: &str = "done";

impl Checkpoint {
    /// The sums of `step` in `precision`, or in both, with what an interrupted run left of them; `of` tells ways to add
    /// apart.
    pub fn new(
        executor: &Executor,
        step: &Step,
        of: &str,
        precision: Option<Precision>,
        centred: bool,
    ) -> Self {
        let folder = executor.store.partial(&step.id);
        let path = folder.join(file_name(of, precision, centred));
        let left = executor.left(step, &path);
        Self::within(folder, path, left)
    }

    pub(super) fn within(folder: PathBuf, path: PathBuf, left: Option<Vec<u8>>) -> Self {
        Checkpoint {
            path,
            folder,
            saved: Instant::now(),
            took: Duration::ZERO,
            left,
        }
    }

    /// Keeps the sums over the first `done` pieces (or passes), unless it did so a moment ago. What cannot be kept is only
    /// made again. Errors: a GPU that has a part of the sums has failed.
    pub fn save(&mut self, targets: &mut [Target], done: usize) -> Result<(), SpectrumError> {
        if self.saved.elapsed() < self.took * SHARE {
            return Ok(());
        }
        let start = Instant::now();
        for target in targets.iter_mut() {
            target.sums.settle()?;
        }
        let state: Vec<(String, Vec<f64>)> = targets
            .iter()
            .enumerate()
            .flat_map(|(i, target)| {
                let state = target.sums.save().into_iter();
                state.map(move |(name, numbers)| (format!("{i} {:?} {name}", target.split), numbers))
            })
            .collect();
        let tensors = state.iter().filter_map(|(name, numbers)| {
            let view = TensorView::new(Dtype::F64, vec![numbers.len()], cast_slice(numbers));
            Some((name.as_str(), view.ok()?))
        });
        let facts = std::collections::HashMap::from([(DONE.to_string(), done.to_string())]);
        if let Ok(bytes) = safetensors::serialize(tensors, Some(facts))
            && std::fs::create_dir_all(&self.folder).is_ok()
        {
            let _ = replace_sealed(&self.path, bytes);
        }
        (self.took, self.saved) = (start.elapsed(), Instant::now());
        Ok(())
    }

    /// Puts every target where the file left it, and says how many pieces (or passes) that is: 0, with empty sums, where there is no
    /// file that fits.
    pub fn resume(&mut self, targets: &mut [Target]) -> usize {
        let left = self.left.take();
        let restored = || -> Option<usize> {
            let bytes = left?;
            let (_, header) = SafeTensors::read_metadata(&bytes).ok()?;
            let done = header.metadata().as_ref()?.get(DONE)?.parse().ok()?;
            let file = SafeTensors::deserialize(&bytes).ok()?;
            let tensor = |i: usize, split: &Split, name: &str| -> Option<Vec<f64>> {
                let tensor = file.tensor(&format!("{i} {split:?} {name}")).ok()?;
                let numbers = tensor.data().as_chunks::<8>().0.iter();
                Some(numbers.map(|bytes| f64::from_le_bytes(*bytes)).collect())
            };
            let fits = |i: usize, target: &Target| tensor(i, &target.split, "products").is_some();
            if !targets.iter().enumerate().all(|(i, target)| fits(i, target)) {
                return None;
            }
            for (i, target) in targets.iter_mut().enumerate() {
                let split = target.split.clone();
                if !target.sums.restore(&|name| tensor(i, &split, name)) {
                    return None;
                }
            }
            Some(done)
        };
        let Some(done) = restored() else {
            targets
                .iter_mut()
                .for_each(|target| target.sums = target.sums.emptied());
            return 0;
        };
        done
    }
}
