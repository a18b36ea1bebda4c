//! Libraries that panic on damaged files.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    /// Whether this thread's panics are errors of a file, which are shown as such.
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

static FILTER: Once = Once::new();

/// What `read` gives, or the words of its panic.
pub(super) fn guarded<T>(read: impl FnOnce() -> T) -> Result<T, String> {
    FILTER.call_once(|| {
        let shown = take_hook();
        set_hook(Box::new(move |panic| {
            if !QUIET.get() {
                shown(panic);
            }
        }));
    });
    let before = QUIET.replace(true);
    let found = catch_unwind(AssertUnwindSafe(read));
    QUIET.set(before);
    found.map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        text.unwrap_or("it gives no reason").to_string()
    })
}
