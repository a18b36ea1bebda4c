//! How much memory one thing that is read whole from a file may take, so that a small file that was made for it, or a damaged
//! one, does not take all there is.

use std::sync::atomic::{AtomicU64, Ordering};

/// The limit where nobody sets another: 1 GiB.
pub const DEFAULT: u64 = 1 << 30;

static LIMIT: AtomicU64 = AtomicU64::new(DEFAULT);

/// Sets the limit for this process, in bytes.
pub fn set(bytes: u64) {
    LIMIT.store(bytes, Ordering::Relaxed);
}

/// The most bytes that one image, or what an archive unpacks to, may take.
pub fn bytes() -> u64 {
    LIMIT.load(Ordering::Relaxed)
}

/// The most bytes of one line of text: a sixteenth, since its fields take more than its text.
pub fn line() -> u64 {
    bytes() / 16
}

/// The most objects of one pickle: each takes about a hundred bytes.
pub fn objects() -> u64 {
    bytes() / 128
}

/// `1 GiB`, `64 MiB`, `100 bytes`.
pub fn words(bytes: u64) -> String {
    for (unit, size) in [("GiB", 1u64 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)] {
        if bytes >= size {
            return match bytes % size {
                0 => format!("{} {unit}", bytes / size),
                _ => format!("{:.1} {unit}", bytes as f64 / size as f64),
            };
        }
    }
    format!("{bytes} bytes")
}

/// What to do about a file that exceeds the limit.
pub const HELP: &str = "`--limit 8GB` raises the limit, if the file can be trusted";

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn sizes_in_words() {
        assert_eq!(
            [words(1 << 30), words(64 << 20), words(1_500_000_000), words(100)],
            ["1 GiB", "64 MiB", "1.4 GiB", "100 bytes"]
        );
    }
}
