//! Convolutions, and how their work is divided among threads.

/// A convolution and how its work is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Convolution {
    /// Channels, height and width of the input.
    pub c: usize,
    pub h: usize,
    pub w: usize,
    /// Channels, height and width of the output.
    pub o: usize,
    pub oh: usize,
    pub ow: usize,
    /// Side of the kernel.
    pub k: usize,
    pub stride: usize,
    pub padding: usize,
    /// The weights are of the convolution that this one undoes: \[c, o, k, k\], turned around.
    pub transposed: bool,
    /// Whether a number per output channel is added.
    pub bias: bool,
}

/// Numbers of shared memory that a cube may take: 48 KiB, which every NVIDIA GPU has.
const SHARED: usize = 12_288;

/// How a cube divides the outputs of some samples among its threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Tiles {
    /// Neighbouring output positions and output channels of one thread.
    pub positions: usize,
    pub channels: usize,
    /// Samples of one cube.
    pub samples: usize,
    pub threads: usize,
}

/// How a cube divides the weights and output rows of one minibatch among its threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Taps {
    /// Output channels of one thread.
    pub channels: usize,
    /// Threads with the same weights, each for its own rows.
    pub shares: usize,
    pub threads: usize,
}

/// The largest divisor of `n` that is at most `most`.
fn divisor(n: usize, most: usize) -> usize {
    (1..=most.min(n))
        .rev()
        .find(|&d| n.is_multiple_of(d))
        .unwrap_or(1)
}

impl Convolution {
    /// Numbers in the weights.
    pub fn weights(&self) -> usize {
        self.o * self.c * self.k * self.k
    }

    /// Numbers in the output.
    pub fn outputs(&self) -> usize {
        self.o * self.oh * self.ow
    }

    /// Numbers in the input.
    pub fn inputs(&self) -> usize {
        self.c * self.h * self.w
    }

    fn padded(&self) -> usize {
        self.c * (self.h + 2 * self.padding) * (self.w + 2 * self.padding)
    }

    /// Gradients with respect to the input are this convolution of those with respect to the output, if steps are of
    /// one.
    pub fn transposed(&self) -> Option<Convolution> {
        (self.stride == 1 && self.padding < self.k).then(|| Convolution {
            c: self.o,
            h: self.oh,
            w: self.ow,
            o: self.c,
            oh: self.h,
            ow: self.w,
            padding: self.k - 1 - self.padding,
            transposed: true,
            bias: false,
            ..*self
        })
    }

    /// Whether the kernels take it.
    pub fn fits(&self) -> bool {
        let gradient = self.outputs() + self.padded();
        self.weights() + self.padded() <= SHARED && gradient + self.weights() <= SHARED
    }

    pub(super) fn tiles(&self, threads: usize) -> Tiles {
        let (positions, channels) = (divisor(self.ow, 4), divisor(self.o, 8));
        let tasks = self.outputs() / (positions * channels);
        let room = (SHARED - self.weights()) / self.padded();
        Tiles {
            positions,
            channels,
            samples: threads.div_ceil(tasks).min(room).max(1),
            threads,
        }
    }

    pub(super) fn taps(&self, threads: usize) -> Taps {
        let channels = divisor(self.o, 4);
        let tasks = self.o / channels * self.c * self.k;
        let room = (SHARED - self.outputs() - self.padded()) / self.weights();
        let shares = (threads / tasks).clamp(1, self.oh.min(room));
        Taps {
            channels,
            shares,
            threads: (tasks * shares).next_multiple_of(32).min(threads),
        }
    }
}
