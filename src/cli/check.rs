//! `gradstudy check STUDY…`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use miette::{Diagnostic as _, Severity};
use serde::Serialize;

use crate::study::{self, Overrides, Study};
use crate::syntax::{Diagnostic, Diagnostics, Source, SourceError, Span};
use crate::vocabulary::VOCABULARY;

use super::study::{Changes, studies_in};
use super::{Failure, print, show};

/// Of the JSON; a new key does not change it.
const FORMAT_VERSION: u32 = 1;

/// Check studies without running them
///
/// A study is checked as it is written and, unless one is named, with each of its profiles. Exit code 0: no mistakes
/// (there may be warnings); 2: mistakes, or a file that cannot be read.
#[derive(Debug, Args)]
pub struct Check {
    /// Print what was found as JSON, and nothing else
    #[arg(long)]
    json: bool,
    /// The .study files, or folders of them; `-` reads a study from standard input
    #[arg(required = true, value_name = "STUDY")]
    studies: Vec<PathBuf>,
    #[command(flatten)]
    changes: Changes,
}

/// What was found in one file.
enum Found {
    Unreadable(SourceError),
    Mistakes(Diagnostics),
    Study(Study, Diagnostics),
}

impl Check {
    pub fn execute(self) -> Result<ExitCode, Failure> {
        let studies = studies_in(&self.studies)?;
        let overrides = self.changes.overrides();
        let check = |path| check(path, &overrides);
        let found: Vec<(&Path, Found)> = studies.iter().map(|path| (&**path, check(path))).collect();
        let sound = found.iter().all(|(_, found)| matches!(found, Found::Study(..)));
        if self.json {
            print(&json(&found));
        } else {
            found.iter().for_each(|(_, found)| report(found));
        }
        Ok(ExitCode::from(if sound { 0 } else { 2 }))
    }
}

fn check(path: &Path, overrides: &Overrides) -> Found {
    let source = match read(path) {
        Ok(source) => source,
        Err(error) => return Found::Unreadable(error),
    };
    match study::check_profiles(&source, overrides, &VOCABULARY) {
        Ok((study, warnings)) => Found::Study(study, warnings),
        Err(mistakes) => Found::Mistakes(mistakes),
    }
}

/// The study at `path`, `-` being standard input: its files are looked for in the working directory.
fn read(path: &Path) -> Result<Source, SourceError> {
    match path == Path::new("-") {
        true => Source::of("stdin", std::io::stdin()),
        false => Source::read(path),
    }
}

fn report(found: &Found) {
    match found {
        Found::Unreadable(error) => show(error),
        Found::Mistakes(mistakes) => show(mistakes),
        Found::Study(study, warnings) => {
            if !warnings.is_empty() {
                show(warnings);
            }
            let count = |n: usize, one: &str| format!("{n} {one}{}", if n == 1 { "" } else { "s" });
            print(&format!(
                "{}: {}, {}, {}, {}\n",
                study.title,
                count(study.cases.len(), "case"),
                count(study.seeds.len(), "seed"),
                count(study.tables.len(), "table"),
                count(study.figures.len(), "figure")
            ));
        }
    }
}

#[derive(Serialize)]
struct Report {
    format_version: u32,
    studies: Vec<StudyReport>,
    diagnostics: Vec<DiagnosticReport>,
}

#[derive(Serialize)]
struct StudyReport {
    file: String,
    errors: usize,
    warnings: usize,
}

#[derive(Serialize)]
struct DiagnosticReport {
    file: String,
    code: String,
    severity: &'static str,
    message: String,
    help: Option<String>,
    /// The place that it is about, first.
    labels: Vec<LabelReport>,
}

/// Lines and columns from 1, a column being a character; `span` in bytes, its end excluded.
#[derive(Serialize)]
struct LabelReport {
    file: String,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    span: [usize; 2],
    text: String,
}

fn json(found: &[(&Path, Found)]) -> String {
    let mut report = Report {
        format_version: FORMAT_VERSION,
        studies: Vec::new(),
        diagnostics: Vec::new(),
    };
    for (path, found) in found {
        let file = path.display().to_string();
        let list: Vec<DiagnosticReport> = match found {
            Found::Unreadable(error) => vec![unreadable(&file, error)],
            Found::Mistakes(list) | Found::Study(_, list) => {
                list.iter().map(|one| diagnostic(&file, one)).collect()
            }
        };
        let count = |severity: &str| list.iter().filter(|one| one.severity == severity).count();
        report.studies.push(StudyReport {
            errors: count("error"),
            warnings: count("warning"),
            file,
        });
        report.diagnostics.extend(list);
    }
    let json = serde_json::to_string_pretty(&report).expect("text and numbers have a JSON form");
    json + "\n"
}

fn unreadable(file: &str, error: &SourceError) -> DiagnosticReport {
    DiagnosticReport {
        file: file.to_string(),
        code: error.code().map(|code| code.to_string()).unwrap_or_default(),
        severity: "error",
        message: error.to_string(),
        help: error.help().map(|help| help.to_string()),
        labels: Vec::new(),
    }
}

fn diagnostic(file: &str, diagnostic: &Diagnostic) -> DiagnosticReport {
    let own = diagnostic.source().into_iter().flat_map(|source| {
        let labels = diagnostic.labels.iter();
        labels.map(move |(span, text)| label(source, *span, text))
    });
    let others = diagnostic.elsewhere.iter();
    let labels = own.chain(others.map(|other| label(&other.source, other.span, &other.text)));
    DiagnosticReport {
        file: file.to_string(),
        code: diagnostic.code.to_string(),
        severity: match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Advice => "advice",
        },
        message: diagnostic.message.clone(),
        help: diagnostic.help.clone(),
        labels: labels.collect(),
    }
}

fn label(source: &Source, span: Span, text: &str) -> LabelReport {
    let ((line, column), (end_line, end_column)) =
        (source.line_column(span.start), source.line_column(span.end));
    LabelReport {
        file: source.path.display().to_string(),
        line,
        column,
        end_line,
        end_column,
        span: [span.start, span.end],
        text: text.to_string(),
    }
}
