//! Spectra against NumPy, closed forms and all-f64 references.

mod eigen;
mod measures;
mod factors;
mod moments;
mod support;
