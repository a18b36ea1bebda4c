//! `gradstudy render STUDY`

use std::process::ExitCode;

use clap::Args;

use crate::study::written_out;
use crate::vocabulary::VOCABULARY;

use super::output::print_document;
use super::{Failure, study};

/// Show a study with every default written out, as a study
///
/// What is printed is one file that checks and runs, with --profile and --set put in and what it takes by `use` taken over.
/// Its paths are from the working directory; studies that it includes stay as they are.
#[derive(Debug, Args)]
pub struct Render {
    #[command(flatten)]
    study: study::StudyArguments,
    /// Print it resolved instead: every case of the grid, as YAML (the `resolved.yaml` of a run)
    #[arg(long)]
    resolved: bool,
}

impl Render {
    pub fn execute(self) -> Result<ExitCode, Failure> {
        let (source, study) = study::load(&self.study)?;
        match self.resolved {
            true => print_document(&crate::study::render(&study)),
            false => print_document(&written_out(
                &source,
                &self.study.changes.overrides(),
                &VOCABULARY,
            )?),
        }
        Ok(ExitCode::SUCCESS)
    }
}
