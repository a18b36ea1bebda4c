//! The power-law test of many samples at once: the K largest absolute values of each, and the law fitted to them.
//!
//! One cube tests one sample. The bits of |x|, read as a whole number (its *key*), are in the order of |x|; a bisection
//! on the keys finds a threshold with K or a few more at or above it, which are sorted in shared memory.

use cubecl::prelude::*;

use super::reduce::{before, largest, total};
use super::{Buffer, Gpu};

/// All bits but the sign.
const MAGNITUDE: u32 = 0x7fff_ffff;

/// Key of infinity; a larger one is NaN.
const INFINITY: u32 = f32::INFINITY.to_bits();

/// Numbers of a sample that is worth more threads.
const LONG: usize = 16_384;

/// Numbers of [`Gpu::power_laws`] for each sample.
pub const NUMBERS: usize = 3;

/// In place of Σ ln(x/x_min): a value is not finite.
pub const NOT_FINITE: f64 = -1.0;
/// All values are equal.
pub const CONSTANT: f64 = -2.0;
/// The K-th largest value is zero, or the K largest are equal.
pub const TOO_FEW: f64 = -3.0;

impl Gpu {
    /// Most points of a tail: twice as many keys take 32 KB of shared memory, of 48 KB that every GPU has.
    pub const TAIL_POINTS: usize = 4096;

    /// The power law fitted to the `k` largest |x| of each sample of `values`, which are `length` long, and its distance
    /// from them: Σ ln(x/x_min), x_min and d_ks, or one of [`NOT_FINITE`], [`CONSTANT`] and [`TOO_FEW`] and two zeros.
    ///
    /// 2 ≤ k ≤ `length`, and k ≤ [`Gpu::TAIL_POINTS`]. `two_sided`: both sides of the empirical distribution's steps.
    pub fn power_laws(&self, values: &Buffer, length: usize, k: usize, two_sided: bool) -> Buffer {
        assert!(2 <= k && k <= length && k <= Gpu::TAIL_POINTS);
        let samples = values.len / length;
        let found = self.empty_wide(samples * NUMBERS);
        // There may be fewer long samples than a GPU has multiprocessors.
        let threads = match self.threads {
            256 if length >= LONG => 1024,
            threads => threads,
        };
        power_laws::launch(
            &self.client,
            CubeCount::Static(samples as u32, 1, 1),
            CubeDim::new_1d(threads as u32),
            values.address().max(found.address()),
            values.arg(),
            found.arg(),
            length,
            k,
            two_sided,
            (2 * k).next_power_of_two().max(1024),
            threads,
        );
        found
    }
}

/// The key of |x|.
#[cube]
fn key(x: f32) -> u32 {
    u32::reinterpret(x) & MAGNITUDE
}

/// Nearly the logarithm of a count, in a unit of its own: the bits of a float rise as its logarithm.
#[cube]
fn log_of_count(count: u32) -> f32 {
    f32::cast_from(u32::reinterpret(f32::cast_from(count) + 0.5f32))
}

#[cube]
fn absolute(x: f64) -> f64 {
    let mut size = x;
    if x < 0.0f64 {
        size = -x;
    }
    size
}

