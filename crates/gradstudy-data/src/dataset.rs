//! A loaded data set: inputs ready for a network, labels, and what the manifest needs to know about them.

use serde::{Deserialize, Serialize};

use super::normalize::NormalizationNote;
use super::values::Values;

/// Which part of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    Train,
    Test,
}

impl Split {
    /// The word of the study language.
    pub fn word(self) -> &'static str {
        match self {
            Split::Train => "train",
            Split::Test => "test",
        }
    }

    /// The split of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Split::Train, Split::Test]
            .into_iter()
            .find(|split| split.word() == word)
    }
}

/// Labelled examples in memory.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// For people, such as `MNIST`.
    pub name: String,
    /// N×C×H×W, row-major, normalised.
    pub images: Vec<f32>,
    /// C, H, W.
    pub shape: [usize; 3],
    /// Class numbers below `classes`: one for each example, or one for each position of a sequence, example by
    /// example.
    pub labels: Vec<u32>,
    /// Number of classes.
    pub classes: usize,
    /// BLAKE3 (hex) of shape, number of classes, raw values and labels of exactly these examples: the same
    /// whatever the files' packing and the normalisation.
    pub digest: String,
    /// How the raw values were normalised.
    pub note: NormalizationNote,
}

impl Dataset {
    /// Number of examples, N.
    pub fn len(&self) -> usize {
        self.images.len() / self.example_size()
    }

    /// Labels of one example: 1, or as many as a sequence has positions.
    pub fn positions(&self) -> usize {
        self.labels.len() / self.len().max(1)
    }

    /// The labels of the examples `indices`, one example after the other.
    pub fn labels_of(&self, indices: &[u32]) -> Vec<u32> {
        let positions = self.positions();
        let labels = |index: &u32| &self.labels[*index as usize * positions..][..positions];
        indices.iter().flat_map(labels).copied().collect()
    }

    /// Whether there are no examples.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Values of one example, C·H·W.
    pub fn example_size(&self) -> usize {
        self.shape.iter().product()
    }

    /// Example `index` as C×H×W values. Panics when there is no such example.
    pub fn image(&self, index: usize) -> &[f32] {
        let size = self.example_size();
        &self.images[index * size..(index + 1) * size]
    }
}

/// The digest of [`Dataset::digest`]. Lengths go first, as u64 little-endian, so that no two sets run together;
/// numbers follow as they are in memory of a little-endian machine.
pub(super) fn digest(shape: [usize; 3], classes: usize, values: &Values, labels: &[u32]) -> String {
    let mut hasher = blake3::Hasher::new_derive_key(match values {
        Values::Bytes(_) => "gradstudy data set 1: shape, classes, count, pixels, labels",
        Values::Singles(_) => "gradstudy data set 1: shape, classes, count, f32 values, labels",
        Values::Doubles(_) => "gradstudy data set 1: shape, classes, count, f64 values, labels",
    });
    for number in shape.into_iter().chain([classes, labels.len()]) {
        hasher.update(&(number as u64).to_le_bytes());
    }
    match values {
        Values::Bytes(values) => drop(hasher.update(values)),
        Values::Singles(values) => values.iter().for_each(|value| {
            hasher.update(&value.to_le_bytes());
        }),
        Values::Doubles(values) => values.iter().for_each(|value| {
            hasher.update(&value.to_le_bytes());
        }),
    }
    labels.iter().for_each(|label| {
        hasher.update(&label.to_le_bytes());
    });
    hasher.finalize().to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digest_tells_pixels_labels_shape_and_kind_apart() {
        let bytes = Values::Bytes(vec![1, 2, 3, 4]);
        let base = digest([1, 1, 2], 3, &bytes, &[0, 1]);
        assert_eq!(base, digest([1, 1, 2], 3, &bytes, &[0, 1]));
        for other in [
            digest([1, 2, 1], 3, &bytes, &[0, 1]),
            digest([1, 1, 2], 4, &bytes, &[0, 1]),
            digest([1, 1, 2], 3, &Values::Bytes(vec![1, 2, 3, 5]), &[0, 1]),
            digest([1, 1, 2], 3, &bytes, &[1, 0]),
            digest([1, 1, 2], 3, &Values::Singles(vec![1.0, 2.0, 3.0, 4.0]), &[0, 1]),
            digest([1, 1, 2], 3, &Values::Doubles(vec![1.0, 2.0, 3.0, 4.0]), &[0, 1]),
        ] {
            assert_ne!(base, other);
        }
    }
}
