//! The weight gradient of a 3×3 convolution of stride 1 and padding 1 by minimal filtering: with
//! y = Aᵀ[(G w Gᵀ) ⊙ (Bᵀ d B)]A the gradient is Σ Gᵀ[(A δ Aᵀ) ⊙ (Bᵀ d B)]G, at each point a matrix product over tiles and
//! samples with 16/36 of the multiply-adds of a product with patches.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use pulp::{Arch, Simd, WithSimd};

use super::conv2d_winograd::POINTS;
use super::lanes::{LANES, Lanes, Segment, floats_mut};

/// Lanes of transformed tiles, inputs and output gradients together, that are multiplied at once.
const BAND: usize = 65_536;

/// Filters that are transformed back together.
const FILTERS: usize = 16;

/// A convolution of so many inputs and outputs on images of this size.
#[derive(Debug, Clone, Copy)]
pub struct Geometry {
    pub inputs: usize,
    pub outputs: usize,
    /// Height and width.
    pub size: [usize; 2],
}

impl Geometry {
    fn across(&self) -> usize {
        self.size[1].div_ceil(2)
    }

    /// Tiles of 2 × 2 outputs.
    pub fn tiles(&self) -> usize {
        self.size[0].div_ceil(2) * self.across()
    }

    /// Tiles whose products are made at once.
    fn band(&self) -> usize {
        (BAND / (POINTS * (self.inputs + self.outputs))).clamp(1, self.tiles())
    }

    /// Lanes of scratch: transformed tiles, and sums at every point.
    pub fn scratch(&self) -> usize {
        let sums = (POINTS * self.inputs * self.outputs).div_ceil(LANES);
        POINTS * (self.inputs + self.outputs) * self.band() + sums
    }
}

/// `weight` \[outputs, inputs, 3, 3\] ← the gradient over the lanes of `segment`, or += where the segment is not its
/// minibatch's first.
pub fn weight_gradient(
    shape: &Geometry,
    input: &[Lanes],
    grad_output: &[Lanes],
    scratch: &mut [Lanes],
    segment: &Segment,
    weight: &mut [f32],
) {
    let Geometry { inputs, outputs, .. } = *shape;
    let (arch, lanes) = (Arch::new(), segment.lanes.len());
    let (sums, rest) = floats_mut(scratch).split_at_mut(POINTS * inputs * outputs);
    for first in (0..shape.tiles()).step_by(shape.band()) {
        let tiles = first..shape.tiles().min(first + shape.band());
        let depth = tiles.len() * lanes;
        let (points, rest) = rest.split_at_mut(POINTS * inputs * depth);
        let deltas = &mut rest[..POINTS * outputs * depth];
        let tiles = || Tiles {
            shape,
            range: tiles.clone(),
            lanes: segment.lanes.clone(),
        };
        arch.dispatch(Read::<true> {
            tiles: tiles(),
            planes: input,
            to: points,
        });
        arch.dispatch(Read::<false> {
            tiles: tiles(),
            planes: grad_output,
            to: deltas,
        });
        let accumulate = if first == 0 { Accum::Replace } else { Accum::Add };
        for point in 0..POINTS {
            let sums = &mut sums[point * inputs * outputs..][..inputs * outputs];
            let delta = &deltas[point * outputs * depth..][..outputs * depth];
            let values = &points[point * inputs * depth..][..inputs * depth];
            matmul(
                MatMut::from_row_major_slice_mut(sums, outputs, inputs),
                accumulate,
                MatRef::from_row_major_slice(delta, outputs, depth),
                MatRef::from_column_major_slice(values, depth, inputs),
                1.0,
                Par::Seq,
            );
        }
    }
    arch.dispatch(Back {
        sums,
        add: !segment.first,
        weight,
    });
}

/// Which tiles of which samples.
struct Tiles<'a> {
    shape: &'a Geometry,
    range: std::ops::Range<usize>,
    lanes: std::ops::Range<usize>,
}

/// Bᵀ d B of 4 × 4 `INPUTS`, or A δ Aᵀ of 2 × 2 output gradients: `to` \[point, channel, tile, lane\].
struct Read<'a, const INPUTS: bool> {
    tiles: Tiles<'a>,
    planes: &'a [Lanes],
    to: &'a mut [f32],
}

