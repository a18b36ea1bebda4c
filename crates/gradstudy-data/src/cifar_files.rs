//! Finding CIFAR's files in any of the four forms in which users have them, and reading batches out of them.

use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;

use super::cifar_batch::{self, BatchProblem, PIXELS};
use super::cifar_set::{CifarSet, CifarSplit};
use super::error::DataError;
use super::idx::{self, IdxProblem};
use super::search::{Located, SearchPath, file_in};

/// How a copy of the set lies on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// The binary version's batches.
    Binary,
    /// The python version's batches.
    Python,
    /// The binary version's `.tar.gz`.
    BinaryArchive,
    /// The python version's `.tar.gz`.
    PythonArchive,
}

const FORMS: [Form; 4] = [
    Form::Binary,
    Form::Python,
    Form::BinaryArchive,
    Form::PythonArchive,
];

/// A copy of the set.
#[derive(Debug)]
pub(super) struct Copy {
    pub form: Form,
    pub located: Located,
}

impl Copy {
    /// The batches of `split` in this form.
    pub fn batches(&self, split: &CifarSplit) -> Vec<&'static str> {
        batches(self.form, split)
    }

    fn is_archive(&self) -> bool {
        matches!(self.form, Form::BinaryArchive | Form::PythonArchive)
    }
}

fn batches(form: Form, split: &CifarSplit) -> Vec<&'static str> {
    match form {
        Form::Binary | Form::BinaryArchive => split.binary.iter().map(|batch| batch.name).collect(),
        Form::Python | Form::PythonArchive => split.python.to_vec(),
    }
}

/// The files that must be there for `splits` in that form.
fn files(set: &CifarSet, form: Form, splits: &[&CifarSplit]) -> Vec<&'static str> {
    match form {
        Form::Binary | Form::Python => splits.iter().flat_map(|split| batches(form, split)).collect(),
        Form::BinaryArchive => vec![set.binary_archive],
        Form::PythonArchive => vec![set.python_archive],
    }
}

/// The first folder that holds all that `splits` need in one form.
pub(super) fn find(set: &CifarSet, search: &SearchPath, splits: &[&CifarSplit]) -> Result<Copy, DataError> {
    let (folders, system_dirs) = set.source.folders();
    let mut looked = Vec::new();
    for (why, directory) in search.candidates(set.signature.name, folders, system_dirs) {
        let mut lacks = Vec::new();
        for form in FORMS {
            let names = files(set, form, splits);
            let found: Vec<Option<PathBuf>> = names.iter().map(|name| file_in(&directory, name)).collect();
            let absent: Vec<&str> = names
                .iter()
                .zip(&found)
                .filter(|(_, file)| file.is_none())
                .map(|(name, _)| *name)
                .collect();
            if absent.is_empty() {
                let located = Located {
                    why,
                    directory: Some(directory),
                    files: found.into_iter().flatten().collect(),
                };
                return Ok(Copy { form, located });
            }
            if absent.len() < names.len() {
                lacks = absent;
            }
        }
        let state = if !directory.is_dir() {
            "no such folder".to_string()
        } else if lacks.is_empty() {
            "none of its files".to_string()
        } else {
            format!("lacks {}", lacks.join(", "))
        };
        looked.push(format!("{} ({why}): {state}", directory.display()));
    }
    let names = FORMS.map(|form| files(set, form, splits).join(", ")).join(" or ");
    let names = format!("{names} (each also as .gz)");
    Err(DataError::missing(
        set.signature.name,
        &names,
        &set.source,
        looked,
    ))
}

