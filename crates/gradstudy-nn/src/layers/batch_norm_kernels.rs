//! Batch normalisation over lanes of samples: moments of each lane, and the two affine maps.
//!
//! Each channel is `positions` consecutive elements; what differs between the minibatches of a group differs between
//! lanes only, so every kernel works with one vector per channel for each statistic.

use pulp::{Simd, WithSimd};

use super::lanes::{Lanes, vectors, vectors_mut, vectors_per_lanes};

/// Two numbers per lane of one channel.
pub type Pair = [Lanes; 2];

#[inline(always)]
fn pair<S: Simd>(pair: &Pair, i: usize) -> [S::f32s; 2] {
    let v = vectors_per_lanes::<S>();
    let vectors = vectors::<S>(pair);
    [vectors[i], vectors[v + i]]
}

/// Adds up `terms(element)` over a channel's elements of sub-vector `i`, in four chains.
#[inline(always)]
fn sum<S: Simd>(simd: S, count: usize, term: impl Fn(usize) -> S::f32s) -> S::f32s {
    let mut acc = [simd.splat_f32s(0.0); 4];
    let mut j = 0;
    while j + 4 <= count {
        for k in 0..4 {
            acc[k] = simd.add_f32s(acc[k], term(j + k));
        }
        j += 4;
    }
    while j < count {
        acc[0] = simd.add_f32s(acc[0], term(j));
        j += 1;
    }
    simd.add_f32s(simd.add_f32s(acc[0], acc[1]), simd.add_f32s(acc[2], acc[3]))
}

/// Mean over the positions, and sum of squared deviations from it, of every lane.
pub struct Moments<'a> {
    /// \[channels, positions\].
    pub input: &'a [Lanes],
    pub positions: usize,
    /// One per channel.
    pub moments: &'a mut [Pair],
}

impl WithSimd for Moments<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (v, p) = (vectors_per_lanes::<S>(), self.positions);
        let over = simd.splat_f32s(1.0 / p as f32);
        for (x, out) in self.input.chunks_exact(p).zip(self.moments) {
            let (x, out) = (vectors::<S>(x), vectors_mut::<S>(out));
            for i in 0..v {
                let mean = simd.mul_f32s(sum(simd, p, |j| x[j * v + i]), over);
                let squares = sum(simd, p, |j| {
                    let d = simd.sub_f32s(x[j * v + i], mean);
                    simd.mul_f32s(d, d)
                });
                out[i] = mean;
                out[v + i] = squares;
            }
        }
    }
}

/// `output` ← γ (`input` − mean) · scale + β.
pub struct Normalise<'a> {
    pub input: &'a [Lanes],
    pub positions: usize,
    /// Mean and 1/√(variance + ε) of every channel.
    pub scales: &'a [Pair],
    pub weight: &'a [f32],
    pub bias: &'a [f32],
    pub output: &'a mut [Lanes],
}

impl WithSimd for Normalise<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (v, p) = (vectors_per_lanes::<S>(), self.positions);
        let channels = self.input.chunks_exact(p).zip(self.output.chunks_exact_mut(p));
        for (c, (x, y)) in channels.enumerate() {
            let (x, y) = (vectors::<S>(x), vectors_mut::<S>(y));
            let bias = simd.splat_f32s(self.bias[c]);
            for i in 0..v {
                let [mean, scale] = pair::<S>(&self.scales[c], i);
                let factor = simd.mul_f32s(simd.splat_f32s(self.weight[c]), scale);
                for j in 0..p {
                    let centred = simd.sub_f32s(x[j * v + i], mean);
                    y[j * v + i] = simd.mul_add_e_f32s(centred, factor, bias);
                }
            }
        }
    }
}

/// Σ δ and Σ δ x̂ over the positions, of every lane.
pub struct GradientSums<'a> {
    pub input: &'a [Lanes],
    pub grad_output: &'a [Lanes],
    pub positions: usize,
    pub scales: &'a [Pair],
    /// One per channel.
    pub sums: &'a mut [Pair],
}

impl WithSimd for GradientSums<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (v, p) = (vectors_per_lanes::<S>(), self.positions);
        let channels = self.input.chunks_exact(p).zip(self.grad_output.chunks_exact(p));
        for ((x, dy), (scales, out)) in channels.zip(self.scales.iter().zip(self.sums)) {
            let (x, dy, out) = (vectors::<S>(x), vectors::<S>(dy), vectors_mut::<S>(out));
            for i in 0..v {
                let [mean, scale] = pair::<S>(scales, i);
                out[i] = sum(simd, p, |j| dy[j * v + i]);
                let products = sum(simd, p, |j| {
                    simd.mul_f32s(dy[j * v + i], simd.sub_f32s(x[j * v + i], mean))
                });
                out[v + i] = simd.mul_f32s(products, scale);
            }
        }
    }
}

/// `grad_input` ← γ · scale · (δ − a − x̂ b), with a and b the means of δ and δ x̂ over the minibatch (or zero where
/// the statistics do not depend on it).
pub struct Backward<'a> {
    pub input: &'a [Lanes],
    pub grad_output: &'a [Lanes],
    pub positions: usize,
    pub scales: &'a [Pair],
    /// a and b of every channel.
    pub means: &'a [Pair],
    pub weight: &'a [f32],
    pub grad_input: &'a mut [Lanes],
}

impl WithSimd for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (v, p) = (vectors_per_lanes::<S>(), self.positions);
        let channels = self.input.chunks_exact(p).zip(self.grad_output.chunks_exact(p));
        for (c, ((x, dy), dx)) in channels.zip(self.grad_input.chunks_exact_mut(p)).enumerate() {
            let (x, dy, dx) = (vectors::<S>(x), vectors::<S>(dy), vectors_mut::<S>(dx));
            for i in 0..v {
                let [mean, scale] = pair::<S>(&self.scales[c], i);
                let [a, b] = pair::<S>(&self.means[c], i);
                let factor = simd.mul_f32s(simd.splat_f32s(self.weight[c]), scale);
                let slope = simd.mul_f32s(b, scale);
                for j in 0..p {
                    let centred = simd.sub_f32s(x[j * v + i], mean);
                    let rest = simd.sub_f32s(dy[j * v + i], a);
                    let rest = simd.sub_f32s(rest, simd.mul_f32s(centred, slope));
                    dx[j * v + i] = simd.mul_f32s(factor, rest);
                }
            }
        }
    }
}
