//! Layers of every kind, with the shapes of their inputs.

use super::super::*;

pub fn layers() -> Vec<(Shape, Box<dyn Layer>)> {
    let any = |input: Shape, out_channels, kernel, padding, stride, bias| -> (Shape, Box<dyn Layer>) {
        let layer = Conv2d {
            input,
            out_channels,
            kernel,
            stride,
            padding,
            bias,
            ..Conv2d::default()
        };
        (input, Box::new(layer))
    };
    let grouped =
        |input: Shape, out_channels, padding, stride, dilation, groups| -> (Shape, Box<dyn Layer>) {
            let layer = Conv2d {
                input,
                out_channels,
                kernel: 3,
                stride,
                padding,
                dilation,
                groups,
                bias: true,
            };
            (input, Box::new(layer))
        };
    let attention = |tokens, dim, heads, causal| -> (Shape, Box<dyn Layer>) {
        let layer = Attention {
            tokens,
            dim,
            heads,
            causal,
        };
        ([3 * dim, 1, tokens], Box::new(layer))
    };
    fn elementwise(function: impl elementwise::Function) -> (Shape, Box<dyn Layer>) {
        let shape = [3, 5, 4];
        (shape, Box::new(Elementwise { shape, function }))
    }
    let pooled = |input, window| -> Box<dyn Layer> { Box::new(AvgPool2d { input, window }) };
    let conv = |input, out_channels, kernel, padding| any(input, out_channels, kernel, padding, 1, true);
    vec![
        conv([1, 28, 28], 6, 5, 0),
        conv([6, 12, 12], 16, 5, 0),
        conv([3, 9, 7], 7, 3, 1),
        conv([2, 8, 8], 13, 5, 2),
        conv([4, 6, 5], 1, 1, 0),
        conv([1, 9, 9], 2, 7, 3),
        // A stride, or more weights than a gradient per lane has room for.
        any([3, 8, 8], 4, 3, 1, 2, false),
        any([3, 9, 7], 7, 3, 1, 2, true),
        any([2, 10, 11], 5, 3, 0, 2, true),
        any([2, 11, 10], 5, 5, 2, 3, false),
        any([4, 8, 6], 8, 1, 0, 2, false),
        any([2, 7, 7], 3, 2, 0, 2, false),
        any([2, 9, 9], 3, 3, 2, 3, true),
        any([1, 6, 6], 1, 3, 1, 4, true),
        // Minimal filtering, with whole tiles and cut ones; the second also for the weight gradient.
        any([24, 6, 5], 40, 3, 1, 1, false),
        any([33, 7, 9], 32, 3, 1, 1, true),
        any([32, 8, 8], 48, 3, 1, 1, false),
        any([40, 4, 4], 31, 3, 2, 1, true),
        any([100, 3, 3], 90, 1, 0, 1, true),
        // Dilation, groups (depthwise: as many as channels), and all of it together.
        grouped([2, 9, 8], 3, 2, 1, 2, 1),
        grouped([3, 11, 10], 4, 0, 2, 3, 1),
        grouped([6, 7, 8], 4, 1, 1, 1, 2),
        grouped([5, 6, 6], 10, 1, 1, 1, 5),
        grouped([4, 12, 11], 6, 3, 2, 2, 2),
        grouped([4, 13, 13], 4, 6, 3, 3, 4),
        // Images smaller than the kernel: some taps meet zeros alone.
        grouped([4, 1, 1], 4, 2, 1, 2, 2),
        grouped([3, 2, 1], 5, 2, 1, 2, 1),
        any([3, 1, 2], 4, 5, 2, 2, true),
        any([40, 1, 1], 40, 3, 1, 1, true),
        any([2, 1, 1], 3, 3, 1, 1, true),
        ([7, 1, 10], Box::new(TokenLinear::new([7, 1, 10], 13))),
        ([40, 1, 6], Box::new(TokenLinear::new([40, 1, 6], 33))),
        ([9, 2, 5], Box::new(LayerNorm { shape: [9, 2, 5] })),
        ([32, 1, 1], Box::new(LayerNorm { shape: [32, 1, 1] })),
        ([3, 5, 4], Box::new(Gelu { shape: [3, 5, 4] })),
        elementwise(elu::Elu(0.6)),
        elementwise(leaky_relu::LeakyRelu(0.2)),
        elementwise(sigmoid::Sigmoid),
        elementwise(silu::Silu),
        elementwise(softplus::Softplus),
        ([3, 5, 4], Box::new(Identity::new([3, 5, 4]))),
        ([3, 5, 4], Box::new(Identity::flatten([3, 5, 4]))),
        ([3, 8, 6], pooled([3, 8, 6], 2)),
        ([2, 9, 11], pooled([2, 9, 11], 3)),
        (
            [6, 3, 4],
            Box::new(Scale {
                shape: [6, 3, 4],
                initial: 1.0,
            }),
        ),
        (
            [6, 3, 4],
            Box::new(Positions {
                input: [6, 3, 4],
                sd: 1.0,
            }),
        ),
        attention(5, 6, 2, false),
        attention(5, 6, 3, true),
        attention(17, 8, 1, true),
        attention(12, 16, 4, false),
        ([3, 5, 4], Box::new(GlobalAvgPool { input: [3, 5, 4] })),
        (
            [16, 4, 4],
            Box::new(Linear {
                input: [16, 4, 4],
                outputs: 120,
            }),
        ),
        (
            [7, 1, 1],
            Box::new(Linear {
                input: [7, 1, 1],
                outputs: 23,
            }),
        ),
        (
            [6, 24, 24],
            Box::new(MaxPool2d {
                input: [6, 24, 24],
                window: 2,
            }),
        ),
        (
            [2, 9, 10],
            Box::new(MaxPool2d {
                input: [2, 9, 10],
                window: 3,
            }),
        ),
        ([3, 5, 4], Box::new(Relu { shape: [3, 5, 4] })),
        ([3, 5, 4], Box::new(Tanh { shape: [3, 5, 4] })),
        ([3, 5, 3], Box::new(BatchNorm { shape: [3, 5, 3] })),
        ([9, 1, 1], Box::new(BatchNorm { shape: [9, 1, 1] })),
    ]
}
