//! `gradstudy explain CODE`

use std::process::ExitCode;

use clap::Args;

use crate::study::codes;

use super::{Failure, areas, print};

/// Explain an error code
#[derive(Debug, Args)]
pub struct Explain {
    /// The code, such as E0301 (e301 does, too) or gradstudy::run::not_found; all codes are listed without one
    code: Option<String>,
}

impl Explain {
    pub fn execute(self) -> Result<ExitCode, Failure> {
        let Some(code) = self.code else {
            codes::CODES
                .iter()
                .for_each(|code| print(&format!("{}  {}\n", code.code, code.title)));
            areas::AREAS
                .iter()
                .for_each(|area| print(&format!("gradstudy::{}::…  {}\n", area.name, area.title)));
            return Ok(ExitCode::SUCCESS);
        };
        if let Some(code) = codes::find(&code) {
            let (name, title, text, example) = (code.code, code.title, code.explanation, code.example);
            print(&format!("{name}: {title}\n\n{text}\n"));
            if !example.is_empty() {
                print(&format!("\nFor example:\n\n{example}\n"));
            }
            return Ok(ExitCode::SUCCESS);
        }
        if let Some(area) = areas::find(&code) {
            print(&format!(
                "gradstudy::{}::…: {}\n\n{}\n\nThe message says what happened, the line `help` below it what to do.\n",
                area.name, area.title, area.explanation
            ));
            return Ok(ExitCode::SUCCESS);
        }
        let known: Vec<_> = codes::CODES.iter().map(|code| code.code).collect();
        let areas: Vec<_> = areas::AREAS.iter().map(|area| area.name).collect();
        super::output::print_error(&format!(
            "there is no code `{code}`; the codes are {}, and gradstudy::AREA::… with an AREA of {}\n",
            known.join(", "),
            areas.join(", ")
        ));
        Ok(ExitCode::from(2))
    }
}
