//! Hashes that say whether a file is as it was written: BLAKE3, of blocks of large files.

use std::io::{self, Read};

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

/// The blocks of a whole file of any size, read piece by piece.
///
/// # Errors
/// It cannot be read.
pub fn blocks_of(mut file: impl Read) -> io::Result<Vec<Block>> {
    let (mut found, mut end) = (Vec::new(), 0);
    loop {
        let mut piece = Vec::new();
        file.by_ref().take(BLOCK as u64).read_to_end(&mut piece)?;
        if piece.is_empty() && !found.is_empty() {
            return Ok(found);
        }
        end += piece.len() as u64;
        found.push(Block {
            end,
            blake3: hash(&piece),
        });
    }
}

/// Whether a file of any size, which is read piece by piece, has the bytes that `blocks` were made of, and no others.
///
/// # Errors
/// It cannot be read.
pub fn is_whole_file(mut file: impl Read, blocks: &[Block]) -> io::Result<bool> {
    let (mut begin, mut piece) = (0, Vec::new());
    for block in blocks {
        let mut hasher = blake3::Hasher::new();
        while begin < block.end {
            piece.clear();
            let wanted = (block.end - begin).min(BLOCK as u64);
            let found = file.by_ref().take(wanted).read_to_end(&mut piece)? as u64;
            if found < wanted {
                return Ok(false);
            }
            hasher.update_rayon(&piece);
            begin += found;
        }
        if hasher.finalize().to_hex().as_str() != block.blake3 {
            return Ok(false);
        }
    }
    // Nothing may stand behind the last block.
    Ok(!blocks.is_empty() && file.read(&mut [0])? == 0)
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
        let whole = |bytes: &[u8], blocks: &[Block]| is_whole_file(bytes, blocks).expect("memory is read");
        assert!(whole(&bytes, &blocks));
        let mut flipped = bytes.clone();
        flipped[41] ^= 1;
        assert_eq!(intact(&flipped, &blocks), 40);
        assert_eq!(intact(&bytes[..99], &blocks), 70);
        let longer = [&bytes[..], b"0"].concat();
        for other in [&flipped[..], &bytes[..70], &longer] {
            assert!(!whole(other, &blocks));
        }
        for bytes in [&b""[..], &bytes] {
            assert!(whole(bytes, &blocks_of(bytes).expect("memory is read")));
        }
        assert!(!whole(b"0", &blocks_of(&b""[..]).expect("memory is read")));
    }
}
