//! `gradstudy devices`

use std::process::ExitCode;

use clap::Args;

use crate::device::{self, Choice, Precision};

use super::{Failure, options, print};

/// Show what can compute
#[derive(Debug, Args)]
pub struct Devices {}

impl Devices {
    pub fn execute(self) -> Result<ExitCode, Failure> {
        let installation = options::installation();
        for (name, choice) in [
            ("cpu", Choice::Cpu),
            ("flex", Choice::Flex),
            ("cuda", Choice::Cuda(0)),
        ] {
            let state = match device::select(choice, Precision::F32, &installation) {
                Ok(selected) => selected.description,
                Err(error) => format!("no: {error}"),
            };
            print(&format!("{name:<5} {state}\n"));
        }
        for line in installation.lines() {
            print(&format!("      {line}\n"));
        }
        Ok(ExitCode::SUCCESS)
    }
}
