//! `gradstudy diff RUN_A RUN_B`, `gradstudy diff RUN --paper`

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use miette::Diagnostic;
use thiserror::Error;

use crate::diff::display::{self, Style};
use crate::diff::paper::paper_diff;
use crate::diff::{FORMAT_VERSION, FailOn, RunDiff, Tolerance, diff};
use crate::report::latex;
use crate::run::find::all;
use crate::run::{Run, RunError, find, open_manifest, open_results, open_settings};

use super::options::ReportsPlace;
use super::terminal::screen;
use super::{Failure, print};

/// Compare two runs, a run with the paper, or two folders of reports; exit code 0 same, 1 different, 2 trouble
#[derive(Debug, Args)]
pub struct Diff {
    /// The first run (a folder, an id or the beginning of it, study@latest), or a folder of reports
    run_a: String,
    /// The second
    #[arg(required_unless_present = "paper", conflicts_with = "paper")]
    run_b: Option<String>,
    #[command(flatten)]
    reports: ReportsPlace,
    /// Compare the run's tables with the paper's that they mirror
    #[arg(long)]
    paper: bool,
    /// How to print the differences
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// What the labels of LaTeX tables begin with, behind `tab:`; the default is diff- or paper- and the study's name
    #[arg(long, value_name = "NAME", value_parser = label)]
    label: Option<String>,
    /// Relative difference up to which numbers count as the same
    #[arg(long, default_value_t = 0.0)]
    rtol: f64,
    /// Absolute difference up to which numbers count as the same
    #[arg(long, default_value_t = 0.0)]
    atol: f64,
    /// Level of significance, after Benjamini's and Hochberg's adjustment
    #[arg(long, default_value_t = 0.05, value_parser = level)]
    alpha: f64,
    /// What makes the exit code 1
    #[arg(long, value_enum, default_value = "any")]
    fail_on: Fail,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Markdown,
    /// Tables for \\input
    Latex,
    /// The same as a document of its own
    LatexDocument,
    Json,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Fail {
    /// A verdict on a single sample that flipped
    Flip,
    /// A flip, or a significant difference; which of them are takes two seeds a side
    Significant,
    /// Any statistic that differs by more than the tolerance
    Any,
}

impl From<Fail> for FailOn {
    fn from(fail: Fail) -> FailOn {
        match fail {
            Fail::Flip => FailOn::Flip,
            Fail::Significant => FailOn::Significant,
            Fail::Any => FailOn::Any,
        }
    }
}

#[derive(Debug, Error, Diagnostic)]
enum DiffError {
    #[error("`{}` is a folder of reports and `{}` is not", reports.display(), other)]
    #[diagnostic(
        code(gradstudy::diff::kinds),
        help("name two runs, or two folders of reports")
    )]
    Kinds { reports: PathBuf, other: String },
    #[error("`--label` names tables of LaTeX, and this output has none")]
    #[diagnostic(
        code(gradstudy::diff::label),
        help("add --format latex or --format latex-document, or leave --label out")
    )]
    Label,
}

fn level(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(level) if level > 0.0 && level < 1.0 => Ok(level),
        _ => Err("a level lies between 0 and 1".to_string()),
    }
}

/// What `\label` and `\ref` take.
fn label(text: &str) -> Result<String, String> {
    match !text.is_empty() && latex::label(text) == text {
        true => Ok(text.to_string()),
        false => Err("a label is of letters, digits, `-` and `_`".to_string()),
    }
}

impl Diff {
    pub fn execute(self) -> Result<ExitCode, Failure> {
        if self.label.is_some() && !matches!(self.format, Format::Latex | Format::LatexDocument) {
            return Err(DiffError::Label.into());
        }
        let tolerance = Tolerance::new(self.rtol, self.atol)?;
        let Some(run_b) = &self.run_b else {
            return self.beside_paper();
        };
        match (is_reports(&self.run_a), is_reports(run_b)) {
            (false, false) => {
                let left = self.results(&self.run_a)?;
                let found = between(&left, &self.results(run_b)?, tolerance, self.alpha)?;
                print(&match self.format {
                    Format::Json => json(&found),
                    _ => self.whole(self.show(&found, &self.label("diff", &slug_of(&left)))),
                });
                Ok(self.code(found.fails(self.fail_on.into())))
            }
            (true, true) => self.folders(Path::new(&self.run_a), Path::new(run_b), tolerance),
            (true, false) => Err(kinds(&self.run_a, run_b)),
            (false, true) => Err(kinds(run_b, &self.run_a)),
        }
    }

    /// A run's folder, or a `results.yaml` that stands alone.
    fn results(&self, name: &str) -> Result<PathBuf, RunError> {
        match find(&self.reports.reports_dir, name) {
            Err(_) if Path::new(name).is_file() || Path::new(name).join("results.yaml").is_file() => {
                Ok(PathBuf::from(name))
            }
            found => found,
        }
    }

    /// What labels begin with: `--label`, else `what`-`slug`.
    fn label(&self, what: &str, slug: &str) -> String {
        let default = || match slug {
            "" => what.to_string(),
            slug => latex::label(&format!("{what}-{slug}")),
        };
        self.label.clone().unwrap_or_else(default)
    }

