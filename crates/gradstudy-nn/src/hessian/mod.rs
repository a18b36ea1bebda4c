//! Curvature of the mean training loss at fixed parameters: exact products of the Hessian, the Gauss–Newton matrix
//! and the empirical Fisher matrix with vectors, and their leading eigenvalues.

mod basis;
mod basis_kernel;
pub mod error;
mod group;
#[cfg(feature = "kernels")]
mod kernels;
mod lanczos;
mod normalisation;
pub mod operator;
mod pass;
mod ritz;
pub mod signatures;
mod softmax;
pub mod spectrum;
mod state;

pub use error::HessianError;
pub use operator::{Operator, minibatches};
pub use pass::supports;
pub use spectrum::{CurvatureSpectrum, Order, Request, spectrum};
pub use state::damaged as damaged_state;

use serde::{Deserialize, Serialize};

/// Which curvature matrix of the mean loss, with ℓᵢ the loss of sample i, zᵢ its logits and gᵢ = ∇ℓᵢ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Curvature {
    /// H = 1/N Σ ∇²ℓᵢ.
    Hessian,
    /// G = 1/N Σ JᵢᵀBᵢJᵢ, J = ∂z/∂θ and B = ∂²ℓ/∂z² = diag(p) − p pᵀ.
    GaussNewton,
    /// F = 1/N Σ gᵢgᵢᵀ, with the labels of the data.
    EmpiricalFisher,
}

impl Curvature {
    /// As written in messages.
    pub fn words(self) -> &'static str {
        match self {
            Curvature::Hessian => "Hessian",
            Curvature::GaussNewton => "Gauss-Newton matrix",
            Curvature::EmpiricalFisher => "empirical Fisher matrix",
        }
    }
}
