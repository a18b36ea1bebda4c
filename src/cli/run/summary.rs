//! A run in a few numbers, for programs.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::execute::Execution;
use crate::run::{Run, RunError};

use super::super::Failure;

/// The layout of `run --json`; raised when a reader of the old layout would misread the new.
const FORMAT_VERSION: u32 = 1;

/// Where the run is, how it went, and which files hold its tables.
pub fn json(run: &Run, execution: &Execution, folder: &Path, seconds: f64) -> Result<String, Failure> {
    let files = files(folder)?;
    let of_table = |name: &str| -> Vec<&PathBuf> {
        let ends = ["md", "tex", "json", "csv"].map(|end| format!("{name}.{end}"));
        let standalone = format!("{name}-standalone.tex");
        let is = |path: &&PathBuf| {
            let file = path.file_name().map(|name| name.to_string_lossy());
            file.is_some_and(|file| *file == standalone || ends.iter().any(|end| *file == *end))
        };
        files.iter().filter(is).collect()
    };
    let tables: Vec<Value> = run
        .tables()?
        .iter()
        .map(|table| json!({"name": table.name, "caption": table.caption, "files": of_table(&table.name)}))
        .collect();
    let mut all = json!({
        "format_version": FORMAT_VERSION,
        "study": run.manifest.study,
    });
    if let (Value::Object(all), Value::Object(finished)) =
        (&mut all, finished(run, execution, folder, seconds))
    {
        all.extend(finished);
    }
    all["failures"] = json!(run.manifest.failures);
    all["warnings"] = json!(run.manifest.warnings);
    all["tables"] = json!(tables);
    all["files"] = json!(files);
    Ok(serde_json::to_string_pretty(&all).expect("a run is data") + "\n")
}

/// Where the run is, how long it took, and how many steps it made.
pub fn finished(run: &Run, execution: &Execution, folder: &Path, seconds: f64) -> Value {
    let reused = execution.steps.iter().filter(|step| step.reused).count();
    let failed = run.manifest.failures.len();
    json!({
        "folder": folder,
        "seconds": seconds,
        "steps": {
            "all": run.manifest.steps.len(),
            "made": execution.steps.len() - reused,
            "reused": reused,
            "failed": failed,
            "lacking": execution.failures.len().saturating_sub(failed),
        },
    })
}

/// Every file of the run.
fn files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let read = |reason| RunError::Read {
        path: folder.to_path_buf(),
        reason,
    };
    let entries = std::fs::read_dir(folder).map_err(read)?;
    let files: Result<Vec<PathBuf>, _> = entries.map(|entry| entry.map(|entry| entry.path())).collect();
    let mut files = files.map_err(read)?;
    files.sort();
    Ok(files)
}
