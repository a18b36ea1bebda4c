//! `gradstudy export STUDY --to FILE`, `gradstudy export RUN --what samples --to FILE`

mod choose;
mod error;
mod listing;
mod reasons;
mod results;
mod study;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::Failure;
use super::options::{Computing, Places, ReportsPlace};
use super::study::{Changes, StudyArguments};
use error::ExportError;

/// Write what a study computes (gradients, weights, labels, minibatches) or a run found (outcomes, spectra, samples) to a
/// file for other programs
#[derive(Debug, Args)]
pub struct Export {
    /// A .study file for gradients, weights, labels and minibatches; a run (a folder, its id, study@latest) for its results
    #[arg(value_name = "STUDY|RUN")]
    what_of: String,
    #[command(flatten)]
    changes: Changes,
    #[command(flatten)]
    reports: ReportsPlace,
    /// What to export [default: gradients of a study; none of a run]
    #[arg(long, value_enum)]
    what: Option<What>,
    /// Of a run: only the test or spectrum of this name. Of a study: the training, model or data of this name
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Of a run: only tests along this direction
    #[arg(long, value_enum)]
    along: Option<AlongWord>,
    /// Of a run: only what is of these parameters: the module of `layers: each`, or the pattern of `layers`
    #[arg(long, value_name = "MODULE")]
    layers: Option<String>,
    /// Only this `record` statement, or the weights, labels and minibatches that it records with [default: the only one]
    #[arg(long, value_name = "NAME")]
    record: Option<String>,
    /// Only this seed of the study [default: of a study the first, of a run all]
    #[arg(long)]
    seed: Option<u64>,
    /// Level of a `vary` factor, as FACTOR=LABEL; once for each factor
    #[arg(long, value_name = "FACTOR=LABEL")]
    at: Vec<String>,
    /// Short for --what weights
    #[arg(long, conflicts_with = "what")]
    weights: bool,
    /// The file; without it, what there is to export is listed. Gradients, weights, minibatches: .npy, .safetensors.
    /// Labels: these, .parquet or .csv. Outcomes: .parquet or .csv. Spectra and samples: .parquet, .csv, .safetensors, or
    /// .npy (one spectrum, or the samples of one test)
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    /// List what there is to export for programs
    #[arg(long, conflicts_with = "to")]
    json: bool,
    #[command(flatten)]
    places: Places,
    #[command(flatten)]
    computing: Computing,
}

/// What can be exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// Of a study: G, [T, n]
    Gradients,
    /// Of a study: θ of a recording, at the end of a training, or at a model's start
    Weights,
    /// Of a study: labels of a data set after label noise, and before
    Labels,
    /// Of a study: which examples the minibatches of a recording or a training are of
    Minibatches,
    /// Of a run: every statistic of every measurement
    Outcomes,
    /// Of a run: eigenvalues
    Spectra,
    /// Of a run: what was found of each row or column of G: distances, exponents, p-values, verdicts
    Samples,
}

/// The kinds of files that something goes to.
struct Formats {
    extensions: &'static [&'static str],
    help: &'static str,
}

impl What {
    /// The word on the command line.
    fn word(self) -> &'static str {
        match self {
            What::Gradients => "gradients",
            What::Weights => "weights",
            What::Labels => "labels",
            What::Minibatches => "minibatches",
            What::Outcomes => "outcomes",
            What::Spectra => "spectra",
            What::Samples => "samples",
        }
    }

    fn is_of_study(self) -> bool {
        choose::OF_STUDY.contains(&self)
    }

    /// What a study that has none lacks.
    fn needs(self) -> &'static str {
        match self {
            What::Gradients => "the study has no `record` of gradients",
            What::Minibatches => "the study has no `record` of gradients and no `train`",
            What::Labels => "the study has no `data` statement",
            _ => "the study has no `record` of gradients, no `train` and no spectrum of a loss",
        }
    }

    /// Of what is exported from a study.
    fn formats(self) -> Formats {
        let (extensions, help): (&[&str], _) = match self {
            What::Gradients => (&["npy", "safetensors"], "name a `.npy` or `.safetensors` file"),
            What::Weights => (
                &["npy", "safetensors"],
                "weights go to a `.safetensors` file, under PyTorch's names, or as one vector to a `.npy` file",
            ),
            What::Minibatches => (
                &["npy", "safetensors"],
                "minibatches are one array: name a `.npy` or `.safetensors` file",
            ),
            _ => (
                &["npy", "safetensors", "parquet", "csv"],
                "name a `.npy`, `.safetensors`, `.parquet` or `.csv` file",
            ),
        };
        Formats { extensions, help }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum AlongWord {
    Dimension,
    Iteration,
    Spectrum,
}

impl Export {
    pub fn execute(self) -> Result<ExitCode, Failure> {
        let is_study = self.what_of.ends_with(".study");
        let foreign: &[(&str, bool)] = match is_study {
            true => &[
                ("--along", self.along.is_some()),
                ("--layers", self.layers.is_some()),
            ],
            false => &[
                ("--weights", self.weights),
                ("--set", !self.changes.set.is_empty()),
                ("--profile", self.changes.profile.is_some()),
            ],
        };
        let foreign = foreign.iter().find(|(_, given)| *given);
        let foreign_what = self.what.filter(|what| what.is_of_study() != is_study);
        let option = match (foreign, foreign_what) {
            (Some((option, _)), _) => Some(option.to_string()),
            (None, what) => what.map(|what| format!("--what {}", what.word())),
        };
        if let Some(option) = option {
            return Err(ExportError::Option {
                option,
                of: if is_study { "a run" } else { "a study" },
                given: self.what_of,
            }
            .into());
        }
        match is_study {
            true => self.of_study(),
            false => self.results(),
        }
    }

    /// The study, as other commands take it.
    fn study(&self) -> StudyArguments {
        StudyArguments {
            path: PathBuf::from(&self.what_of),
            changes: self.changes.clone(),
        }
    }
}

/// The extension of `path`, in small letters.
fn extension(path: &Path) -> String {
    let extension = path.extension().and_then(|it| it.to_str());
    extension.unwrap_or_default().to_ascii_lowercase()
}

fn write_error(path: &Path) -> impl Fn(io::Error) -> ExportError + use<> {
    let path = path.to_path_buf();
    move |reason| ExportError::Write {
        path: path.clone(),
        reason,
    }
}

/// Writes a file under a temporary name and renames it.
fn write_whole(path: &Path, write: impl FnOnce(&mut (dyn Write + Send)) -> io::Result<()>) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    // A temporary file is private by default; an export is for everyone whom the user's umask admits.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let temporary = builder.prefix(".export-").tempfile_in(folder)?;
    let mut file = BufWriter::new(temporary);
    write(&mut file)?;
    let temporary: tempfile::NamedTempFile = file.into_inner().map_err(|error| error.into_error())?;
    temporary
        .persist(path)
        .map(|_: File| ())
        .map_err(|error| error.error)
}
