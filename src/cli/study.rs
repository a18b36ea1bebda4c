//! From a path to a checked study and its plan, with every mistake shown.

use std::path::{Path, PathBuf};

use clap::Args;
use miette::Diagnostic;
use thiserror::Error;
use walkdir::WalkDir;

use crate::data::SearchPath;
use crate::plan::{self, Plan, PlanError};
use crate::study::{self, Overrides, Study};
use crate::syntax::{Diagnostics, Source};
use crate::vocabulary::VOCABULARY;

use super::{Failure, show};

/// A study and what the command line changes in it.
#[derive(Debug, Args)]
pub struct StudyArguments {
    /// The .study file
    #[arg(value_name = "STUDY")]
    pub path: PathBuf,
    #[command(flatten)]
    pub changes: Changes,
}

/// What the command line changes in a study.
#[derive(Debug, Clone, Args)]
pub struct Changes {
    /// Set NAME.KEY to a value, such as g.batch=10, study.seeds=0..2 or lr=0.1 (a `let` or factor); repeatable
    #[arg(long, value_name = "NAME.KEY=VALUE")]
    pub set: Vec<String>,
    /// Take a profile that the study declares, such as quick
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
}

impl Changes {
    /// As the checker wants them.
    pub fn overrides(&self) -> Overrides {
        Overrides {
            profile: self.profile.clone(),
            set: self.set.clone(),
        }
    }
}

impl StudyArguments {
    /// The command that was given, to be given again.
    pub fn command(&self, verb: &str) -> String {
        let mut command = format!(
            "gradstudy {verb} {}",
            shell_word(&self.path.display().to_string())
        );
        if let Some(profile) = &self.changes.profile {
            command += &format!(" --profile {}", shell_word(profile));
        }
        for set in &self.changes.set {
            command += &format!(" --set {}", shell_word(set));
        }
        command
    }
}

/// `text` as one word of a shell.
pub(super) fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "._/=-:%+,".contains(c);
    match !text.is_empty() && text.chars().all(plain) {
        true => text.to_string(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

/// The study that was asked for; warnings go to standard error.
pub fn load(arguments: &StudyArguments) -> Result<(Source, Study), Failure> {
    check(&arguments.path, &arguments.changes)
}

/// The same, with the warnings in one line each, for a report.
pub fn load_with_warnings(arguments: &StudyArguments) -> Result<(Source, Study, Vec<String>), Failure> {
    let (source, study, warnings) = check_noting(&arguments.path, &arguments.changes)?;
    Ok((source, study, lines(&warnings)))
}

/// Warnings in one line each.
pub fn lines(warnings: &Diagnostics) -> Vec<String> {
    let line = |warning: &crate::syntax::Diagnostic| {
        let help = warning
            .help
            .as_ref()
            .map_or_else(String::new, |help| format!("; {help}"));
        format!("{}: {}{help}", warning.code, warning.message)
    };
    warnings.iter().map(line).collect()
}

/// The study at `path` with `changes`; warnings go to standard error.
pub fn check(path: &Path, changes: &Changes) -> Result<(Source, Study), Failure> {
    check_noting(path, changes).map(|(source, study, _)| (source, study))
}

fn check_noting(path: &Path, changes: &Changes) -> Result<(Source, Study, Diagnostics), Failure> {
    let source = Source::read(path)?;
    let (study, warnings) = study::check_with(&source, &changes.overrides(), &VOCABULARY)?;
    if !warnings.is_empty() {
        show(&warnings);
    }
    Ok((source, study, warnings))
}

/// The plan of `study`; all reasons against it are shown.
pub fn plan(study: &Study, search: &SearchPath) -> Result<Plan, Failure> {
    plan_by(study, search, plan::lower)
}

/// [`plan`], made by `lower`.
pub fn plan_by(
    study: &Study,
    search: &SearchPath,
    lower: fn(&Study, &SearchPath) -> Result<Plan, Vec<PlanError>>,
) -> Result<Plan, Failure> {
    lower(study, search).map_err(|errors| {
        errors.iter().for_each(|error| show(error));
        Failure::Shown(2)
    })
}

#[derive(Debug, Error, Diagnostic)]
enum FolderError {
    #[error("there is no `.study` file in `{}`", path.display())]
    #[diagnostic(
        code(gradstudy::studies::none),
        help("name a folder that holds studies, or a study")
    )]
    None { path: PathBuf },
    #[error("cannot look through `{}`: {reason}", path.display())]
    #[diagnostic(code(gradstudy::studies::folder), help("check that you may read it"))]
    Folder { path: PathBuf, reason: walkdir::Error },
}

/// `paths`, each folder replaced by the studies that lie in it and in the folders below, in the order of their names.
pub fn studies_in(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut studies = Vec::new();
    for path in paths {
        if !path.is_dir() {
            studies.push(path.clone());
            continue;
        }
        let before = studies.len();
        for entry in WalkDir::new(path).sort_by_file_name() {
            let path = path.clone();
            let entry = entry.map_err(|reason| FolderError::Folder { path, reason })?;
            if entry.file_type().is_file() && entry.path().extension().is_some_and(|end| end == "study") {
                studies.push(entry.into_path());
            }
        }
        if studies.len() == before {
            return Err(FolderError::None { path: path.clone() }.into());
        }
    }
    Ok(studies)
}
