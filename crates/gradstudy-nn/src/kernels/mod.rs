//! Kernels for GPUs, written with CubeCL: what gradstudy does there faster than by tensors.
//!
//! Memory is in [`Buffer`]s of a [`Gpu`]; work is queued, and a failure shows when something is read back. Kernels check
//! the bounds of what they read and write.

// CubeCL translates `%`, not `is_multiple_of`.
#![allow(clippy::manual_is_multiple_of)]

mod batch_norm;
mod batch_norm_second_order;
mod conv2d;
mod conv2d_product;
mod conv2d_weights;
mod convolution;
mod curvature;
mod elementwise;
mod gram;
mod layer;
mod linear;
mod reduce;
mod rows;
mod samples;
pub mod tails;
mod tile;
mod update;

pub use batch_norm_second_order::Normalised;
pub use convolution::Convolution;
pub use layer::{Around, Average, FullyConnected, Kernel, Normalisation, Pass, Rectified, Windows};
pub use update::{Clipped, Update};

use burn::Device;
use burn_dispatch::DispatchDevice;
use cubecl::bytes::Bytes;
use cubecl::client::Client;
use cubecl::ir::{AddressType, ElemType, FloatKind, UIntKind};
use cubecl::prelude::{CubeElement, TensorArg};
use cubecl::server::Handle;
use cubecl::std::tensor::TensorHandle;
use rayon::prelude::*;

/// A device that runs kernels.
#[derive(Clone)]
pub struct Gpu {
    client: Client,
    /// Threads of a cube, a power of two; one where a cube's threads would wait for each other on few cores.
    threads: usize,
    /// Threads along each side of a tile of a product.
    side: usize,
    /// Its number among CUDA's devices.
    cuda: Option<usize>,
}

/// Numbers in the memory of a [`Gpu`].
#[derive(Debug, Clone)]
pub struct Buffer {
    handle: Handle,
    /// How many.
    pub len: usize,
    kind: ElemType,
}

/// Where gradients go: to rows of this length from this one on, at this column.
#[derive(Debug, Clone, Copy)]
pub struct Rows {
    pub row: usize,
    pub stride: usize,
    pub column: usize,
}

/// Bytes that are sent at a time, and how many times as many are read at a time.
const PIECE: usize = 8 << 20;
const PIECES: usize = 4;

const F32: ElemType = ElemType::Float(FloatKind::F32);
const F64: ElemType = ElemType::Float(FloatKind::F64);

impl Buffer {
    fn arg(&self) -> TensorArg {
        TensorHandle::new_contiguous([self.len], self.handle.clone(), self.kind).into_arg()
    }

    /// How wide an index into it must be.
    fn address(&self) -> AddressType {
        AddressType::from_len(self.len)
    }
}

/// What a device says when it fails.
#[derive(Debug, Clone, thiserror::Error, miette::Diagnostic)]
#[error("{0}")]
pub struct GpuError(pub String);

impl Gpu {
    /// The device that burn calls so, if it can run kernels.
    pub fn of(device: &Device) -> Option<Self> {
        match device.as_dispatch() {
            DispatchDevice::Cube(device) => {
                let (threads, side) = match device {
                    cubecl::Device::Cpu(_) => (1, 1),
                    _ => (256, 16),
                };
                let cuda = match device {
                    cubecl::Device::Cuda(device) => Some(device.index),
                    _ => None,
                };
                Some(Gpu {
                    client: device.client(),
                    threads,
                    side,
                    cuda,
                })
            }
            _ => None,
        }
    }

    /// Its number among CUDA's devices, if it is one.
    pub fn cuda(&self) -> Option<usize> {
        self.cuda
    }

    /// Bytes of its memory that nobody has taken; `None` where that cannot be told.
    pub fn free_memory(&self) -> Option<u64> {
        #[cfg(feature = "cuda")]
        if let Some(index) = self.cuda {
            let context = cudarc::driver::CudaContext::new(index).ok()?;
            return context.mem_get_info().ok().map(|(free, _)| free as u64);
        }
        gradstudy_base::memory::available()
    }

