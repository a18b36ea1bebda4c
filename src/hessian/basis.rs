//! An orthonormal basis kept in float32 and used in float64.
//!
//! Rounding a unit vector to float32 moves it by 3e-8 in a random direction, so inner products of rounded vectors
//! are off by about 3e-8/√n: the basis is orthonormal to 1e-9 at half the memory.

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatMut, MatRef, Par};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

/// Rows of a float64 copy of a part of the basis: with [`PANEL_COLUMNS`], what a core's cache holds.
const PANEL_ROWS: usize = 1024;
const PANEL_COLUMNS: usize = 64;

/// Float32 to float64 by the widest vectors of the CPU at hand: most of the time would go here otherwise.
struct Widen<'a>(&'a [f32], &'a mut [f64]);

impl WithSimd for Widen<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        self.1
            .iter_mut()
            .zip(self.0)
            .for_each(|(wide, v)| *wide = f64::from(*v));
    }
}

/// Orthonormal vectors of n numbers, one after the other.
#[derive(Debug)]
pub struct Basis {
    n: usize,
    values: Vec<f32>,
}

impl Basis {
    /// No vectors yet.
    pub fn new(n: usize) -> Self {
        Basis {
            n,
            values: Vec::new(),
        }
    }

    /// Takes vectors that are orthonormal already.
    pub fn from_values(n: usize, values: Vec<f32>) -> Self {
        Basis { n, values }
    }

    /// How many vectors.
    pub fn len(&self) -> usize {
        self.values.len() / self.n.max(1)
    }

    /// Vectors `first..`, as numbers.
    pub fn from(&self, first: usize) -> &[f32] {
        &self.values[first * self.n..]
    }

    /// Appends vectors, rounded to float32.
    pub fn extend(&mut self, vectors: &[f64]) {
        // Grows by eighths: a basis that fills the memory must not be doubled.
        if self.values.capacity() < self.values.len() + vectors.len() {
            self.values
                .reserve_exact(vectors.len().max(self.values.len() / 8));
        }
        self.values.extend(vectors.iter().map(|v| *v as f32));
    }

    /// Rows that one thread takes at once: fixed by n alone, so that sums are grouped the same on every machine.
    fn rows_per_part(&self) -> usize {
        self.n.div_ceil(64).max(4 * PANEL_ROWS)
    }

    /// Calls `visit(first column, float64 panel)` for panels of rows `rows`.
    fn panels(&self, rows: std::ops::Range<usize>, mut visit: impl FnMut(usize, MatRef<'_, f64>)) {
        let mut panel = vec![0.0; rows.len() * PANEL_COLUMNS.min(self.len())];
        let arch = Arch::new();
        for first in (0..self.len()).step_by(PANEL_COLUMNS) {
            let columns = PANEL_COLUMNS.min(self.len() - first);
            for (j, out) in panel.chunks_exact_mut(rows.len()).take(columns).enumerate() {
                let column = &self.values[(first + j) * self.n..][rows.clone()];
                arch.dispatch(Widen(column, out));
            }
            let panel = &panel[..rows.len() * columns];
            visit(first, MatRef::from_column_major_slice(panel, rows.len(), columns));
        }
    }

    /// Vᵀ `block` for a block of vectors, one after the other.
    fn project(&self, block: &[f64]) -> Mat<f64> {
        let (m, b) = (self.len(), block.len() / self.n);
        let block = MatRef::from_column_major_slice(block, self.n, b);
        let part = self.rows_per_part();
        let parts: Vec<Mat<f64>> = (0..self.n.div_ceil(part))
            .into_par_iter()
            .map(|i| {
                let mut sum = Mat::zeros(m, b);
                let end = ((i + 1) * part).min(self.n);
                for start in (i * part..end).step_by(PANEL_ROWS) {
                    let rows = start..(start + PANEL_ROWS).min(end);
                    let block = block.subrows(start, rows.len());
                    self.panels(rows, |first, panel| {
                        let sum = sum.as_mut().subrows_mut(first, panel.ncols());
                        matmul(sum, Accum::Add, panel.transpose(), block, 1.0, Par::Seq);
                    });
                }
                sum
            })
            .collect();
        parts.into_iter().fold(Mat::zeros(m, b), |sum, part| sum + part)
    }

    /// `block` ← `block` − V `coefficients`.
    fn subtract(&self, coefficients: &Mat<f64>, block: &mut [f64]) {
        let b = block.len() / self.n;
        MatMut::from_column_major_slice_mut(block, self.n, b)
            .par_row_chunks_mut(PANEL_ROWS)
            .enumerate()
            .for_each(|(i, mut block)| {
                let start = i * PANEL_ROWS;
                self.panels(start..start + block.nrows(), |first, panel| {
                    let coefficients = coefficients.as_ref().subrows(first, panel.ncols());
                    matmul(block.as_mut(), Accum::Add, panel, coefficients, -1.0, Par::Seq);
                });
            });
    }

    /// Takes from `block` its part in the span of the basis (classical Gram–Schmidt, twice) and returns that part's
    /// coefficients, vectors of the basis × vectors of the block.
    pub fn orthogonalise(&self, block: &mut [f64]) -> Mat<f64> {
        let mut total = Mat::zeros(self.len(), block.len() / self.n);
        for _ in 0..2 {
            let coefficients = self.project(block);
            self.subtract(&coefficients, block);
            total += coefficients;
        }
        total
    }

    /// V Y for some columns Y (vectors of the basis × columns), rounded to float32.
    pub fn combine(&self, y: MatRef<'_, f64>) -> Vec<f32> {
        let mut combined = Vec::with_capacity(self.n * y.ncols());
        for first in (0..y.ncols()).step_by(PANEL_COLUMNS) {
            let y = y.subcols(first, PANEL_COLUMNS.min(y.ncols() - first));
            combined.extend(self.combine_few(y).into_iter().map(|v| v as f32));
        }
        combined
    }

    fn combine_few(&self, y: MatRef<'_, f64>) -> Vec<f64> {
        let mut combined = vec![0.0; self.n * y.ncols()];
        MatMut::from_column_major_slice_mut(&mut combined, self.n, y.ncols())
            .par_row_chunks_mut(PANEL_ROWS)
            .enumerate()
            .for_each(|(i, mut part)| {
                let start = i * PANEL_ROWS;
                self.panels(start..start + part.nrows(), |first, panel| {
                    // The last vectors may be a block that Y does not cover.
                    let covered = panel.ncols().min(y.nrows().saturating_sub(first));
                    let y = y.subrows(first.min(y.nrows()), covered);
                    let panel = panel.subcols(0, covered);
                    matmul(part.as_mut(), Accum::Add, panel, y, 1.0, Par::Seq);
                });
            });
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
        let mut rng = crate::seed::rng(salt, "basis tests");
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
        let wide: Vec<f64> = basis.from(0).iter().map(|v| f64::from(*v)).collect();
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
