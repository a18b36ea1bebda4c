//! Room for large arrays of numbers, and caches that are told what is read next.

use std::alloc::{Layout, handle_alloc_error};
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

use bytemuck::Pod;
use memmap2::MmapMut;

/// Bytes of memory that the system could still give, if it tells.
pub fn available() -> Option<u64> {
    let mut system = sysinfo::System::new().ok()?;
    system.refresh_memory();
    Some(system.available_memory())
}

/// `count` zeros, or `None` where the system does not give the memory.
pub fn try_zeros(count: usize) -> Option<Vec<f32>> {
    let mut numbers = Vec::new();
    numbers.try_reserve_exact(count).ok()?;
    numbers.resize(count, 0.0);
    Some(numbers)
}

/// Numbers that begin as zeros and lie on pages of their own: aligned to cache lines, which vectors then do not straddle,
/// and on huge pages where the system has them, which makes their first touch several times cheaper.
#[derive(Debug)]
pub struct Pages<T> {
    map: Option<MmapMut>,
    kind: PhantomData<T>,
}

impl<T: Pod> Pages<T> {
    /// `count` zeros. As with `Vec`, there is no going on without the memory.
    pub fn zeros(count: usize) -> Self {
        let bytes = count * size_of::<T>();
        let map = (bytes > 0).then(|| match MmapMut::map_anon(bytes) {
            Ok(map) => map,
            Err(_) => handle_alloc_error(Layout::array::<T>(count).unwrap_or(Layout::new::<T>())),
        });
        #[cfg(target_os = "linux")]
        if let Some(map) = &map {
            // The kernel may decline.
            let _ = map.advise(memmap2::Advice::HugePage);
        }
        Pages {
            map,
            kind: PhantomData,
        }
    }
}

impl<T: Pod> Deref for Pages<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        self.map.as_deref().map_or(&[], bytemuck::cast_slice)
    }
}

impl<T: Pod> DerefMut for Pages<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        self.map.as_deref_mut().map_or(&mut [], bytemuck::cast_slice_mut)
    }
}

/// Asks for the cache lines of `values`, which are soon to be read.
pub fn prefetch<T>(values: &[T]) {
    let line = (64 / size_of::<T>()).max(1);
    for values in values.chunks(line) {
        fetch_l1(values.as_ptr());
    }
}

/// Asks for the cache line of `place` in the first-level cache; any address will do.
#[inline(always)]
#[cfg(target_arch = "x86_64")]
pub fn fetch_l1<T>(place: *const T) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    // SAFETY: a prefetch of any address changes nothing but caches.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(place.cast()) };
}

/// Asks for the cache line of `place` in the second-level cache; any address will do.
#[inline(always)]
#[cfg(target_arch = "x86_64")]
pub fn fetch_l2<T>(place: *const T) {
    use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
    // SAFETY: a prefetch of any address changes nothing but caches.
    unsafe { _mm_prefetch::<_MM_HINT_T1>(place.cast()) };
}

#[cfg(not(target_arch = "x86_64"))]
pub fn fetch_l1<T>(_: *const T) {}

#[cfg(not(target_arch = "x86_64"))]
pub fn fetch_l2<T>(_: *const T) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_zeros_on_cache_lines() {
        let mut pages = Pages::<f32>::zeros(100_001);
        assert_eq!(pages.len(), 100_001);
        assert!(pages.iter().all(|&x| x == 0.0));
        assert_eq!(pages.as_ptr().align_offset(64), 0);
        pages[100_000] = 3.0;
        prefetch(&pages);
        assert_eq!(pages[100_000], 3.0);
        assert!(Pages::<f64>::zeros(0).is_empty());
    }
}
