//! Any data set made of idx files: images and labels of a training split and perhaps a test split. A set is a
//! value of [`IdxSet`]; see `mnist.rs`.

use std::path::{Path, PathBuf};

use super::dataset::{Dataset, Split};
use super::error::DataError;
use super::idx::{self, IdxProblem};
use super::search::{Located, SearchPath, is_form_of};
use super::source::{Origin, Source, SourceFile};
use super::values::{Examples, Outline, Values};
use super::{DatasetKind, Published, select, verify};
use gradstudy_base::signature::{Args, Signature};

/// A data set of grey images in idx files.
#[derive(Debug)]
pub struct IdxSet {
    pub signature: &'static Signature,
    pub display_name: &'static str,
    pub source: Source,
    /// Height and width in pixels.
    pub size: [usize; 2],
    pub train: IdxSplit,
    pub test: Option<IdxSplit>,
    /// Where the test images are, for the error of a set that has none.
    pub no_test_remedy: &'static str,
}

/// The files of one split, named without `.gz`.
#[derive(Debug)]
pub struct IdxSplit {
    pub images: &'static str,
    pub labels: &'static str,
    /// Number of examples of each class.
    pub class_counts: &'static [u64],
}

impl IdxSplit {
    /// Number of examples.
    fn examples(&self) -> u32 {
        self.class_counts.iter().sum::<u64>() as u32
    }
}

impl IdxSet {
    fn name(&self) -> &'static str {
        self.signature.name
    }

    fn files_of(&self, split: Split) -> Result<&IdxSplit, DataError> {
        let files = match split {
            Split::Train => Some(&self.train),
            Split::Test => self.test.as_ref(),
        };
        files.ok_or_else(|| DataError::NoSplit {
            set: self.name().to_string(),
            split: split.word().to_string(),
            remedy: self.no_test_remedy.to_string(),
        })
    }

    fn shape(&self) -> [usize; 3] {
        [1, self.size[0], self.size[1]]
    }

    /// The splits whose files `args` needs: the one asked for and, for its statistics, the training split.
    fn needed(&self, args: &Args) -> Result<Vec<&IdxSplit>, DataError> {
        let split = select::split_of(args);
        let files = self.files_of(split)?;
        Ok(if split == Split::Train {
            vec![files]
        } else {
            vec![files, &self.train]
        })
    }

    fn find(&self, search: &SearchPath, names: &[&str]) -> Result<Located, DataError> {
        match &self.source.origin {
            Origin::Embedded(_) => Ok(Located {
                why: "embedded in gradstudy".to_string(),
                directory: None,
                files: Vec::new(),
            }),
            Origin::Files { .. } => search.find(self.name(), names, &self.source, &|files| {
                let set = self.another_of(files)?;
                Some(format!("holds the files of `{set}`"))
            }),
        }
    }

    /// The other published set whose labels are in one of `files`: MNIST and Fashion-MNIST name their files alike.
    fn another_of(&self, files: &[PathBuf]) -> Option<&'static str> {
        let path = files.iter().find(|path| is_form_of(path, self.train.labels))?;
        let content = idx::unpack(gradstudy_base::files::read(path).ok()?).ok()?;
        let others = super::published().filter(|set| set.signature().name != self.name());
        let is_its = |set: &&dyn Published| match &set.source().origin {
            Origin::Files { files, .. } => files.iter().any(|file| {
                file.name == self.train.labels && file.content == Some(file.content_digest(&content).as_str())
            }),
            Origin::Embedded(_) => false,
        };
        others.into_iter().find(is_its).map(|set| set.signature().name)
    }

    /// The packed or plain bytes of a file, and the path to name in errors.
    fn read(&self, located: &Located, name: &str) -> Result<(PathBuf, Vec<u8>), DataError> {
        if let Origin::Embedded(files) = &self.source.origin {
            let path = Path::new("embedded").join(self.name()).join(name);
            let file = files.iter().find(|file| file.name == name);
            return Ok((path, file.map(|file| file.bytes.to_vec()).unwrap_or_default()));
        }
        let path = located
            .files
            .iter()
            .find(|path| is_form_of(path, name))
            .cloned()
            .unwrap_or_else(|| PathBuf::from(name));
        match gradstudy_base::files::read(&path) {
            Ok(bytes) => Ok((path, bytes)),
            Err(reason) => Err(DataError::Read {
                set: self.name().to_string(),
                path,
                reason,
            }),
        }
    }

    /// Errors with [`DataError::Content`] unless the unpacked `content` is the published one.
    fn check_content(&self, path: &Path, name: &str, content: &[u8]) -> Result<(), DataError> {
        let Origin::Files { files, .. } = &self.source.origin else {
            return Ok(());
        };
        let is_published = |file: &SourceFile| {
            file.content
                .is_none_or(|published| file.content_digest(content) == published)
        };
        if files
            .iter()
            .find(|file| file.name == name)
            .is_none_or(is_published)
        {
            return Ok(());
        }
        Err(DataError::Content {
            set: self.name().to_string(),
            path: path.to_path_buf(),
        })
    }

    /// The raw examples of one split.
    fn read_split(&self, located: &Located, split: Split) -> Result<Examples, DataError> {
        let malformed = |path: &Path, problem: IdxProblem| DataError::Malformed {
            set: self.name().to_string(),
            path: path.to_path_buf(),
            problem,
        };
        let split = self.files_of(split)?;
        let [height, width] = self.size;
        let (path, file) = self.read(located, split.images)?;
        let mut images = idx::unpack(file).map_err(|problem| malformed(&path, problem))?;
        let expected = [split.examples(), height as u32, width as u32];
        let pixels = idx::elements(&images, &expected)
            .map_err(|problem| malformed(&path, problem))?
            .len();
        self.check_content(&path, split.images, &images)?;

        let (path, file) = self.read(located, split.labels)?;
        let content = idx::unpack(file).map_err(|problem| malformed(&path, problem))?;
        let classes = split.class_counts.len();
        let labels = idx::labels(&content, split.examples() as usize, classes)
            .map_err(|problem| malformed(&path, problem))?;
        self.check_content(&path, split.labels, &content)?;

        images.drain(..images.len() - pixels);
        Ok(Examples {
            shape: self.shape(),
            classes,
            values: Values::Bytes(images),
            labels,
        })
    }
}

