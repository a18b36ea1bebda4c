//! The index of all runs below a folder of reports: an SQLite file that is made anew from the runs' folders whenever it
//! does not fit them, so it may be deleted at any time.
//!
//! It is read whole, checked against the hash behind it (SQLite does not look beyond its last page), brought up to date in
//! memory and put in the old one's place: any number of processes may do so at once.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use rusqlite::{Connection, params};
use serde::Serialize;

use super::find::{Found, all};
use super::folder::{MANIFEST, RESULTS};
use super::{Manifest, RunError, open_manifest, open_results};
use crate::report::COLUMNS;
use crate::results::Results;
use crate::store::{Left, read_sealed, replace_sealed};

/// Lies in the folder of reports.
pub const FILE: &str = ".gradstudy.sqlite";
/// Raised whenever the tables change; an index of another version is made anew.
const VERSION: i64 = 1;

const SCHEMA: &str = "
CREATE TABLE runs (
  id TEXT PRIMARY KEY, study TEXT, title TEXT, started TEXT, seconds REAL, device TEXT, gradstudy TEXT, plan TEXT,
  seeds TEXT, command TEXT, measurements INTEGER, bytes INTEGER, changed INTEGER
);
CREATE TABLE statistics (
  run TEXT REFERENCES runs(id) ON DELETE CASCADE, test TEXT, dataset TEXT, model TEXT, training TEXT, batch INTEGER,
  iterations INTEGER, parameters INTEGER, spectrum TEXT, levels TEXT, direction TEXT, seed INTEGER, name TEXT,
  value REAL
);
CREATE INDEX of_run ON statistics(run);
";

/// One run, as `gradstudy list` shows it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entry {
    /// Such as `table1/20261123-143626-84db6e3b`.
    pub id: String,
    /// The study's folder.
    pub study: String,
    pub title: String,
    /// ISO 8601.
    pub started: String,
    pub seconds: f64,
    pub device: String,
    pub gradstudy: String,
    pub plan: String,
    pub seeds: Vec<u64>,
    pub command: String,
    pub measurements: u64,
    /// Of the folder.
    pub bytes: u64,
}

/// The index, in step with the folders.
#[derive(Debug)]
pub struct Index {
    connection: Connection,
    path: PathBuf,
}

impl Index {
    /// The index of `reports`, brought up to date; where it cannot be written it is made in memory each time. Runs that
    /// cannot be read are left out and returned as errors.
    ///
    /// # Errors
    /// The folder cannot be read, or SQLite fails.
    pub fn open(reports: &Path) -> Result<(Self, Vec<RunError>), RunError> {
        let path = reports.join(FILE);
        let fail = |error: rusqlite::Error| RunError::Index {
            path: path.clone(),
            reason: error.to_string(),
        };
        let connection = match stored(&path) {
            Some(connection) => connection,
            None => empty().map_err(fail)?,
        };
        let mut index = Index {
            connection,
            path: path.clone(),
        };
        let (faults, changed) = index.update(&all(reports)?)?;
        if changed {
            let bytes = index.connection.serialize(rusqlite::MAIN_DB).map_err(fail)?;
            // Made again the next time if it cannot be kept.
            let _ = replace_sealed(&path, bytes.to_vec());
        }
        Ok((index, faults))
    }

    /// Every run, in the order of their ids.
    ///
    /// # Errors
    /// SQLite fails.
    pub fn entries(&self) -> Result<Vec<Entry>, RunError> {
        let read = || {
            let mut statement = self.connection.prepare(
                "SELECT id, study, title, started, seconds, device, gradstudy, plan, seeds, command, measurements, \
                 bytes FROM runs ORDER BY id",
            )?;
            let rows = statement.query_map([], |row| {
                let seeds: String = row.get(8)?;
                Ok(Entry {
                    id: row.get(0)?,
                    study: row.get(1)?,
                    title: row.get(2)?,
                    started: row.get(3)?,
                    seconds: row.get(4)?,
                    device: row.get(5)?,
                    gradstudy: row.get(6)?,
                    plan: row.get(7)?,
                    seeds: serde_json::from_str(&seeds).unwrap_or_default(),
                    command: row.get(9)?,
                    measurements: row.get::<_, i64>(10)? as u64,
                    bytes: row.get::<_, i64>(11)? as u64,
                })
            })?;
            rows.collect::<rusqlite::Result<Vec<Entry>>>()
        };
        read().map_err(|error| self.error(error))
    }

    fn error(&self, error: rusqlite::Error) -> RunError {
        RunError::Index {
            path: self.path.clone(),
            reason: error.to_string(),
        }
    }

