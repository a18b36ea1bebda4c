//! `gradstudy lsp`

use std::process::ExitCode;

use clap::Args;
use miette::Diagnostic;
use thiserror::Error;

use crate::vocabulary::VOCABULARY;

use super::Failure;

/// Serve editors over standard input and output (Language Server Protocol)
///
/// Editors start this by themselves; editors/README.md says how to set them up. Exit code 0: the editor said goodbye;
/// 1: it went away; 2: it no longer reads.
#[derive(Debug, Args)]
pub struct Lsp {
    /// Accepted because many editors pass it; there is no other way
    #[arg(long)]
    stdio: bool,
}

#[derive(Debug, Error, Diagnostic)]
#[error("the editor no longer reads what the language server writes")]
#[diagnostic(
    code(gradstudy::lsp::output),
    help("start the server from an editor, not by hand; editors/README.md says how")
)]
struct OutputError {
    source: std::io::Error,
}

impl Lsp {
    pub fn execute(self) -> Result<ExitCode, Failure> {
        let mut output = std::io::stdout().lock();
        let code = crate::lsp::serve(std::io::stdin(), &mut output, &VOCABULARY)
            .map_err(|source| OutputError { source })?;
        Ok(ExitCode::from(code))
    }
}
