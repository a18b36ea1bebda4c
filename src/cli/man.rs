//! `gradstudy man`

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory};
use clap_mangen::Man;
use miette::Diagnostic;
use thiserror::Error;

use super::{Arguments, Failure, print};

/// Print the manual page, or write the pages of all commands into a folder
///
/// For example, `gradstudy man --out ~/.local/share/man/man1`.
#[derive(Debug, Args)]
pub struct ManPages {
    /// Write gradstudy.1, gradstudy-run.1 … into this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

#[derive(Debug, Error, Diagnostic)]
#[error("the manual pages cannot be written to `{folder}`")]
#[diagnostic(code(gradstudy::man::write), help("name a folder that you may write to"))]
struct WriteError {
    folder: PathBuf,
    source: io::Error,
}

impl ManPages {
    pub fn execute(self) -> Result<ExitCode, Failure> {
        let command = Arguments::command();
        match self.out {
            None => {
                let mut page = Vec::new();
                let rendered = Man::new(command).render(&mut page);
                rendered.expect("writing to memory does not fail");
                print(&String::from_utf8_lossy(&page));
            }
            Some(folder) => {
                let written = std::fs::create_dir_all(&folder)
                    .and_then(|()| clap_mangen::generate_to(command, &folder));
                written.map_err(|source| WriteError { folder, source })?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
