//! Curvature-vector products and spectra against dense float64 matrices of PyTorch (tests/reference/hessian),
//! closed forms, and each other.

#[path = "hessian/bad_input.rs"]
mod bad_input;
#[path = "hessian/closed_forms.rs"]
mod closed_forms;
#[path = "hessian/krylov.rs"]
mod krylov;
#[path = "hessian/layers.rs"]
mod layers;
#[path = "hessian/lenet.rs"]
mod lenet;
#[path = "hessian/nets.rs"]
mod nets;
#[path = "hessian/small.rs"]
mod small;
