//! CIFAR-10 and CIFAR-100: batches of records in the binary or the python version, unpacked or in the published
//! archive. A set is a value of [`CifarSet`]; see `cifar10.rs`.

use sha2::{Digest, Sha256};

use super::cifar_batch::{self, PIXELS, SHAPE};
use super::cifar_files::{self, Copy, Form};
use super::dataset::{Dataset, Split};
use super::error::DataError;
use super::file_digest::file_digest;
use super::idx::GZIP;
use super::search::{Located, SearchPath, file_in};
use super::source::{Origin, Source};
use super::values::{Examples, Outline, Values};
use super::verify::{self, Report, Status, hex};
use super::{DatasetKind, Published, select};
use gradstudy_base::signature::{Args, Signature};

/// A data set of CIFAR batches.
#[derive(Debug)]
pub struct CifarSet {
    pub signature: &'static Signature,
    pub display_name: &'static str,
    /// The binary archive first.
    pub source: Source,
    /// The archives, named without `.gz`.
    pub binary_archive: &'static str,
    pub python_archive: &'static str,
    /// The label bytes of a record, in order.
    pub labels: &'static [LabelByte],
    pub train: CifarSplit,
    pub test: CifarSplit,
}

/// One of a record's labels. Every class has as many examples as every other.
#[derive(Debug)]
pub struct LabelByte {
    /// The word that chooses it, where the signature has `label`.
    pub word: &'static str,
    /// Its key in the python version.
    pub key: &'static str,
    pub classes: usize,
}

/// The batches of one split.
#[derive(Debug)]
pub struct CifarSplit {
    pub binary: &'static [BatchFile],
    pub python: &'static [&'static str],
    /// Records in each batch.
    pub records: usize,
    /// SHA-256 of all its records sorted by the SHA-256 of their pixels.
    pub sorted: &'static str,
}

/// One batch of the binary version.
#[derive(Debug)]
pub struct BatchFile {
    pub name: &'static str,
    /// SHA-256 of the published batch.
    pub sha256: &'static str,
}

impl CifarSet {
    fn split(&self, split: Split) -> &CifarSplit {
        match split {
            Split::Train => &self.train,
            Split::Test => &self.test,
        }
    }

    /// Which label byte `args` take.
    fn label(&self, args: &Args) -> usize {
        let word = args.get("label").map(|_| args.text("label"));
        let chosen = self.labels.iter().position(|label| Some(label.word) == word);
        chosen.unwrap_or(self.labels.len() - 1)
    }

    /// The splits that `args` need: the one asked for and, for its statistics, the training split.
    fn needed(&self, args: &Args) -> Vec<&CifarSplit> {
        match select::split_of(args) {
            Split::Train => vec![&self.train],
            Split::Test => vec![&self.test, &self.train],
        }
    }

    fn read_split(&self, copy: &Copy, split: Split, label: usize) -> Result<Examples, DataError> {
        let split = self.split(split);
        let batches = cifar_files::read(self, copy, split)?;
        let path = batches[0].0.clone();
        if !self.has_content(&batches, split) {
            return Err(DataError::Content {
                set: self.signature.name.to_string(),
                path,
            });
        }
        let label_bytes = self.labels.len();
        let count = split.records * batches.len();
        let (mut pixels, mut labels) = (Vec::with_capacity(count * PIXELS), Vec::with_capacity(count));
        for (_, records) in batches {
            for record in records.chunks_exact(label_bytes + PIXELS) {
                labels.push(u32::from(record[label]));
                pixels.extend_from_slice(&record[label_bytes..]);
            }
        }
        Ok(Examples {
            shape: SHAPE,
            classes: self.labels[label].classes,
            values: Values::Bytes(pixels),
            labels,
        })
    }

    /// Whether checked `batches` hold the published examples, in whatever order.
    fn has_content(&self, batches: &[(std::path::PathBuf, Vec<u8>)], split: &CifarSplit) -> bool {
        let published = batches
            .iter()
            .zip(split.binary)
            .all(|((_, records), batch)| hex(&Sha256::digest(records)) == batch.sha256);
        published || {
            let all: Vec<u8> = batches.iter().flat_map(|(_, records)| records).copied().collect();
            cifar_batch::sorted_digest(&all, self.labels.len()) == split.sorted
        }
    }

