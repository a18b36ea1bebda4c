//! `gradstudy report RUN`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use crate::report::Templates;
use crate::run::{Run, find};

use super::options::ReportsPlace;
use super::run::show_in_browser;
use super::{Failure, print};

/// Make a run's tables, figures and reports again from its results; nothing is computed
#[derive(Debug, Args)]
pub struct ReportCommand {
    /// A folder, a run's id or the beginning of it, or study@latest
    run: String,
    #[command(flatten)]
    reports: ReportsPlace,
    /// Folder of templates that replace gradstudy's own
    #[arg(long, value_name = "DIR")]
    templates: Option<PathBuf>,
    /// Where the documents go [default: the run's folder]
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
    /// Show report.html in the browser
    #[arg(long)]
    open: bool,
}

impl ReportCommand {
    pub fn execute(self) -> Result<ExitCode, Failure> {
        let folder = find(&self.reports.reports_dir, &self.run)?;
        let templates = match &self.templates {
            Some(directory) => Templates::overridden_by(directory)?,
            None => Templates::embedded(),
        };
        let run = Run::open(&folder)?;
        let to = self.to.unwrap_or(folder);
        let rendered = run.render(&to, &templates)?;
        print(&format!("{} files in {}\n", rendered.files.len(), to.display()));
        for figure in &rendered.undrawn {
            super::log::remark(&format!("warning: {figure}"));
        }
        if self.open {
            show_in_browser(&to.join("report.html"));
        }
        Ok(ExitCode::SUCCESS)
    }
}
