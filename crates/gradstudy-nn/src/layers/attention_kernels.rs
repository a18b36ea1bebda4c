//! Matrix products and softmax of attention, over lanes of samples: each lane has matrices of its own.

use pulp::{Simd, WithSimd};

use super::lanes::{LANES, Lanes, vectors, vectors_mut, vectors_per_lanes};
use super::vector_math::exp;

/// Which part of a product of matrices of a causal mask is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// All of it.
    All,
    /// Only elements whose column is at most their row; what else is in a block is computed, the rest left alone.
    Lower,
    /// All elements, of which the sum runs up to the column: what lies beyond is 0.
    Until,
    /// All elements, of which the sum runs from the column.
    From,
}

/// `out` \[row, column\] ← `scale` · Σₖ `a` \[row, k\] `b` \[k, column\], for each lane.
pub struct Product<'a> {
    pub a: &'a [Lanes],
    /// Distance between rows, and between the terms of the sum.
    pub a_steps: [usize; 2],
    pub b: &'a [Lanes],
    /// Distance between the terms of the sum, and between columns.
    pub b_steps: [usize; 2],
    pub out: &'a mut [Lanes],
    /// Columns of `out`, which is row-major.
    pub out_columns: usize,
    /// Rows, columns and terms.
    pub shape: [usize; 3],
    pub scale: f32,
    pub reach: Reach,
}

/// Rows and columns accumulated at once.
const BLOCK: usize = 4;

impl WithSimd for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let [rows, columns, _] = self.shape;
        let mut row = 0;
        while row < rows {
            let tall = rows - row >= BLOCK;
            let mut column = 0;
            while column < columns {
                if self.reach == Reach::Lower && column > row + BLOCK - 1 {
                    break;
                }
                let wide = columns - column >= BLOCK;
                match (tall, wide) {
                    (true, true) => block::<S, BLOCK, BLOCK>(simd, &mut self, row, column),
                    (true, false) => block::<S, BLOCK, 1>(simd, &mut self, row, column),
                    (false, true) => block::<S, 1, BLOCK>(simd, &mut self, row, column),
                    (false, false) => block::<S, 1, 1>(simd, &mut self, row, column),
                }
                column += if wide { BLOCK } else { 1 };
            }
            row += if tall { BLOCK } else { 1 };
        }
    }
}

#[inline(always)]
fn block<S: Simd, const R: usize, const C: usize>(simd: S, job: &mut Product<'_>, row: usize, column: usize) {
    let v = vectors_per_lanes::<S>();
    let (a, b) = (vectors::<S>(job.a), vectors::<S>(job.b));
    let ([a_row, a_term], [b_term, b_column]) = (job.a_steps, job.b_steps);
    let terms = match job.reach {
        Reach::All | Reach::Lower => 0..job.shape[2],
        Reach::Until => 0..job.shape[2].min(column + C),
        Reach::From => column..job.shape[2],
    };
    let scale = simd.splat_f32s(job.scale);
    for i in 0..v {
        let mut acc = [[simd.splat_f32s(0.0); C]; R];
        for k in terms.clone() {
            let a = &a[(row * a_row + k * a_term) * v..][..(R - 1) * a_row * v + v];
            let b = &b[(k * b_term + column * b_column) * v..][..(C - 1) * b_column * v + v];
            let mut values = [simd.splat_f32s(0.0); C];
            for c in 0..C {
                values[c] = b[c * b_column * v + i];
            }
            for r in 0..R {
                let x = a[r * a_row * v + i];
                for c in 0..C {
                    acc[r][c] = simd.mul_add_e_f32s(x, values[c], acc[r][c]);
                }
            }
        }
        let out = vectors_mut::<S>(job.out);
        for r in 0..R {
            for c in 0..C {
                out[((row + r) * job.out_columns + column + c) * v + i] = simd.mul_f32s(acc[r][c], scale);
            }
        }
    }
}

/// Each row of `scores` \[tokens, tokens\] becomes its softmax; with a causal mask, over the columns up to the row,
/// 0 beyond.
pub struct Softmax<'a> {
    pub tokens: usize,
    pub causal: bool,
    pub scores: &'a mut [Lanes],
}

impl WithSimd for Softmax<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        for (i, row) in self.scores.chunks_exact_mut(self.tokens).enumerate() {
            let seen = if self.causal { i + 1 } else { self.tokens };
            let (row, hidden) = row.split_at_mut(seen);
            hidden.fill(Lanes::default());
            let mut max = row[0];
            for score in &*row {
                for lane in 0..LANES {
                    let larger = score.0[lane] > max.0[lane];
                    max.0[lane] = if larger { score.0[lane] } else { max.0[lane] };
                }
            }
            let mut sum = Lanes::default();
            for score in &mut *row {
                for lane in 0..LANES {
                    score.0[lane] = exp(score.0[lane] - max.0[lane]);
                    sum.0[lane] += score.0[lane];
                }
            }
            let over = Lanes(sum.0.map(|sum| 1.0 / sum));
            for score in row {
                for lane in 0..LANES {
                    score.0[lane] *= over.0[lane];
                }
            }
        }
    }
}

/// `slopes` \[tokens, tokens\], the gradient of a softmax's `weights`, becomes `scale` times that of its scores:
/// w (g − Σ w g) in each row.
pub struct SoftmaxBackward<'a> {
    pub tokens: usize,
    pub causal: bool,
    pub scale: f32,
    pub weights: &'a [Lanes],
    pub slopes: &'a mut [Lanes],
}

impl WithSimd for SoftmaxBackward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let rows = self.slopes.chunks_exact_mut(self.tokens);
        for (i, (slopes, weights)) in rows.zip(self.weights.chunks_exact(self.tokens)).enumerate() {
            let seen = if self.causal { i + 1 } else { self.tokens };
            let (slopes, hidden) = slopes.split_at_mut(seen);
            hidden.fill(Lanes::default());
            let mut mean = Lanes::default();
            for (slope, weight) in slopes.iter().zip(weights) {
                for lane in 0..LANES {
                    mean.0[lane] = slope.0[lane].mul_add(weight.0[lane], mean.0[lane]);
                }
            }
            for (slope, weight) in slopes.iter_mut().zip(weights) {
                for lane in 0..LANES {
                    let centred = slope.0[lane] - mean.0[lane];
                    slope.0[lane] = self.scale * weight.0[lane] * centred;
                }
            }
        }
    }
}