/// The checked records of each batch of `split`, and where each batch lies.
pub(super) fn read(
    set: &CifarSet,
    copy: &Copy,
    split: &CifarSplit,
) -> Result<Vec<(PathBuf, Vec<u8>)>, DataError> {
    let names = copy.batches(split);
    let raw = if copy.is_archive() {
        let path = &copy.located.files[0];
        members(path, &names).map_err(|problem| malformed(set, path, problem))?
    } else {
        let mut raw = Vec::new();
        for name in &names {
            let path = copy.located.files.iter().find(|path| is_named(path, name));
            let path = path.cloned().unwrap_or_else(|| PathBuf::from(name));
            let bytes = gradstudy_base::files::read(&path).map_err(|reason| DataError::Read {
                set: set.signature.name.to_string(),
                path: path.clone(),
                reason,
            })?;
            let content = idx::unpack(bytes).map_err(|problem| malformed(set, &path, problem.into()))?;
            raw.push((path, content));
        }
        raw
    };
    let classes: Vec<usize> = set.labels.iter().map(|label| label.classes).collect();
    let keys: Vec<&str> = set.labels.iter().map(|label| label.key).collect();
    raw.into_iter()
        .map(|(path, content)| {
            let records = match copy.form {
                Form::Binary | Form::BinaryArchive => Ok(content),
                Form::Python | Form::PythonArchive => cifar_batch::from_pickle(&content, &keys),
            };
            let checked = records.and_then(|records| {
                cifar_batch::check(&records, split.records, &classes)?;
                Ok(records)
            });
            match checked {
                Ok(records) => Ok((path, records)),
                Err(problem) => Err(malformed(set, &path, problem)),
            }
        })
        .collect()
}

fn is_named(path: &Path, name: &str) -> bool {
    path.ends_with(name) || path.ends_with(format!("{name}.gz"))
}

fn malformed(set: &CifarSet, path: &Path, problem: BatchProblem) -> DataError {
    DataError::MalformedBatch {
        set: set.signature.name.to_string(),
        path: path.to_path_buf(),
        problem,
    }
}

/// What an archive unpacks to, up to a limit: a few megabytes may unpack to any number of gigabytes.
struct Unpacked<R> {
    inner: R,
    left: u64,
}

impl<R: std::io::Read> std::io::Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        let limit = || gradstudy_base::limits::words(gradstudy_base::limits::bytes());
        match self.left.checked_sub(read as u64) {
            Some(left) => {
                self.left = left;
                Ok(read)
            }
            None => Err(std::io::Error::other(format!(
                "it unpacks to more than {}; {}",
                limit(),
                gradstudy_base::limits::HELP
            ))),
        }
    }
}

/// The members of these file names of a `.tar` or `.tar.gz`, in that order, with `ARCHIVE/MEMBER` as their paths.
fn members(path: &Path, names: &[&str]) -> Result<Vec<(PathBuf, Vec<u8>)>, BatchProblem> {
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::UnexpectedEof => BatchProblem::Archive {
            reason: "it is truncated".to_string(),
        },
        _ => BatchProblem::Archive {
            reason: error.to_string(),
        },
    };
    // A member is little more than 10 000 or 50 000 records; pickles add names of files.
    let limit = 50_000 * (PIXELS as u64 + 200);
    let file = gradstudy_base::files::open(path).map_err(failed)?;
    let reader = std::io::BufReader::with_capacity(1 << 18, file);
    let plain: Box<dyn std::io::Read> = match path.extension().is_some_and(|extension| extension == "gz") {
        true => Box::new(MultiGzDecoder::new(reader)),
        false => Box::new(reader),
    };
    let mut found: Vec<Option<Vec<u8>>> = vec![None; names.len()];
    let mut archive = tar::Archive::new(Unpacked {
        inner: plain,
        left: gradstudy_base::limits::bytes(),
    });
    // Raw: a name of any length would be held in memory, and those looked for are short.
    for entry in archive.entries().map_err(failed)?.raw(true) {
        let mut entry = entry.map_err(failed)?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let member = entry
            .path()
            .map_err(failed)?
            .file_name()
            .map(|name| name.to_owned());
        let Some(position) = names
            .iter()
            .position(|name| member.as_deref() == Some(name.as_ref()))
        else {
            continue;
        };
        if entry.size() > limit {
            return Err(IdxProblem::TooLarge { limit }.into());
        }
        let mut content = Vec::with_capacity(entry.size() as usize);
        std::io::Read::read_to_end(&mut entry, &mut content).map_err(failed)?;
        found[position] = Some(content);
        if found.iter().all(Option::is_some) {
            break;
        }
    }
    names
        .iter()
        .zip(found)
        .map(|(name, content)| match content {
            Some(content) => Ok((path.join(name), content)),
            None => Err(BatchProblem::NoMember {
                member: name.to_string(),
            }),
        })
        .collect()
}
