//! The idx format of MNIST and its successors: two zero bytes, an element type, the number of dimensions, each
//! dimension as a big-endian u32, then the elements. Files may be gzip-compressed; the first bytes tell.

use std::io::Read;

use flate2::bufread::GzDecoder;

/// Largest content accepted, so that a damaged or hostile gzip file cannot fill the memory. The largest known
/// set in this format (EMNIST by class, 697 932 images) is 547 MB.
const MAX_CONTENT: u64 = 2 << 30;

/// The first bytes of every gzip stream.
pub(super) const GZIP: [u8; 2] = [0x1f, 0x8b];

/// What is wrong with an idx file; completes a sentence that begins with the file's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdxProblem {
    #[error("is a truncated gzip file: it ends after {bytes} bytes of content")]
    TruncatedGzip { bytes: u64 },
    #[error("is a damaged gzip file: {reason} after {bytes} bytes of content")]
    DamagedGzip { bytes: u64, reason: String },
    #[error("has {extra} bytes after its gzip data")]
    TrailingGzip { extra: u64 },
    #[error("unpacks to more than {limit} bytes")]
    TooLarge { limit: u64 },
    #[error("is too short for an idx header: {bytes} bytes")]
    NoHeader { bytes: usize },
    #[error(
        "is not an idx file of unsigned bytes: it starts with {found:02x?} instead of [00, 00, 08, {dims:02x}]"
    )]
    Magic { found: [u8; 4], dims: u8 },
    #[error("has {}, expected {}", size(found), size(expected))]
    Dimensions { found: Vec<u32>, expected: Vec<u32> },
    #[error("is truncated: its header promises {expected} bytes of data and {found} are there")]
    Truncated { expected: u64, found: u64 },
    #[error("has {extra} bytes after its {expected} bytes of data")]
    Trailing { expected: u64, extra: u64 },
    #[error("has {labels} labels for {images} images")]
    LabelCount { labels: usize, images: usize },
    #[error("has label {label} at position {position}; labels of this set are 0 to {}", classes - 1)]
    LabelRange {
        label: u8,
        position: usize,
        classes: usize,
    },
}

fn size(dims: &[u32]) -> String {
    match dims {
        [count] => format!("{count} labels"),
        [count, rest @ ..] => {
            let rest: Vec<String> = rest.iter().map(u32::to_string).collect();
            format!("{count} images of {}", rest.join("×"))
        }
        [] => "nothing".to_string(),
    }
}

/// The content of a file: unpacked if its first two bytes are gzip's, else as it is.
pub fn unpack(bytes: Vec<u8>) -> Result<Vec<u8>, IdxProblem> {
    if !bytes.starts_with(&GZIP) {
        return Ok(bytes);
    }
    // The last four bytes of a gzip file are its content's size modulo 2³²: a hint that a damaged file may
    // state wrongly, so it is capped (deflate packs at most about 1032 to 1).
    let hint = bytes
        .last_chunk::<4>()
        .map_or(0, |size| u32::from_le_bytes(*size) as usize);
    let mut content = Vec::with_capacity(hint.min(bytes.len().saturating_mul(64)));
    let mut rest = bytes.as_slice();
    // A gzip file may be several streams, one after the other.
    while rest.starts_with(&GZIP) {
        let mut decoder = GzDecoder::new(rest);
        let room = MAX_CONTENT - content.len() as u64;
        let result = (&mut decoder).take(room + 1).read_to_end(&mut content);
        let unpacked = content.len() as u64;
        match result {
            Ok(_) if unpacked > MAX_CONTENT => return Err(IdxProblem::TooLarge { limit: MAX_CONTENT }),
            Ok(_) => rest = decoder.into_inner(),
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                return Err(IdxProblem::TruncatedGzip { bytes: unpacked });
            }
            Err(error) => {
                return Err(IdxProblem::DamagedGzip {
                    bytes: unpacked,
                    reason: error.to_string(),
                });
            }
        }
    }
    match rest.len() as u64 {
        0 => Ok(content),
        extra => Err(IdxProblem::TrailingGzip { extra }),
    }
}

/// Checks the header and length of an unpacked idx file and returns its elements. `expected`: all dimensions,
/// slowest first (`[60000, 28, 28]` for images, `[60000]` for labels).
pub fn elements<'a>(content: &'a [u8], expected: &[u32]) -> Result<&'a [u8], IdxProblem> {
    let dims = expected.len();
    let Some((magic, rest)) = content.split_first_chunk::<4>() else {
        return Err(IdxProblem::NoHeader { bytes: content.len() });
    };
    if *magic != [0, 0, 8, dims as u8] {
        return Err(IdxProblem::Magic {
            found: *magic,
            dims: dims as u8,
        });
    }
    if rest.len() < 4 * dims {
        return Err(IdxProblem::NoHeader { bytes: content.len() });
    }
    let (header, data) = rest.split_at(4 * dims);
    let (header, _) = header.as_chunks::<4>();
    let found: Vec<u32> = header.iter().map(|size| u32::from_be_bytes(*size)).collect();
    // Where only the count differs, a file cut short or run on is the better news; the count comes after it.
    if found[1..] != expected[1..] {
        return Err(IdxProblem::Dimensions {
            found,
            expected: expected.to_vec(),
        });
    }
    let promised: u64 = found.iter().map(|&size| u64::from(size)).product();
    let there = data.len() as u64;
    if there < promised {
        return Err(IdxProblem::Truncated {
            expected: promised,
            found: there,
        });
    }
    if there > promised {
        return Err(IdxProblem::Trailing {
            expected: promised,
            extra: there - promised,
        });
    }
    if found != expected {
        return Err(IdxProblem::Dimensions {
            found,
            expected: expected.to_vec(),
        });
    }
    Ok(data)
}

