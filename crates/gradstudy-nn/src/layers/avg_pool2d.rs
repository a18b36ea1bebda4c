//! The mean of each of non-overlapping k×k windows.

use burn::ops::AvgPoolOptions;
use burn::{Tensor, module};
use gradstudy_base::signature::{Args, Default, Param, ParamType, Signature};

use super::kind::{Here, Misfit, Row, alone, in_words};
use super::lanes::{LANES, Lanes};
use super::second_order::SecondOrder;
use super::{Layer, LayerKind, Products, Shape, size};

/// `nn.AvgPool2d(kernel)`.
pub static KIND: LayerKind = LayerKind {
    signature: &Signature {
        name: "avg_pool2d",
        summary: "the mean of each window of kernel × kernel positions; windows do not overlap",
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
            "`avg_pool2d` has windows of {window} × {window}, this is {}",
            in_words(input)
        );
        let help = "take a smaller window, or fewer layers that shrink the image before it";
        return Err(Misfit::new(problem, help));
    }
    alone(AvgPool2d { input, window })
}

/// Average pooling with stride equal to the window.
#[derive(Debug)]
pub struct AvgPool2d {
    pub input: Shape,
    /// Side of the window, k.
    pub window: usize,
}

impl AvgPool2d {
    /// Calls `visit(output index, input index)` for every position of every window.
    fn each(&self, mut visit: impl FnMut(usize, usize)) {
        let ([_, height, width], k) = (self.input, self.window);
        let [channels, out_height, out_width] = self.output();
        let mut out = 0;
        for c in 0..channels {
            for y in 0..out_height {
                for x in 0..out_width {
                    let first = (c * height + y * k) * width + x * k;
                    for row in 0..k {
                        (0..k).for_each(|column| visit(out, first + row * width + column));
                    }
                    out += 1;
                }
            }
        }
    }

    fn share(&self) -> f32 {
        1.0 / (self.window * self.window) as f32
    }
}

impl Layer for AvgPool2d {
    fn kind(&self) -> &'static str {
        "AvgPool2d"
    }

    fn output(&self) -> Shape {
        let [channels, height, width] = self.input;
        [channels, height / self.window, width / self.window]
    }

    fn flops(&self) -> u64 {
        size(self.input) as u64
    }

    fn forward(&self, _theta: &[f32], input: &[Lanes], output: &mut [Lanes], _scratch: &mut [Lanes]) {
        output.fill(Lanes::default());
        self.each(|out, at| {
            for lane in 0..LANES {
                output[out].0[lane] += input[at].0[lane];
            }
        });
        let share = self.share();
        output
            .iter_mut()
            .for_each(|y| y.0.iter_mut().for_each(|y| *y *= share));
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
        // Rows and columns that no window covers (odd sizes) receive no gradient.
        if size(self.output()) * self.window * self.window != size(self.input) {
            grad_input.fill(Lanes::default());
        }
        let share = self.share();
        self.each(|out, at| grad_input[at] = Lanes(grad_output[out].0.map(|delta| delta * share)));
    }

    fn second_order(&self) -> SecondOrder<'_> {
        SecondOrder::Linear
    }

    fn tensor_forward(&self, _theta: Tensor<1>, input: Tensor<4>, _products: Products) -> Tensor<4> {
        module::avg_pool2d(input, AvgPoolOptions::new([self.window; 2]))
    }
}
