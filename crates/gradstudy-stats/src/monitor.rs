//! How a long test tells how far it is and learns that it should stop.

use std::sync::atomic::{AtomicBool, Ordering};

static NEVER: AtomicBool = AtomicBool::new(false);

/// The caller's ends of a running test.
#[derive(Clone, Copy)]
pub struct Monitor<'a> {
    /// Called from any thread with the number of samples finished since its last call.
    pub progress: &'a (dyn Fn(u64) + Sync),
    /// Set by the caller to stop the test at the next sample block.
    pub cancel: &'a AtomicBool,
}

impl<'a> Monitor<'a> {
    /// One that listens to nothing and is never cancelled.
    pub const SILENT: Monitor<'static> = Monitor {
        progress: &|_| (),
        cancel: &NEVER,
    };

    /// The same cancel flag, and nobody to tell how far it is.
    pub fn without_progress(&self) -> Self {
        Monitor {
            progress: &|_| (),
            cancel: self.cancel,
        }
    }

    /// Whether the caller asked to stop.
    pub fn cancelled(&self) -> bool {
        self.cancel.load(Ordering::Relaxed)
    }
}
