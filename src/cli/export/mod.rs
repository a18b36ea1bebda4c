//! `gradstudy export STUDY --to FILE`, `gradstudy export RUN --what samples --to FILE`

mod error;
mod history;
mod results;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::Failure;
use super::options::{Computing, Places, ReportsPlace};
use super::study::{Changes, StudyArguments};
use error::ExportError;

/// Write a study's gradients or weights, or a run's outcomes, spectra or samples, to a file for other programs
#[derive(Debug, Args)]
pub struct Export {
    /// A .study file for gradients and weights; a run (a folder, its id, study@latest) for its results
    #[arg(value_name = "STUDY|RUN")]
    what_of: String,
    #[command(flatten)]
    changes: Changes,
    #[command(flatten)]
    reports: ReportsPlace,
    /// Of a run: which results
    #[arg(long, value_enum)]
    what: Option<What>,
    /// Of a run: only the test or spectrum of this name
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Of a run: only tests along this direction
    #[arg(long, value_enum)]
    along: Option<AlongWord>,
    /// Only this `record` statement [default: the only one]
    #[arg(long, value_name = "NAME")]
    record: Option<String>,
    /// Only this seed of the study [default: a history's first, all of a run]
    #[arg(long)]
    seed: Option<u64>,
    /// Level of a `vary` factor, as FACTOR=LABEL; once for each factor
    #[arg(long, value_name = "FACTOR=LABEL")]
    at: Vec<String>,
    /// Of a study: the weights θ instead of the gradients
    #[arg(long)]
    weights: bool,
    /// The file; without it, what there is to export is listed. Gradients: .npy (array [T, n]) or .safetensors. Results:
    /// .parquet or .csv (tables), .npy (one spectrum or the samples of one test), .safetensors
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

/// Results of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// Every statistic of every measurement
    Outcomes,
    /// Eigenvalues
    Spectra,
    /// What was found of each row or column of G: distances, exponents, p-values, verdicts
    Samples,
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
        let foreign = match is_study {
            true => [
                ("--what", self.what.is_some()),
                ("--name", self.name.is_some()),
                ("--along", self.along.is_some()),
            ],
            false => [
                ("--weights", self.weights),
                ("--set", !self.changes.set.is_empty()),
                ("--profile", self.changes.profile.is_some()),
            ],
        };
        if let Some((option, _)) = foreign.into_iter().find(|(_, given)| *given) {
            return Err(ExportError::Option {
                option,
                of: if is_study { "a run" } else { "a study" },
                given: self.what_of,
            }
            .into());
        }
        match is_study {
            true => self.history(),
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
