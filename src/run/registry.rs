//! Which runs the steps of a cache belong to, wherever the folders of these runs lie.
//!
//! Each run has a file in `CACHE/runs` from its beginning. While it works it holds a lock on that file; when its report is
//! written the file says where.

use std::collections::HashMap;
use std::fs::{self, File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::store::{StoreError, has_no_locks, replace_file, temporary_name};

/// The layout of a registered run; raised when a reader of the old layout would misread the new.
const FORMAT_VERSION: u32 = 1;

/// A run as it is registered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RegisteredRun {
    pub format_version: u32,
    /// Title of the study.
    pub study: String,
    /// The study's file.
    pub source: PathBuf,
    /// When it began, in ISO 8601.
    pub started: String,
    /// Hash of all its steps.
    pub plan: String,
    /// Where its report is; none before that is written.
    pub folder: Option<PathBuf>,
    /// Ids of its steps.
    pub steps: Vec<String>,
}

/// What has become of a registered run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Its report is where it was written.
    Kept,
    /// A process works on it.
    Running,
    /// It was stopped or failed before its report was written: the same command goes on.
    Stopped,
    /// Its folder was removed; the folder of reports that held it is there.
    Removed,
    /// Neither its folder nor the folder of reports can be seen from here, as where a disk is not mounted.
    OutOfSight,
}

/// The registered runs of a cache.
#[derive(Debug)]
pub struct Registry {
    folder: PathBuf,
}

/// A run at work; registered as stopped if it ends without [`Registration::finish`].
#[derive(Debug)]
pub struct Registration {
    file: File,
    path: PathBuf,
    run: RegisteredRun,
}

impl Registry {
    /// The registry of the cache under `root`; nothing is made yet.
    pub fn of(root: &Path) -> Self {
        Registry {
            folder: root.join("runs"),
        }
    }

    /// Registers a run that begins. An earlier one of the same plan and study that was stopped is this one, gone on with.
    ///
    /// # Errors
    /// The registry cannot be written.
    pub fn begin(&self, run: RegisteredRun) -> Result<Registration, StoreError> {
        let fail = StoreError::write(&self.folder);
        fs::create_dir_all(&self.folder).map_err(&fail)?;
        let run = RegisteredRun {
            format_version: FORMAT_VERSION,
            ..run
        };
        for (path, other) in self.runs()? {
            let same = other.plan == run.plan && other.source == run.source;
            if same && fate(&path, &other) == Fate::Stopped {
                let _ = fs::remove_file(path);
            }
        }
        let digest = blake3::hash(format!("{}{}", run.started, std::process::id()).as_bytes());
        let path = self.folder.join(format!(
            "{}-{}.json",
            &run.plan[..8.min(run.plan.len())],
            &digest.to_hex()[..16]
        ));
        // The file is locked before it has its name, so that nobody takes this run for one that was stopped.
        let unnamed = temporary_name(&path);
        let mut file = File::create(&unnamed).map_err(&fail)?;
        if let Err(reason) = file.lock()
            && !has_no_locks(&reason)
        {
            return Err(fail(reason));
        }
        file.write_all(&text_of(&run)).map_err(&fail)?;
        fs::rename(&unnamed, &path).map_err(&fail)?;
        Ok(Registration { file, path, run })
    }

    /// Every run, each with what has become of it.
    ///
    /// # Errors
    /// The registry cannot be read.
    pub fn all(&self) -> Result<Vec<(RegisteredRun, Fate)>, StoreError> {
        let with_fate = |(path, run): (PathBuf, RegisteredRun)| {
            let fate = fate(&path, &run);
            (run, fate)
        };
        Ok(self.runs()?.into_iter().map(with_fate).collect())
    }

    /// The ids of all steps that runs are made of, each with what has become of these runs.
    ///
    /// # Errors
    /// The registry cannot be read.
    pub fn steps(&self) -> Result<HashMap<String, Vec<Fate>>, StoreError> {
        let mut steps: HashMap<String, Vec<Fate>> = HashMap::new();
        for (run, fate) in self.all()? {
            for step in run.steps {
                steps.entry(step).or_default().push(fate);
            }
        }
        Ok(steps)
    }

    /// Forgets the runs whose folders were removed; for when their steps are gone, too.
    ///
    /// # Errors
    /// The registry cannot be read or written.
    pub fn forget_removed(&self) -> Result<(), StoreError> {
        for (path, run) in self.runs()? {
            if fate(&path, &run) == Fate::Removed {
                fs::remove_file(&path).map_err(StoreError::write(&path))?;
            }
        }
        Ok(())
    }

