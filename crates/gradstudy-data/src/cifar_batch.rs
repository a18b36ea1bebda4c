//! The records of CIFAR batches: one or two label bytes, then 3072 pixels, channel by channel (red, green, blue),
//! each 32 rows of 32. The python version holds the same in a pickled dictionary and is brought into this form.

use gradstudy_arrays::pytorch::numpy::Dictionary;
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::idx::IdxProblem;
use super::verify::hex;

/// Channels, height and width of a CIFAR image.
pub const SHAPE: [usize; 3] = [3, 32, 32];

/// Pixels of a CIFAR image, one byte each.
pub const PIXELS: usize = 3 * 32 * 32;

/// What is wrong with a batch; completes a sentence that begins with the file's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BatchProblem {
    #[error(transparent)]
    Packing(#[from] IdxProblem),
    #[error("is truncated: it has {found} bytes instead of {expected}, {} records of {record}", expected / record)]
    Truncated {
        found: usize,
        expected: usize,
        record: usize,
    },
    #[error("has {extra} bytes after its {} records of {record}", expected / record)]
    Trailing {
        extra: usize,
        expected: usize,
        record: usize,
    },
    #[error("has label {label} in record {record}; labels of this set are 0 to {}", classes - 1)]
    LabelRange {
        label: u8,
        record: usize,
        classes: usize,
    },
    #[error("is no tar archive that can be read: {reason}")]
    Archive { reason: String },
    #[error("has no member `{member}`")]
    NoMember { member: String },
    #[error("is no CIFAR batch of the python version: {reason}")]
    Pickle { reason: String },
}

/// Checks size and labels of unpacked binary records. `classes`: of each label byte.
pub fn check(records: &[u8], count: usize, classes: &[usize]) -> Result<(), BatchProblem> {
    let record = classes.len() + PIXELS;
    let (found, expected) = (records.len(), count * record);
    if found < expected {
        return Err(BatchProblem::Truncated {
            found,
            expected,
            record,
        });
    }
    if found > expected {
        return Err(BatchProblem::Trailing {
            extra: found - expected,
            expected,
            record,
        });
    }
    for (position, labels) in records.chunks_exact(record).enumerate() {
        for (&label, &classes) in labels.iter().zip(classes) {
            if usize::from(label) >= classes {
                return Err(BatchProblem::LabelRange {
                    label,
                    record: position,
                    classes,
                });
            }
        }
    }
    Ok(())
}

/// SHA-256 (hex) of the records in the order of the SHA-256 of their pixels (then of their labels): the same in
/// whatever order they are stored.
pub fn sorted_digest(records: &[u8], label_bytes: usize) -> String {
    let mut order: Vec<([u8; 32], &[u8])> = records
        .par_chunks_exact(label_bytes + PIXELS)
        .map(|record| (Sha256::digest(&record[label_bytes..]).into(), record))
        .collect();
    order.par_sort_unstable_by(|a, b| (a.0, &a.1[..label_bytes]).cmp(&(b.0, &b.1[..label_bytes])));
    let mut hasher = Sha256::new();
    order.iter().for_each(|(_, record)| hasher.update(record));
    hex(&hasher.finalize())
}

/// Binary records of a pickled batch. `keys`: of the lists of labels, in the order of the binary version.
pub fn from_pickle(pickle: &[u8], keys: &[&str]) -> Result<Vec<u8>, BatchProblem> {
    let fault = |reason: &str| BatchProblem::Pickle {
        reason: reason.to_string(),
    };
    let batch = Dictionary::read(pickle).map_err(|reason| fault(&reason))?;
    if !batch.has("data") {
        return Err(fault("it has no `data`"));
    }
    let pixels = batch.byte_matrix("data").filter(|data| data.columns == PIXELS);
    let pixels = pixels.ok_or_else(|| fault("its `data` is no C-ordered array of N×3072 unsigned bytes"))?;
    let count = pixels.rows;
    let mut labels = Vec::with_capacity(keys.len());
    for key in keys {
        let Some(list) = batch.whole_numbers(key) else {
            return Err(fault(&format!("it has no list `{key}`")));
        };
        let byte = |label: &Option<i64>| label.and_then(|label| u8::try_from(label).ok());
        let list: Option<Vec<u8>> = list.iter().map(byte).collect();
        match list {
            Some(list) if list.len() == count => labels.push(list),
            Some(list) => {
                return Err(fault(&format!(
                    "it has {} `{key}` for {count} images",
                    list.len()
                )));
            }
            None => {
                return Err(fault(&format!(
                    "its `{key}` are not all whole numbers from 0 to 255"
                )));
            }
        }
    }
    let mut records = Vec::with_capacity(count * (keys.len() + PIXELS));
    for (index, pixels) in pixels.bytes.chunks_exact(PIXELS).enumerate() {
        records.extend(labels.iter().map(|list| list[index]));
        records.extend_from_slice(pixels);
    }
    Ok(records)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(labels: &[[u8; 2]]) -> Vec<u8> {
        labels
            .iter()
            .enumerate()
            .flat_map(|(i, labels)| [&labels[..], &[i as u8 * 7; PIXELS]].concat())
            .collect()
    }

    #[test]
    fn sizes_and_labels_are_checked() {
        let good = records(&[[1, 3], [0, 4]]);
        assert_eq!(check(&good, 2, &[2, 5]), Ok(()));
        let complaint = |bytes: &[u8], classes: &[usize]| check(bytes, 2, classes).unwrap_err().to_string();
        insta::assert_snapshot!(complaint(&good[..6000], &[2, 5]),
            @"is truncated: it has 6000 bytes instead of 6148, 2 records of 3074");
        insta::assert_snapshot!(complaint(&[&good[..], b"x"].concat(), &[2, 5]),
            @"has 1 bytes after its 2 records of 3074");
        insta::assert_snapshot!(complaint(&good, &[2, 4]),
            @"has label 4 in record 1; labels of this set are 0 to 3");
    }

    #[test]
    fn the_sorted_digest_does_not_depend_on_the_order() {
        let some = records(&[[1, 3], [0, 4], [0, 2]]);
        let turned: Vec<u8> = some.rchunks_exact(PIXELS + 2).flatten().copied().collect();
        assert_ne!(some, turned);
        assert_eq!(sorted_digest(&some, 2), sorted_digest(&turned, 2));
        let mut other = some.clone();
        other[1] = 2;
        assert_ne!(sorted_digest(&some, 2), sorted_digest(&other, 2));
    }

    #[test]
    fn a_pickle_that_is_no_batch_is_an_error() {
        for (bytes, expected) in [
            (&b"junk"[..], "is no CIFAR batch of the python version: "),
            (
                b"]q\x01.",
                "is no CIFAR batch of the python version: it holds no dictionary",
            ),
            (
                b"}q\x01.",
                "is no CIFAR batch of the python version: it has no `data`",
            ),
        ] {
            let problem = from_pickle(bytes, &["labels"]).unwrap_err().to_string();
            assert!(problem.starts_with(expected), "{problem}");
        }
    }
}
