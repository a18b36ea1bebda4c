//! `gradstudy devices`

use std::process::ExitCode;

use clap::Args;

use crate::device::{self, Choice, Precision};

use super::{Failure, options, print, terminal};

/// Show what can compute
#[derive(Debug, Args)]
pub struct Devices {}

impl Devices {
    pub fn execute(self) -> Result<ExitCode, Failure> {
        let (installation, screen) = (options::installation(), terminal::screen());
        for (name, choice) in [
            ("cpu", Choice::Cpu),
            ("flex", Choice::Flex),
            ("cuda", Choice::Cuda(0)),
        ] {
            let state = match device::select(choice, Precision::F32, &installation) {
                Ok(selected) => selected.description,
                Err(error) => format!("no: {error}"),
            };
            print(&screen.wrap(&format!("{name:<5} "), &state));
        }
        for line in installation.lines() {
            print(&screen.wrap("      ", &line));
        }
        Ok(ExitCode::SUCCESS)
    }
}
