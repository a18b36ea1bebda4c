//! Runs by name: a folder, a run's id or the beginning of it, `study@latest`.

use std::io;
use std::path::{Path, PathBuf};

use super::RunError;
use super::folder::MANIFEST;

/// What stands behind a study's name for its last run.
const LATEST: &str = "@latest";
/// Names that an error lists at most.
const LISTED: usize = 12;

/// A run below a folder of reports.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// The study's folder.
    pub slug: String,
    /// The run's own folder: when it began, and the beginning of its plan's hash.
    pub name: String,
    pub folder: PathBuf,
}

impl Found {
    /// Such as `table1/20261123-143626-84db6e3b`.
    pub fn id(&self) -> String {
        format!("{}/{}", self.slug, self.name)
    }
}

/// Every run below `reports`, by study and by time; none where there is no such folder.
///
/// # Errors
/// A folder that cannot be read.
pub fn all(reports: &Path) -> Result<Vec<Found>, RunError> {
    let mut found = Vec::new();
    if !reports.is_dir() {
        return Ok(found);
    }
    for entry in walkdir::WalkDir::new(reports).min_depth(3).max_depth(3) {
        let entry = match entry {
            Ok(entry) => entry,
            // It was removed meanwhile.
            Err(error)
                if error
                    .io_error()
                    .is_some_and(|it| it.kind() == io::ErrorKind::NotFound) =>
            {
                continue;
            }
            Err(error) => {
                return Err(RunError::Read {
                    path: error.path().unwrap_or(reports).to_path_buf(),
                    reason: error.into(),
                });
            }
        };
        let folder = entry.path().parent().unwrap_or(reports).to_path_buf();
        let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
        let names = name(&folder).zip(folder.parent().and_then(name));
        let Some((run, slug)) = names.filter(|_| entry.file_name() == MANIFEST) else {
            continue;
        };
        // A run that is being written, or removed, has a hidden name.
        if !run.starts_with('.') {
            found.push(Found {
                slug,
                name: run,
                folder,
            });
        }
    }
    found.sort();
    Ok(found)
}

/// The runs that lie in `folder` itself, by time.
fn held(folder: &Path) -> Vec<Found> {
    let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut runs: Vec<Found> = entries
        .filter(|entry| entry.path().join(MANIFEST).is_file())
        .filter_map(|entry| {
            Some(Found {
                slug: name(folder)?,
                name: name(&entry.path()).filter(|run| !run.starts_with('.'))?,
                folder: entry.path(),
            })
        })
        .collect();
    runs.sort();
    runs
}

/// The folder of the run that `wanted` names: a folder (or a file in it; or a folder that holds one run), an id (`table1/2026…`), the beginning of a
/// run's name or of its hash, `study@latest`, or `@latest` for the last run of all.
///
/// # Errors
/// No run or several fit.
pub fn find(reports: &Path, wanted: &str) -> Result<PathBuf, RunError> {
    let path = Path::new(wanted);
    let folder = match path.is_file() {
        true => path
            .parent()
            .filter(|it| !it.as_os_str().is_empty())
            .unwrap_or(Path::new(".")),
        false => path,
    };
    if folder.join(MANIFEST).is_file() {
        return Ok(folder.to_path_buf());
    }
    match &held(folder)[..] {
        [] => (),
        [run] => return Ok(run.folder.clone()),
        several => {
            return Err(RunError::Ambiguous {
                wanted: wanted.to_string(),
                found: several.len(),
                known: list(&several.iter().collect::<Vec<_>>()),
            });
        }
    }
    let runs = all(reports)?;
    if let Some(slug) = wanted.strip_suffix(LATEST) {
        let of_study = runs.iter().filter(|run| slug.is_empty() || run.slug == slug);
        let last = of_study.max_by(|a, b| a.name.cmp(&b.name));
        return match last {
            Some(run) => Ok(run.folder.clone()),
            None => Err(unknown(wanted, reports, &runs)),
        };
    }
    let fits = |run: &&Found| {
        let hash = run.name.splitn(3, '-').nth(2).unwrap_or_default();
        !wanted.is_empty()
            && [run.name.as_str(), hash, run.id().as_str()]
                .iter()
                .any(|name| name.starts_with(wanted))
    };
    let fitting: Vec<&Found> = runs.iter().filter(fits).collect();
    // A whole name is no beginning of another.
    let whole = fitting
        .iter()
        .find(|run| run.name == wanted || run.id() == wanted);
    match (whole, &fitting[..]) {
        (Some(run), _) | (None, [run]) => Ok(run.folder.clone()),
        (None, []) => Err(unknown(wanted, reports, &runs)),
        (None, several) => Err(RunError::Ambiguous {
            wanted: wanted.to_string(),
            found: several.len(),
            known: list(several),
        }),
    }
}

