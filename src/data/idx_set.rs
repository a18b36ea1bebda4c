//! Any data set made of idx files: images and labels of a training split and perhaps a test split. A set is a
//! value of [`IdxSet`]; see `mnist.rs`.

use std::path::{Path, PathBuf};

use super::DatasetKind;
use super::dataset::{Dataset, Split, digest};
use super::error::DataError;
use super::idx::{self, IdxProblem};
use super::normalize::{Normalization, Normalizer};
use super::search::{Located, SearchPath};
use super::source::{Origin, Source};
use crate::signature::{Args, Default, Param, ParamType, Signature};

/// A data set of grey images in idx files.
#[derive(Debug)]
pub struct IdxSet {
    pub signature: &'static Signature,
    pub display_name: &'static str,
    pub source: Source,
    /// Height and width in pixels.
    pub size: [usize; 2],
    pub classes: usize,
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
    pub examples: u32,
}

/// `split` of a set that has both.
pub const SPLIT: Param = Param {
    name: "split",
    ty: ParamType::Word(&["train", "test"]),
    default: Default::Text("train"),
    doc: "which part of the data; `test` is normalised with the statistics of the whole training split",
};

/// `normalize`.
pub const NORMALIZE: Param = Param {
    name: "normalize",
    ty: ParamType::Word(Normalization::WORDS),
    default: Default::Text("global"),
    doc: "`global`: one mean and sd over all training pixels; `per_pixel`: zero mean and unit variance at each \
          pixel position, 0 where a pixel never varies; `none`: 0 to 1",
};

/// `subset`, of a set with `max` training examples.
pub const fn subset(max: i64) -> Param {
    Param {
        name: "subset",
        ty: ParamType::Integer { min: 1, max },
        default: Default::Absent,
        doc: "take only the first so many examples; training statistics then come from these",
    }
}

/// The raw bytes of one split, cut to the examples asked for.
struct Raw {
    images: Vec<u8>,
    /// Where the pixels begin in `images`, and how many there are.
    pixels: std::ops::Range<usize>,
    labels: Vec<u32>,
}

impl Raw {
    fn pixels(&self) -> &[u8] {
        &self.images[self.pixels.clone()]
    }
}

impl IdxSet {
    fn name(&self) -> &'static str {
        self.signature.name
    }

    fn split(&self, args: &Args) -> Result<(Split, &IdxSplit), DataError> {
        let split =
            Split::from_word(args.text("split")).expect("the signature allows only the words of `Split`");
        let files = match split {
            Split::Train => Some(&self.train),
            Split::Test => self.test.as_ref(),
        };
        files
            .map(|files| (split, files))
            .ok_or_else(|| DataError::NoSplit {
                set: self.name().to_string(),
                split: split.word().to_string(),
                remedy: self.no_test_remedy.to_string(),
            })
    }

    /// The splits whose files `args` needs: the one asked for and, for its statistics, the training split.
    fn needed(&self, args: &Args) -> Result<Vec<&IdxSplit>, DataError> {
        let (split, files) = self.split(args)?;
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
            Origin::Files { system_dirs, .. } => {
                search.find(self.name(), names, system_dirs, self.source.bytes())
            }
        }
    }

    /// The packed or plain bytes of a file, and the path to name in errors.
    fn read(&self, located: &Located, name: &str) -> Result<(PathBuf, Vec<u8>), DataError> {
        if let Origin::Embedded(files) = &self.source.origin {
            let path = Path::new("embedded").join(self.name()).join(name);
            let file = files.iter().find(|file| file.name == name);
            return Ok((path, file.map(|file| file.bytes.to_vec()).unwrap_or_default()));
        }
        let is_it = |path: &&PathBuf| path.file_stem() == Some(name.as_ref()) || path.ends_with(name);
        let path = located
            .files
            .iter()
            .find(is_it)
            .cloned()
            .unwrap_or_else(|| PathBuf::from(name));
        match std::fs::read(&path) {
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
        let published = files
            .iter()
            .find(|file| file.name == name)
            .map(|file| file.content);
        if published.is_none_or(|published| blake3::hash(content).to_hex().as_str() == published) {
            return Ok(());
        }
        Err(DataError::Content {
            set: self.name().to_string(),
            path: path.to_path_buf(),
        })
    }

    fn raw(&self, located: &Located, split: &IdxSplit, take: usize) -> Result<Raw, DataError> {
        let malformed = |path: &Path, problem: IdxProblem| DataError::Malformed {
            set: self.name().to_string(),
            path: path.to_path_buf(),
            problem,
        };
        let [height, width] = self.size;
        let (path, file) = self.read(located, split.images)?;
        let images = idx::unpack(file).map_err(|problem| malformed(&path, problem))?;
        let expected = [split.examples, height as u32, width as u32];
        let pixels = idx::elements(&images, &expected)
            .map_err(|problem| malformed(&path, problem))?
            .len();
        self.check_content(&path, split.images, &images)?;

        let (path, file) = self.read(located, split.labels)?;
        let content = idx::unpack(file).map_err(|problem| malformed(&path, problem))?;
        let mut labels = idx::labels(&content, split.examples as usize, self.classes)
            .map_err(|problem| malformed(&path, problem))?;
        self.check_content(&path, split.labels, &content)?;

        let start = images.len() - pixels;
        labels.truncate(take);
        Ok(Raw {
            pixels: start..start + take * height * width,
            images,
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

    fn source(&self) -> &Source {
        &self.source
    }

    fn examples(&self, args: &Args) -> Option<u64> {
        let (_, split) = self.split(args).ok()?;
        let all = u64::from(split.examples);
        Some(if args.get("subset").is_some() {
            all.min(args.integer("subset") as u64)
        } else {
            all
        })
    }

    fn shape(&self, _args: &Args) -> [usize; 3] {
        [1, self.size[0], self.size[1]]
    }

    fn classes(&self) -> usize {
        self.classes
    }

    fn locate(&self, search: &SearchPath) -> Result<Located, DataError> {
        let splits = std::iter::once(&self.train).chain(&self.test);
        let names: Vec<&str> = splits.flat_map(|split| [split.images, split.labels]).collect();
        self.find(search, &names)
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
        let (split, files) = self.split(args)?;
        let take = match args.get("subset") {
            None => files.examples,
            Some(_) => match u32::try_from(args.integer("subset")) {
                Ok(take) if (1..=files.examples).contains(&take) => take,
                _ => {
                    return Err(DataError::Subset {
                        set: self.name().to_string(),
                        split: split.word().to_string(),
                        asked: args.integer("subset").max(0) as u64,
                        available: u64::from(files.examples),
                    });
                }
            },
        };
        let names: Vec<&str> = self
            .needed(args)?
            .into_iter()
            .flat_map(|split| [split.images, split.labels])
            .collect();
        let located = self.find(search, &names)?;
        let raw = self.raw(&located, files, take as usize)?;

        let scheme = Normalization::from_word(args.text("normalize"))
            .expect("the signature allows only the words of `Normalization`");
        let size = self.size[0] * self.size[1];
        let normalizer = match split {
            Split::Train => Normalizer::fit(scheme, raw.pixels(), size),
            Split::Test => {
                let train = self.raw(&located, &self.train, self.train.examples as usize)?;
                Normalizer::fit(scheme, train.pixels(), size)
            }
        };
        Ok(Dataset {
            name: self.display_name.to_string(),
            images: normalizer.apply(raw.pixels()),
            shape: self.shape(args),
            digest: digest(self.shape(args), self.classes, raw.pixels(), &raw.labels),
            labels: raw.labels,
            classes: self.classes,
            note: normalizer.note().clone(),
        })
    }
}
