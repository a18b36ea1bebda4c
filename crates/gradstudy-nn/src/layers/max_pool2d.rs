//! Maximum over non-overlapping k×k windows; the first of equal maxima takes the gradient, as in PyTorch.

use burn::ops::MaxPoolOptions;
use burn::{Tensor, module};
use gradstudy_base::signature::{Args, Default, Param, ParamType, Signature};
use pulp::{Arch, Simd, WithSimd};

use super::kind::{Here, Misfit, Row, alone, in_words};
use super::lanes::{Lanes, vectors, vectors_mut, vectors_per_lanes};
use super::second_order::{SecondOrder, Tangent};
use super::{Layer, LayerKind, Products, Shape, size};

/// `nn.MaxPool2d(kernel)`.
pub static KIND: LayerKind = LayerKind {
    signature: &Signature {
        name: "max_pool2d",
        summary: "the maximum of each window of kernel × kernel positions; windows do not overlap",
        params: &[Param {
            name: "kernel",
            ty: ParamType::Integer { min: 1, max: 1024 },
            default: Default::Required,
            doc: "side of a window, and the step between windows; rows and columns that fill no window are left out",
        }],
        version: 1,
    },
    place,
};

fn place(args: &Args, here: Here) -> Result<Row, Misfit> {
    let (input, window) = (here.shape, args.integer("kernel") as usize);
    if input[1] < window || input[2] < window {
        let problem = format!(
            "`max_pool2d` has windows of {window} × {window}, this is {}",
            in_words(input)
        );
        return Err(Misfit::new(
            problem,
            "take a smaller window, or fewer layers that shrink the image before it",
        ));
    }
    alone(MaxPool2d { input, window })
}

/// Max pooling with stride equal to the window.
#[derive(Debug)]
pub struct MaxPool2d {
    pub input: Shape,
    /// Side of the window, k.
    pub window: usize,
}

/// Calls `visit(output index, input index of the window's first element)` for every window.
#[inline(always)]
fn for_each_window(pool: &MaxPool2d, mut visit: impl FnMut(usize, usize)) {
    let [channels, height, width] = pool.input;
    let [_, out_height, out_width] = pool.output();
    let mut out = 0;
    for c in 0..channels {
        for y in 0..out_height {
            let row = (c * height + y * pool.window) * width;
            for x in 0..out_width {
                visit(out, row + x * pool.window);
                out += 1;
            }
        }
    }
}

struct Forward<'a>(&'a MaxPool2d, &'a [Lanes], &'a mut [Lanes]);

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (pool, v) = (self.0, vectors_per_lanes::<S>());
        let (width, k) = (pool.input[2], pool.window);
        let (input, output) = (vectors::<S>(self.1), vectors_mut::<S>(self.2));
        for_each_window(pool, |out, first| {
            for i in 0..v {
                let mut best = input[first * v + i];
                for ky in 0..k {
                    for kx in 0..k {
                        best = simd.max_f32s(best, input[(first + ky * width + kx) * v + i]);
                    }
                }
                output[out * v + i] = best;
            }
        });
    }
}

struct Backward<'a> {
    pool: &'a MaxPool2d,
    input: &'a [Lanes],
    output: &'a [Lanes],
    grad_output: &'a [Lanes],
    grad_input: &'a mut [Lanes],
}

impl WithSimd for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (pool, v) = (self.pool, vectors_per_lanes::<S>());
        let (width, k) = (pool.input[2], pool.window);
        let (input, output) = (vectors::<S>(self.input), vectors::<S>(self.output));
        let (grad_output, grad_input) = (vectors::<S>(self.grad_output), vectors_mut::<S>(self.grad_input));
        let zero = simd.splat_f32s(0.0);
        for_each_window(pool, |out, first| {
            for i in 0..v {
                let best = output[out * v + i];
                // What is left to hand out: the first maximum takes all of it.
                let mut left = grad_output[out * v + i];
                for ky in 0..k {
                    for kx in 0..k {
                        let at = (first + ky * width + kx) * v + i;
                        let is_best = simd.equal_f32s(input[at], best);
                        grad_input[at] = simd.select_f32s(is_best, left, zero);
                        left = simd.select_f32s(is_best, zero, left);
                    }
                }
            }
        });
    }
}

struct Select<'a> {
    pool: &'a MaxPool2d,
    input: &'a [Lanes],
    output: &'a [Lanes],
    input_tangent: &'a [Lanes],
    output_tangent: &'a mut [Lanes],
}

impl WithSimd for Select<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (pool, v) = (self.pool, vectors_per_lanes::<S>());
        let (width, k) = (pool.input[2], pool.window);
        let (input, output) = (vectors::<S>(self.input), vectors::<S>(self.output));
        let input_tangent = vectors::<S>(self.input_tangent);
        let output_tangent = vectors_mut::<S>(self.output_tangent);
        for_each_window(pool, |out, first| {
            for i in 0..v {
                let best = output[out * v + i];
                let mut tangent = simd.splat_f32s(0.0);
                // From the last to the first, so that the first of equal maxima has the last word.
                for ky in (0..k).rev() {
                    for kx in (0..k).rev() {
                        let at = (first + ky * width + kx) * v + i;
                        let is_best = simd.equal_f32s(input[at], best);
                        tangent = simd.select_f32s(is_best, input_tangent[at], tangent);
                    }
                }
                output_tangent[out * v + i] = tangent;
            }
        });
    }
}

impl Tangent for MaxPool2d {
    fn tangent(
        &self,
        input: &[Lanes],
        output: &[Lanes],
        input_tangent: &[Lanes],
        output_tangent: &mut [Lanes],
    ) {
        Arch::new().dispatch(Select {
            pool: self,
            input,
            output,
            input_tangent,
            output_tangent,
        });
    }
}

impl Layer for MaxPool2d {
    fn kind(&self) -> &'static str {
        "MaxPool2d"
    }

    fn output(&self) -> Shape {
        [
            self.input[0],
            self.input[1] / self.window,
            self.input[2] / self.window,
        ]
    }

    fn reads_output(&self) -> bool {
        true
    }

    fn flops(&self) -> u64 {
        size(self.input) as u64
    }

    fn forward(&self, _theta: &[f32], input: &[Lanes], output: &mut [Lanes], _scratch: &mut [Lanes]) {
        Arch::new().dispatch(Forward(self, input, output));
    }

    fn backward(
        &self,
        _theta: &[f32],
        input: &[Lanes],
        output: &[Lanes],
        grad_output: &[Lanes],
        grad_input: &mut [Lanes],
        _scratch: &mut [Lanes],
    ) {
        // Rows and columns that no window covers (odd sizes) receive no gradient.
        if size(self.output()) * self.window * self.window != size(self.input) {
            grad_input.fill(Lanes::default());
        }
        Arch::new().dispatch(Backward {
            pool: self,
            input,
            output,
            grad_output,
            grad_input,
        });
    }

    fn second_order(&self) -> SecondOrder<'_> {
        SecondOrder::Piecewise(self)
    }

    #[cfg(feature = "kernels")]
    fn kernel(&self) -> Option<Box<dyn crate::kernels::Kernel>> {
        let ([_, height, width], window) = (self.input, self.window);
        let size = [height, width];
        match size.iter().all(|side| side % window == 0) {
            true => Some(Box::new(crate::kernels::Windows { size, window })),
            false => None,
        }
    }

    fn tensor_forward(&self, _theta: Tensor<1>, input: Tensor<4>, _products: Products) -> Tensor<4> {
        module::max_pool2d(input, MaxPoolOptions::new([self.window; 2]))
    }
}