/// The number of elements along the first dimension, as the header states it.
pub fn count(content: &[u8]) -> Option<u32> {
    content.get(4..8)?.try_into().ok().map(u32::from_be_bytes)
}

/// Labels as numbers. Errors: more or fewer labels than `images`, or one that is not below `classes`.
pub fn labels(content: &[u8], images: usize, classes: usize) -> Result<Vec<u32>, IdxProblem> {
    let stated = count(content).unwrap_or(images as u32);
    let data = elements(content, &[stated])?;
    if data.len() != images {
        return Err(IdxProblem::LabelCount {
            labels: data.len(),
            images,
        });
    }
    match data.iter().position(|&label| usize::from(label) >= classes) {
        Some(position) => Err(IdxProblem::LabelRange {
            label: data[position],
            position,
            classes,
        }),
        None => Ok(data.iter().map(|&label| u32::from(label)).collect()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn idx(dims: &[u32], data: &[u8]) -> Vec<u8> {
        let mut file = vec![0, 0, 8, dims.len() as u8];
        dims.iter().for_each(|size| file.extend(size.to_be_bytes()));
        file.extend(data);
        file
    }

    fn gzip(content: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn reads_packed_and_plain() {
        let plain = idx(&[2, 1, 3], &[1, 2, 3, 4, 5, 6]);
        for file in [plain.clone(), gzip(&plain)] {
            let content = unpack(file).unwrap();
            assert_eq!(elements(&content, &[2, 1, 3]).unwrap(), [1, 2, 3, 4, 5, 6]);
        }
    }

    #[test]
    fn every_malformation_has_its_error() {
        let images = |file: &[u8]| elements(file, &[2, 1, 2]).unwrap_err().to_string();
        insta::assert_snapshot!(images(&[0, 0]), @"is too short for an idx header: 2 bytes");
        insta::assert_snapshot!(images(&[0, 0, 8, 3, 0]), @"is too short for an idx header: 5 bytes");
        insta::assert_snapshot!(images(b"<!DOCTYPE html>"),
            @"is not an idx file of unsigned bytes: it starts with [3c, 21, 44, 4f] instead of [00, 00, 08, 03]");
        insta::assert_snapshot!(images(&idx(&[2], &[1, 2])),
            @"is not an idx file of unsigned bytes: it starts with [00, 00, 08, 01] instead of [00, 00, 08, 03]");
        insta::assert_snapshot!(images(&idx(&[2, 2, 1], &[1, 2, 3, 4])),
            @"has 2 images of 2×1, expected 2 images of 1×2");
        insta::assert_snapshot!(images(&idx(&[3, 1, 2], &[1, 2, 3, 4, 5, 6])),
            @"has 3 images of 1×2, expected 2 images of 1×2");
        insta::assert_snapshot!(images(&idx(&[2, 1, 2], &[1, 2, 3])),
            @"is truncated: its header promises 4 bytes of data and 3 are there");
        insta::assert_snapshot!(images(&idx(&[2, 1, 2], &[1, 2, 3, 4, 5])),
            @"has 1 bytes after its 4 bytes of data");
        insta::assert_snapshot!(labels(&idx(&[2], &[1, 2]), 3, 10).unwrap_err(), @"has 2 labels for 3 images");
        insta::assert_snapshot!(labels(&idx(&[2], &[1, 10]), 2, 10).unwrap_err(),
            @"has label 10 at position 1; labels of this set are 0 to 9");
        insta::assert_snapshot!(labels(&[], 2, 10).unwrap_err(), @"is too short for an idx header: 0 bytes");
    }

    #[test]
    fn truncation_at_every_byte_is_an_error() {
        let content = idx(&[2, 1, 3], &[1, 2, 3, 4, 5, 6]);
        let packed = gzip(&content);
        for length in 2..packed.len() {
            let problem = unpack(packed[..length].to_vec()).unwrap_err();
            assert!(
                matches!(problem, IdxProblem::TruncatedGzip { .. }),
                "{length}: {problem:?}"
            );
        }
        for length in 0..content.len() {
            assert!(elements(&content[..length], &[2, 1, 3]).is_err(), "{length}");
        }
    }

    #[test]
    fn a_flipped_bit_in_gzip_data_is_an_error() {
        let content = idx(&[2, 1, 3], &[1, 2, 3, 4, 5, 6]);
        let packed = gzip(&content);
        // From the end of gzip's 10-byte header on: deflate data, checksum, size.
        for at in 10..packed.len() {
            let mut damaged = packed.clone();
            damaged[at] ^= 0x10;
            assert!(
                unpack(damaged).map_or(true, |other| other == content),
                "byte {at} went unseen"
            );
        }
    }

    #[test]
    fn bytes_after_the_gzip_stream_are_an_error() {
        let packed = gzip(&[1, 2]);
        assert_eq!(
            unpack([&packed[..], b"more"].concat()),
            Err(IdxProblem::TrailingGzip { extra: 4 })
        );
        assert_eq!(unpack([&packed[..], &packed].concat()), Ok(vec![1, 2, 1, 2]));
    }
}
