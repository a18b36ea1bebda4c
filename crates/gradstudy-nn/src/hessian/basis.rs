//! An orthonormal basis kept in float32 and used in float64.
//!
//! Rounding a unit vector to float32 moves it by 3e-8 in a random direction, so inner products of rounded vectors
//! are off by about 3e-8/√n: the basis is orthonormal to 1e-9 at half the memory.

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatMut, MatRef, Par};
use pulp::Arch;
use rayon::prelude::*;

use super::basis_kernel::{ROWS, Row, Tile, Visit, WIDTH, Widen};

/// Vectors whose float64 copies of some rows a core's cache holds.
const COLUMNS: usize = 64;

/// Parts that the rows are divided into at most, one thread each: fixed, so that sums are grouped the same on every
/// machine.
const PARTS: usize = 64;

/// Orthonormal vectors of n numbers.
#[derive(Debug)]
pub struct Basis {
    n: usize,
    len: usize,
    /// For each [`ROWS`] rows their part of every vector, one after the other; zeros after the last row.
    panels: Vec<Vec<f32>>,
}

/// Vectors amid their orthogonalisation: for each panel of rows, [`WIDTH`] of them at a time.
struct Block {
    tiles: Vec<Tile>,
    /// Tiles of a panel.
    across: usize,
}

impl Block {
    fn of(n: usize, vectors: &[f64]) -> Self {
        let across = (vectors.len() / n).div_ceil(WIDTH);
        let mut tiles = vec![Tile::ZERO; n.div_ceil(ROWS) * across];
        tiles.par_iter_mut().enumerate().for_each(|(number, tile)| {
            let (first, start) = (number % across * WIDTH, number / across * ROWS);
            let end = n.min(start + ROWS);
            for (column, vector) in tile.0.iter_mut().zip(vectors.chunks_exact(n).skip(first)) {
                column[..end - start].copy_from_slice(&vector[start..end]);
            }
        });
        Block { tiles, across }
    }

    fn copy_to(&self, n: usize, vectors: &mut [f64]) {
        vectors
            .par_chunks_exact_mut(n)
            .enumerate()
            .for_each(|(j, vector)| {
                let tiles = self.tiles.chunks_exact(self.across);
                for (rows, tiles) in vector.chunks_mut(ROWS).zip(tiles) {
                    rows.copy_from_slice(&tiles[j / WIDTH].0[j % WIDTH][..rows.len()]);
                }
            });
    }
}

impl Basis {
    /// No vectors yet.
    pub fn new(n: usize) -> Self {
        Basis {
            n,
            len: 0,
            panels: vec![Vec::new(); n.div_ceil(ROWS)],
        }
    }

    /// Takes vectors that are orthonormal already, one after the other.
    pub fn of(n: usize, vectors: &[f32]) -> Self {
        let mut basis = Basis::new(n);
        basis.append(vectors, |v| *v);
        basis
    }

    /// How many vectors.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Vectors `first..`, one after the other.
    pub fn from(&self, first: usize) -> Vec<f32> {
        let mut vectors = vec![0.0; (self.len - first) * self.n];
        let numbered = vectors.par_chunks_exact_mut(self.n.max(1)).enumerate();
        numbered.for_each(|(j, vector)| {
            for (rows, panel) in vector.chunks_mut(ROWS).zip(&self.panels) {
                rows.copy_from_slice(&panel[(first + j) * ROWS..][..rows.len()]);
            }
        });
        vectors
    }

    /// Appends vectors, rounded to float32.
    pub fn extend(&mut self, vectors: &[f64]) {
        self.append(vectors, |v| *v as f32);
    }

    fn append<T: Sync>(&mut self, vectors: &[T], single: impl Fn(&T) -> f32 + Sync) {
        let n = self.n;
        self.len += vectors.len() / n.max(1);
        let more = vectors.len() / n.max(1) * ROWS;
        self.panels
            .par_iter_mut()
            .enumerate()
            .for_each(|(number, panel)| {
                // Grows by eighths: a basis that fills the memory must not be doubled.
                if panel.capacity() < panel.len() + more {
                    panel.reserve_exact(more.max(panel.len() / 8));
                }
                let (start, end) = (number * ROWS, n.min(number * ROWS + ROWS));
                for vector in vectors.chunks_exact(n) {
                    panel.extend(vector[start..end].iter().map(&single));
                    panel.resize(panel.len().next_multiple_of(ROWS), 0.0);
                }
            });
    }

