//! Curvature spectra.

pub mod error;
pub mod operator;
mod pass;
mod softmax;

pub use error::HessianError;
pub use operator::Operator;

/// Which curvature matrix of the mean loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Curvature {
    /// H = 1/N Σ ∇²ℓᵢ.
    Hessian,
    /// G = 1/N Σ JᵢᵀH_zJᵢ with J the Jacobian of the logits and H_z the loss's Hessian in them.
    GaussNewton,
    /// F = 1/N Σ gᵢgᵢᵀ.
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
