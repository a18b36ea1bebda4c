//! Puts a run's documents on disk, each complete or absent.

use std::collections::HashSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;

use super::csv::to_csv;
use super::drawing::Drawing;
use super::error::ReportError;
use super::latex;
use super::table::Table;
use super::template::Templates;

/// What a report is made of.
#[derive(Debug)]
pub struct Report<'a> {
    /// Title of the study.
    pub title: &'a str,
    pub tables: &'a [Table],
    pub figures: &'a [Drawing],
    /// What the reader must know before believing any of it, in plain text.
    pub warnings: &'a [String],
    /// Versions, device, seeds, digests …: a map, shown in its order; nested maps and lists are shown as such.
    pub provenance: Value,
    pub timings: &'a [Timing],
    /// The study as it was written.
    pub study: &'a str,
    /// The study with every default written out.
    pub resolved: &'a str,
}

/// How long a step took.
#[derive(Debug, Clone, Serialize)]
pub struct Timing {
    pub step: String,
    /// What it did, in a few words.
    pub what: String,
    /// Wall time, of a reused step when it was made; 0 where that is not known.
    pub seconds: f64,
    /// Whether its result was there already.
    pub reused: bool,
    /// Largest resident memory of the process while it worked on the step, in bytes, where the system tells.
    pub peak_memory: Option<u64>,
}

/// Writes `report.md`, `report.html`, `report.tex`, for each table `<name>.md`, `.tex`, `-standalone.tex`, `.json` and `.csv`, and
/// for each figure its files into `directory`, which is made if it is not there. Returns the files written.
///
/// Everything is rendered before anything is written, and every file is written under a temporary name and
/// renamed, so an error leaves no half-written file.
///
/// # Errors
/// A template that fails, two documents with one name, or a file or directory that cannot be written.
pub fn write_all(
    directory: &Path,
    report: &Report,
    templates: &Templates,
) -> Result<Vec<PathBuf>, ReportError> {
    let mut files: Vec<(PathBuf, Vec<u8>)> = Vec::new();
    for table in report.tables {
        let stem = latex::label(&table.name);
        let path = |ending: &str| directory.join(format!("{stem}{ending}"));
        let json = serde_json::to_vec_pretty(table).map_err(io::Error::from);
        let csv = to_csv(table).map_err(io::Error::other);
        files.push((path(".md"), templates.table_markdown(table)?.into_bytes()));
        files.push((path(".tex"), templates.table_latex(table)?.into_bytes()));
        files.push((
            path("-standalone.tex"),
            templates.standalone_latex(table)?.into_bytes(),
        ));
        files.push((path(".json"), json.map_err(ReportError::write(&path(".json")))?));
        files.push((path(".csv"), csv.map_err(ReportError::write(&path(".csv")))?));
    }
    files.push((
        directory.join("report.md"),
        templates.report_markdown(report)?.into_bytes(),
    ));
    files.push((
        directory.join("report.html"),
        templates.report_html(report)?.into_bytes(),
    ));
    files.push((
        directory.join("report.tex"),
        templates.report_latex(report)?.into_bytes(),
    ));
    for figure in report.figures {
        let stem = latex::label(&figure.name);
        let file = |(ending, contents): &(&str, Vec<u8>)| {
            (directory.join(format!("{stem}{ending}")), contents.clone())
        };
        files.extend(figure.files.iter().map(file));
    }
    let mut paths = HashSet::new();
    if let Some((twice, _)) = files.iter().find(|(path, _)| !paths.insert(path)) {
        return Err(ReportError::Twice { path: twice.clone() });
    }
    std::fs::create_dir_all(directory).map_err(ReportError::write(directory))?;
    for (path, contents) in &files {
        write_atomically(path, contents).map_err(ReportError::write(path))?;
    }
    Ok(files.into_iter().map(|(path, _)| path).collect())
}

fn write_atomically(path: &Path, contents: &[u8]) -> io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    // A temporary file is private by default; a report is for everyone whom the user's umask admits.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.prefix(".report-").tempfile_in(directory)?;
    file.write_all(contents)?;
    file.as_file().sync_all()?;
    file.persist(path).map(drop).map_err(|error| error.error)
}