    /// `block` ← `block` − V `coefficients` if there are any, and then Vᵀ `block`, vectors of the basis after vectors of the
    /// basis for each [`WIDTH`] of the block; nothing unless `projected`.
    fn pass(&self, block: &mut Block, coefficients: Option<&[Row]>, projected: bool) -> Vec<Row> {
        let (m, across, arch) = (self.len, block.across, Arch::new());
        let part = self.panels.len().div_ceil(PARTS).max(1);
        let parts: Vec<Vec<Row>> = self
            .panels
            .par_chunks(part)
            .zip(block.tiles.par_chunks_mut(part * across))
            .map(|(panels, tiles)| {
                let mut sums = vec![[0.0; WIDTH]; if projected { across * m } else { 0 }];
                for (panel, tiles) in panels.iter().zip(tiles.chunks_exact_mut(across)) {
                    for (q, tile) in tiles.iter_mut().enumerate() {
                        arch.dispatch(Visit {
                            columns: panel.as_chunks::<ROWS>().0,
                            coefficients: coefficients.map(|all| &all[q * m..][..m]),
                            tile,
                            sums: sums.chunks_exact_mut(m.max(1)).nth(q),
                        });
                    }
                }
                sums
            })
            .collect();
        let mut parts = parts.into_iter();
        let first = parts.next().unwrap_or_default();
        parts.fold(first, |mut sums, part| {
            for (sum, part) in sums.iter_mut().zip(part) {
                sum.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
            }
            sums
        })
    }

    /// Takes from `block` its part in the span of the basis (classical Gram–Schmidt, twice) and returns that part's
    /// coefficients, vectors of the basis × vectors of the block.
    pub fn orthogonalise(&self, vectors: &mut [f64]) -> Mat<f64> {
        let (m, b) = (self.len, vectors.len() / self.n);
        if m == 0 || b == 0 {
            return Mat::zeros(m, b);
        }
        let mut block = Block::of(self.n, vectors);
        let first = self.pass(&mut block, None, true);
        let second = self.pass(&mut block, Some(&first), true);
        self.pass(&mut block, Some(&second), false);
        block.copy_to(self.n, vectors);
        Mat::from_fn(m, b, |i, j| {
            let place = j / WIDTH * m + i;
            first[place][j % WIDTH] + second[place][j % WIDTH]
        })
    }

    /// V Y for some columns Y (vectors of the basis × columns), rounded to float32.
    pub fn combine(&self, y: MatRef<'_, f64>) -> Vec<f32> {
        let mut combined = Vec::with_capacity(self.n * y.ncols());
        for first in (0..y.ncols()).step_by(COLUMNS) {
            let y = y.subcols(first, COLUMNS.min(y.ncols() - first));
            combined.extend(self.combine_few(y).into_iter().map(|v| v as f32));
        }
        combined
    }

    fn combine_few(&self, y: MatRef<'_, f64>) -> Vec<f64> {
        let (mut combined, arch) = (vec![0.0; self.n * y.ncols()], Arch::new());
        MatMut::from_column_major_slice_mut(&mut combined, self.n, y.ncols())
            .par_row_chunks_mut(ROWS)
            .zip(&self.panels)
            .for_each_init(
                || vec![0.0; ROWS * COLUMNS],
                |wide, (mut part, panel)| {
                    // The last vectors may be a block that Y does not cover.
                    let covered = &panel[..y.nrows() * ROWS];
                    for (number, columns) in covered.chunks(ROWS * COLUMNS).enumerate() {
                        let wide = &mut wide[..columns.len()];
                        arch.dispatch(Widen(columns, wide));
                        let count = columns.len() / ROWS;
                        let wide = MatRef::from_column_major_slice(wide, ROWS, count);
                        let wide = wide.subrows(0, part.nrows());
                        let y = y.subrows(number * COLUMNS, count);
                        matmul(part.as_mut(), Accum::Add, wide, y, 1.0, Par::Seq);
                    }
                },
            );
        combined
    }
}

