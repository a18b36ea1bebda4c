//! gradstudy's front end, from the same files, under the same name: fuzzing needs no tensors and a quick build.

#![allow(dead_code)]

pub mod lsp;
#[path = "../../src/seed.rs"]
pub mod seed;
#[path = "../../src/signature.rs"]
pub mod signature;
#[path = "../../src/stats/mod.rs"]
pub mod stats;
#[path = "../../src/study/mod.rs"]
pub mod study;
#[path = "../../src/syntax/mod.rs"]
pub mod syntax;
