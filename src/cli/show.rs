//! `gradstudy show RUN`

use std::process::ExitCode;

use clap::Args;

use crate::report::number::{duration, size};
use crate::report::to_screen;
use crate::run::manifest::Manifest;
use crate::run::{Run, find};

use super::options::ReportsPlace;
use super::terminal::screen;
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
        let screen = screen();
        print(&screen.wrap("", &run.manifest.study));
        print("\n");
        for (what, text) in summary(&run.manifest) {
            print(&screen.wrap(&format!("{what:<9} "), &text));
        }
        print(&screen.wrap("folder    ", &folder.display().to_string()));
        print("\n");
        for table in &tables {
            print(&format!("{}\n", to_screen(table, &screen)));
        }
        for warning in &run.manifest.warnings {
            print(&screen.wrap("warning: ", warning));
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// What the run was, by name.
fn summary(manifest: &Manifest) -> Vec<(&'static str, String)> {
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
    let build = match manifest.build.as_str() {
        "" => "build not recorded",
        build => build,
    };
    let mut lines = vec![
        ("started", manifest.times.started.clone()),
        ("took", duration(manifest.times.seconds) + &memory),
        ("device", manifest.device.name.clone()),
        (
            "version",
            format!(
                "gradstudy {} ({build}), burn {}",
                manifest.gradstudy, manifest.burn
            ),
        ),
        ("seeds", seeds.join(", ")),
    ];
    for data in &manifest.data {
        let (name, examples, digest) = (&data.name, data.examples, &data.digest);
        lines.push(("data", format!("{name}, {examples} examples, BLAKE3 {digest}")));
    }
    for file in &manifest.files {
        lines.push(("uses", format!("{}, BLAKE3 {}", file.name, file.digest)));
    }
    lines.push(("again", manifest.command.clone()));
    lines
}
