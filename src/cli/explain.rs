//! `gradstudy explain CODE`

use std::process::ExitCode;

use clap::Args;

use crate::study::codes;

use super::{Failure, print};

/// Explain an error code
#[derive(Debug, Args)]
pub struct Explain {
    /// The code, such as E0301; all codes are listed without one
    code: Option<String>,
}

impl Explain {
    pub fn execute(self) -> Result<ExitCode, Failure> {
        let Some(code) = self.code else {
            codes::CODES
                .iter()
                .for_each(|code| print(&format!("{}  {}\n", code.code, code.title)));
            return Ok(ExitCode::SUCCESS);
        };
        match codes::find(&code.to_uppercase()) {
            Some(code) => {
                let (name, title, text, example) = (code.code, code.title, code.explanation, code.example);
                print(&format!(
                    "{name}: {title}\n\n{text}\n\nFor example:\n\n{example}\n"
                ));
                Ok(ExitCode::SUCCESS)
            }
            None => {
                let known: Vec<_> = codes::CODES.iter().map(|code| code.code).collect();
                eprintln!("there is no code `{code}`; the codes are {}", known.join(", "));
                Ok(ExitCode::from(2))
            }
        }
    }
}
