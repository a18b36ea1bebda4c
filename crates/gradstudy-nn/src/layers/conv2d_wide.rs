//! Weight gradients of convolutions with many channels, summed over the samples of a segment: a matrix product of
//! the output's gradient with the input's patches, band by band of output rows.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};

use super::lanes::{LANES, Lanes, Segment, floats, floats_mut};

/// Geometry of a convolution: \[channels, height, width\] of input and output, kernel side, stride, padding and dilation.
#[derive(Debug, Clone, Copy)]
pub struct Geometry {
    pub input: [usize; 3],
    pub output: [usize; 3],
    pub kernel: usize,
    pub stride: usize,
    pub padding: usize,
    pub dilation: usize,
}

/// Lanes of patches that a band should have to stay in the cache.
const BAND: usize = 16_384;

impl Geometry {
    /// Weights of one output channel.
    pub fn taps(&self) -> usize {
        self.input[0] * self.kernel * self.kernel
    }

    /// Output rows in a band.
    fn band(&self) -> usize {
        (BAND / (self.taps() * self.output[2])).clamp(1, self.output[1])
    }

    /// Lanes that [`weight_gradient`] needs for its patches and for the output's gradient.
    pub fn scratch(&self) -> usize {
        (self.taps() + self.output[0]) * self.band() * self.output[2]
    }

    /// Columns of the output whose input column for tap `kx` exists, and that column for the first of them.
    fn columns(&self, kx: usize) -> (std::ops::Range<usize>, usize) {
        let kx = kx * self.dilation;
        // A tap far out may meet zeros alone.
        let first = self
            .padding
            .saturating_sub(kx)
            .div_ceil(self.stride)
            .min(self.output[2]);
        let end = match (self.input[2] + self.padding).checked_sub(kx + 1) {
            None => 0,
            Some(last) => (last / self.stride + 1).min(self.output[2]),
        };
        let from = (first * self.stride + kx).saturating_sub(self.padding);
        (first..end.max(first), from)
    }
}

/// `weight` \[output channels, taps\] ← Σ δ · patch over the lanes of `segment` and all positions, or += where the
/// segment is not its minibatch's first.
pub fn weight_gradient(
    shape: &Geometry,
    input: &[Lanes],
    grad_output: &[Lanes],
    scratch: &mut [Lanes],
    segment: &Segment,
    weight: &mut [f32],
) {
    let [out_channels, height, width] = shape.output;
    let (taps, lanes) = (shape.taps(), segment.lanes.len());
    let mut accumulate = if segment.first { Accum::Replace } else { Accum::Add };
    let scratch = floats_mut(scratch);
    for start in (0..height).step_by(shape.band()) {
        let rows = start..height.min(start + shape.band());
        let depth = rows.len() * width * lanes;
        let (patches, deltas) = scratch.split_at_mut(taps * depth);
        for (tap, row) in patches.chunks_exact_mut(depth).enumerate() {
            patch(shape, input, tap, rows.clone(), segment, row);
        }
        let first = start * width * LANES;
        let delta = if lanes == LANES {
            MatRef::from_row_major_slice_with_stride(
                &floats(grad_output)[first..first + (out_channels - 1) * height * width * LANES + depth],
                out_channels,
                depth,
                height * width * LANES,
            )
        } else {
            let deltas = &mut deltas[..out_channels * depth];
            for (o, row) in deltas.chunks_exact_mut(depth).enumerate() {
                let plane = &grad_output[(o * height + start) * width..][..rows.len() * width];
                for (to, from) in row.chunks_exact_mut(lanes).zip(plane) {
                    to.copy_from_slice(&from.0[segment.lanes.clone()]);
                }
            }
            MatRef::from_row_major_slice(deltas, out_channels, depth)
        };
        matmul(
            MatMut::from_row_major_slice_mut(weight, out_channels, taps),
            accumulate,
            delta,
            MatRef::from_column_major_slice(patches, depth, taps),
            1.0,
            Par::Seq,
        );
        accumulate = Accum::Add;
    }
}

/// One tap's input for every output position in `rows`, only the segment's lanes, zero outside the input.
fn patch(
    shape: &Geometry,
    input: &[Lanes],
    tap: usize,
    rows: std::ops::Range<usize>,
    segment: &Segment,
    to: &mut [f32],
) {
    let [_, in_height, in_width] = shape.input;
    let k = shape.kernel;
    let (channel, ky, kx) = (tap / (k * k), tap / k % k, tap % k);
    let lanes = segment.lanes.len();
    let (columns, from) = shape.columns(kx);
    for (y, to) in rows.zip(to.chunks_exact_mut(shape.output[2] * lanes)) {
        let row = (y * shape.stride + ky * shape.dilation).checked_sub(shape.padding);
        let Some(row) = row.filter(|row| *row < in_height && !columns.is_empty()) else {
            to.fill(0.0);
            continue;
        };
        to[..columns.start * lanes].fill(0.0);
        to[columns.end * lanes..].fill(0.0);
        let to = &mut to[columns.start * lanes..columns.end * lanes];
        let from = &input[(channel * in_height + row) * in_width + from..];
        if lanes == LANES && shape.stride == 1 {
            to.copy_from_slice(&floats(from)[..to.len()]);
        } else {
            for (to, from) in to.chunks_exact_mut(lanes).zip(from.iter().step_by(shape.stride)) {
                to.copy_from_slice(&from.0[segment.lanes.clone()]);
            }
        }
    }
}
