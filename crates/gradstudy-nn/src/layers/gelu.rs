//! GELU, x Φ(x) with the normal distribution function itself (PyTorch's `nn.GELU()`, not its tanh form).

use burn::{Tensor, activation};
use pulp::{Arch, Simd, WithSimd};

use super::lanes::{Lanes, floats, floats_mut};
use super::vector_math::normal;
use super::{Layer, Products, Shape, size};

/// The Gaussian error linear unit (Hendrycks and Gimpel 2016).
#[derive(Debug)]
pub struct Gelu {
    pub shape: Shape,
}

struct Forward<'a>(&'a [Lanes], &'a mut [Lanes]);

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        for (y, x) in floats_mut(self.1).iter_mut().zip(floats(self.0)) {
            *y = *x * normal(*x).0;
        }
    }
}

struct Backward<'a> {
    input: &'a [Lanes],
    grad_output: &'a [Lanes],
    grad_input: &'a mut [Lanes],
}

impl WithSimd for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let grads = floats(self.grad_output).iter().zip(floats(self.input));
        for (dx, (dy, x)) in floats_mut(self.grad_input).iter_mut().zip(grads) {
            let (distribution, density) = normal(*x);
            *dx = *dy * x.mul_add(density, distribution);
        }
    }
}

impl Layer for Gelu {
    fn kind(&self) -> &'static str {
        "GELU"
    }

    fn output(&self) -> Shape {
        self.shape
    }

    fn flops(&self) -> u64 {
        // About what one evaluation costs.
        40 * size(self.shape) as u64
    }

    fn forward(&self, _theta: &[f32], input: &[Lanes], output: &mut [Lanes], _scratch: &mut [Lanes]) {
        Arch::new().dispatch(Forward(input, output));
    }

    fn backward(
        &self,
        _theta: &[f32],
        input: &[Lanes],
        _output: &[Lanes],
        grad_output: &[Lanes],
        grad_input: &mut [Lanes],
        _scratch: &mut [Lanes],
    ) {
        Arch::new().dispatch(Backward {
            input,
            grad_output,
            grad_input,
        });
    }

    fn tensor_forward(&self, _theta: Tensor<1>, input: Tensor<4>, _products: Products) -> Tensor<4> {
        activation::gelu(input)
    }
}
