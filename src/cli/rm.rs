//! `gradstudy rm RUN…`

use std::process::ExitCode;

use clap::Args;

use crate::report::number::size;
use crate::run::{find, index, remove};

use super::options::ReportsPlace;
use super::{Failure, print};

/// Remove runs; what they computed stays in the cache (`gradstudy gc` empties that)
#[derive(Debug, Args)]
pub struct Rm {
    /// Folders, ids or beginnings of them, or study@latest
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<String>,
    #[command(flatten)]
    reports: ReportsPlace,
    /// Only say what would be removed
    #[arg(long)]
    dry_run: bool,
}

impl Rm {
    pub fn execute(self) -> Result<ExitCode, Failure> {
        // All are found before the first is removed: a mistake in one name removes nothing.
        let found = self.runs.iter().map(|name| find(&self.reports.reports_dir, name));
        let mut folders = found.collect::<Result<Vec<_>, _>>()?;
        folders.sort();
        folders.dedup();
        for folder in &folders {
            let freed = size(index::size(folder));
            if !self.dry_run {
                remove(folder)?;
            }
            let did = if self.dry_run { "would remove" } else { "removed" };
            print(&format!("{did} {} ({freed})\n", folder.display()));
        }
        Ok(ExitCode::SUCCESS)
    }
}
