//! `gradstudy export STUDY --record NAME --to FILE`

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use miette::Diagnostic;
use thiserror::Error;

use crate::execute::Executor;
use crate::gradients::history::GradientHistory;
use crate::models::weights;
use crate::plan::{Plan, PlannedRecord, Work};
use crate::store::Store;

use super::options::{Computing, Places};
use super::progress::Bars;
use super::{Failure, print, study};

/// Write a recorded gradient history, or the weights it was recorded at
#[derive(Debug, Args)]
pub struct Export {
    #[command(flatten)]
    study: study::StudyArguments,
    /// Name of the `record` statement [default: the only one]
    #[arg(long, value_name = "NAME")]
    record: Option<String>,
    /// Seed of the study [default: the first]
    #[arg(long)]
    seed: Option<u64>,
    /// Level of a `vary` factor, as FACTOR=LABEL; once for each factor
    #[arg(long, value_name = "FACTOR=LABEL")]
    at: Vec<String>,
    /// Write the weights θ instead of the gradients
    #[arg(long)]
    weights: bool,
    /// The file: .npy (array [T, n]) or .safetensors (tensor `gradients` [T, n], or the weights by name)
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    #[command(flatten)]
    places: Places,
    #[command(flatten)]
    computing: Computing,
}

#[derive(Debug, Error, Diagnostic)]
enum ExportError {
    #[error("{found} of the study's recordings fit what was asked for")]
    #[diagnostic(
        code(gradstudy::export::which),
        help("name one with --record, --seed and --at:\n{known}")
    )]
    Which { found: usize, known: String },
    #[error("cannot export to `{}`", path.display())]
    #[diagnostic(code(gradstudy::export::format), help("{formats}"))]
    Format { path: PathBuf, formats: &'static str },
    #[error("cannot write `{}`: {reason}", path.display())]
    #[diagnostic(
        code(gradstudy::export::write),
        help("check the folder, its permissions and the room on its disk")
    )]
    Write { path: PathBuf, reason: io::Error },
}

impl Export {
    pub fn execute(self) -> Result<ExitCode, Failure> {
        let extension = self
            .to
            .extension()
            .and_then(|e| e.to_str())
            .unwrap_or_default()
            .to_string();
        match (self.weights, extension.as_str()) {
            (_, "safetensors") | (false, "npy") => {}
            (weights, _) => {
                let formats = match weights {
                    true => "weights go to a `.safetensors` file",
                    false => "name a `.npy` or `.safetensors` file",
                };
                return Err(ExportError::Format {
                    path: self.to,
                    formats,
                }
                .into());
            }
        }
        let (_, study) = study::load(&self.study)?;
        let device = self.computing.select()?;
        let search = self.places.search();
        let plan = study::plan(&study, &search)?;
        let chosen = self.choose(&plan)?;
        let store = Store::open(&self.places.cache(), device.class)?;
        let (cancel, bars) = (super::run::stop_on_request(), Bars::new());
        let executor = Executor::new(
            &store,
            &search,
            &device.engine,
            self.computing.memory(),
            &bars,
            &cancel,
        );
        let fail = |reason| ExportError::Write {
            path: self.to.clone(),
            reason,
        };
        if self.weights {
            let Work::Record { weights, .. } = &plan.step(&chosen.step).work else {
                unreachable!("a record step")
            };
            let theta = executor.theta(&plan, weights);
            bars.clear();
            let (network, theta) = theta?;
            let bytes = weights::to_safetensors(&network, &theta).map_err(|e| fail(io::Error::other(e)))?;
            write_whole(&self.to, |file| file.write_all(&bytes)).map_err(fail)?;
            print(&format!(
                "{}: {} parameters of {}\n",
                self.to.display(),
                theta.len(),
                network.name
            ));
            return Ok(ExitCode::SUCCESS);
        }
        let history = executor.history(&plan, &chosen.step);
        bars.clear();
        let history = history?;
        let write = |file: &mut dyn Write| match extension.as_str() {
            "npy" => write_npy(&history, file),
            _ => write_safetensors(&history, file),
        };
        write_whole(&self.to, write).map_err(fail)?;
        print(&format!(
            "{}: [{}, {}]\n",
            self.to.display(),
            history.iterations(),
            history.parameters()
        ));
        Ok(ExitCode::SUCCESS)
    }

    fn choose<'a>(&self, plan: &'a Plan) -> Result<&'a PlannedRecord, ExportError> {
        let wanted = |record: &&PlannedRecord| {
            self.record.as_ref().is_none_or(|name| *name == record.record)
                && self.at.iter().all(|at| {
                    record
                        .levels
                        .iter()
                        .any(|(factor, label)| *at == format!("{factor}={label}"))
                })
        };
        let mut found: Vec<_> = plan.records.iter().filter(wanted).collect();
        match self.seed.or_else(|| found.first().map(|record| record.seed)) {
            Some(seed) => found.retain(|record| record.seed == seed),
            None => found.clear(),
        }
        // Different levels may lead to the very same recording.
        found.dedup_by(|a, b| a.step == b.step);
        match found[..] {
            [record] => Ok(record),
            _ => Err(ExportError::Which {
                found: found.len(),
                known: known(plan),
            }),
        }
    }
}

fn known(plan: &Plan) -> String {
    let line = |record: &PlannedRecord| {
        let levels: String = record
            .levels
            .iter()
            .map(|(factor, label)| format!(" --at {factor}={label}"))
            .collect();
        format!("  --record {} --seed {}{levels}", record.record, record.seed)
    };
    plan.records.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Writes a file under a temporary name and renames it.
fn write_whole(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let temporary = tempfile::NamedTempFile::new_in(folder)?;
    let mut file = BufWriter::new(temporary);
    write(&mut file)?;
    let temporary: tempfile::NamedTempFile = file.into_inner().map_err(|error| error.into_error())?;
    temporary
        .persist(path)
        .map(|_: File| ())
        .map_err(|error| error.error)
}

fn write_npy(history: &GradientHistory, file: &mut dyn Write) -> io::Result<()> {
    use npyz::WriterBuilder;
    let shape = [history.iterations() as u64, history.parameters() as u64];
    let mut writer = npyz::WriteOptions::new()
        .default_dtype()
        .shape(&shape)
        .writer(file)
        .begin_nd()?;
    writer.extend(history.values().iter().copied())?;
    writer.finish()
}

fn write_safetensors(history: &GradientHistory, file: &mut dyn Write) -> io::Result<()> {
    let (iterations, parameters) = (history.iterations(), history.parameters());
    let bytes: &[u8] = bytemuck::cast_slice(history.values());
    // The header by hand-off: `serialize` would copy a history that may be larger than memory.
    let header = serde_json::json!({
        "gradients": {"dtype": "F32", "shape": [iterations, parameters], "data_offsets": [0, bytes.len()]}
    })
    .to_string();
    let padded = header.len().next_multiple_of(8);
    file.write_all(&(padded as u64).to_le_bytes())?;
    file.write_all(header.as_bytes())?;
    file.write_all(&vec![b' '; padded - header.len()])?;
    file.write_all(bytes)
}
