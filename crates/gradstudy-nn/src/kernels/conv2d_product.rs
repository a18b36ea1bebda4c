//! Convolutions of any size as products of the weights with patches of the images, which are gathered on the way.

use cubecl::prelude::*;

use super::tile::{DEPTH, Tile, WIDE, member, multiply, zero};
use super::{Buffer, Convolution, Gpu};

/// What the patches of a product are taken from: an image, for the outputs; or, turned around, the gradients of the
/// outputs, for those of the image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Patches {
    /// Channels, height and width of what is gathered from.
    from: [usize; 3],
    /// Height and width of what is made.
    to: [usize; 2],
    k: usize,
    stride: usize,
    padding: usize,
    /// Whether steps divide (gradients of the image) instead of multiply.
    backward: bool,
}

impl Convolution {
    pub(super) fn patches(&self) -> Patches {
        Patches {
            from: [self.c, self.h, self.w],
            to: [self.oh, self.ow],
            k: self.k,
            stride: self.stride,
            padding: self.padding,
            backward: false,
        }
    }

    fn backward_patches(&self) -> Patches {
        Patches {
            from: [self.o, self.oh, self.ow],
            to: [self.h, self.w],
            backward: true,
            ..self.patches()
        }
    }
}

impl Patches {
    pub(super) fn depth(&self) -> usize {
        self.from[0] * self.k * self.k
    }
}

impl Gpu {
    pub(super) fn tile(&self, rows: usize) -> Tile {
        let tall = if rows > 4 * self.side { 8 } else { 4 };
        Tile {
            side: self.side,
            tall,
        }
    }

    /// The convolution of each of `samples` inputs, with the weights (and biases) at `offset` of `theta`.
    pub fn convolve_large(
        &self,
        layer: Convolution,
        theta: &Buffer,
        offset: usize,
        input: &Buffer,
        samples: usize,
    ) -> Buffer {
        let weights = self.arrange(layer, theta, offset, false);
        let bias = layer.bias.then_some(offset + layer.weights());
        self.patch_product(layer.patches(), layer.o, &weights, theta, bias, input, samples)
    }

    /// Gradients with respect to the inputs from those with respect to the outputs.
    pub fn convolve_back(
        &self,
        layer: Convolution,
        theta: &Buffer,
        offset: usize,
        delta: &Buffer,
        samples: usize,
    ) -> Buffer {
        let weights = self.arrange(layer, theta, offset, true);
        self.patch_product(
            layer.backward_patches(),
            layer.c,
            &weights,
            theta,
            None,
            delta,
            samples,
        )
    }

    /// The weights as \[c k k, o\]; or, for gradients of the input, as \[o k k, c\].
    fn arrange(&self, layer: Convolution, theta: &Buffer, offset: usize, backward: bool) -> Buffer {
        let arranged = self.empty(layer.weights());
        let (cubes, threads) = self.elementwise(layer.weights());
        arrange::launch(
            &self.client,
            cubes,
            threads,
            theta.arg(),
            arranged.arg(),
            offset,
            layer,
            backward,
        );
        arranged
    }

    #[allow(clippy::too_many_arguments)]
    fn patch_product(
        &self,
        patches: Patches,
        channels: usize,
        weights: &Buffer,
        theta: &Buffer,
        bias: Option<usize>,
        input: &Buffer,
        samples: usize,
    ) -> Buffer {
        let positions = samples * patches.to[0] * patches.to[1];
        let output = self.empty(positions * channels);
        let tile = self.tile(channels);
        patch_product::launch(
            &self.client,
            CubeCount::Static(
                positions.div_ceil(tile.columns()) as u32,
                channels.div_ceil(tile.rows()) as u32,
                1,
            ),
            CubeDim::new_1d(tile.threads() as u32),
            weights.arg(),
            input.arg(),
            theta.arg(),
            output.arg(),
            positions,
            bias.unwrap_or(0),
            patches,
            channels,
            bias.is_some(),
            tile,
        );
        output
    }
}

#[cube(launch)]
fn arrange(
    theta: &Tensor<f32>,
    arranged: &mut Tensor<f32>,
    offset: usize,
    #[comptime] layer: Convolution,
    #[comptime] backward: bool,
) {
    let at = ABSOLUTE_POS;
    if at < arranged.len() {
        let area = comptime!(layer.k * layer.k);
        if backward {
            // [o, tap, c]
            let c = at % comptime!(layer.c);
            let tap = at / comptime!(layer.c) % area;
            let o = at / comptime!(layer.c * layer.k * layer.k);
            arranged[at] = theta[offset + (o * comptime!(layer.c) + c) * area + tap];
        } else {
            // [c, tap, o]
            let o = at % comptime!(layer.o);
            let taps = comptime!(layer.c * layer.k * layer.k);
            arranged[at] = theta[offset + o * taps + at / comptime!(layer.o)];
        }
    }
}