    /// Each with its file. Files of other layouts are not looked at.
    fn runs(&self) -> Result<Vec<(PathBuf, RegisteredRun)>, StoreError> {
        if !self.folder.is_dir() {
            return Ok(Vec::new());
        }
        let fail = |reason| StoreError::Read {
            path: self.folder.clone(),
            reason,
        };
        let mut runs = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(fail)? {
            let path = entry.map_err(fail)?.path();
            if path.extension().is_none_or(|ending| ending != "json") {
                continue;
            }
            let run = fs::read(&path)
                .ok()
                .and_then(|bytes| serde_json::from_slice::<RegisteredRun>(&bytes).ok());
            runs.extend(
                run.filter(|run| run.format_version == FORMAT_VERSION)
                    .map(|run| (path, run)),
            );
        }
        runs.sort_by(|a, b| a.1.started.cmp(&b.1.started));
        Ok(runs)
    }
}

impl Registration {
    /// Says where the run's report is.
    ///
    /// # Errors
    /// The registry cannot be written.
    pub fn finish(mut self, folder: &Path) -> Result<(), StoreError> {
        self.run.folder = Some(absolute(folder));
        write(&self.path, &self.run)
    }

    /// Says that the run made nothing that is not in the report of an earlier one.
    pub fn withdraw(self) {
        let _ = fs::remove_file(&self.path);
        let _ = self.file.unlock();
    }
}

fn write(path: &Path, run: &RegisteredRun) -> Result<(), StoreError> {
    replace_file(path, &text_of(run))
}

fn text_of(run: &RegisteredRun) -> Vec<u8> {
    serde_json::to_vec_pretty(run).expect("a run is made of text")
}

fn absolute(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf())
}

fn fate(path: &Path, run: &RegisteredRun) -> Fate {
    let Some(folder) = &run.folder else {
        let held =
            File::open(path).map(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)));
        return match held.unwrap_or(false) {
            true => Fate::Running,
            false => Fate::Stopped,
        };
    };
    // A run lies in REPORTS/STUDY/RUN.
    let reports = folder.parent().and_then(Path::parent);
    match (folder.is_dir(), reports.is_some_and(Path::is_dir)) {
        (true, _) => Fate::Kept,
        (false, true) => Fate::Removed,
        (false, false) => Fate::OutOfSight,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(plan: &str) -> RegisteredRun {
        RegisteredRun {
            format_version: 0,
            study: "A study".into(),
            source: "/a.study".into(),
            started: "2026-11-30T12:00:00".into(),
            plan: plan.into(),
            folder: None,
            steps: vec!["one".into(), "two".into()],
        }
    }

    fn fates(registry: &Registry) -> Vec<Fate> {
        registry
            .all()
            .expect("reads")
            .into_iter()
            .map(|(_, fate)| fate)
            .collect()
    }

    #[test]
    fn a_run_is_at_work_then_kept_then_removed_then_out_of_sight() {
        let folder = tempfile::tempdir().expect("a folder");
        let registry = Registry::of(&folder.path().join("cache"));
        assert_eq!(fates(&registry), []);
        let reports = folder.path().join("reports");
        fs::create_dir_all(reports.join("study/run")).expect("writable");
        let begun = registry.begin(run("aaaaaaaaaa")).expect("begins");
        assert_eq!(fates(&registry), [Fate::Running]);
        begun.finish(&reports.join("study/run")).expect("finishes");
        assert_eq!(fates(&registry), [Fate::Kept]);
        fs::remove_dir_all(reports.join("study")).expect("removes");
        assert_eq!(fates(&registry), [Fate::Removed]);
        fs::remove_dir_all(&reports).expect("removes");
        assert_eq!(fates(&registry), [Fate::OutOfSight]);
        assert_eq!(registry.steps().expect("reads")["one"], [Fate::OutOfSight]);
    }

    #[test]
    fn what_is_stopped_stays_until_it_is_gone_on_with() {
        let folder = tempfile::tempdir().expect("a folder");
        let registry = Registry::of(folder.path());
        drop(registry.begin(run("aaaaaaaaaa")).expect("begins"));
        drop(registry.begin(run("bbbbbbbbbb")).expect("begins"));
        assert_eq!(fates(&registry), [Fate::Stopped, Fate::Stopped]);
        let again = registry.begin(run("aaaaaaaaaa")).expect("begins");
        let mut now = fates(&registry);
        now.sort_by_key(|fate| *fate == Fate::Running);
        assert_eq!(now, [Fate::Stopped, Fate::Running]);
        again.withdraw();
        assert_eq!(fates(&registry), [Fate::Stopped]);
    }
}
