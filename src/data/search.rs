//! Where data sets are looked for. The caller (the command line) says which folders; this module looks.

use std::path::{Path, PathBuf};

use super::error::DataError;

/// Folders to try, in order, each with the reason why it is tried (`--data-dir`, `GRADSTUDY_DATA`, …).
#[derive(Debug, Clone, Default)]
pub struct SearchPath {
    dirs: Vec<(String, PathBuf)>,
}

/// Where a data set was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// Why the folder was tried; `embedded in gradstudy` for a set that is compiled in.
    pub why: String,
    /// The folder that holds the files; none for an embedded set.
    pub directory: Option<PathBuf>,
    /// The files, in the order in which they were asked for; empty for an embedded set.
    pub files: Vec<PathBuf>,
}

impl SearchPath {
    /// `dirs`: why and where, first choice first.
    pub fn new(dirs: Vec<(String, PathBuf)>) -> Self {
        SearchPath { dirs }
    }

    /// The folders, first choice first.
    pub fn dirs(&self) -> &[(String, PathBuf)] {
        &self.dirs
    }

    /// The folders that could hold data set `set`, in order: `DIR/set`, then `DIR`, then the system's.
    pub fn candidates(&self, set: &str, system_dirs: &[&str]) -> Vec<(String, PathBuf)> {
        let own = self
            .dirs
            .iter()
            .flat_map(|(why, dir)| [(why.clone(), dir.join(set)), (why.clone(), dir.clone())]);
        let system = system_dirs
            .iter()
            .map(|dir| ("system package".to_string(), PathBuf::from(dir)));
        own.chain(system).collect()
    }

    /// The first candidate folder that holds all of `names` (each as `NAME.gz` or `NAME`), so that images and
    /// labels never come from different copies. Errors: [`DataError::Missing`] with every place looked at.
    pub fn find(
        &self,
        set: &str,
        names: &[&str],
        system_dirs: &[&str],
        bytes: u64,
    ) -> Result<Located, DataError> {
        let mut looked = Vec::new();
        for (why, directory) in self.candidates(set, system_dirs) {
            let files: Vec<Option<PathBuf>> = names.iter().map(|name| file_in(&directory, name)).collect();
            let absent: Vec<&str> = names
                .iter()
                .zip(&files)
                .filter(|(_, file)| file.is_none())
                .map(|(name, _)| *name)
                .collect();
            if absent.is_empty() {
                let files = files.into_iter().flatten().collect();
                return Ok(Located {
                    why,
                    directory: Some(directory),
                    files,
                });
            }
            let state = if !directory.is_dir() {
                "no such folder".to_string()
            } else if absent.len() == names.len() {
                "none of its files".to_string()
            } else {
                format!("lacks {}", absent.join(", "))
            };
            looked.push(format!("{} ({why}): {state}", directory.display()));
        }
        if looked.is_empty() {
            looked.push("nowhere: no folder was given".to_string());
        }
        Err(DataError::Missing {
            set: set.to_string(),
            bytes,
            looked,
        })
    }
}

/// `NAME.gz`, which `gradstudy data fetch` writes, or else `NAME`.
pub(super) fn file_in(directory: &Path, name: &str) -> Option<PathBuf> {
    [directory.join(format!("{name}.gz")), directory.join(name)]
        .into_iter()
        .find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_first_complete_folder() {
        let root = tempfile::tempdir().unwrap();
        let (first, second) = (root.path().join("first"), root.path().join("second"));
        std::fs::create_dir_all(first.join("set")).unwrap();
        std::fs::create_dir_all(&second).unwrap();
        std::fs::write(first.join("set/a.gz"), "").unwrap();
        std::fs::write(second.join("a"), "").unwrap();
        std::fs::write(second.join("b.gz"), "").unwrap();
        let search = SearchPath::new(vec![
            ("one".into(), first.clone()),
            ("two".into(), second.clone()),
        ]);

        let found = search.find("set", &["a", "b"], &[], 1).unwrap();
        assert_eq!(
            (found.why.as_str(), found.files),
            ("two", vec![second.join("a"), second.join("b.gz")])
        );
        assert_eq!(
            search.find("set", &["a"], &[], 1).unwrap().directory,
            Some(first.join("set"))
        );

        let missing = search
            .find("set", &["a", "c"], &["/nonexistent"], 2_500_000)
            .unwrap_err()
            .to_string();
        insta::assert_snapshot!(missing.replace(&root.path().display().to_string(), "ROOT"), @"
        data set `set` is not on this machine; looked in
          - ROOT/first/set (one): lacks c
          - ROOT/first (one): none of its files
          - ROOT/second/set (two): no such folder
          - ROOT/second (two): lacks c
          - /nonexistent (system package): no such folder
        ");
    }
}
