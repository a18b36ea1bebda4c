//! Hashes that say whether a file is as it was written: BLAKE3, of blocks of large files.

use serde::{Deserialize, Serialize};

/// Bytes of a block: large files are hashed in such pieces, so that a part of one can be checked alone.
pub const BLOCK: usize = 64 << 20;

/// From this size on a block is hashed by all processors.
const BY_MANY: usize = 1 << 20;

/// The hash of the bytes of a file from the end of the block before it up to `end`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    pub end: u64,
    /// In hex.
    pub blake3: String,
}

/// BLAKE3 of `bytes`, in hex.
pub fn hash(bytes: &[u8]) -> String {
    let mut hasher = blake3::Hasher::new();
    match bytes.len() < BY_MANY {
        true => hasher.update(bytes),
        false => hasher.update_rayon(bytes),
    };
    hasher.finalize().to_hex().to_string()
}

/// The blocks of a whole file; one, of no bytes, of an empty one.
pub fn blocks(bytes: &[u8]) -> Vec<Block> {
    let mut end = 0;
    let of = |piece: &[u8]| {
        end += piece.len() as u64;
        Block {
            end,
            blake3: hash(piece),
        }
    };
    match bytes.is_empty() {
        true => vec![Block {
            end: 0,
            blake3: hash(bytes),
        }],
        false => bytes.chunks(BLOCK).map(of).collect(),
    }
}

/// How many bytes from the start of `bytes` are as `blocks` say: up to the first block that is not.
pub fn intact(bytes: &[u8], blocks: &[Block]) -> u64 {
    let mut begin = 0;
    for block in blocks {
        let piece = usize::try_from(block.end)
            .ok()
            .and_then(|end| bytes.get(begin as usize..end));
        if piece.is_none_or(|piece| hash(piece) != block.blake3) {
            break;
        }
        begin = block.end;
    }
    begin
}

/// Whether `bytes` are those that `blocks` were made of.
pub fn is_whole(bytes: &[u8], blocks: &[Block]) -> bool {
    let all = blocks.last().is_some_and(|last| last.end == bytes.len() as u64);
    // A file of no bytes has one block, which ends where it begins.
    all && match bytes.is_empty() {
        true => blocks.iter().all(|block| block.blake3 == hash(bytes)),
        false => intact(bytes, blocks) == bytes.len() as u64,
    }
}

/// What stands behind the bytes of a sealed file, before their hash.
const SEAL: &[u8; 8] = b"GSBLAKE3";

/// `bytes` with their hash behind: for files that nobody but gradstudy reads.
pub fn seal(mut bytes: Vec<u8>) -> Vec<u8> {
    let hash = blake3::hash(&bytes);
    bytes.extend(SEAL);
    bytes.extend(hash.as_bytes());
    bytes
}

/// The bytes of a sealed file, without their hash; `None` where they are not as they were written.
pub fn unseal(sealed: &[u8]) -> Option<&[u8]> {
    let (rest, hash) = sealed.split_last_chunk::<32>()?;
    let bytes = rest.strip_suffix(SEAL)?;
    (blake3::hash(bytes).as_bytes() == hash).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_changed_bit_and_every_length_is_seen() {
        let bytes = b"0 12 34".to_vec();
        let sealed = seal(bytes.clone());
        assert_eq!(unseal(&sealed), Some(&bytes[..]));
        for bit in 0..sealed.len() * 8 {
            let mut flipped = sealed.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(unseal(&flipped), None, "bit {bit}");
        }
        for length in 0..sealed.len() {
            assert_eq!(unseal(&sealed[..length]), None, "{length} bytes");
        }
    }

    #[test]
    fn blocks_find_the_first_damage() {
        let bytes: Vec<u8> = (0..100).collect();
        let block = |range: std::ops::Range<usize>| Block {
            end: range.end as u64,
            blake3: hash(&bytes[range]),
        };
        let blocks = [block(0..40), block(40..70), block(70..100)];
        assert!(is_whole(&bytes, &blocks));
        let mut flipped = bytes.clone();
        flipped[41] ^= 1;
        assert_eq!(intact(&flipped, &blocks), 40);
        assert_eq!(intact(&bytes[..99], &blocks), 70);
        assert!(!is_whole(&bytes[..70], &blocks) && !is_whole(&[&bytes[..], b"0"].concat(), &blocks));
        assert!(is_whole(b"", &super::blocks(b"")) && !is_whole(b"0", &super::blocks(b"")));
        assert!(is_whole(&bytes, &super::blocks(&bytes)));
    }
}
