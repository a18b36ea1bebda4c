//! Data sets: where their files come from, how they are found, checked and read, and the [`Dataset`] that a step
//! works on.
//!
//! A data set is one file of this folder and one line in [`DATASETS`].

mod dataset;
pub mod download;
mod error;
mod fashion_mnist;
mod fashion_mnist_5k;
pub mod fetch;
pub mod idx;
pub mod idx_set;
pub mod label_noise;
mod mnist;
pub mod normalize;
mod search;
mod source;
pub mod verify;

pub use dataset::{Dataset, Split};
pub use error::DataError;
pub use normalize::{Normalization, NormalizationNote};
pub use search::{Located, SearchPath};
pub use source::{EmbeddedFile, Origin, Source, SourceFile};

use crate::signature::{Args, Signature};

/// What every data set can say and do.
pub trait DatasetKind: Sync {
    /// Name and settings in the study language.
    fn signature(&self) -> &'static Signature;

    /// For people, such as `MNIST`.
    fn display_name(&self) -> &'static str;

    /// Files, sizes, digests, mirrors, licence and citation.
    fn source(&self) -> &Source;

    /// Number of examples that [`DatasetKind::load`] would give; none where only the files can tell, or where
    /// loading would fail because there is no such split.
    fn examples(&self, args: &Args) -> Option<u64>;

    /// C, H, W of an example.
    fn shape(&self, args: &Args) -> [usize; 3];

    /// Number of classes.
    fn classes(&self) -> usize;

    /// The first folder that holds all files of the set. Errors: [`DataError::Missing`].
    fn locate(&self, search: &SearchPath) -> Result<Located, DataError>;

    /// BLAKE3 (hex) of the files that `args` needs, as they lie on the disk: for a step's key, without unpacking
    /// (about 5 ms for MNIST). Errors: missing or unreadable files, or no such split.
    fn digest(&self, args: &Args, search: &SearchPath) -> Result<String, DataError>;

    /// Finds, reads, checks and normalises. Errors: every [`DataError`].
    fn load(&self, args: &Args, search: &SearchPath) -> Result<Dataset, DataError>;
}

/// Every data set, in alphabetical order.
pub static DATASETS: &[&dyn DatasetKind] = &[
    &fashion_mnist::FASHION_MNIST,
    &fashion_mnist_5k::FASHION_MNIST_5K,
    &mnist::MNIST,
];

/// The data set of that name in the study language.
pub fn dataset(name: &str) -> Option<&'static dyn DatasetKind> {
    DATASETS
        .iter()
        .copied()
        .find(|kind| kind.signature().name == name)
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
        for kind in DATASETS {
            let Origin::Files { files, mirrors, .. } = &kind.source().origin else {
                continue;
            };
            assert!(
                files
                    .iter()
                    .all(|file| is_digest(file.sha256) && is_digest(file.content))
            );
            assert!(!mirrors.is_empty() && mirrors.iter().all(|mirror| mirror.ends_with('/')));
        }
    }
}
