//! tanh, element by element.

use burn::Tensor;
use gradstudy_base::signature::Signature;
use pulp::{Arch, Simd, WithSimd};

use super::kind::alone;
use super::lanes::{Lanes, floats, floats_mut, vectors, vectors_mut};
use super::second_order::{Curved, SecondOrder, Tangent};
use super::{Layer, LayerKind, Products, Shape, size};

/// `nn.Tanh`.
pub static KIND: LayerKind = LayerKind {
    signature: &Signature {
        name: "tanh",
        summary: "the hyperbolic tangent",
        params: &[],
        version: 1,
    },
    place: |_, here| alone(Tanh { shape: here.shape }),
};

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

/// `grad_input_tangent` += `grad_output` · (−2 `output` (1 − `output`²)) · `input_tangent`.
struct Curvature<'a> {
    output: &'a [Lanes],
    input_tangent: &'a [Lanes],
    grad_output: &'a [Lanes],
    grad_input_tangent: &'a mut [Lanes],
}

impl WithSimd for Curvature<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let values = vectors::<S>(self.output)
            .iter()
            .zip(vectors::<S>(self.input_tangent))
            .zip(vectors::<S>(self.grad_output));
        for (sum, ((y, x_dot), dy)) in vectors_mut::<S>(self.grad_input_tangent).iter_mut().zip(values) {
            let slope = simd.sub_f32s(simd.splat_f32s(1.0), simd.mul_f32s(*y, *y));
            let second = simd.mul_f32s(simd.mul_f32s(simd.splat_f32s(-2.0), *y), slope);
            *sum = simd.mul_add_e_f32s(simd.mul_f32s(second, *x_dot), *dy, *sum);
        }
    }
}

impl Tangent for Tanh {
    fn tangent(
        &self,
        _input: &[Lanes],
        output: &[Lanes],
        input_tangent: &[Lanes],
        output_tangent: &mut [Lanes],
    ) {
        // The derivative is diagonal: forwards and backwards it is the same slope.
        Arch::new().dispatch(Backward {
            output,
            grad_output: input_tangent,
            grad_input: output_tangent,
        });
    }
}

impl Curved for Tanh {
    fn add_curvature(
        &self,
        _input: &[Lanes],
        output: &[Lanes],
        input_tangent: &[Lanes],
        grad_output: &[Lanes],
        grad_input_tangent: &mut [Lanes],
    ) {
        Arch::new().dispatch(Curvature {
            output,
            input_tangent,
            grad_output,
            grad_input_tangent,
        });
    }
}

impl Layer for Tanh {
    fn kind(&self) -> &'static str {
        "Tanh"
    }

    fn output(&self) -> Shape {
        self.shape
    }

    fn reads_output(&self) -> bool {
        true
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

    fn second_order(&self) -> SecondOrder<'_> {
        SecondOrder::Smooth(self)
    }

    fn tensor_forward(&self, _theta: Tensor<1>, input: Tensor<4>, _products: Products) -> Tensor<4> {
        input.tanh()
    }
}
