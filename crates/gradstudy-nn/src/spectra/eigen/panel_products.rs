//! Products of matrices of W columns, row by row.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::WIDTH as W;

/// W numbers.
pub type Row = [f64; W];
/// A W × W matrix, row by row.
pub type Square = [Row; W];

/// Rows of one task.
pub const SLICE: usize = 480;
/// Rows that are summed apart: one sum over all of them would lose digits of orthogonality.
pub const RUN: usize = 96;
/// Rows, or vectors of columns, whose sums are in registers at once.
const BLOCK: usize = 4;

/// leftᵀ right of two panels, in the order of slices of rows.
pub fn transposed_times(left: &[Row], right: &[Row]) -> Square {
    let slices = left.par_chunks(SLICE).zip(right.par_chunks(SLICE));
    let parts: Vec<Square> = slices
        .map(|(left, right)| {
            let runs = left.chunks(RUN).zip(right.chunks(RUN));
            let mut sum = [[0.0; W]; W];
            for (left, right) in runs {
                add(&mut sum, &Arch::new().dispatch(TransposedTimes { left, right }));
            }
            sum
        })
        .collect();
    let mut sum = [[0.0; W]; W];
    parts.iter().for_each(|part| add(&mut sum, part));
    sum
}

fn add(sum: &mut Square, part: &Square) {
    for (sum, part) in sum.as_flattened_mut().iter_mut().zip(part.as_flattened()) {
        *sum += part;
    }
}

struct TransposedTimes<'a> {
    left: &'a [Row],
    right: &'a [Row],
}

impl WithSimd for TransposedTimes<'_> {
    type Output = Square;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Square {
        let mut square = [[0.0; W]; W];
        for first in (0..W).step_by(BLOCK) {
            for part in (0..W / S::F64_LANES).step_by(BLOCK) {
                let mut sums = [[simd.splat_f64s(0.0); BLOCK]; BLOCK];
                for (left, right) in self.left.iter().zip(self.right) {
                    let left = &left.as_chunks::<BLOCK>().0[first / BLOCK];
                    let right = S::as_simd_f64s(right).0;
                    for a in 0..BLOCK {
                        let value = simd.splat_f64s(left[a]);
                        for q in 0..BLOCK {
                            sums[a][q] = simd.mul_add_e_f64s(value, right[part + q], sums[a][q]);
                        }
                    }
                }
                for a in 0..BLOCK {
                    let to = S::as_mut_simd_f64s(&mut square[first + a]).0;
                    to[part..part + BLOCK].copy_from_slice(&sums[a]);
                }
            }
        }
        square
    }
}

/// Adds `left` times `right` to `to`, row by row.
pub fn add_times(to: &mut [Row], left: &[Row], right: &Square) {
    Arch::new().dispatch(AddTimes { to, left, right });
}

struct AddTimes<'a> {
    to: &'a mut [Row],
    left: &'a [Row],
    right: &'a Square,
}

impl WithSimd for AddTimes<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (to, last) = self.to.as_chunks_mut::<BLOCK>();
        let (left, last_left) = self.left.as_chunks::<BLOCK>();
        for (to, left) in to.iter_mut().zip(left) {
            add_times_block::<S, BLOCK>(simd, to, left, self.right);
        }
        for (to, left) in last
            .as_chunks_mut::<1>()
            .0
            .iter_mut()
            .zip(last_left.as_chunks::<1>().0)
        {
            add_times_block::<S, 1>(simd, to, left, self.right);
        }
    }
}

#[inline(always)]
fn add_times_block<S: Simd, const R: usize>(simd: S, to: &mut [Row; R], left: &[Row; R], right: &Square) {
    for part in (0..W / S::F64_LANES).step_by(BLOCK) {
        let mut sums = [[simd.splat_f64s(0.0); BLOCK]; R];
        for r in 0..R {
            sums[r].copy_from_slice(&S::as_simd_f64s(&to[r]).0[part..part + BLOCK]);
        }
        for k in 0..W {
            let vectors = S::as_simd_f64s(&right[k]).0;
            for r in 0..R {
                let value = simd.splat_f64s(left[r][k]);
                for q in 0..BLOCK {
                    sums[r][q] = simd.mul_add_e_f64s(value, vectors[part + q], sums[r][q]);
                }
            }
        }
        for r in 0..R {
            S::as_mut_simd_f64s(&mut to[r]).0[part..part + BLOCK].copy_from_slice(&sums[r]);
        }
    }
}

/// The transposed matrix times `factor`.
pub fn transposed(square: &[Row], factor: f64) -> Square {
    std::array::from_fn(|i| std::array::from_fn(|j| factor * square[j][i]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(count: usize) -> Vec<Row> {
        let value = |i: usize, j: usize| ((i * 37 + j * j * 11 + i * j) % 101) as f64 - 50.0;
        (0..count).map(|i| std::array::from_fn(|j| value(i, j))).collect()
    }

    #[test]
    fn products_are_those_of_single_numbers() {
        for count in [1, 7, 500, 1003] {
            let (left, mut to) = (rows(count), rows(count));
            let right: Square = rows(W).try_into().expect("W rows");
            add_times(&mut to, &left, &right);
            let both = transposed_times(&left, &to);
            for (row, (from, before)) in to.iter().zip(left.iter().zip(rows(count))) {
                for j in 0..W {
                    let product: f64 = (0..W).map(|k| from[k] * right[k][j]).sum();
                    assert_eq!(row[j], before[j] + product);
                }
            }
            for i in 0..W {
                for j in 0..W {
                    let product: f64 = left.iter().zip(&to).map(|(a, b)| a[i] * b[j]).sum();
                    assert_eq!(both[i][j], product);
                }
            }
        }
    }
}
