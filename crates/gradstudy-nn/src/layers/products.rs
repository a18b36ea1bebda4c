//! Matrix products of tensors, in the precision asked for.

use burn::{FloatDType, Tensor};

/// How the factors of a matrix product of float32 tensors are rounded before they are multiplied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Products {
    /// As the device does it: not at all on CPUs; to TF32 (10 bits behind the point) on NVIDIA GPUs from Ampere on,
    /// for which burn has no switch.
    Native,
    /// Multiplied and added in float64, then rounded to float32: exact up to that rounding on every device.
    Double,
}

impl Products {
    /// A B for each matrix of the batch.
    pub fn of<const D: usize>(self, a: Tensor<D>, b: Tensor<D>) -> Tensor<D> {
        match self {
            Products::Native => a.matmul(b),
            Products::Double => {
                let [a, b] = [a, b].map(|factor| factor.cast(FloatDType::F64));
                a.matmul(b).cast(FloatDType::F32)
            }
        }
    }
}
