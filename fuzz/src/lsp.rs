//! The parts of the language server that read broken text.

#[path = "../../src/lsp/outline.rs"]
pub mod outline;
#[path = "../../src/lsp/reader.rs"]
mod reader;
#[path = "../../src/lsp/tokens.rs"]
mod tokens;
