//! What all threads of a cube find out together.

use cubecl::prelude::*;

/// The sum of `value` over the cube's threads, to all of them; always in the same order.
#[cube]
pub(super) fn total<N: Numeric>(value: N, parts: &mut Shared<[N]>, #[comptime] threads: usize) -> N {
    let unit = UNIT_POS as usize;
    sync_cube();
    parts[unit] = value;
    sync_cube();
    let mut half = comptime!(threads / 2).runtime();
    while half > 0 {
        if unit < half {
            let other = parts[unit + half];
            parts[unit] += other;
        }
        sync_cube();
        half /= 2;
    }
    parts[0]
}

/// The largest `value` of the cube's threads, to all of them.
#[cube]
pub(super) fn largest<N: Numeric>(value: N, parts: &mut Shared<[N]>, #[comptime] threads: usize) -> N {
    let unit = UNIT_POS as usize;
    sync_cube();
    parts[unit] = value;
    sync_cube();
    let mut half = comptime!(threads / 2).runtime();
    while half > 0 {
        if unit < half {
            let other = parts[unit + half];
            if other > parts[unit] {
                parts[unit] = other;
            }
        }
        sync_cube();
        half /= 2;
    }
    parts[0]
}

/// The sum of `value` over the threads before this one.
#[cube]
pub(super) fn before(value: u32, parts: &mut Shared<[u32]>, #[comptime] threads: usize) -> u32 {
    let unit = UNIT_POS as usize;
    sync_cube();
    parts[unit] = value;
    sync_cube();
    let mut reach = 1usize;
    while reach < threads {
        let mut other = 0u32;
        if unit >= reach {
            other = parts[unit - reach];
        }
        sync_cube();
        parts[unit] += other;
        sync_cube();
        reach *= 2;
    }
    parts[unit] - value
}
