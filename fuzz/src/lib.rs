//! gradstudy's front end, under its name: fuzzing needs no tensors and a quick build.

#![allow(dead_code)]

pub use gradstudy_base::{seed, signature};
pub use gradstudy_lang::{study, syntax};
pub use gradstudy_stats as stats;

pub mod lsp;
