//! `gradstudy cancel SUBMISSION`

use std::process::ExitCode;

use clap::Args;

use super::words::{name, queue};
use crate::cli::options::CachePlace;
use crate::cli::{Failure, counted, log, print};
use crate::submission::status::{Standing, status};
use crate::submission::{self, Manifest, jobs, slurm};

/// End the jobs of a submission; what they have made stays
///
/// Tasks at work save what they have and end; those that other schedulers begin later make nothing. `gradstudy submit` of the
/// study goes on where they were.
#[derive(Debug, Args)]
pub struct Cancel {
    /// Folder or name of the submission
    #[arg(value_name = "SUBMISSION")]
    submission: String,
    #[command(flatten)]
    cache: CachePlace,
}

impl Cancel {
    pub fn execute(self) -> Result<ExitCode, Failure> {
        let folder = submission::find(&self.cache.cache(), &self.submission)?;
        let manifest = Manifest::open(&folder)?;
        // Before the jobs end: a task that is stopped by this is not put back into a queue.
        submission::set_cancelled(&folder, true)?;
        let known = !jobs::read(&folder).is_empty();
        let queued = queue(&folder);
        let mut ids: Vec<String> = queued.iter().flatten().map(|it| it.id.clone()).collect();
        ids.dedup();
        if !ids.is_empty() {
            slurm::cancel(&ids)?;
        }
        if known && queued.is_none() {
            log::remark(
                "warning: Slurm does not answer: its jobs make nothing once they begin, but `scancel` them yourself",
            );
        }
        let status = status(&manifest, &folder, None);
        let running = status.count(Standing::Running);
        print(&format!(
            "cancelled {}: {}{}; {} of {} done\n",
            name(&folder),
            match ids.len() {
                0 => "no job was in a queue".to_string(),
                _ => format!("{} ended ({})", counted(ids.len(), "job"), ids.join(", ")),
            },
            match running {
                0 => String::new(),
                _ => format!(
                    ", {} at work, which save what they have and end",
                    counted(running, "unit")
                ),
            },
            status.count(Standing::Done),
            counted(status.units.len(), "unit"),
        ));
        Ok(ExitCode::SUCCESS)
    }
}