    fn show(&self, found: &RunDiff, label: &str) -> String {
        match self.format {
            Format::Markdown => display::to_markdown(found),
            Format::Latex | Format::LatexDocument => display::to_latex(found, label),
            _ => display::to_screen(found, &screen()),
        }
    }

    /// A LaTeX document where one is asked for.
    fn whole(&self, text: String) -> String {
        match self.format {
            Format::LatexDocument => display::latex_document(&text),
            _ => text,
        }
    }

    fn code(&self, fails: bool) -> ExitCode {
        ExitCode::from(u8::from(fails))
    }

    fn beside_paper(&self) -> Result<ExitCode, Failure> {
        let run = Run::open(&find(&self.reports.reports_dir, &self.run_a)?)?;
        let found = paper_diff(&run.tables()?, &run.manifest.overrides);
        let label = self.label("paper", &run.layout.slug);
        let show = |style| display::paper_to(style, &found, self.alpha, &label);
        print(&match self.format {
            Format::Json => json(&found),
            Format::Text => show(Style::Text(screen())),
            Format::Markdown => show(Style::Markdown),
            Format::Latex | Format::LatexDocument => self.whole(show(Style::Latex)),
        });
        Ok(self.code(found.fails(self.fail_on.into(), self.alpha)))
    }

    /// The last run of each study in both folders.
    fn folders(&self, left: &Path, right: &Path, tolerance: Tolerance) -> Result<ExitCode, Failure> {
        let latest = |reports: &Path| -> Result<BTreeMap<String, PathBuf>, RunError> {
            // In the order of their names, so the last of a study stays.
            Ok(all(reports)?
                .into_iter()
                .map(|run| (run.slug, run.folder))
                .collect())
        };
        let (left, right) = (latest(left)?, latest(right)?);
        let only = |here: &BTreeMap<String, PathBuf>, there: &BTreeMap<String, PathBuf>| -> Vec<String> {
            here.keys()
                .filter(|slug| !there.contains_key(*slug))
                .cloned()
                .collect()
        };
        let lone = [only(&left, &right), only(&right, &left)];
        let mut fails = matches!(self.fail_on, Fail::Any) && lone.iter().any(|lone| !lone.is_empty());
        let (mut text, mut studies) = (String::new(), Vec::new());
        for (slug, a) in &left {
            let Some(b) = right.get(slug) else {
                continue;
            };
            let found = between(a, b, tolerance, self.alpha)?;
            fails |= found.fails(self.fail_on.into());
            text += &match self.format {
                Format::Markdown => format!("## {slug}\n\n"),
                Format::Latex | Format::LatexDocument => {
                    format!("\\section*{{{}}}\n", latex::escape(slug))
                }
                _ => format!("{slug}: "),
            };
            // One document has them all.
            let label = match &self.label {
                Some(label) => format!("{label}-{}", latex::label(slug)),
                None => self.label("diff", slug),
            };
            text += &(self.show(&found, &label) + "\n");
            studies.push(serde_json::json!({"study": slug, "diff": found}));
        }
        for (side, lone) in ["left", "right"].into_iter().zip(&lone) {
            for slug in lone {
                text += &format!("{slug}: only in the {side} folder\n");
            }
        }
        if self.format == Format::Json {
            let [left, right] = &lone;
            text = json(&serde_json::json!({
                "format_version": FORMAT_VERSION, "only_left": left, "only_right": right, "studies": studies,
            }));
        }
        print(&self.whole(text));
        Ok(self.code(fails))
    }
}

/// A folder that has runs in it and is none.
fn is_reports(name: &str) -> bool {
    let path = Path::new(name);
    path.is_dir() && !path.join("results.yaml").is_file() && all(path).is_ok_and(|runs| !runs.is_empty())
}

/// The study that `run` is filed under; nothing for a `results.yaml` that stands alone.
fn slug_of(run: &Path) -> String {
    let parent = run
        .is_dir()
        .then(|| run.parent().and_then(Path::file_name))
        .flatten();
    parent.map_or_else(String::new, |slug| slug.to_string_lossy().into_owned())
}

fn kinds(reports: &str, other: &str) -> Failure {
    DiffError::Kinds {
        reports: PathBuf::from(reports),
        other: other.to_string(),
    }
    .into()
}

fn between(left: &Path, right: &Path, tolerance: Tolerance, alpha: f64) -> Result<RunDiff, RunError> {
    let mut found = diff(&open_results(left)?, &open_results(right)?, tolerance, alpha);
    if let (Some(a), Some(b)) = (open_settings(left), open_settings(right)) {
        found = found.with_settings(&a, &b);
    }
    let manifest = |run: &Path| serde_json::to_value(open_manifest(run).ok()?).ok();
    if let (Some(a), Some(b)) = (manifest(left), manifest(right)) {
        found = found.with_provenance(&a, &b);
    }
    Ok(found)
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(value).expect("a difference is data") + "\n"
}
