//! `gradstudy show RUN`

use std::process::ExitCode;

use clap::Args;

use crate::report::number::{duration, size};
use crate::report::to_terminal;
use crate::run::manifest::Manifest;
use crate::run::{Run, find};

use super::options::ReportsPlace;
use super::{Failure, print};

/// Show a run: what it was, its tables, and how to make it again
#[derive(Debug, Args)]
pub struct Show {
    /// A folder, a run's id or the beginning of it, or study@latest
    run: String,
    #[command(flatten)]
    reports: ReportsPlace,
    /// Print manifest and tables for programs
    #[arg(long)]
    json: bool,
}

impl Show {
    pub fn execute(self) -> Result<ExitCode, Failure> {
        let folder = find(&self.reports.reports_dir, &self.run)?;
        let run = Run::open(&folder)?;
        let tables = run.tables()?;
        if self.json {
            let all = serde_json::json!({
                "format_version": crate::run::manifest::FORMAT_VERSION,
                "folder": folder,
                "manifest": run.manifest,
                "tables": tables,
            });
            print(&(serde_json::to_string_pretty(&all).expect("a run is data") + "\n"));
            return Ok(ExitCode::SUCCESS);
        }
        print(&summary(&run.manifest));
        print(&format!("folder    {}\n\n", folder.display()));
        for table in &tables {
            print(&format!("{}\n", to_terminal(table)));
        }
        for warning in &run.manifest.warnings {
            print(&format!("warning: {warning}\n"));
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn summary(manifest: &Manifest) -> String {
    let seeds: Vec<String> = manifest.seeds.iter().map(u64::to_string).collect();
    let peak = manifest
        .times
        .steps
        .iter()
        .filter_map(|step| step.peak_memory)
        .max();
    let memory = peak.map_or_else(String::new, |bytes| {
        format!(", at most {} of memory", size(bytes))
    });
    let mut text = format!(
        "{}\n\nstarted   {}\ntook      {}{memory}\ndevice    {}\nversion   gradstudy {} ({}), burn {}\nseeds     {}\n",
        manifest.study,
        manifest.times.started,
        duration(manifest.times.seconds),
        manifest.device.name,
        manifest.gradstudy,
        match manifest.build.as_str() {
            "" => "build not recorded",
            build => build,
        },
        manifest.burn,
        seeds.join(", "),
    );
    for data in &manifest.data {
        text += &format!(
            "data      {}, {} examples, BLAKE3 {}\n",
            data.name, data.examples, data.digest
        );
    }
    for file in &manifest.files {
        text += &format!("uses      {}, BLAKE3 {}\n", file.name, file.digest);
    }
    text + &format!("again     {}\n", manifest.command)
}
