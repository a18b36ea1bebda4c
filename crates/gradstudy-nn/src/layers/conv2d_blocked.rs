//! Direct 2-D correlation over lanes of samples for layers of many channels and any stride: forward, and backward as
//! one correlation for each phase of the stride.
//!
//! A block of output channels × positions is accumulated in registers, as in the kernels for few channels; the loops
//! around it keep a band of input rows, or a block's weights, in the second-level cache.

use pulp::{Simd, WithSimd};

use super::lanes::{Lanes, vectors, vectors_mut, vectors_per_lanes};

/// Positions of a row accumulated at once.
const POSITIONS: usize = 4;

/// Output channels accumulated at once.
const CHANNELS: usize = 6;

/// Numbers of input (times sixteen) that a band of rows may have to stay in the cache.
const BAND: usize = 12_288;

/// One weight's place: the input element that it multiplies, relative to the output position.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tap {
    /// Which of the k² weights.
    pub weight: usize,
    /// Row of the input, less `in_step` times the row of the output.
    pub dy: isize,
    /// The same for columns, of the padded input: never negative.
    pub dx: usize,
}

/// `output` at rows `phase[0]`, `phase[0] + out_step`, … and columns likewise ← the correlation of `input`.
///
/// Taps that fall outside the input in y contribute nothing; in x the caller has padded it.
pub struct Correlate<'a> {
    /// \[in_channels, in_height, in_width\].
    pub input: &'a [Lanes],
    pub in_shape: [usize; 3],
    pub taps: &'a [Tap],
    /// Weights of one output and one input channel, k².
    pub weight_taps: usize,
    /// The weight of output channel o, input channel c and tap t is number `strides[0]` o + `strides[1]` c + t.
    pub weights: &'a [f32],
    pub strides: [usize; 2],
    pub in_step: usize,
    /// One per output channel, or empty for none.
    pub bias: &'a [f32],
    /// \[out_channels, out_height, out_width\].
    pub output: &'a mut [Lanes],
    pub out_shape: [usize; 3],
    pub phase: [usize; 2],
    pub out_step: usize,
}

/// First channel and number of channels of each block: nearly equal blocks, 16 = 6 + 5 + 5.
pub fn blocks(channels: usize) -> impl Iterator<Item = (usize, usize)> {
    let count = channels.div_ceil(CHANNELS);
    let mut first = 0;
    (0..count).map(move |block| {
        let size = (channels - first).div_ceil(count - block);
        first += size;
        (first - size, size)
    })
}

impl Correlate<'_> {
    /// Rows and columns of the output that this job computes.
    fn positions(&self) -> [usize; 2] {
        [0, 1].map(|axis| (self.out_shape[axis + 1] - self.phase[axis]).div_ceil(self.out_step))
    }

    /// Where the taps of output row `y` read within a channel, and which weights they are.
    fn places(&self, y: usize, places: &mut Vec<(usize, usize)>) {
        let [_, in_height, in_width] = self.in_shape;
        places.clear();
        for tap in self.taps {
            let row = (y * self.in_step) as isize + tap.dy;
            if (0..in_height as isize).contains(&row) {
                places.push((row as usize * in_width + tap.dx, tap.weight));
            }
        }
    }
}

impl WithSimd for Correlate<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let [rows, _] = self.positions();
        let [in_channels, _, in_width] = self.in_shape;
        let mut places = Vec::with_capacity(self.taps.len());
        let band = (BAND / (in_channels * in_width * self.in_step)).max(1);
        for start in (0..rows).step_by(band) {
            let band = start..rows.min(start + band);
            for (first, size) in blocks(self.out_shape[0]) {
                for y in band.clone() {
                    self.places(y, &mut places);
                    let places = &places[..];
                    match (size, self.in_step) {
                        (6, 1) => row::<S, 6, 1>(simd, &mut self, places, first, y),
                        (5, 1) => row::<S, 5, 1>(simd, &mut self, places, first, y),
                        (4, 1) => row::<S, 4, 1>(simd, &mut self, places, first, y),
                        (3, 1) => row::<S, 3, 1>(simd, &mut self, places, first, y),
                        (2, 1) => row::<S, 2, 1>(simd, &mut self, places, first, y),
                        (1, 1) => row::<S, 1, 1>(simd, &mut self, places, first, y),
                        (6, _) => row::<S, 6, 0>(simd, &mut self, places, first, y),
                        (5, _) => row::<S, 5, 0>(simd, &mut self, places, first, y),
                        (4, _) => row::<S, 4, 0>(simd, &mut self, places, first, y),
                        (3, _) => row::<S, 3, 0>(simd, &mut self, places, first, y),
                        (2, _) => row::<S, 2, 0>(simd, &mut self, places, first, y),
                        _ => row::<S, 1, 0>(simd, &mut self, places, first, y),
                    }
                }
            }
        }
    }
}

/// One row of `C` output channels from `first`; `STEP` is the step through the input, 0 where it is not 1.
#[inline(always)]
fn row<S: Simd, const C: usize, const STEP: usize>(
    simd: S,
    job: &mut Correlate<'_>,
    places: &[(usize, usize)],
    first: usize,
    y: usize,
) {
    let [_, columns] = job.positions();
    let mut x = 0;
    while x + POSITIONS <= columns {
        block::<S, C, POSITIONS, STEP>(simd, job, places, first, y, x);
        x += POSITIONS;
    }
    match columns - x {
        3 => block::<S, C, 3, STEP>(simd, job, places, first, y, x),
        2 => block::<S, C, 2, STEP>(simd, job, places, first, y, x),
        1 => block::<S, C, 1, STEP>(simd, job, places, first, y, x),
        _ => {}
    }
}

#[inline(always)]
fn block<S: Simd, const C: usize, const X: usize, const STEP: usize>(
    simd: S,
    job: &mut Correlate<'_>,
    places: &[(usize, usize)],
    first: usize,
    y: usize,
    x: usize,
) {
    let v = vectors_per_lanes::<S>();
    let step = if STEP == 0 { job.in_step } else { STEP };
    let [in_channels, in_height, in_width] = job.in_shape;
    let [_, out_height, out_width] = job.out_shape;
    let input = vectors::<S>(job.input);
    let (taps, [across, along]) = (job.weight_taps, job.strides);
    for i in 0..v {
        let mut acc = [[simd.splat_f32s(0.0); X]; C];
        if !job.bias.is_empty() {
            for c in 0..C {
                acc[c] = [simd.splat_f32s(job.bias[first + c]); X];
            }
        }
        for channel in 0..in_channels {
            let rows: [&[f32]; C] =
                std::array::from_fn(|c| &job.weights[(first + c) * across + channel * along..][..taps]);
            let channel = &input[channel * in_height * in_width * v..][..in_height * in_width * v];
            for (offset, tap) in places {
                let window = &channel[(offset + x * step) * v..][..((X - 1) * step) * v + i + 1];
                let mut values = [simd.splat_f32s(0.0); X];
                for j in 0..X {
                    values[j] = window[j * step * v + i];
                }
                for c in 0..C {
                    let weight = simd.splat_f32s(rows[c][*tap]);
                    for j in 0..X {
                        acc[c][j] = simd.mul_add_e_f32s(weight, values[j], acc[c][j]);
                    }
                }
            }
        }
        let output = vectors_mut::<S>(job.output);
        let start = (y * job.out_step + job.phase[0]) * out_width + x * job.out_step + job.phase[1];
        for c in 0..C {
            for j in 0..X {
                let at = (first + c) * out_height * out_width + start + j * job.out_step;
                output[at * v + i] = acc[c][j];
            }
        }
    }
}
