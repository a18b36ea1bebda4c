//! The user's own data: files that a study names, by paths relative to the folder of the study. They are read
//! and checked whole before anything is planned.

mod arrays;
mod csv;
mod error;
mod image_folder;
mod npy;
mod safetensors;
mod survey;
pub mod text;

use std::path::{Path, PathBuf};

pub use error::OwnError;

use super::dataset::{Dataset, Split};
use super::error::DataError;
use super::file_digest::file_digest;
use super::search::SearchPath;
use super::values::{Examples, Outline};
use super::{DatasetKind, Published, select};
use gradstudy_base::signature::{Args, Default, Param, ParamType, Signature};

/// One format of the user's own files.
pub(super) trait Reader: Sync {
    /// Name and settings.
    fn signature(&self) -> &'static Signature;

    /// For people, such as `CSV file`.
    fn display_name(&self) -> &'static str;

    /// For people: which file or folder it is.
    fn title(&self, args: &Args) -> String;

    /// The files of `split`, in an order of their own; `None` where `args` name none.
    fn files(&self, args: &Args, split: Split) -> Result<Option<Vec<PathBuf>>, DataError>;

    /// The settings that would give a test split, for the error without one.
    fn test_settings(&self) -> &'static str;

    /// Reads and checks a split, which has files.
    fn read(&self, args: &Args, split: Split) -> Result<Examples, DataError>;

    /// Shape and class counts of a split, which has files; finds every mistake that may be found in fair time.
    fn survey(&self, args: &Args, split: Split) -> Result<Survey, DataError> {
        let examples = self.read(args, split)?;
        Ok(Survey {
            shape: examples.shape,
            class_counts: examples.class_counts(),
            remarks: Vec::new(),
        })
    }
}

/// What is known of a split without keeping its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Survey {
    pub shape: [usize; 3],
    pub class_counts: Vec<u64>,
    /// What was decided while the files were read, in sentences without a full stop.
    pub remarks: Vec<String>,
}

/// A kind of the user's own data.
pub struct Own(&'static dyn Reader);

/// A table of numbers.
pub static CSV: Own = Own(&csv::Csv);
/// A folder of images by class.
pub static IMAGE_FOLDER: Own = Own(&image_folder::ImageFolder);
/// NumPy's arrays.
pub static NPY: Own = Own(&npy::Npy);
/// Tensors.
pub static SAFETENSORS: Own = Own(&safetensors::Tensors);

impl Own {
    fn name(&self) -> &'static str {
        self.0.signature().name
    }

    /// The files of `split`. Errors: [`DataError::NoSplit`].
    fn files(&self, args: &Args, split: Split) -> Result<Vec<PathBuf>, DataError> {
        self.0.files(args, split)?.ok_or_else(|| DataError::NoSplit {
            set: self.name().to_string(),
            split: split.word().to_string(),
            remedy: format!("name its files with {}", self.0.test_settings()),
        })
    }

    /// Both splits, checked against each other; the test split where there is one.
    fn survey(&self, args: &Args) -> Result<(Survey, Option<Survey>), DataError> {
        let mut files = self.files(args, Split::Train)?;
        let test = self.0.files(args, Split::Test)?;
        files.extend(test.iter().flatten().cloned());
        survey::once(self.name(), args, &files, || {
            let train = self.0.survey(args, Split::Train)?;
            let test = test.map(|_| self.0.survey(args, Split::Test)).transpose()?;
            match test {
                Some(test) if test.shape != train.shape => Err(OwnError::Splits {
                    train: train.shape,
                    test: test.shape,
                }
                .into()),
                test => Ok((train, test)),
            }
        })
    }
}

impl DatasetKind for Own {
    fn signature(&self) -> &'static Signature {
        self.0.signature()
    }

    fn display_name(&self) -> &'static str {
        self.0.display_name()
    }

    fn title(&self, args: &Args) -> String {
        select::with_classes(self.0.title(args), args)
    }

    fn outline(&self, args: &Args) -> Result<Outline, DataError> {
        let split = select::split_of(args);
        self.files(args, split)?;
        let (train, test) = self.survey(args)?;
        let asked = match (split, test) {
            (Split::Test, Some(test)) => test,
            _ => train,
        };
        select::outline(self.name(), args, asked.shape, &asked.class_counts)
    }

    fn digest(&self, args: &Args, _search: &SearchPath) -> Result<String, DataError> {
        let mut files = self.files(args, select::split_of(args))?;
        if select::split_of(args) == Split::Test {
            files.extend(self.files(args, Split::Train)?);
        }
        let content = file_digest(&files).map_err(|(path, reason)| OwnError::File { path, reason })?;
        // Names of folders are classes, names of images their order.
        let mut hasher =
            blake3::Hasher::new_derive_key("gradstudy own data 1: digest of the files, then names");
        hasher.update(content.as_bytes());
        for file in &files {
            for part in [file.parent().and_then(Path::file_name), file.file_name()] {
                let part = part.map(|part| part.as_encoded_bytes()).unwrap_or_default();
                hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
            }
        }
        Ok(hasher.finalize().to_hex().to_string())
    }

    fn load(&self, args: &Args, _search: &SearchPath) -> Result<Dataset, DataError> {
        self.outline(args)?;
        let read = |split| self.0.read(args, split);
        select::prepare(self.name(), self.title(args), args, &read)
    }

    fn published(&self) -> Option<&dyn Published> {
        None
    }

    fn remarks(&self, args: &Args) -> Vec<String> {
        let Ok((train, test)) = self.survey(args) else {
            return Vec::new();
        };
        let title = self.0.title(args);
        let of_train = train.remarks.iter().map(|remark| format!("`{title}`: {remark}"));
        let test = test.map(|test| test.remarks).unwrap_or_default();
        let of_test = test.iter().map(|remark| format!("the test file: {remark}"));
        of_train.chain(of_test).collect()
    }
}

/// The text of a setting that may be absent.
fn optional<'a>(args: &'a Args, name: &str) -> Option<&'a str> {
    args.get(name).map(|_| args.text(name))
}

/// The last part of a path, for titles.
fn file_name(path: &str) -> String {
    let name = Path::new(path)
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    name.unwrap_or_else(|| path.to_string())
}

/// A file's bytes.
fn bytes(path: &Path) -> Result<Vec<u8>, OwnError> {
    gradstudy_base::files::read(path).map_err(|reason| OwnError::File {
        path: path.to_path_buf(),
        reason,
    })
}

/// A setting that is a path.
const fn path_setting(name: &'static str, default: Default, doc: &'static str) -> Param {
    Param {
        name,
        ty: ParamType::Path,
        default,
        doc,
    }
}

/// A setting that is a text.
const fn text(name: &'static str, default: Default, doc: &'static str) -> Param {
    Param {
        name,
        ty: ParamType::Text,
        default,
        doc,
    }
}
