//! How a long test tells how far it is and learns that it should stop.

use std::sync::atomic::{AtomicBool, Ordering};

/// The caller's ends of a running test.
#[derive(Clone, Copy)]
pub struct Monitor<'a> {
    /// Called from any thread with the number of samples finished since its last call.
    pub progress: &'a (dyn Fn(u64) + Sync),
    /// Set by the caller to stop the test at the next sample block.
    pub cancel: &'a AtomicBool,
}

impl Monitor<'_> {
    /// Whether the caller asked to stop.
    pub fn cancelled(&self) -> bool {
        self.cancel.load(Ordering::Relaxed)
    }
}
