//! gradstudy's front end, from the same files, under the same name: fuzzing needs no tensors and a quick build.

#![allow(dead_code)]

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

/// The parts of the language server that read broken text.
pub mod lsp {
    #[path = "../../../src/lsp/outline.rs"]
    pub mod outline;
    #[path = "../../../src/lsp/reader.rs"]
    mod reader;
    #[path = "../../../src/lsp/tokens.rs"]
    mod tokens;
}
