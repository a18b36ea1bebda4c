//! `gradstudy new [NAME]`

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use clap::builder::PossibleValuesParser;
use miette::Diagnostic;
use thiserror::Error;

use super::{Failure, print};

/// A study to begin with: name, one line, text.
type Template = (&'static str, &'static str, &'static str);

/// Every template: a file of templates/studies and a line here.
static TEMPLATES: &[Template] = &[
    (
        "network",
        "a network of one's own, layer by layer: trained, and the gradients of its parts tested",
        include_str!("../../templates/studies/network.study"),
    ),
    (
        "quickstart",
        "column and row tests of LeNet's gradients, on images that come with gradstudy",
        include_str!("../../templates/studies/quickstart.study"),
    ),
    (
        "sweep",
        "the same over a grid of minibatch sizes and learning rates, with a profile for a quick look",
        include_str!("../../templates/studies/sweep.study"),
    ),
    (
        "table1",
        "the paper's Table 1 for LeNet on MNIST: random and pretrained weights, beside the paper's numbers",
        include_str!("../../templates/studies/table1.study"),
    ),
];

/// What `--template` takes besides the templates' names.
const LIST: &str = "list";

/// Write a commented study to begin with
///
/// An existing file stays as it is, unless --force is given. Exit code 0: written; 2: not written.
#[derive(Debug, Args)]
pub struct New {
    /// The study's path, with or without `.study` [default: the template's name]
    name: Option<PathBuf>,
    /// What to begin with; `list` shows what there is
    #[arg(long, default_value = "quickstart", value_parser = names())]
    template: String,
    /// Replace the file if there is one
    #[arg(long)]
    force: bool,
}

fn names() -> PossibleValuesParser {
    PossibleValuesParser::new(TEMPLATES.iter().map(|(name, _, _)| *name).chain([LIST]))
}

#[derive(Debug, Error, Diagnostic)]
enum NewError {
    #[error("there is a file `{path}` already")]
    #[diagnostic(
        code(gradstudy::new::exists),
        help("give another name, or --force to replace the file")
    )]
    Exists { path: PathBuf },

    #[error("`{path}` cannot be written")]
    #[diagnostic(
        code(gradstudy::new::write),
        help("check that its folder is there and that you may write to it")
    )]
    Write { path: PathBuf, source: io::Error },
}

impl New {
    pub fn execute(self) -> Result<ExitCode, Failure> {
        if self.template == LIST {
            let width = TEMPLATES.iter().map(|(name, _, _)| name.len()).max().unwrap_or(0);
            TEMPLATES
                .iter()
                .for_each(|(name, about, _)| print(&format!("{name:width$}  {about}\n")));
            return Ok(ExitCode::SUCCESS);
        }
        let found = TEMPLATES.iter().find(|(name, _, _)| *name == self.template);
        let (name, _, text) = found.expect("clap takes the templates' names only");
        let mut path = self.name.unwrap_or_else(|| PathBuf::from(name));
        if path.extension().is_none_or(|ending| ending != "study") {
            path.as_mut_os_string().push(".study");
        }
        let mut options = OpenOptions::new();
        options.write(true);
        match self.force {
            true => options.create(true).truncate(true),
            false => options.create_new(true),
        };
        let written = options
            .open(&path)
            .and_then(|mut file| file.write_all(text.as_bytes()));
        written.map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => NewError::Exists { path: path.clone() },
            _ => NewError::Write {
                path: path.clone(),
                source,
            },
        })?;
        let shown = path.display();
        print(&format!(
            "{shown} written; `gradstudy plan {shown}` shows what it would do, `gradstudy run {shown}` does it\n"
        ));
        Ok(ExitCode::SUCCESS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::check;
    use crate::syntax::{Source, format};
    use crate::vocabulary::VOCABULARY;

    #[test]
    fn templates_check_without_a_warning_and_are_formatted() {
        for (name, about, text) in TEMPLATES {
            let source = Source::new(format!("{name}.study"), *text);
            match check(&source, &VOCABULARY) {
                Ok((_, warnings)) => {
                    assert!(
                        warnings.is_empty(),
                        "{name}: {:?}",
                        warnings.iter().collect::<Vec<_>>()
                    );
                }
                Err(mistakes) => panic!("{name}: {:?}", mistakes.iter().collect::<Vec<_>>()),
            }
            assert_eq!(format(&source).unwrap(), *text, "{name} is not formatted");
            assert!(
                text.starts_with('#') && !about.ends_with('.'),
                "{name} says what it is"
            );
        }
    }

    #[test]
    fn templates_and_their_folder_agree() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/templates/studies");
        let files = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name());
        let mut files: Vec<String> = files.map(|name| name.into_string().unwrap()).collect();
        files.sort();
        let listed: Vec<String> = TEMPLATES
            .iter()
            .map(|(name, _, _)| format!("{name}.study"))
            .collect();
        assert_eq!(files, listed, "sorted by name");
    }
}