fn unknown(wanted: &str, reports: &Path, runs: &[Found]) -> RunError {
    let known: Vec<&Found> = runs.iter().rev().collect();
    RunError::NotFound {
        wanted: wanted.to_string(),
        reports: reports.to_path_buf(),
        known: list(&known),
    }
}

fn list(runs: &[&Found]) -> String {
    let mut lines: Vec<String> = runs
        .iter()
        .take(LISTED)
        .map(|run| format!("  {}", run.id()))
        .collect();
    if runs.len() > LISTED {
        lines.push(format!("  and {} more", runs.len() - LISTED));
    }
    match lines.is_empty() {
        true => "  none".to_string(),
        false => lines.join("\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reports(runs: &[&str]) -> tempfile::TempDir {
        let reports = tempfile::tempdir().expect("a temporary directory");
        for run in runs {
            let folder = reports.path().join(run);
            std::fs::create_dir_all(&folder).expect("writable");
            std::fs::write(folder.join(MANIFEST), "").expect("writable");
        }
        reports
    }

    #[test]
    fn a_run_has_many_names() {
        let runs = [
            "a/20260101-000000-aaaa1111",
            "a/20260102-000000-bbbb2222",
            "b/20251231-000000-cccc3333",
        ];
        let reports = reports(&[&runs[..], &["b/.new-x"]].concat());
        let find = |wanted: &str| find(reports.path(), wanted);
        let is = |wanted: &str, run: &str| {
            assert_eq!(find(wanted).expect(wanted), reports.path().join(run), "{wanted}");
        };
        is("a@latest", runs[1]);
        is("@latest", runs[1]);
        is("b@latest", runs[2]);
        is("aaaa", runs[0]);
        is("20260102", runs[1]);
        is("b/2025", runs[2]);
        is(&reports.path().join(runs[0]).display().to_string(), runs[0]);
        is(
            &reports.path().join(runs[0]).join(MANIFEST).display().to_string(),
            runs[0],
        );
        is(&reports.path().join("b").display().to_string(), runs[2]);
        let two = find(&reports.path().join("a").display().to_string());
        assert!(
            matches!(two, Err(RunError::Ambiguous { found: 2, .. })),
            "{two:?}"
        );
        let ambiguous = find("2026").expect_err("two");
        assert!(
            matches!(&ambiguous, RunError::Ambiguous { found: 2, .. }),
            "{ambiguous}"
        );
        for wanted in ["zzz", "c@latest", "", ".new"] {
            assert!(matches!(find(wanted), Err(RunError::NotFound { .. })), "{wanted}");
        }
        assert_eq!(all(reports.path()).expect("readable").len(), 3);
        assert_eq!(all(Path::new("/nowhere/at/all")).expect("none"), []);
    }

    #[test]
    fn a_whole_name_is_no_beginning() {
        let reports = reports(&["a/20260101-000000-aaaa1111", "a/20260101-000000-aaaa1111-2"]);
        let folder = find(reports.path(), "20260101-000000-aaaa1111").expect("the first");
        assert!(folder.ends_with("20260101-000000-aaaa1111"));
    }
}
