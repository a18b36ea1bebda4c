//! Where inner products of gradients are made.

#[cfg(feature = "kernels")]
use crate::kernels::{Buffer, Gpu};

/// The processor, or a GPU, which multiplies in float64.
#[derive(Clone, Default)]
pub enum Multiplier {
    #[default]
    Host,
    #[cfg(feature = "kernels")]
    Gpu(Gpu),
}

/// The lower triangle of XᵀX, in float64, on a GPU.
#[cfg(feature = "kernels")]
pub(super) struct DeviceProducts {
    gpu: Gpu,
    order: usize,
    sums: Buffer,
}

#[cfg(feature = "kernels")]
impl DeviceProducts {
    pub fn new(order: usize, gpu: &Gpu) -> Self {
        DeviceProducts {
            gpu: gpu.clone(),
            order,
            sums: gpu.zeros_wide(order * order),
        }
    }

    /// Adds XᵀX of a part X that lies by columns.
    pub fn add(&self, x: &[f32]) {
        self.add_there(&self.gpu.upload(x));
    }

    /// The same of one that is on the GPU.
    pub fn add_there(&self, x: &Buffer) {
        self.gpu.add_products(x, self.order, &self.sums);
    }

    /// The GPU's number, if it is of CUDA's.
    pub fn cuda(&self) -> Option<usize> {
        self.gpu.cuda()
    }

    /// The same with zero sums.
    pub fn emptied(&self) -> Self {
        DeviceProducts::new(self.order, &self.gpu)
    }

    /// All sums by rows, and zeros in their place; of those above the diagonal some are missing. Errors: what the device
    /// says.
    pub fn take(&mut self) -> Result<Vec<f64>, String> {
        let sums = std::mem::replace(&mut self.sums, self.gpu.zeros_wide(self.order * self.order));
        self.gpu.read_wide(&sums).map_err(|error| error.to_string())
    }
}

/// There are none without a GPU.
#[cfg(not(feature = "kernels"))]
pub(super) enum DeviceProducts {}

#[cfg(not(feature = "kernels"))]
impl DeviceProducts {
    pub fn add(&self, _: &[f32]) {
        match *self {}
    }

    pub fn cuda(&self) -> Option<usize> {
        match *self {}
    }

    pub fn emptied(&self) -> Self {
        match *self {}
    }

    pub fn take(&mut self) -> Result<Vec<f64>, String> {
        match *self {}
    }
}
