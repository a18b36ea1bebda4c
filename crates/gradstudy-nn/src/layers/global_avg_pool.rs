//! The mean of each channel over all positions.

use burn::Tensor;
use gradstudy_base::signature::Signature;
use pulp::{Arch, Simd, WithSimd};

use super::kind::alone;
use super::lanes::{Lanes, vectors, vectors_mut, vectors_per_lanes};
use super::second_order::SecondOrder;
use super::{Layer, LayerKind, Products, Shape, size};

/// `nn.AdaptiveAvgPool2d(1)`, and the mean over tokens.
pub static KIND: LayerKind = LayerKind {
    signature: &Signature {
        name: "global_avg_pool",
        summary: "the mean of each channel over all positions, a vector",
        params: &[],
        version: 1,
    },
    place: |_, here| alone(GlobalAvgPool { input: here.shape }),
};

/// Average pooling over the whole image.
#[derive(Debug)]
pub struct GlobalAvgPool {
    pub input: Shape,
}

impl GlobalAvgPool {
    fn positions(&self) -> usize {
        self.input[1] * self.input[2]
    }
}

struct Forward<'a> {
    input: &'a [Lanes],
    positions: usize,
    output: &'a mut [Lanes],
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let v = vectors_per_lanes::<S>();
        let over = simd.splat_f32s(1.0 / self.positions as f32);
        let output = vectors_mut::<S>(self.output).chunks_exact_mut(v);
        for (channel, mean) in self.input.chunks_exact(self.positions).zip(output) {
            let channel = vectors::<S>(channel);
            for i in 0..v {
                let mut sum = simd.splat_f32s(0.0);
                for value in channel.iter().skip(i).step_by(v) {
                    sum = simd.add_f32s(sum, *value);
                }
                mean[i] = simd.mul_f32s(sum, over);
            }
        }
    }
}

impl Layer for GlobalAvgPool {
    fn kind(&self) -> &'static str {
        "AdaptiveAvgPool2d"
    }

    fn output(&self) -> Shape {
        [self.input[0], 1, 1]
    }

    fn flops(&self) -> u64 {
        size(self.input) as u64
    }

    fn forward(&self, _theta: &[f32], input: &[Lanes], output: &mut [Lanes], _scratch: &mut [Lanes]) {
        Arch::new().dispatch(Forward {
            input,
            positions: self.positions(),
            output,
        });
    }

    fn backward(
        &self,
        _theta: &[f32],
        _input: &[Lanes],
        _output: &[Lanes],
        grad_output: &[Lanes],
        grad_input: &mut [Lanes],
        _scratch: &mut [Lanes],
    ) {
        let over = 1.0 / self.positions() as f32;
        for (channel, delta) in grad_input.chunks_exact_mut(self.positions()).zip(grad_output) {
            channel.fill(Lanes(delta.0.map(|d| d * over)));
        }
    }

    fn second_order(&self) -> SecondOrder<'_> {
        SecondOrder::Linear
    }

    #[cfg(feature = "kernels")]
    fn kernel(&self) -> Option<Box<dyn crate::kernels::Kernel>> {
        Some(Box::new(crate::kernels::Average(self.positions())))
    }

    fn tensor_forward(&self, _theta: Tensor<1>, input: Tensor<4>, _products: Products) -> Tensor<4> {
        input.mean_dim(3).mean_dim(2)
    }
}