/// The number of `input` that tap `tap` of channel `c` sees at output (y, x) of a sample; zero beyond the edge.
#[cube]
pub(super) fn gathered(
    input: &Tensor<f32>,
    sample: usize,
    c: usize,
    ky: usize,
    kx: usize,
    y: usize,
    x: usize,
    #[comptime] patches: Patches,
) -> f32 {
    let height = comptime!(patches.from[1]);
    let width = comptime!(patches.from[2]);
    let mut value = 0.0f32;
    if comptime!(patches.backward) {
        let v = y + comptime!(patches.padding);
        let u = x + comptime!(patches.padding);
        if v >= ky && u >= kx {
            let v = v - ky;
            let u = u - kx;
            let mut exact = true.runtime();
            if comptime!(patches.stride > 1) {
                exact = v % comptime!(patches.stride) == 0 && u % comptime!(patches.stride) == 0;
            }
            let v = v / comptime!(patches.stride);
            let u = u / comptime!(patches.stride);
            if exact && v < height && u < width {
                value = input[((sample * comptime!(patches.from[0]) + c) * height + v) * width + u];
            }
        }
    } else {
        let v = y * comptime!(patches.stride) + ky;
        let u = x * comptime!(patches.stride) + kx;
        let p = comptime!(patches.padding);
        if v >= p
            && v < comptime!(patches.from[1] + patches.padding)
            && u >= p
            && u < comptime!(patches.from[2] + patches.padding)
        {
            value = input[((sample * comptime!(patches.from[0]) + c) * height + v - p) * width + u - p];
        }
    }
    value
}

/// [channels, positions] by sample: the arranged weights, transposed, times the patches.
#[cube(launch)]
fn patch_product(
    weights: &Tensor<f32>,
    input: &Tensor<f32>,
    theta: &Tensor<f32>,
    output: &mut Tensor<f32>,
    positions: usize,
    bias: usize,
    #[comptime] patches: Patches,
    #[comptime] channels: usize,
    #[comptime] biased: bool,
    #[comptime] tile: Tile,
) {
    let threads = comptime!(tile.threads());
    let area = comptime!(patches.to[0] * patches.to[1]);
    let depth = comptime!(patches.depth());
    let mut left = Shared::<[f32]>::new_aligned_slice(comptime!(DEPTH * tile.left_pitch()), 16usize);
    let mut right = Shared::<[f32]>::new_aligned_slice(comptime!(DEPTH * tile.right_pitch()), 16usize);
    let unit = UNIT_POS as usize;
    let row = CUBE_POS_Y as usize * comptime!(tile.rows());
    let column = CUBE_POS_X as usize * comptime!(tile.columns());
    let ty = unit / comptime!(tile.side);
    let tx = unit % comptime!(tile.side);
    let mut sums = zero(tile);
    let left_loads = comptime!((DEPTH * tile.rows()).div_ceil(tile.threads()));
    let right_loads = comptime!((DEPTH * tile.columns()).div_ceil(tile.threads()));
    let mut next_left = Array::<f32>::new(left_loads);
    let mut next_right = Array::<f32>::new(right_loads);

    let parts = comptime!(depth.div_ceil(DEPTH));
    for part in 0..comptime!(parts + 1) {
        // The next part is read while the last one is multiplied.
        if part < parts {
            let first = part * DEPTH;
            #[unroll]
            for i in 0..left_loads {
                let at = unit + i * threads;
                let k = at / comptime!(tile.rows());
                let r = at % comptime!(tile.rows());
                let mut value = 0.0f32;
                if row + r < channels && first + k < depth {
                    value = weights[(first + k) * channels + row + r];
                }
                next_left[i] = value;
            }
            #[unroll]
            for i in 0..right_loads {
                let at = unit + i * threads;
                let k = first + at / comptime!(tile.columns());
                let p = column + at % comptime!(tile.columns());
                let mut value = 0.0f32;
                if p < positions && k < depth {
                    let within = p % area;
                    value = gathered(
                        input,
                        p / area,
                        k / comptime!(patches.k * patches.k),
                        k / comptime!(patches.k) % comptime!(patches.k),
                        k % comptime!(patches.k),
                        within / comptime!(patches.to[1]),
                        within % comptime!(patches.to[1]),
                        patches,
                    );
                }
                next_right[i] = value;
            }
        }
        if part > 0 {
            multiply(&left, &right, &mut sums, ty, tx, tile);
        }
        sync_cube();
        if part < parts {
            #[unroll]
            for i in 0..left_loads {
                let at = unit + i * threads;
                left[at / comptime!(tile.rows()) * comptime!(tile.left_pitch())
                    + at % comptime!(tile.rows())] = next_left[i];
            }
            #[unroll]
            for i in 0..right_loads {
                let at = unit + i * threads;
                right[at / comptime!(tile.columns()) * comptime!(tile.right_pitch())
                    + at % comptime!(tile.columns())] = next_right[i];
            }
        }
        sync_cube();
    }
    #[unroll]
    for i in 0..tile.tall {
        let r = row + member(ty, i, tile.side);
        if r < channels {
            let mut add = 0.0f32;
            if biased {
                add = theta[bias + r];
            }
            #[unroll]
            for j in 0..WIDE {
                let p = column + member(tx, j, tile.side);
                if p < positions {
                    output[(p / area * channels + r) * area + p % area] = sums[i * WIDE + j] + add;
                }
            }
        }
    }
}