    /// The state of the batches of one split.
    fn verify_split(&self, copy: &Copy, split: &CifarSplit) -> Vec<Report> {
        let directory = copy.located.directory.clone().unwrap_or_default();
        let read = cifar_files::read(self, copy, split);
        let good = read
            .as_ref()
            .is_ok_and(|batches| self.has_content(batches, split));
        let names = copy.batches(split);
        let paths = names.iter().filter_map(|name| file_in(&directory, name));
        paths
            .zip(&names)
            .map(|(path, name)| {
                let status = match (
                    gradstudy_base::files::read(&path),
                    split.binary.iter().find(|b| b.name == *name),
                ) {
                    (Err(error), _) => Status::Unreadable {
                        reason: error.to_string(),
                    },
                    (Ok(bytes), Some(batch)) if hex(&Sha256::digest(&bytes)) == batch.sha256 => Status::Ok,
                    _ if good => Status::Repacked,
                    (Ok(bytes), Some(_)) if !bytes.starts_with(&GZIP) => {
                        let expected = split.records * (self.labels.len() + PIXELS);
                        match bytes.len() == expected {
                            true => Status::WrongContent,
                            false => Status::WrongSize {
                                expected: Some(expected as u64),
                                found: bytes.len() as u64,
                            },
                        }
                    }
                    _ => match &read {
                        Err(DataError::MalformedBatch {
                            path: damaged,
                            problem,
                            ..
                        }) if *damaged == path => Status::Unreadable {
                            reason: problem.to_string(),
                        },
                        _ => Status::WrongContent,
                    },
                };
                Report { path, status }
            })
            .collect()
    }
}

impl DatasetKind for CifarSet {
    fn signature(&self) -> &'static Signature {
        self.signature
    }

    fn display_name(&self) -> &'static str {
        self.display_name
    }

    fn title(&self, args: &Args) -> String {
        let label = &self.labels[self.label(args)];
        let name = match label.word {
            "coarse" => format!("{} ({} superclasses)", self.display_name, label.classes),
            _ => self.display_name.to_string(),
        };
        select::with_classes(name, args)
    }

    fn outline(&self, args: &Args) -> Result<Outline, DataError> {
        let split = self.split(select::split_of(args));
        let classes = self.labels[self.label(args)].classes;
        let examples = split.records * split.binary.len();
        let counts = vec![(examples / classes) as u64; classes];
        select::outline(self.signature.name, args, SHAPE, &counts)
    }

    fn digest(&self, args: &Args, search: &SearchPath) -> Result<String, DataError> {
        let copy = cifar_files::find(self, search, &self.needed(args))?;
        file_digest(&copy.located.files).map_err(|(path, reason)| DataError::Read {
            set: self.signature.name.to_string(),
            path,
            reason,
        })
    }

    fn load(&self, args: &Args, search: &SearchPath) -> Result<Dataset, DataError> {
        self.outline(args)?;
        let copy = cifar_files::find(self, search, &self.needed(args))?;
        let label = self.label(args);
        let read = |split| self.read_split(&copy, split, label);
        select::prepare(self.signature.name, self.title(args), args, &read)
    }

    fn published(&self) -> Option<&dyn Published> {
        Some(self)
    }
}

impl Published for CifarSet {
    fn source(&self) -> &Source {
        &self.source
    }

    fn locate(&self, search: &SearchPath) -> Result<Located, DataError> {
        Ok(cifar_files::find(self, search, &[&self.train, &self.test])?.located)
    }

    fn verify(&self, search: &SearchPath) -> Vec<Report> {
        let splits = [&self.train, &self.test];
        let Ok(copy) = cifar_files::find(self, search, &splits) else {
            // Batches that are there lack others: say which. Without any, the archive is what is missing.
            let (folders, system_dirs) = self.source.folders();
            let names = || {
                splits
                    .iter()
                    .flat_map(|split| split.binary)
                    .map(|batch| batch.name)
            };
            let some = search
                .candidates(self.signature.name, folders, system_dirs)
                .into_iter()
                .map(|(_, directory)| directory)
                .find(|directory| names().any(|name| file_in(directory, name).is_some()));
            let Some(directory) = some else {
                return verify::files(self, search);
            };
            let absent = names().filter(|name| file_in(&directory, name).is_none());
            return absent
                .map(|name| Report {
                    path: directory.join(name),
                    status: Status::Missing,
                })
                .collect();
        };
        let Origin::Files { files, .. } = &self.source.origin else {
            return Vec::new();
        };
        match copy.form {
            Form::Binary | Form::Python => splits
                .iter()
                .flat_map(|split| self.verify_split(&copy, split))
                .collect(),
            Form::BinaryArchive | Form::PythonArchive => {
                let directory = copy.located.directory.clone().unwrap_or_default();
                let mut report = verify::check(&directory, &files[0]);
                if !report.status.is_ok() {
                    report.path = copy.located.files[0].clone();
                    let has_content = |split: &&CifarSplit| {
                        cifar_files::read(self, &copy, split)
                            .is_ok_and(|batches| self.has_content(&batches, split))
                    };
                    if splits.iter().all(has_content) {
                        report.status = Status::Repacked;
                    } else if report.status == Status::Missing {
                        report.status = Status::WrongContent;
                    }
                }
                vec![report]
            }
        }
    }
}
