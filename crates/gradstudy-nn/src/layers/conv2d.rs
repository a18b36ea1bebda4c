//! 2-D convolution (a cross-correlation, as in PyTorch): square kernels, stride, symmetric zero padding, dilation and
//! groups. The host kernels of one group are in [`super::conv2d_group`].

use burn::ops::{ConvOptions, UnfoldOptions};
use burn::{Tensor, module};
use gradstudy_base::signature::{Args, Default as By, Param, ParamType, Signature};

use super::kind::{Here, Misfit, Row, alone, in_words};
use super::lanes::{Lanes, Segment};
use super::second_order::SecondOrder;
use super::{Initial, Layer, LayerKind, Parameter, Place, Products, Shape, size};

/// A whole number from 1 among a convolution's settings.
const fn count(name: &'static str, max: i64, default: By, doc: &'static str) -> Param {
    Param {
        name,
        ty: ParamType::Integer { min: 1, max },
        default,
        doc,
    }
}

/// `nn.Conv2d`.
pub static KIND: LayerKind = LayerKind {
    signature: &Signature {
        name: "conv2d",
        summary: "convolution with square kernels (a cross-correlation, as in PyTorch)",
        params: &[
            count(
                "channels",
                100_000,
                By::Required,
                "output channels (PyTorch's out_channels)",
            ),
            count("kernel", 1024, By::Required, "side of the kernel"),
            count("stride", 1024, By::Text("1"), "step between output positions"),
            Param {
                name: "padding",
                ty: ParamType::Integer { min: 0, max: 1024 },
                default: By::Text("0"),
                doc: "zeros around the image; fewer than the kernel reaches over",
            },
            count(
                "dilation",
                1024,
                By::Text("1"),
                "step between the positions that neighbouring weights see",
            ),
            count(
                "groups",
                100_000,
                By::Text("1"),
                "equal groups of channels that see only each other; as many as channels for a depthwise convolution",
            ),
            Param {
                name: "bias",
                ty: ParamType::Boolean,
                default: By::Text("true"),
                doc: "whether a number is added to each output channel",
            },
        ],
        version: 1,
    },
    place,
};

fn place(args: &Args, here: Here) -> Result<Row, Misfit> {
    let of = |name| args.integer(name) as usize;
    let conv = Conv2d {
        input: here.shape,
        out_channels: of("channels"),
        kernel: of("kernel"),
        stride: of("stride"),
        padding: of("padding"),
        dilation: of("dilation"),
        groups: of("groups"),
        bias: args.boolean("bias"),
    };
    let reach = conv.dilation * (conv.kernel - 1) + 1;
    let [channels, height, width] = here.shape;
    let least = height.min(width) + 2 * conv.padding;
    if least < reach {
        let problem = format!(
            "a kernel that spans {reach} × {reach} is larger than {}",
            in_words(here.shape)
        );
        return Err(Misfit::new(
            problem,
            "take a smaller kernel, more padding, or fewer layers that shrink the image before it",
        ));
    }
    if conv.padding >= reach {
        let problem = format!(
            "a padding of {} lies beyond a kernel that spans {reach}",
            conv.padding
        );
        return Err(Misfit::new(
            problem,
            format!("take a padding of at most {}", reach - 1),
        ));
    }
    if !(channels.is_multiple_of(conv.groups) && conv.out_channels.is_multiple_of(conv.groups)) {
        let problem = format!(
            "{} groups do not divide {channels} channels into {}",
            conv.groups, conv.out_channels
        );
        let help = "let `groups` be a divisor of the channels that come in and of those that go out";
        return Err(Misfit::new(problem, help));
    }
    alone(conv)
}

/// Convolution with square kernels. [`Conv2d::default`] has PyTorch's defaults, for a kernel of one weight.
#[derive(Debug, Clone, Copy)]
pub struct Conv2d {
    pub input: Shape,
    pub out_channels: usize,
    /// Side of the kernel, k.
    pub kernel: usize,
    /// Step between output positions.
    pub stride: usize,
    /// Zeros added on each side, at most `dilation` (k − 1).
    pub padding: usize,
    /// Step between the positions that neighbouring weights see.
    pub dilation: usize,
    /// Output channel o sees only the input channels of its group: both divide into so many equal groups.
    pub groups: usize,
    /// Whether a number per output channel is added.
    pub bias: bool,
}

impl Default for Conv2d {
    fn default() -> Self {
        Conv2d {
            input: [1, 1, 1],
            out_channels: 1,
            kernel: 1,
            stride: 1,
            padding: 0,
            dilation: 1,
            groups: 1,
            bias: true,
        }
    }
}

impl Conv2d {
    pub(super) fn weights(&self) -> usize {
        self.out_channels * self.taps()
    }

    /// Weights of one output channel.
    fn taps(&self) -> usize {
        self.input[0] / self.groups * self.kernel * self.kernel
    }

    /// One group on its own.
    fn group(&self) -> Conv2d {
        let [channels, height, width] = self.input;
        Conv2d {
            input: [channels / self.groups, height, width],
            out_channels: self.out_channels / self.groups,
            groups: 1,
            ..*self
        }
    }

    /// The part of `values` that group `g` has.
    fn of_group<'a, T>(&self, values: &'a [T], g: usize) -> &'a [T] {
        let size = values.len() / self.groups;
        &values[g * size..(g + 1) * size]
    }

    fn of_group_mut<'a, T>(&self, values: &'a mut [T], g: usize) -> &'a mut [T] {
        let size = values.len() / self.groups;
        &mut values[g * size..(g + 1) * size]
    }
}

