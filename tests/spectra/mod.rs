//! Spectra against NumPy, closed forms and all-f64 references.

mod each;
mod eigen;
mod factors;
mod measures;
mod moments;
mod sketch;
mod stopped;
mod support;
