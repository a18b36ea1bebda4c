//! Where data sets are looked for. The caller (the command line) says which folders; this module looks.

use std::path::{Path, PathBuf};

use super::error::DataError;
use super::source::Source;

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

    /// The folders that could hold data set `set`, in order: `DIR/set`, those of `folders` that there are, then
    /// `DIR`, then the system's.
    pub fn candidates(&self, set: &str, folders: &[&str], system_dirs: &[&str]) -> Vec<(String, PathBuf)> {
        let own = self.dirs.iter().flat_map(|(why, dir)| {
            let others = folders
                .iter()
                .map(|folder| dir.join(folder))
                .filter(|dir| dir.is_dir());
            let all = std::iter::once(dir.join(set)).chain(others).chain([dir.clone()]);
            all.map(|dir| (why.clone(), dir)).collect::<Vec<_>>()
        });
        let system = system_dirs
            .iter()
            .map(|dir| ("system package".to_string(), PathBuf::from(dir)));
        own.chain(system).collect()
    }

    /// The first candidate folder that holds all of `names` (in any form of [`file_in`]), so that images and labels never
    /// come from different copies. `other` says what speaks against files that were found, such as that they are another
    /// set's. Errors: [`DataError::Missing`] with every place looked at.
    pub fn find(
        &self,
        set: &str,
        names: &[&str],
        source: &Source,
        other: &dyn Fn(&[PathBuf]) -> Option<String>,
    ) -> Result<Located, DataError> {
        let (folders, system_dirs) = source.folders();
        let mut looked = Vec::new();
        for (why, directory) in self.candidates(set, folders, system_dirs) {
            let files: Vec<Option<PathBuf>> = names.iter().map(|name| file_in(&directory, name)).collect();
            let absent: Vec<&str> = names
                .iter()
                .zip(&files)
                .filter(|(_, file)| file.is_none())
                .map(|(name, _)| *name)
                .collect();
            let mut against = None;
            if absent.is_empty() {
                let files: Vec<PathBuf> = files.into_iter().flatten().collect();
                against = other(&files);
                if against.is_none() {
                    return Ok(Located {
                        why,
                        directory: Some(directory),
                        files,
                    });
                }
            }
            let state = if let Some(against) = against {
                against
            } else if !directory.is_dir() {
                "no such folder".to_string()
            } else if absent.len() == names.len() {
                "none of its files".to_string()
            } else {
                format!("lacks {}", absent.join(", "))
            };
            looked.push(format!("{} ({why}): {state}", directory.display()));
        }
        Err(DataError::missing(set, &described(names), source, looked))
    }
}

/// `NAME.gz`, which `gradstudy data fetch` writes, or else `NAME`; of idx files also `train-images.idx3-ubyte` for
/// `train-images-idx3-ubyte`, as some programs unpack them, whatever the case.
pub(super) fn file_in(directory: &Path, name: &str) -> Option<PathBuf> {
    let published = [directory.join(format!("{name}.gz")), directory.join(name)];
    let mut others = Vec::new();
    if name.contains(IDX) && published.iter().all(|path| !path.is_file()) {
        let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
        others = entries
            .map(|entry| entry.path())
            .filter(|path| is_form_of(path, name))
            .collect();
        // Packed first, as above.
        others.sort_by_key(|path| (path.extension().is_none_or(|end| end != "gz"), path.clone()));
    }
    published.into_iter().chain(others).find(|path| path.is_file())
}

/// What stands before the number of dimensions in the names of idx files.
const IDX: &str = "-idx";

/// Whether `path` is a file that [`file_in`] takes for `name`.
pub(super) fn is_form_of(path: &Path, name: &str) -> bool {
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    let plain = file.strip_suffix(".gz").unwrap_or(&file);
    plain == name || name.contains(IDX) && plain.to_ascii_lowercase().replace(".idx", IDX) == name
}

/// Names of files, and in which other forms they are found.
fn described(names: &[&str]) -> String {
    let forms = match names.iter().any(|name| name.contains(IDX)) {
        true => "each also as .gz, or with .idx for -idx",
        false => "each also as .gz",
    };
    format!("{} ({forms})", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::super::source::Origin;
    use super::*;

    fn source(system_dirs: &'static [&'static str]) -> Source {
        Source {
            licence: "none",
            citation: "none",
            origin: Origin::Files {
                files: &[],
                folders: &["other"],
                mirrors: &["http://127.0.0.1:1/"],
                page: "none",
                system_dirs,
            },
        }
    }

    #[test]
    fn other_folders_are_tried_where_they_are_there() {
        let root = tempfile::tempdir().unwrap();
        let search = SearchPath::new(vec![("one".into(), root.path().to_path_buf())]);
        let names = |search: &SearchPath| -> Vec<PathBuf> {
            let candidates = search.candidates("set", &["other", "more"], &[]);
            candidates.into_iter().map(|(_, dir)| dir).collect()
        };
        assert_eq!(
            names(&search),
            [root.path().join("set"), root.path().to_path_buf()]
        );
        std::fs::create_dir(root.path().join("other")).unwrap();
        assert_eq!(names(&search)[1], root.path().join("other"));
    }

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

        let find = |names: &[&str], dirs| search.find("set", names, &source(dirs), &|_| None);
        let found = find(&["a", "b"], &[]).unwrap();
        assert_eq!(
            (found.why.as_str(), found.files),
            ("two", vec![second.join("a"), second.join("b.gz")])
        );
        assert_eq!(find(&["a"], &[]).unwrap().directory, Some(first.join("set")));

        let other = |files: &[PathBuf]| {
            files[0]
                .starts_with(&first)
                .then(|| "holds other files".to_string())
        };
        let source_of_two = source(&[]);
        let other = search.find("set", &["a"], &source_of_two, &other).unwrap();
        assert_eq!(other.directory, Some(second.clone()));
        let missing = find(&["a", "c"], &["/nonexistent"]).unwrap_err().to_string();
        insta::assert_snapshot!(missing.replace(&root.path().display().to_string(), "ROOT"), @"
        data set `set` is not on this machine; looked for a, c (each also as .gz) in
          - ROOT/first/set (one): lacks c
          - ROOT/first (one): none of its files
          - ROOT/second/set (two): no such folder
          - ROOT/second (two): lacks c
          - /nonexistent (system package): no such folder
        ");
    }
}