impl Layer for Conv2d {
    fn kind(&self) -> &'static str {
        "Conv2d"
    }

    fn output(&self) -> Shape {
        let extent = self.dilation * (self.kernel - 1) + 1;
        let side = |n: usize| (n + 2 * self.padding - extent) / self.stride + 1;
        [self.out_channels, side(self.input[1]), side(self.input[2])]
    }

    fn parameters(&self) -> Vec<Parameter> {
        let initial = Initial::Uniform(1.0 / (self.taps() as f64).sqrt());
        let weight = Parameter {
            name: "weight",
            dims: vec![
                self.out_channels,
                self.input[0] / self.groups,
                self.kernel,
                self.kernel,
            ],
            initial,
        };
        let bias = Parameter {
            name: "bias",
            dims: vec![self.out_channels],
            initial,
        };
        if self.bias {
            vec![weight, bias]
        } else {
            vec![weight]
        }
    }

    fn version(&self) -> u32 {
        if self.group().is_filtered() { 2 } else { 1 }
    }

    fn flops(&self) -> u64 {
        2 * (self.taps() * size(self.output())) as u64
    }

    fn scratch(&self) -> usize {
        self.group().group_scratch()
    }

    fn forward(&self, theta: &[f32], input: &[Lanes], output: &mut [Lanes], scratch: &mut [Lanes]) {
        let (weights, bias) = theta.split_at(self.weights());
        for g in 0..self.groups {
            let (weights, bias) = (self.of_group(weights, g), self.of_group(bias, g));
            let (input, output) = (self.of_group(input, g), self.of_group_mut(output, g));
            self.group().group_forward(weights, bias, input, output, scratch);
        }
    }

    fn backward(
        &self,
        theta: &[f32],
        _input: &[Lanes],
        _output: &[Lanes],
        grad_output: &[Lanes],
        grad_input: &mut [Lanes],
        scratch: &mut [Lanes],
    ) {
        for g in 0..self.groups {
            let weights = self.of_group(&theta[..self.weights()], g);
            let (delta, grad_input) = (self.of_group(grad_output, g), self.of_group_mut(grad_input, g));
            self.group().group_backward(weights, delta, grad_input, scratch);
        }
    }

    fn gradient(
        &self,
        _theta: &[f32],
        input: &[Lanes],
        grad_output: &[Lanes],
        scratch: &mut [Lanes],
        segments: &[Segment],
        columns: &mut [f32],
        place: Place,
    ) {
        let group = self.group();
        let at = |offset: usize| Place {
            offset: place.offset + offset,
            ..place
        };
        for g in 0..self.groups {
            let (input, delta) = (self.of_group(input, g), self.of_group(grad_output, g));
            let places = [
                at(g * group.weights()),
                at(self.weights() + g * group.out_channels),
            ];
            group.group_gradient(input, delta, scratch, segments, columns, places);
        }
    }

    fn second_order(&self) -> SecondOrder<'_> {
        SecondOrder::Linear
    }

    #[cfg(feature = "kernels")]
    fn kernel(&self) -> Option<Box<dyn crate::kernels::Kernel>> {
        let ([c, h, w], [o, oh, ow]) = (self.input, self.output());
        let layer = crate::kernels::Convolution {
            c,
            h,
            w,
            o,
            oh,
            ow,
            k: self.kernel,
            stride: self.stride,
            padding: self.padding,
            transposed: false,
            bias: self.bias,
        };
        match self.groups == 1 && self.dilation == 1 {
            true => Some(Box::new(layer)),
            false => None,
        }
    }

    fn tensor_forward(&self, theta: Tensor<1>, input: Tensor<4>, _products: Products) -> Tensor<4> {
        let (o, c, k) = (self.out_channels, self.input[0] / self.groups, self.kernel);
        let weight = theta.clone().slice([0..self.weights()]).reshape([o, c, k, k]);
        let bias = self
            .bias
            .then(|| theta.slice([self.weights()..self.weights() + o]));
        let (s, p, d) = ([self.stride; 2], [self.padding; 2], [self.dilation; 2]);
        module::conv2d(input, weight, bias, ConvOptions::new(s, p, d, self.groups))
    }

    fn tensor_gradient(
        &self,
        input: Tensor<4>,
        grad_output: Tensor<4>,
        minibatches: usize,
        products: Products,
    ) -> Option<Tensor<2>> {
        let [_, height, width] = self.output();
        let (o, positions, groups) = (self.out_channels, height * width, self.groups);
        let taps = self.taps();
        let samples = input.dims()[0];
        let batch = samples / minibatches;
        let (s, p, d) = ([self.stride; 2], [self.padding; 2], [self.dilation; 2]);
        // a: [minibatches·groups, taps, batch·positions], δ: [minibatches·groups, out, batch·positions].
        let a = module::unfold4d(input, [self.kernel; 2], UnfoldOptions::new(s, p, d))
            .reshape([minibatches, batch, groups * taps, positions])
            .swap_dims(1, 2)
            .reshape([minibatches * groups, taps, batch * positions]);
        let delta = grad_output
            .reshape([minibatches, batch, o, positions])
            .swap_dims(1, 2)
            .reshape([minibatches * groups, o / groups, batch * positions]);
        let weight = products
            .of(delta.clone(), a.swap_dims(1, 2))
            .reshape([minibatches, o * taps]);
        if !self.bias {
            return Some(weight);
        }
        let bias = delta.sum_dim(2).reshape([minibatches, o]);
        Some(Tensor::cat(vec![weight, bias], 1))
    }
}