impl<const INPUTS: bool> WithSimd for Read<'_, INPUTS> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Tiles { shape, range, lanes } = self.tiles;
        let ([height, width], across) = (shape.size, shape.across());
        let channels = self.planes.len() / (height * width);
        let (count, tiles) = (lanes.len(), range.len());
        let (side, before) = if INPUTS { (4, 1) } else { (2, 0) };
        for (c, plane) in self.planes.chunks_exact(height * width).enumerate() {
            for (t, tile) in range.clone().enumerate() {
                let mut d = [[Lanes::default(); 4]; 4];
                for r in 0..side {
                    let y = (tile / across * 2 + r).wrapping_sub(before);
                    for k in 0..side {
                        let x = (tile % across * 2 + k).wrapping_sub(before);
                        if y < height && x < width {
                            d[r][k] = plane[y * width + x];
                        }
                    }
                }
                for k in 0..side {
                    let column = spread::<INPUTS>([d[0][k], d[1][k], d[2][k], d[3][k]]);
                    for r in 0..4 {
                        d[r][k] = column[r];
                    }
                }
                for r in 0..4 {
                    let row = spread::<INPUTS>(d[r]);
                    for k in 0..4 {
                        let place = (((4 * r + k) * channels + c) * tiles + t) * count;
                        match count == LANES {
                            true => self.to[place..][..LANES].copy_from_slice(&row[k].0),
                            false => self.to[place..][..count].copy_from_slice(&row[k].0[lanes.clone()]),
                        }
                    }
                }
            }
        }
    }
}

/// Bᵀ d, or A δ of the first two.
#[inline(always)]
fn spread<const INPUTS: bool>(d: [Lanes; 4]) -> [Lanes; 4] {
    let mut out = [Lanes::default(); 4];
    for lane in 0..LANES {
        let [a, b, c, e] = [d[0].0[lane], d[1].0[lane], d[2].0[lane], d[3].0[lane]];
        let four = match INPUTS {
            true => [a - c, b + c, c - b, b - e],
            false => [a, a + b, a - b, -b],
        };
        for k in 0..4 {
            out[k].0[lane] = four[k];
        }
    }
    out
}

/// `weight` ← (or +=) Gᵀ s G of the sums of every pair of channels.
struct Back<'a> {
    /// \[point, output, input\].
    sums: &'a [f32],
    add: bool,
    weight: &'a mut [f32],
}

impl WithSimd for Back<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let count = self.sums.len() / POINTS;
        for (first, nines) in (0..count)
            .step_by(FILTERS)
            .zip(self.weight.chunks_mut(9 * FILTERS))
        {
            let filled = nines.len() / 9;
            let mut s = [[[0f32; FILTERS]; 4]; 4];
            for point in 0..POINTS {
                let sums = &self.sums[point * count + first..][..filled];
                s[point / 4][point % 4][..filled].copy_from_slice(sums);
            }
            let mut t = [[[0f32; FILTERS]; 4]; 3];
            for k in 0..4 {
                for f in 0..FILTERS {
                    let three = gathered([s[0][k][f], s[1][k][f], s[2][k][f], s[3][k][f]]);
                    for r in 0..3 {
                        t[r][k][f] = three[r];
                    }
                }
            }
            let mut w = [[0f32; FILTERS]; 9];
            for r in 0..3 {
                for f in 0..FILTERS {
                    let three = gathered([t[r][0][f], t[r][1][f], t[r][2][f], t[r][3][f]]);
                    for k in 0..3 {
                        w[3 * r + k][f] = three[k];
                    }
                }
            }
            for (f, nine) in nines.chunks_exact_mut(9).enumerate() {
                for (k, value) in nine.iter_mut().enumerate() {
                    *value = if self.add { *value + w[k][f] } else { w[k][f] };
                }
            }
        }
    }
}

/// Gᵀ s.
#[inline(always)]
fn gathered(s: [f32; 4]) -> [f32; 3] {
    let (even, odd) = (0.5 * (s[1] + s[2]), 0.5 * (s[1] - s[2]));
    [s[0] + even, odd, even + s[3]]
}