#[cube(launch, address_type = "dynamic")]
fn power_laws(
    values: &Tensor<f32>,
    found: &mut Tensor<f64>,
    length: usize,
    k: usize,
    #[comptime] two_sided: bool,
    #[comptime] room: usize,
    #[comptime] threads: usize,
) {
    let mut counts = Shared::<[u32]>::new_slice(threads);
    let mut sums = Shared::<[f64]>::new_slice(threads);
    let mut keys = Shared::<[u32]>::new_slice(room);
    let unit = UNIT_POS as usize;
    let first = CUBE_POS_X as usize * length;
    let result = CUBE_POS_X as usize * NUMBERS;

    let mut most = 0u32;
    // The complement of a key is largest where the key is least.
    let mut least = 0u32;
    let mut i = unit;
    while i < length {
        let key = key(values[first + i]);
        most = max(most, key);
        least = max(least, MAGNITUDE - key);
        i += threads;
    }
    let most = largest::<u32>(most, &mut counts, threads);
    let least = MAGNITUDE - largest::<u32>(least, &mut counts, threads);
    let mut log_sum = TOO_FEW.runtime();
    let mut x_min = 0.0f64;
    let mut distance = 0.0f64;
    if most >= INFINITY {
        log_sum = NOT_FINITE;
    } else if most == least {
        log_sum = CONSTANT;
    } else {
        // `at_low` ≥ k keys are ≥ low, `at_high` < k are ≥ high.
        let mut low = least;
        let mut at_low = length as u32;
        let mut high = most + 1;
        let mut at_high = 0u32;
        let aim = log_of_count(k as u32);
        let mut halve = 0u32;
        while at_low > comptime!(room as u32) && high - low > 1 {
            let width = high - low;
            // Tails fall off about exponentially in the bits: log counts are near a line.
            let mut step = width / 2;
            if halve == 0 {
                let above = log_of_count(at_low);
                let share = (above - aim) / (above - log_of_count(at_high));
                step = u32::cast_from(f32::cast_from(width) * share);
            }
            let middle = low + min(max(step, 1u32), width - 1);
            let mut own = 0u32;
            let mut i = unit;
            while i < length {
                if key(values[first + i]) >= middle {
                    own += 1;
                }
                i += threads;
            }
            let above = total::<u32>(own, &mut counts, threads);
            if above as usize >= k {
                low = middle;
                at_low = above;
            } else {
                high = middle;
                at_high = above;
            }
            // A step that left more than half is followed by one that does not.
            if halve == 0 && high - low > width / 2 {
                halve = 1u32;
            } else {
                halve = 0u32;
            }
        }
        // Where more keys than there is room for are equal to `low`, that is the K-th largest: it fills the rest.
        let mut threshold = low;
        let mut count = at_low as usize;
        let mut fill = 0u32;
        if at_low > comptime!(room as u32) {
            threshold = high;
            count = at_high as usize;
            fill = low;
        }
        let mut own = 0u32;
        let mut i = unit;
        while i < length {
            if key(values[first + i]) >= threshold {
                own += 1;
            }
            i += threads;
        }
        let mut place = before(own, &mut counts, threads) as usize;
        let mut i = unit;
        while i < length {
            let key = key(values[first + i]);
            if key >= threshold {
                keys[place] = key;
                place += 1;
            }
            i += threads;
        }
        let mut size = 2usize;
        while size < max(count, k) {
            size *= 2;
        }
        let mut i = count + unit;
        while i < size {
            keys[i] = fill;
            i += threads;
        }
        sync_cube();
        descending(&mut keys, size, threads);

        let last = keys[k - 1];
        if last > 0 && last < keys[0] {
            x_min = f64::cast_from(f32::reinterpret(last));
            let scale = 1.0f64 / x_min;
            let mut own = 0.0f64;
            let mut i = unit;
            while i < k {
                own += (f64::cast_from(f32::reinterpret(keys[i])) * scale).ln();
                i += threads;
            }
            log_sum = total::<f64>(own, &mut sums, threads);
            let points = f64::cast_from(k as u32);
            let slope = points / log_sum;
            let mut farthest = 0.0f64;
            let mut i = unit;
            while i < k {
                let log = (f64::cast_from(f32::reinterpret(keys[i])) * scale).ln();
                let cdf = 1.0f64 - (-slope * log).exp();
                // Ranks count from the smallest.
                let rank = f64::cast_from((k - 1 - i) as u32);
                farthest = max(farthest, absolute(cdf - rank / points));
                if two_sided {
                    farthest = max(farthest, absolute(cdf - (rank + 1.0f64) / points));
                }
                i += threads;
            }
            distance = largest::<f64>(farthest, &mut sums, threads);
        }
    }
    if unit == 0 {
        found[result] = log_sum;
        found[result + 1] = x_min;
        found[result + 2] = distance;
    }
}

/// Sorts the first `size` keys, a power of two (K. E. Batcher's bitonic network).
#[cube]
fn descending(keys: &mut Shared<[u32]>, size: usize, #[comptime] threads: usize) {
    let mut block = 2usize;
    while block <= size {
        let mut half = block / 2;
        while half > 0 {
            let mut pair = UNIT_POS as usize;
            while pair < size / 2 {
                let within = pair & (half - 1);
                let i = (pair - within) * 2 + within;
                let a = keys[i];
                let b = keys[i + half];
                let falling = (i & block) == 0;
                if (a < b) == falling {
                    keys[i] = b;
                    keys[i + half] = a;
                }
                pair += threads;
            }
            sync_cube();
            half /= 2;
        }
        block *= 2;
    }
}
