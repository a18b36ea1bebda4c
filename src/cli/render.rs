//! `gradstudy render STUDY`

use std::process::ExitCode;

use clap::Args;

use super::{Failure, print, study};

/// Show a study with every default written out
#[derive(Debug, Args)]
pub struct Render {
    #[command(flatten)]
    study: study::StudyArguments,
}

impl Render {
    pub fn execute(self) -> Result<ExitCode, Failure> {
        let (_, study) = study::load(&self.study)?;
        print(&crate::study::render(&study));
        Ok(ExitCode::SUCCESS)
    }
}
