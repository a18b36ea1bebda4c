//! `gradstudy diff RUN_A RUN_B`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use crate::diff::{Tolerance, diff, display};
use crate::run::{open_results, open_settings};

use super::{Failure, print};

/// Compare two runs; exit code 0 same, 1 different, 2 trouble
#[derive(Debug, Args)]
pub struct Diff {
    /// Folder of the first run, or its results.yaml
    run_a: PathBuf,
    /// Folder of the second run, or its results.yaml
    run_b: PathBuf,
    /// How to print the differences
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Relative difference up to which numbers count as the same
    #[arg(long, default_value_t = 0.0)]
    rtol: f64,
    /// Absolute difference up to which numbers count as the same
    #[arg(long, default_value_t = 0.0)]
    atol: f64,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Text,
    Markdown,
    Json,
}

impl Diff {
    pub fn execute(self) -> Result<ExitCode, Failure> {
        let tolerance = Tolerance::new(self.rtol, self.atol)?;
        let (left, right) = (open_results(&self.run_a)?, open_results(&self.run_b)?);
        let mut difference = diff(&left, &right, tolerance);
        if let (Some(a), Some(b)) = (open_settings(&self.run_a), open_settings(&self.run_b)) {
            difference = difference.with_settings(&a, &b);
        }
        print(&match self.format {
            Format::Text => display::to_text(&difference),
            Format::Markdown => display::to_markdown(&difference),
            Format::Json => serde_json::to_string_pretty(&difference).expect("a difference is data") + "\n",
        });
        Ok(if difference.is_same() {
            ExitCode::SUCCESS
        } else {
            ExitCode::from(1)
        })
    }
}
