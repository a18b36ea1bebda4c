//! Recording the gradient history G = [g⁽¹⁾ … g⁽ᵀ⁾] at fixed parameters θ.

pub mod batches;
pub mod engine;
pub mod failure;
pub mod history;
#[cfg(feature = "kernels")]
pub mod kernels;
#[cfg(feature = "kernels")]
pub mod on_gpu;
pub mod own;
pub mod parts;
pub mod record;
pub mod rounding;
pub mod tensor;
pub mod transform;
