//! Networks and their gradients: layers, models, optimizers and training; the gradient history G, its spectra, and the
//! curvature of the loss. On the CPU by kernels of this crate, on any other device by burn and CubeCL.
//!
//! Modules stand in the order in which they may use each other.

#[cfg(feature = "kernels")]
pub mod kernels;

pub mod layers;

pub mod models;

pub mod optimizers;

pub mod gradients;

pub mod spectra;

pub mod hessian;

pub mod training;

pub mod device;
