//! Layers as kernels run them, [`Buffer`] to [`Buffer`].

use super::{Buffer, Convolution, Gpu, Normalised, Rows};

/// What a layer works with: the network's values on the GPU, where its own lie among them, and the samples that go
/// through, minibatch after minibatch.
pub struct Pass<'a> {
    pub gpu: &'a Gpu,
    pub values: &'a Buffer,
    pub offset: usize,
    /// Where a batch normalisation's running statistics lie among the values, if it goes by those.
    pub running: Option<usize>,
    pub minibatches: usize,
    /// Samples of each.
    pub batch: usize,
}

impl Pass<'_> {
    fn samples(&self) -> usize {
        self.minibatches * self.batch
    }
}

/// A layer's input, its output, and what it kept between them.
pub struct Around<'a> {
    pub input: &'a Buffer,
    pub output: &'a Buffer,
    pub kept: Option<&'a Buffer>,
}

/// A layer that kernels can run.
pub trait Kernel: Send + Sync {
    /// The layer's outputs, and what its gradients will need besides.
    fn forward(&self, pass: &Pass, input: &Buffer) -> (Buffer, Option<Buffer>);

    /// ∂loss/∂input from ∂loss/∂output, `delta`.
    fn backward(&self, pass: &Pass, around: &Around, delta: &Buffer) -> Buffer;

    /// The output's derivative along `tangent` in the input, the same side of every kink as [`Kernel::backward`] takes.
    /// For a layer that is linear in its input that is the layer itself, with values among which biases are zero.
    fn tangent(&self, pass: &Pass, _: &Around, tangent: &Buffer) -> Buffer {
        self.forward(pass, tangent).0
    }

    /// ∂loss/∂theta of each minibatch, to `gradients` at `place`; nothing for layers without parameters.
    fn gradient(&self, _: &Pass, _: &Around, _delta: &Buffer, _gradients: &Buffer, _place: Rows) {}
}

impl Kernel for Convolution {
    fn forward(&self, pass: &Pass, input: &Buffer) -> (Buffer, Option<Buffer>) {
        let (gpu, samples) = (pass.gpu, pass.samples());
        let output = match self.fits() {
            true => gpu.convolve(*self, pass.values, pass.offset, input, samples),
            false => gpu.convolve_large(*self, pass.values, pass.offset, input, samples),
        };
        (output, None)
    }

    fn backward(&self, pass: &Pass, _: &Around, delta: &Buffer) -> Buffer {
        let (gpu, samples) = (pass.gpu, pass.samples());
        match self.transposed() {
            Some(undone) if undone.fits() => gpu.convolve(undone, pass.values, pass.offset, delta, samples),
            _ => gpu.convolve_back(*self, pass.values, pass.offset, delta, samples),
        }
    }

    fn gradient(&self, pass: &Pass, around: &Around, delta: &Buffer, gradients: &Buffer, place: Rows) {
        let (gpu, input) = (pass.gpu, around.input);
        let (minibatches, batch) = (pass.minibatches, pass.batch);
        match self.fits() {
            true => gpu.convolution_gradient(*self, input, delta, minibatches, batch, gradients, place),
            false => {
                gpu.convolution_gradient_large(*self, input, delta, minibatches, batch, gradients, place)
            }
        }
    }
}

/// A fully-connected layer: inputs and outputs.
#[derive(Debug, Clone, Copy)]
pub struct FullyConnected(pub [usize; 2]);

impl Kernel for FullyConnected {
    fn forward(&self, pass: &Pass, input: &Buffer) -> (Buffer, Option<Buffer>) {
        let output = pass
            .gpu
            .linear(pass.values, pass.offset, self.0, input, pass.samples());
        (output, None)
    }

    fn backward(&self, pass: &Pass, _: &Around, delta: &Buffer) -> Buffer {
        pass.gpu
            .linear_backward(pass.values, pass.offset, self.0, delta, pass.samples())
    }

