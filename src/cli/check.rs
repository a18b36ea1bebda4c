//! `gradstudy check STUDY`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::{Failure, print, study};

/// Check a study without running it
#[derive(Debug, Args)]
pub struct Check {
    /// The .study file
    study: PathBuf,
}

impl Check {
    pub fn execute(self) -> Result<ExitCode, Failure> {
        let (_, study) = study::load(&self.study)?;
        let count = |n: usize, one: &str| format!("{n} {one}{}", if n == 1 { "" } else { "s" });
        print(&format!(
            "{}: {}, {}, {}\n",
            study.title,
            count(study.cases.len(), "case"),
            count(study.seeds.len(), "seed"),
            count(study.tables.len(), "table")
        ));
        Ok(ExitCode::SUCCESS)
    }
}
