//! GELU, x Φ(x) with the normal distribution function itself (PyTorch's `nn.GELU()`, not its tanh form).

use burn::{Tensor, activation};
use gradstudy_base::signature::Signature;
use pulp::{Arch, Simd, WithSimd};

use super::kind::alone;
use super::lanes::{Lanes, floats, floats_mut};
use super::second_order::{Curved, SecondOrder, Tangent};
use super::vector_math::normal;
use super::{Layer, LayerKind, Products, Shape, size};

/// `nn.GELU`.
pub static KIND: LayerKind = LayerKind {
    signature: &Signature {
        name: "gelu",
        summary: "x Φ(x) with the normal distribution function itself, not its tanh form",
        params: &[],
        version: 1,
    },
    place: |_, here| alone(Gelu { shape: here.shape }),
};

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

/// `grad_input_tangent` += `grad_output` · φ(x)(2 − x²) · `input_tangent`.
struct Curvature<'a> {
    input: &'a [Lanes],
    input_tangent: &'a [Lanes],
    grad_output: &'a [Lanes],
    grad_input_tangent: &'a mut [Lanes],
}

impl WithSimd for Curvature<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let values = floats(self.input)
            .iter()
            .zip(floats(self.input_tangent))
            .zip(floats(self.grad_output));
        for (sum, ((x, tangent), delta)) in floats_mut(self.grad_input_tangent).iter_mut().zip(values) {
            let second = normal(*x).1 * x.mul_add(-*x, 2.0);
            *sum = (second * *tangent).mul_add(*delta, *sum);
        }
    }
}

impl Tangent for Gelu {
    fn tangent(
        &self,
        input: &[Lanes],
        _output: &[Lanes],
        input_tangent: &[Lanes],
        output_tangent: &mut [Lanes],
    ) {
        // The derivative is diagonal: forwards and backwards it is the same slope.
        Arch::new().dispatch(Backward {
            input,
            grad_output: input_tangent,
            grad_input: output_tangent,
        });
    }
}

impl Curved for Gelu {
    fn add_curvature(
        &self,
        input: &[Lanes],
        _output: &[Lanes],
        input_tangent: &[Lanes],
        grad_output: &[Lanes],
        grad_input_tangent: &mut [Lanes],
    ) {
        Arch::new().dispatch(Curvature {
            input,
            input_tangent,
            grad_output,
            grad_input_tangent,
        });
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

    fn second_order(&self) -> SecondOrder<'_> {
        SecondOrder::Smooth(self)
    }

    fn tensor_forward(&self, _theta: Tensor<1>, input: Tensor<4>, _products: Products) -> Tensor<4> {
        activation::gelu(input)
    }
}
