//! Products of tiles that lie in shared memory: what convolutions and fully-connected layers share.

use cubecl::prelude::*;

/// Length of the parts in which factors are read.
pub(super) const DEPTH: usize = 8;

/// Columns of one thread.
pub(super) const WIDE: usize = 8;

/// How a cube makes a tile of a product: `side`² threads, each with `tall` × [`WIDE`] numbers of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Tile {
    pub side: usize,
    /// 4 or 8.
    pub tall: usize,
}

impl Tile {
    pub fn rows(&self) -> usize {
        self.side * self.tall
    }

    pub fn columns(&self) -> usize {
        self.side * WIDE
    }

    /// Distance of two parts' rows in shared memory: a few banks more than there are numbers.
    pub fn left_pitch(&self) -> usize {
        self.rows() + 4
    }

    pub fn right_pitch(&self) -> usize {
        self.columns() + 4
    }

    pub fn threads(&self) -> usize {
        self.side * self.side
    }
}

/// Which of the tile's rows (or columns) is number `i` of thread number `t` along it: fours of neighbours, so that they
/// are read together.
#[cube]
pub(super) fn member(t: usize, i: usize, #[comptime] side: usize) -> usize {
    i / 4 * comptime!(4 * side) + t * 4 + i % 4
}

/// `sums` += the product of a part of both factors, [`DEPTH`] long.
#[cube]
pub(super) fn multiply(
    left: &Shared<[f32]>,
    right: &Shared<[f32]>,
    sums: &mut Array<f32>,
    ty: usize,
    tx: usize,
    #[comptime] tile: Tile,
) {
    #[unroll]
    for k in 0..DEPTH {
        let mut a = Array::<f32>::new(comptime!(tile.tall));
        let mut b = Array::<f32>::new(WIDE);
        #[unroll]
        for i in 0..tile.tall {
            a[i] = left[k * comptime!(tile.left_pitch()) + member(ty, i, tile.side)];
        }
        #[unroll]
        for j in 0..WIDE {
            b[j] = right[k * comptime!(tile.right_pitch()) + member(tx, j, tile.side)];
        }
        #[unroll]
        for i in 0..tile.tall {
            #[unroll]
            for j in 0..WIDE {
                sums[i * WIDE + j] = fma(a[i], b[j], sums[i * WIDE + j]);
            }
        }
    }
}

/// Zero sums of one thread.
#[cube]
pub(super) fn zero(#[comptime] tile: Tile) -> Array<f32> {
    let mut sums = Array::<f32>::new(comptime!(tile.tall * WIDE));
    #[unroll]
    for i in 0..comptime!(tile.tall * WIDE) {
        sums[i] = 0.0f32;
    }
    sums
}