    fn gradient(&self, pass: &Pass, around: &Around, delta: &Buffer, gradients: &Buffer, place: Rows) {
        let (minibatches, batch) = (pass.minibatches, pass.batch);
        pass.gpu
            .linear_gradient(self.0, around.input, delta, minibatches, batch, gradients, place);
    }
}

/// max(x, 0).
#[derive(Debug, Clone, Copy)]
pub struct Rectified;

impl Kernel for Rectified {
    fn forward(&self, pass: &Pass, input: &Buffer) -> (Buffer, Option<Buffer>) {
        (pass.gpu.relu(input), None)
    }

    fn backward(&self, pass: &Pass, around: &Around, delta: &Buffer) -> Buffer {
        pass.gpu.relu_backward(around.output, delta)
    }

    fn tangent(&self, pass: &Pass, around: &Around, tangent: &Buffer) -> Buffer {
        pass.gpu.relu_backward(around.output, tangent)
    }
}

/// Maxima over windows of side `window` that cover planes of this height and width.
#[derive(Debug, Clone, Copy)]
pub struct Windows {
    pub size: [usize; 2],
    pub window: usize,
}

impl Kernel for Windows {
    fn forward(&self, pass: &Pass, input: &Buffer) -> (Buffer, Option<Buffer>) {
        (pass.gpu.max_pool(input, self.size, self.window), None)
    }

    fn backward(&self, pass: &Pass, around: &Around, delta: &Buffer) -> Buffer {
        pass.gpu
            .max_pool_backward(around.input, delta, self.size, self.window)
    }

    fn tangent(&self, pass: &Pass, around: &Around, tangent: &Buffer) -> Buffer {
        pass.gpu
            .max_pool_tangent(around.input, tangent, self.size, self.window)
    }
}

/// The mean of each channel over this many positions.
#[derive(Debug, Clone, Copy)]
pub struct Average(pub usize);

impl Kernel for Average {
    fn forward(&self, pass: &Pass, input: &Buffer) -> (Buffer, Option<Buffer>) {
        (pass.gpu.channel_means(input, self.0), None)
    }

    fn backward(&self, pass: &Pass, _: &Around, delta: &Buffer) -> Buffer {
        pass.gpu.channel_means_back(delta, self.0)
    }
}

/// Normalisation of this many channels, over this many positions: it keeps the statistics that each minibatch goes by.
#[derive(Debug, Clone, Copy)]
pub struct Normalisation(pub [usize; 2]);

impl Kernel for Normalisation {
    fn forward(&self, pass: &Pass, input: &Buffer) -> (Buffer, Option<Buffer>) {
        let moments = match pass.running {
            Some(running) => {
                let size = 2 * self.0[0];
                let statistics = pass
                    .gpu
                    .columns(pass.values, pass.values.len, running..running + size);
                let same = pass.gpu.upload_integers(&vec![0; pass.minibatches]);
                pass.gpu.gather(&statistics, &same, size)
            }
            None => pass.gpu.moments(input, self.0, pass.minibatches, pass.batch),
        };
        let output = pass
            .gpu
            .normalise(input, &moments, pass.values, pass.offset, self.0, pass.batch);
        (output, Some(moments))
    }

    fn backward(&self, pass: &Pass, around: &Around, delta: &Buffer) -> Buffer {
        let norm = Normalised {
            input: around.input,
            moments: around.kept.expect("the forward pass keeps its moments"),
            theta: pass.values,
            offset: pass.offset,
            size: self.0,
            minibatches: pass.minibatches,
            batch: pass.batch,
            constant: pass.running.is_some(),
        };
        pass.gpu.normalise_back(&norm, delta)
    }

    fn gradient(&self, pass: &Pass, around: &Around, delta: &Buffer, gradients: &Buffer, place: Rows) {
        let moments = around.kept.expect("the forward pass keeps its moments");
        let (minibatches, batch) = (pass.minibatches, pass.batch);
        let input = around.input;
        pass.gpu.normalisation_gradient(
            input,
            moments,
            delta,
            self.0,
            minibatches,
            batch,
            gradients,
            place,
        );
    }
}