    /// What cannot be read, and whether anything is not as it was.
    fn update(&mut self, runs: &[Found]) -> Result<(Vec<RunError>, bool), RunError> {
        let (mut faults, mut differs) = (Vec::new(), false);
        let path = self.path.clone();
        let fail = |error: rusqlite::Error| RunError::Index {
            path: path.clone(),
            reason: error.to_string(),
        };
        let transaction = self.connection.transaction().map_err(fail)?;
        let known: Vec<(String, i64)> = {
            let mut statement = transaction
                .prepare("SELECT id, changed FROM runs")
                .map_err(fail)?;
            let rows = statement
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
                .map_err(fail)?;
            rows.collect::<Result<_, _>>().map_err(fail)?
        };
        for (id, _) in &known {
            if !runs.iter().any(|run| run.id() == *id) {
                differs = true;
                transaction
                    .execute("DELETE FROM runs WHERE id = ?1", [id])
                    .map_err(fail)?;
            }
        }
        for run in runs {
            let (id, changed) = (run.id(), changed(&run.folder));
            if known.iter().any(|(known, at)| *known == id && *at == changed) {
                continue;
            }
            differs = true;
            transaction
                .execute("DELETE FROM runs WHERE id = ?1", [&id])
                .map_err(fail)?;
            let read =
                open_manifest(&run.folder).and_then(|manifest| Ok((manifest, open_results(&run.folder)?)));
            match read {
                Ok((manifest, results)) => {
                    insert(&transaction, run, &manifest, &results, changed).map_err(fail)?
                }
                // Removed meanwhile.
                Err(_) if !run.folder.join(MANIFEST).is_file() => {}
                Err(fault) => faults.push(fault),
            }
        }
        transaction.commit().map_err(fail)?;
        Ok((faults, differs))
    }
}

/// The index that the file holds; `None` where there is none, or one that is damaged or of another version.
fn stored(path: &Path) -> Option<Connection> {
    let Left::Whole(bytes) = read_sealed(path) else {
        return None;
    };
    let mut connection = Connection::open_in_memory().ok()?;
    let read = connection.deserialize_read_exact(rusqlite::MAIN_DB, &bytes[..], bytes.len(), false);
    read.ok()?;
    prepare(&connection).ok()?;
    let version: i64 = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .ok()?;
    (version == VERSION).then_some(connection)
}

fn empty() -> rusqlite::Result<Connection> {
    let connection = Connection::open_in_memory()?;
    prepare(&connection)?;
    connection.execute_batch(&format!(
        "BEGIN; {SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;"
    ))?;
    Ok(connection)
}

fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("PRAGMA foreign_keys = ON;")
}

fn insert(
    transaction: &rusqlite::Transaction,
    run: &Found,
    manifest: &Manifest,
    results: &Results,
    changed: i64,
) -> rusqlite::Result<()> {
    let id = run.id();
    transaction.execute(
        "INSERT INTO runs VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        params![
            id,
            run.slug,
            manifest.study,
            manifest.times.started,
            manifest.times.seconds,
            manifest.device.name,
            manifest.gradstudy,
            manifest.plan,
            json(&manifest.seeds)?,
            manifest.command,
            results.measurements.len() as i64,
            size(&run.folder) as i64,
            changed,
        ],
    )?;
    let mut statement = transaction.prepare(
        "INSERT INTO statistics VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
    )?;
    for it in &results.measurements {
        let subject = &it.subject;
        let mut levels = it.levels.clone();
        levels.extend(
            subject
                .layers
                .clone()
                .map(|layers| ("layers".to_string(), layers)),
        );
        for column in COLUMNS {
            let Some(value) = column.of(it) else {
                continue;
            };
            statement.execute(params![
                id,
                it.test,
                subject.dataset,
                subject.model,
                subject.training,
                subject.batch as i64,
                subject.iterations as i64,
                subject.parameters as i64,
                subject.spectrum,
                json(&levels)?,
                it.direction.word(),
                it.seed as i64,
                column.name,
                value,
            ])?;
        }
    }
    Ok(())
}

fn json(value: &impl Serialize) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}

/// Bytes of all files in `folder`.
pub fn size(folder: &Path) -> u64 {
    let files = walkdir::WalkDir::new(folder).into_iter().filter_map(Result::ok);
    files
        .filter_map(|file| file.metadata().ok())
        .filter(fs::Metadata::is_file)
        .map(|file| file.len())
        .sum()
}

/// When manifest and results were last written, in nanoseconds since 1970: tells an old entry from a new one.
fn changed(folder: &Path) -> i64 {
    let when = |name: &str| {
        let modified = fs::metadata(folder.join(name))
            .and_then(|file| file.modified())
            .ok()?;
        Some(modified.duration_since(UNIX_EPOCH).ok()?.as_nanos() as i64)
    };
    [MANIFEST, RESULTS]
        .into_iter()
        .filter_map(when)
        .max()
        .unwrap_or(0)
}