/// Σ aᵢbᵢ in eight lanes.
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0; 8];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    for (a, b) in a.iter().zip(b) {
        for lane in 0..8 {
            lanes[lane] += a[lane] * b[lane];
        }
    }
    lanes.iter().sum::<f64>() + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f64>()
}

/// Orthonormal vectors Q and R with `block` = Q R; a vector whose new part is at most `negligible` adds nothing.
pub fn factor(n: usize, block: &[f64], negligible: f64, most: usize) -> (Vec<f64>, Mat<f64>) {
    let b = block.len() / n;
    let (mut q, mut r): (Vec<f64>, Mat<f64>) = (Vec::new(), Mat::zeros(b, b));
    for (j, vector) in block.chunks_exact(n).enumerate() {
        let mut vector = vector.to_vec();
        for _ in 0..2 {
            for (i, q) in q.chunks_exact(n).enumerate() {
                let coefficient = dot(q, &vector);
                r[(i, j)] += coefficient;
                vector.iter_mut().zip(q).for_each(|(v, q)| *v -= coefficient * q);
            }
        }
        let norm = dot(&vector, &vector).sqrt();
        let rank = q.len() / n;
        if norm > negligible && rank < most {
            r[(rank, j)] = norm;
            q.extend(vector.iter().map(|v| v / norm));
        }
    }
    let rank = q.len() / n;
    let r = r.as_ref().subrows(0, rank).to_owned();
    (q, r)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::RngExt;

    fn numbers(count: usize, salt: u64) -> Vec<f64> {
        let mut rng = gradstudy_base::seed::rng(salt, "basis tests");
        (0..count).map(|_| rng.random_range(-1.0..1.0)).collect()
    }

    /// Sizes that leave rests of panels, parts and lanes.
    const N: usize = 5003;

    #[test]
    fn a_grown_basis_is_orthonormal_and_coefficients_give_the_block_back() {
        let mut basis = Basis::new(N);
        for salt in 0..30 {
            let block = numbers(3 * N, salt);
            let mut rest = block.clone();
            let coefficients = basis.orthogonalise(&mut rest);
            let (q, r) = factor(N, &rest, 1e-12, N);
            let before = basis.combine(coefficients.as_ref());
            for j in 0..3 {
                for i in (0..N).step_by(611) {
                    let inside = f64::from(before[j * N + i]);
                    let outside: f64 = (0..3).map(|k| q[k * N + i] * r[(k, j)]).sum();
                    assert!((inside + outside - block[j * N + i]).abs() < 1e-5);
                }
            }
            basis.extend(&q);
        }
        assert_eq!(basis.len(), 90);
        let wide: Vec<f64> = basis.from(0).into_iter().map(f64::from).collect();
        for (i, a) in wide.chunks(N).enumerate() {
            for (j, b) in wide.chunks(N).enumerate() {
                let expected = if i == j { 1.0 } else { 0.0 };
                let tolerance = if i == j { 1e-7 } else { 1e-8 };
                assert!(
                    (dot(a, b) - expected).abs() < tolerance,
                    "{i}, {j}: {:e}",
                    dot(a, b)
                );
            }
        }
    }

    #[test]
    fn dependent_vectors_add_nothing() {
        let mut block = numbers(2 * N, 1);
        let sum: Vec<f64> = (0..N).map(|i| block[i] - 2.0 * block[N + i]).collect();
        block.splice(N..N, sum);
        let (q, r) = factor(N, &block, 1e-10, N);
        assert_eq!((q.len() / N, r.nrows(), r.ncols()), (2, 2, 3));
        for j in 0..3 {
            let back: f64 = (0..2).map(|k| q[k * N + 7] * r[(k, j)]).sum();
            assert!((back - block[j * N + 7]).abs() < 1e-12);
        }
        assert_eq!(factor(N, &block, 1e-10, 1).0.len(), N);
    }
}
