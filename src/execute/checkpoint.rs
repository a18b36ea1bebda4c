//! Sums that are kept on the disk on the way: by windows of rows, or by passes over the minibatches.

use std::ops::Range;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use bytemuck::cast_slice;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use super::sums::Target;
use super::{ExecuteError, Executor};
use crate::plan::Step;
use crate::spectra::SpectrumError;
use crate::spectra::products::Precision;
use crate::store::replace_sealed;

/// Adds the rows of G to every target, window by window; `Ok(false)` if cancelled. `window(rows)` adds one; `failed` makes
/// an error of what the sums' device says.
pub(super) fn by_windows(
    parameters: usize,
    height: usize,
    targets: &mut [Target],
    checkpoint: &mut Checkpoint,
    failed: impl Fn(SpectrumError) -> ExecuteError,
    mut window: impl FnMut(Range<usize>, &mut [Target]) -> Result<bool, ExecuteError>,
) -> Result<bool, ExecuteError> {
    let mut first = checkpoint.resume(targets);
    while first < parameters {
        let rows = first..parameters.min(first + height);
        if targets.iter().any(|target| target.wants(&rows)) && !window(rows.clone(), targets)? {
            return Ok(false);
        }
        first = rows.end;
        if first < parameters {
            checkpoint.save(targets, first).map_err(&failed)?;
        }
    }
    Ok(true)
}

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

fn file_name(of: &str, precision: Precision, centred: bool) -> String {
    let around = if centred { "-centred" } else { "" };
    format!("{of}-{precision:?}{around}.safetensors").to_lowercase()
}

/// The rows or passes that were added.
const ROWS: &str = "rows";

impl Checkpoint {
    /// The sums of `step`, with what an interrupted run left of them; `of` tells ways to add apart.
    pub fn new(executor: &Executor, step: &Step, of: &str, precision: Precision, centred: bool) -> Self {
        let folder = executor.store.partial(&step.id);
        let path = folder.join(file_name(of, precision, centred));
        let left = executor.left(step, &path);
        Self::within(folder, path, left)
    }

    fn within(folder: PathBuf, path: PathBuf, left: Option<Vec<u8>>) -> Self {
        Checkpoint {
            path,
            folder,
            saved: Instant::now(),
            took: Duration::ZERO,
            left,
        }
    }

    /// Keeps the sums over the first `done` rows (or passes), unless it did so a moment ago. What cannot be kept is only
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
                state.map(move |(name, numbers)| (format!("{i} {:?} {name}", target.rows), numbers))
            })
            .collect();
        let tensors = state.iter().filter_map(|(name, numbers)| {
            let view = TensorView::new(Dtype::F64, vec![numbers.len()], cast_slice(numbers));
            Some((name.as_str(), view.ok()?))
        });
        let facts = std::collections::HashMap::from([(ROWS.to_string(), done.to_string())]);
        if let Ok(bytes) = safetensors::serialize(tensors, Some(facts))
            && std::fs::create_dir_all(&self.folder).is_ok()
        {
            let _ = replace_sealed(&self.path, bytes);
        }
        (self.took, self.saved) = (start.elapsed(), Instant::now());
        Ok(())
    }

    /// Puts every target where the file left it, and says how many rows (or passes) that is: 0, with empty sums, where there is no
    /// file that fits.
    pub fn resume(&mut self, targets: &mut [Target]) -> usize {
        let left = self.left.take();
        let restored = || -> Option<usize> {
            let bytes = left?;
            let (_, header) = SafeTensors::read_metadata(&bytes).ok()?;
            let done = header.metadata().as_ref()?.get(ROWS)?.parse().ok()?;
            let file = SafeTensors::deserialize(&bytes).ok()?;
            let tensor = |i: usize, rows: &[Range<usize>], name: &str| -> Option<Vec<f64>> {
                let tensor = file.tensor(&format!("{i} {rows:?} {name}")).ok()?;
                let numbers = tensor.data().as_chunks::<8>().0.iter();
                Some(numbers.map(|bytes| f64::from_le_bytes(*bytes)).collect())
            };
            let fits = |i: usize, target: &Target| tensor(i, &target.rows, "products").is_some();
            if !targets.iter().enumerate().all(|(i, target)| fits(i, target)) {
                return None;
            }
            for (i, target) in targets.iter_mut().enumerate() {
                let rows = target.rows.clone();
                if !target.sums.restore(&|name| tensor(i, &rows, name)) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spectra::Multiplier;
    use crate::stats::history_view::HistoryView;
    use crate::stats::monitor::Monitor;
    use crate::store::{Left, read_sealed};

    #[test]
    fn sums_go_on_at_the_last_finished_window() {
        let (n, t, height) = (1000, 20, 128);
        let values: Vec<f32> = (0..n * t).map(|i| ((i * i) as f32).sin()).collect();
        let view = HistoryView::new(&values, n, t);
        let folder = tempfile::tempdir().unwrap();
        let run = |stop_at: usize| {
            let target = |rows| Target::new(rows, t, false, Precision::Single, &Multiplier::Host);
            let mut targets = [target(vec![0..n]), target(vec![10..300, 700..800])];
            let path = folder.path().join(file_name("test", Precision::Single, false));
            let left = match read_sealed(&path) {
                Left::Whole(bytes) => Some(bytes),
                _ => None,
            };
            let mut checkpoint = Checkpoint::within(folder.path().to_path_buf(), path, left);
            let mut windows = Vec::new();
            let failed = |error: SpectrumError| unreachable!("the host does not fail: {error}");
            let done = by_windows(
                n,
                height,
                &mut targets,
                &mut checkpoint,
                failed,
                |rows, targets| {
                    // Every window is kept, however short.
                    windows.push(rows.start);
                    if rows.start == stop_at {
                        return Ok(false);
                    }
                    for target in targets {
                        target
                            .add(view, rows.clone(), rows.start, None, &Monitor::SILENT)
                            .unwrap();
                    }
                    Ok(true)
                },
            );
            (done.unwrap(), windows, targets.map(|target| target.sums.save()))
        };
        let (whole, windows, expected) = run(n);
        assert!(whole && windows[0] == 0);
        std::fs::remove_dir_all(folder.path()).unwrap();
        let (whole, windows, _) = run(3 * height);
        assert!(!whole && windows.len() == 4);
        let (whole, windows, found) = run(n);
        assert!(whole && windows[0] > 0, "began anew: {windows:?}");
        assert_eq!(found, expected);
        // A file that is none of these starts over.
        std::fs::write(folder.path().join("test-single.safetensors"), b"damaged").unwrap();
        let (_, windows, found) = run(n);
        assert_eq!((windows[0], found), (0, expected));
    }
}