    /// Room for `len` numbers of float32, whatever is in it.
    pub fn empty(&self, len: usize) -> Buffer {
        self.room(len, F32)
    }

    /// Room for `len` numbers of float64, whatever is in it.
    pub fn empty_wide(&self, len: usize) -> Buffer {
        self.room(len, F64)
    }

    fn room(&self, len: usize, kind: ElemType) -> Buffer {
        let handle = self.client.empty(len * kind.size());
        Buffer { handle, len, kind }
    }

    /// A copy of `values` on the device.
    pub fn upload(&self, values: &[f32]) -> Buffer {
        self.send(f32::as_bytes(values), F32)
    }

    /// A copy of `values` on the device.
    pub fn upload_wide(&self, values: &[f64]) -> Buffer {
        self.send(f64::as_bytes(values), F64)
    }

    /// A copy of whole numbers on the device.
    pub fn upload_integers(&self, values: &[u32]) -> Buffer {
        self.send(u32::as_bytes(values), ElemType::UInt(UIntKind::U32))
    }

    /// In pieces, copied by all cores: memory for a whole history would be slower to get than its numbers are to send.
    fn send(&self, bytes: &[u8], kind: ElemType) -> Buffer {
        let buffer = self.room(bytes.len() / kind.size(), kind);
        for (number, run) in bytes.chunks(PIECES * PIECE).enumerate() {
            let copies: Vec<Vec<u8>> = run.par_chunks(PIECE).map(<[u8]>::to_vec).collect();
            let mut start = number * PIECES * PIECE;
            for copy in copies {
                let rest = bytes.len() - start - copy.len();
                let part = buffer
                    .handle
                    .clone()
                    .offset_start(start as u64)
                    .offset_end(rest as u64);
                start += copy.len();
                self.client.write(&part, Bytes::from_bytes_vec(copy));
            }
        }
        buffer
    }

    /// Gives back memory that is held for reuse.
    pub fn free(&self) {
        // What cannot be given back shows when there is no room.
        let _ = self.client.memory_cleanup();
    }

    /// Waits until everything is done.
    pub fn sync(&self) -> Result<(), GpuError> {
        cubecl::future::block_on(self.client.sync()).map_err(failure)
    }

    /// Copies float32 numbers back, when what makes them is done.
    pub fn read_into(&self, buffer: &Buffer, values: &mut [f32]) -> Result<(), GpuError> {
        assert_eq!(buffer.len, values.len());
        self.read_first(buffer, values)
    }

    /// As [`Gpu::read_into`], the first numbers of `buffer`, as many as there is room for.
    pub fn read_first(&self, buffer: &Buffer, values: &mut [f32]) -> Result<(), GpuError> {
        let bytes = buffer.len * size_of::<f32>();
        for (number, values) in values.chunks_mut(PIECES * PIECE / size_of::<f32>()).enumerate() {
            let start = number * PIECES * PIECE;
            let rest = bytes - start - size_of_val(values);
            let part = buffer
                .handle
                .clone()
                .offset_start(start as u64)
                .offset_end(rest as u64);
            let read = self.client.read_one(part).map_err(failure)?;
            // The first touch of memory takes longer than the copy: all cores share it.
            let pieces = values
                .par_chunks_mut(PIECE / 16)
                .zip(f32::from_bytes(&read).par_chunks(PIECE / 16));
            pieces.for_each(|(to, from)| to.copy_from_slice(from));
        }
        Ok(())
    }

    /// float64 numbers, when what makes them is done.
    pub fn read_wide(&self, buffer: &Buffer) -> Result<Vec<f64>, GpuError> {
        let bytes = self.client.read_one(buffer.handle.clone()).map_err(failure)?;
        Ok(f64::from_bytes(&bytes).to_vec())
    }
}

fn failure(error: impl std::fmt::Debug) -> GpuError {
    GpuError(format!("{error:?}"))
}
