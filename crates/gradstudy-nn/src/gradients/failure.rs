//! What a device may fail with, and going on with less where its memory does not suffice.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

use miette::Diagnostic;
use thiserror::Error;

/// Why a device gave no gradients.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub enum EngineError {
    #[error("the device's memory does not hold {what}: {reason}")]
    #[diagnostic(
        code(gradstudy::device::out_of_memory),
        help(
            "take a smaller `batch`, free the device of other work (`nvidia-smi` shows it), or use `--device cpu`"
        )
    )]
    OutOfMemory { what: String, reason: String },
    #[error("the device failed: {reason}")]
    #[diagnostic(
        code(gradstudy::device::failed),
        help("see `gradstudy devices`; `--device cpu` needs none of what is missing")
    )]
    Failed { reason: String },
}

impl EngineError {
    /// The error behind what a device says.
    pub fn of(reason: &str) -> EngineError {
        // cubecl's words for an allocation that failed, for one larger than it ever makes, and the driver's own.
        let memory = [
            "out of device memory",
            "can't allocate buffer",
            "CUDA_ERROR_OUT_OF_MEMORY",
        ];
        let reason = reason.to_string();
        match memory.iter().any(|words| reason.contains(words)) {
            true => EngineError::OutOfMemory {
                what: "the work asked for".to_string(),
                reason,
            },
            false => EngineError::Failed { reason },
        }
    }
}

#[cfg(feature = "kernels")]
impl From<crate::kernels::GpuError> for EngineError {
    fn from(error: crate::kernels::GpuError) -> Self {
        EngineError::of(&error.0)
    }
}

/// What `work` gives; a panic on the way (burn's kernels panic where they cannot be started) is an error.
pub fn attempt<T>(work: impl FnOnce() -> Result<T, EngineError>) -> Result<T, EngineError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        Err(EngineError::of(text.unwrap_or("it gave no reason")))
    })
}

/// Does `work` on consecutive ranges of `count` things, `most` at a time; half as many from there on, after `free`,
/// each time the device's memory does not suffice for so many.
pub fn halving(
    count: usize,
    most: usize,
    mut work: impl FnMut(Range<usize>) -> Result<(), EngineError>,
    free: impl Fn(),
) -> Result<(), EngineError> {
    let (mut first, mut most) = (0, most.clamp(1, count.max(1)));
    while first < count {
        let range = first..count.min(first + most);
        match attempt(|| work(range.clone())) {
            Ok(()) => first = range.end,
            Err(EngineError::OutOfMemory { .. }) if range.len() > 1 => {
                free();
                most = range.len() / 2;
            }
            Err(EngineError::OutOfMemory { reason, .. }) => {
                let what = "one minibatch".to_string();
                return Err(EngineError::OutOfMemory { what, reason });
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    /// A device that holds `room` things at once.
    fn run(count: usize, most: usize, room: usize) -> (Result<(), EngineError>, Vec<Range<usize>>, usize) {
        let (mut done, freed) = (Vec::new(), Cell::new(0));
        let result = halving(
            count,
            most,
            |range| {
                if range.len() > room {
                    return Err(EngineError::of("out of device memory allocating 12 bytes"));
                }
                done.push(range);
                Ok(())
            },
            || freed.set(freed.get() + 1),
        );
        (result, done, freed.get())
    }

    #[test]
    fn chunks_are_halved_until_they_fit_and_nothing_is_left_out() {
        assert_eq!(run(10, 4, 4), (Ok(()), vec![0..4, 4..8, 8..10], 0));
        assert_eq!(run(10, 8, 3), (Ok(()), vec![0..2, 2..4, 4..6, 6..8, 8..10], 2));
        assert_eq!(run(3, 100, 100), (Ok(()), vec![0..3], 0));
        assert_eq!(run(0, 5, 5), (Ok(()), vec![], 0));
    }

    #[test]
    fn one_that_does_not_fit_and_other_failures_are_errors() {
        let (result, done, _) = run(4, 4, 0);
        assert!(
            matches!(&result, Err(EngineError::OutOfMemory { what, .. }) if what == "one minibatch"),
            "{result:?}"
        );
        assert!(done.is_empty());
        let other = halving(
            4,
            2,
            |_| Err(EngineError::of("libdevice.10.bc was not found")),
            || (),
        );
        assert!(matches!(other, Err(EngineError::Failed { .. })));
    }

    #[test]
    fn a_panic_is_an_error() {
        let said = attempt::<()>(|| panic!("CUDA_ERROR_OUT_OF_MEMORY in a kernel"));
        assert!(matches!(said, Err(EngineError::OutOfMemory { .. })), "{said:?}");
    }
}
