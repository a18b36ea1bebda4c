//! Spectra against NumPy, closed forms and all-f64 references.

mod moments;
mod support;