impl DatasetKind for IdxSet {
    fn signature(&self) -> &'static Signature {
        self.signature
    }

    fn display_name(&self) -> &'static str {
        self.display_name
    }

    fn outline(&self, args: &Args) -> Result<Outline, DataError> {
        let files = self.files_of(select::split_of(args))?;
        select::outline(self.name(), args, self.shape(), files.class_counts)
    }

    fn digest(&self, args: &Args, search: &SearchPath) -> Result<String, DataError> {
        let names: Vec<&str> = self
            .needed(args)?
            .into_iter()
            .flat_map(|split| [split.images, split.labels])
            .collect();
        let located = self.find(search, &names)?;
        let mut hasher =
            blake3::Hasher::new_derive_key("gradstudy data files 1: length and bytes of each file");
        for name in names {
            let (_, bytes) = self.read(&located, name)?;
            hasher.update(&(bytes.len() as u64).to_le_bytes());
            hasher.update(&bytes);
        }
        Ok(hasher.finalize().to_hex().to_string())
    }

    fn load(&self, args: &Args, search: &SearchPath) -> Result<Dataset, DataError> {
        self.outline(args)?;
        let names: Vec<&str> = self
            .needed(args)?
            .into_iter()
            .flat_map(|split| [split.images, split.labels])
            .collect();
        let located = self.find(search, &names)?;
        let read = |split| self.read_split(&located, split);
        select::prepare(self.name(), self.title(args), args, &read)
    }

    fn published(&self) -> Option<&dyn Published> {
        Some(self)
    }
}

impl Published for IdxSet {
    fn source(&self) -> &Source {
        &self.source
    }

    fn locate(&self, search: &SearchPath) -> Result<Located, DataError> {
        let splits = std::iter::once(&self.train).chain(&self.test);
        let names: Vec<&str> = splits.flat_map(|split| [split.images, split.labels]).collect();
        self.find(search, &names)
    }

    fn verify(&self, search: &SearchPath) -> Vec<verify::Report> {
        verify::files(self, search)
    }
}
