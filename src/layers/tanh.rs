//! tanh, element by element.

use burn::tensor::Tensor;
use pulp::{Arch, Simd, WithSimd};

use super::lanes::{Lanes, floats, floats_mut, vectors, vectors_mut};
use super::{Layer, Shape, size};

/// The hyperbolic tangent.
#[derive(Debug)]
pub struct Tanh {
    pub shape: Shape,
}

/// `grad_input` ← `grad_output` · (1 − `output`²).
struct Backward<'a> {
    output: &'a [Lanes],
    grad_output: &'a [Lanes],
    grad_input: &'a mut [Lanes],
}

impl WithSimd for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let grads = vectors::<S>(self.grad_output)
            .iter()
            .zip(vectors::<S>(self.output));
        for (dx, (dy, y)) in vectors_mut::<S>(self.grad_input).iter_mut().zip(grads) {
            let slope = simd.sub_f32s(simd.splat_f32s(1.0), simd.mul_f32s(*y, *y));
            *dx = simd.mul_f32s(*dy, slope);
        }
    }
}

impl Layer for Tanh {
    fn kind(&self) -> &'static str {
        "Tanh"
    }

    fn output(&self) -> Shape {
        self.shape
    }

    fn flops(&self) -> u64 {
        // About what one evaluation of tanh costs.
        20 * size(self.shape) as u64
    }

    fn forward(&self, _theta: &[f32], input: &[Lanes], output: &mut [Lanes], _scratch: &mut [Lanes]) {
        for (y, x) in floats_mut(output).iter_mut().zip(floats(input)) {
            *y = x.tanh();
        }
    }

    fn backward(
        &self,
        _theta: &[f32],
        _input: &[Lanes],
        output: &[Lanes],
        grad_output: &[Lanes],
        grad_input: &mut [Lanes],
        _scratch: &mut [Lanes],
    ) {
        Arch::new().dispatch(Backward {
            output,
            grad_output,
            grad_input,
        });
    }

    fn tensor_forward(&self, _theta: Tensor<1>, input: Tensor<4>) -> Tensor<4> {
        input.tanh()
    }
}
