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

pub mod memory;
pub mod seed;
pub mod signature;

pub mod stats;

pub mod arrays;

pub mod syntax;

pub mod study;

pub mod data;

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

pub mod results;

pub mod plan;

pub mod store;

pub mod execute;

pub mod report;

pub mod figures;

pub mod plots;

pub mod diff;

pub mod run;
pub mod vocabulary;

pub mod lsp;

pub mod cli;
