//! Data sets: where their files come from, how they are found, checked and read, and the [`Dataset`] that a step
//! works on; and what may be done to it ([`label_noise`], [`augment`]).
//!
//! A data set is one file of this folder (the user's own: of the folder `own`) and one line in [`DATASETS`].

pub mod augment;
mod avila;
mod cifar10;
mod cifar100;
pub mod cifar_batch;
mod cifar_files;
pub mod cifar_set;
mod dataset;
pub mod download;
mod error;
mod fashion_mnist;
mod fashion_mnist_5k;
pub mod fetch;
mod file_digest;
pub mod idx;
pub mod idx_set;
pub mod label_noise;
mod mnist;
mod moments;
pub mod normalize;
pub mod own;
mod search;
pub mod select;
mod source;
pub mod table;
mod values;
pub mod verify;

pub use dataset::{Dataset, Split};
pub use error::DataError;
use own::text;

pub use normalize::{Normalization, NormalizationNote};
pub use search::{Located, SearchPath};
pub use source::{EmbeddedFile, Form, Origin, Source, SourceFile};
pub use values::{Examples, Outline, Values};

use gradstudy_base::signature::{Args, Signature};

/// What every data set can say and do.
pub trait DatasetKind: Sync {
    /// Name and settings in the study language.
    fn signature(&self) -> &'static Signature;

    /// For people, such as `MNIST` or `CSV file`.
    fn display_name(&self) -> &'static str;

    /// For people, of what `args` ask for: `MNIST`, `MNIST (classes 0, 1)`, `wine.csv`.
    fn title(&self, args: &Args) -> String {
        select::with_classes(self.display_name().to_string(), args)
    }

    /// What [`DatasetKind::load`] would give. Published sets say so without their files; the user's own files
    /// are read and checked for it (paths are relative to the folder of the study). Errors: settings that do
    /// not fit the set, and every mistake in the user's own files.
    fn outline(&self, args: &Args) -> Result<Outline, DataError>;

    /// BLAKE3 (hex) of the files that `args` needs, as they lie on the disk: for a step's key, without unpacking
    /// (about 5 ms for MNIST). Errors: missing or unreadable files, or no such split.
    fn digest(&self, args: &Args, search: &SearchPath) -> Result<String, DataError>;

    /// Finds, reads, checks and normalises. Errors: every [`DataError`].
    fn load(&self, args: &Args, search: &SearchPath) -> Result<Dataset, DataError>;

    /// The same set as one that somebody has published; none for the user's own.
    fn published(&self) -> Option<&dyn Published>;

    /// What was decided while the user's own files were read, such as a first column that is an index and left out.
    fn remarks(&self, _args: &Args) -> Vec<String> {
        Vec::new()
    }
}

/// A data set that somebody has published: it has a licence, and its files can be found and verified.
pub trait Published: DatasetKind {
    /// Files, sizes, digests, mirrors, licence and citation.
    fn source(&self) -> &Source;

    /// The first folder that holds all files of the set. Errors: [`DataError::Missing`],
    /// [`DataError::MissingByHand`].
    fn locate(&self, search: &SearchPath) -> Result<Located, DataError>;

    /// The state of each file where [`DatasetKind::load`] would find it; an incomplete set is checked in the first
    /// folder that has any of its files.
    fn verify(&self, search: &SearchPath) -> Vec<verify::Report>;
}

/// Every data set, in alphabetical order.
pub static DATASETS: &[&dyn DatasetKind] = &[
    &avila::AVILA,
    &cifar10::CIFAR10,
    &cifar100::CIFAR100,
    &own::CSV,
    &fashion_mnist::FASHION_MNIST,
    &fashion_mnist_5k::FASHION_MNIST_5K,
    &own::IMAGE_FOLDER,
    &mnist::MNIST,
    &own::NPY,
    &own::SAFETENSORS,
    &text::Text,
];

/// The data set of that name in the study language.
pub fn dataset(name: &str) -> Option<&'static dyn DatasetKind> {
    DATASETS
        .iter()
        .copied()
        .find(|kind| kind.signature().name == name)
}

/// Every data set that somebody has published, in alphabetical order.
pub fn published() -> impl Iterator<Item = &'static dyn Published> {
    DATASETS.iter().filter_map(|kind| kind.published())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_unique() {
        assert!(DATASETS.is_sorted_by(|a, b| a.signature().name < b.signature().name));
        assert!(
            DATASETS
                .iter()
                .all(|kind| dataset(kind.signature().name).is_some())
        );
    }

    #[test]
    fn published_digests_are_hex_of_the_right_length_and_mirrors_end_in_a_slash() {
        let is_digest =
            |text: &str| text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        for kind in published() {
            let Origin::Files {
                files, mirrors, page, ..
            } = &kind.source().origin
            else {
                continue;
            };
            assert!(
                files
                    .iter()
                    .all(|file| is_digest(file.sha256) && file.content.is_none_or(is_digest))
            );
            assert!(mirrors.iter().all(|mirror| mirror.ends_with('/')) && page.starts_with("https://"));
        }
    }

    #[test]
    fn every_set_has_the_settings_of_all_and_leaves_the_statements_own_alone() {
        for kind in DATASETS {
            let signature = kind.signature();
            // Text has no values to normalise and no class of its own for an example.
            let names: &[&str] = match signature.name {
                "text" => &["split", "subset"],
                _ => &["split", "normalize", "subset", "classes"],
            };
            for name in names {
                assert!(
                    signature.params.iter().any(|param| param.name == *name),
                    "{} lacks {name}",
                    signature.name
                );
            }
            // `labels` is a setting of the `data` statement: it puts noise on them.
            assert!(signature.params.iter().all(|param| param.name != "labels"));
        }
    }
}
