//! `gradstudy templates`

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use miette::Diagnostic;
use thiserror::Error;

use crate::report::Templates;

use super::{Failure, counted, print};

/// List the templates of reports, or write them into a folder to be changed
///
/// `gradstudy run STUDY --templates DIR` takes the changed ones. Nothing is written if one of the files is there
/// already, unless --force is given.
#[derive(Debug, Args)]
pub struct TemplatesCommand {
    /// The folder; it is made if it is not there
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
    /// Replace files that are there
    #[arg(long, requires = "to")]
    force: bool,
}

#[derive(Debug, Error, Diagnostic)]
enum TemplatesError {
    #[error("there is a file `{}` already", path.display())]
    #[diagnostic(
        code(gradstudy::templates::exists),
        help("name another folder, or --force to replace it; nothing was written")
    )]
    Exists { path: PathBuf },

    #[error("`{}` cannot be written: {reason}", path.display())]
    #[diagnostic(
        code(gradstudy::templates::write),
        help("check that you may write to the folder")
    )]
    Write { path: PathBuf, reason: io::Error },
}

impl TemplatesCommand {
    pub fn execute(self) -> Result<ExitCode, Failure> {
        let Some(folder) = &self.to else {
            Templates::built_in()
                .iter()
                .for_each(|(name, _)| print(&format!("{name}\n")));
            return Ok(ExitCode::SUCCESS);
        };
        let path = |name: &str| folder.join(name);
        if !self.force
            && let Some((name, _)) = Templates::built_in().iter().find(|(name, _)| path(name).exists())
        {
            return Err(TemplatesError::Exists { path: path(name) }.into());
        }
        let failed = |path: &Path| {
            let path = path.to_path_buf();
            |reason| TemplatesError::Write { path, reason }
        };
        std::fs::create_dir_all(folder).map_err(failed(folder))?;
        for (name, text) in Templates::built_in() {
            write(&path(name), text, self.force).map_err(failed(&path(name)))?;
        }
        let shown = folder.display();
        print(&format!(
            "{} written to {shown}; `gradstudy run STUDY --templates {shown}` takes them\n",
            counted(Templates::built_in().len(), "template")
        ));
        Ok(ExitCode::SUCCESS)
    }
}

fn write(path: &Path, text: &str, force: bool) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true);
    match force {
        true => options.create(true).truncate(true),
        false => options.create_new(true),
    };
    options.open(path)?.write_all(text.as_bytes())
}
