//! gradstudy: a declarative language and an interpreter for studying the statistics of stochastic gradients.
//!
//! A study goes through the program in the order of these modules, and a module knows only those before it:
//!
//! ```text
//! syntax::Source ──parse──▶ syntax::ast ──study::check──▶ study::Study ──plan::lower──▶ plan::Plan
//!        ──execute::Executor──▶ results::Results ──report::tabulate──▶ report::Table ──▶ documents
//!        results::Results × results::Results ──diff::diff──▶ diff::RunDiff
//! ```
//!
//! The definitions (gradient history, power-law test, Gaussianity test, covariance spectra) are those of
//! *On the Overlooked Structure of Stochastic Gradients* (Xie et al., NeurIPS 2023).

pub use gradstudy_arrays as arrays;
pub use gradstudy_base::{files, integrity, limits, memory, process, seed, signature, spreadsheet};
pub use gradstudy_data as data;
pub use gradstudy_lang::{study, syntax};
#[cfg(feature = "kernels")]
pub use gradstudy_nn::kernels;
pub use gradstudy_nn::{device, gradients, hessian, layers, models, optimizers, spectra, training};
pub use gradstudy_report::{diff, figures, plots, report, results};
pub use gradstudy_stats as stats;

pub mod plan;

pub mod store;

pub mod execute;

pub mod run;
pub mod submission;
pub mod vocabulary;

pub mod lsp;

pub mod cli;
