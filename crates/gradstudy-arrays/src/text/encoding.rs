//! Bytes of a text file to text: gzip and UTF-16 are undone, a byte-order mark goes.

use std::io::{self, BufRead, BufReader, Cursor, Read};

use flate2::bufread::MultiGzDecoder;

use super::TextError;

const GZIP: &[u8] = &[0x1f, 0x8b];
/// What packed files begin with that are not unpacked here.
const PACKED: [(&[u8], &str); 4] = [
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"PK\x03\x04", "zip"),
];
/// Bytes that are looked at to tell the encoding.
const LOOK: u64 = 64 << 10;
/// Bytes of one read.
const BUFFER: usize = 256 << 10;

/// `content` as bytes that are ASCII where numbers and separators stand: UTF-8, or an encoding of 8 bits a character.
pub(super) fn decoded<'a>(content: Box<dyn Read + 'a>) -> Result<Box<dyn BufRead + 'a>, TextError> {
    let unread = |error: io::Error| TextError::unread(&error);
    let (mut head, mut content) = peek(content).map_err(unread)?;
    if head.starts_with(GZIP) {
        let unpacked = MultiGzDecoder::new(BufReader::with_capacity(BUFFER, content));
        (head, content) = peek(Box::new(unpacked)).map_err(unread)?;
    }
    if let Some((_, name)) = PACKED.iter().find(|(magic, _)| head.starts_with(magic)) {
        let problem = format!("is packed by {name}");
        return Err(TextError::new(None, problem, "unpack it, or pack it by gzip"));
    }
    let (mark, wide) = encoding(&head)?;
    content.read_exact(&mut vec![0; mark]).map_err(unread)?;
    Ok(match wide {
        None => Box::new(BufReader::with_capacity(BUFFER, content)),
        Some(big_endian) => {
            let units = BufReader::with_capacity(BUFFER, content);
            Box::new(BufReader::with_capacity(BUFFER, Utf16::new(units, big_endian)))
        }
    })
}

/// The beginning of `content`, and all of it.
fn peek<'a>(mut content: Box<dyn Read + 'a>) -> io::Result<(Vec<u8>, Box<dyn Read + 'a>)> {
    let mut head = Vec::new();
    (&mut content).take(LOOK).read_to_end(&mut head)?;
    Ok((head.clone(), Box::new(Cursor::new(head).chain(content))))
}

/// The length of the byte-order mark, and of UTF-16 whether the greater byte comes first.
fn encoding(head: &[u8]) -> Result<(usize, Option<bool>), TextError> {
    let refuse = |problem: &str| {
        let help = "save the file as UTF-8";
        Err(TextError::new(None, problem, help))
    };
    match head {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => return refuse("is text in UTF-32"),
        [0xff, 0xfe, ..] => return Ok((2, Some(false))),
        [0xfe, 0xff, ..] => return Ok((2, Some(true))),
        [0xef, 0xbb, 0xbf, ..] => return Ok((3, None)),
        _ => {}
    }
    let zeros = |from: usize| {
        head.iter()
            .skip(from)
            .step_by(2)
            .filter(|&&byte| byte == 0)
            .count()
    };
    let (even, odd) = (zeros(0), zeros(1));
    // Numbers in UTF-16 have a zero byte in every character.
    match (even > head.len() / 4, odd > head.len() / 4) {
        (true, false) if odd == 0 => Ok((0, Some(true))),
        (false, true) if even == 0 => Ok((0, Some(false))),
        _ if even + odd > 0 => refuse("is no text: it holds bytes of value 0"),
        _ => Ok((0, None)),
    }
}

/// UTF-16 as UTF-8.
struct Utf16<R> {
    units: R,
    big_endian: bool,
    /// UTF-8 that was not asked for yet, from `at` on.
    ready: Vec<u8>,
    at: usize,
    /// The first half of a pair.
    high: Option<u16>,
}

impl<R: Read> Utf16<R> {
    fn new(units: R, big_endian: bool) -> Self {
        Utf16 {
            units,
            big_endian,
            ready: Vec::new(),
            at: 0,
            high: None,
        }
    }

    /// Reads the next units into `ready`.
    fn fill(&mut self) -> io::Result<()> {
        let damaged = || io::Error::new(io::ErrorKind::InvalidData, "it is damaged UTF-16");
        let mut bytes = Vec::new();
        (&mut self.units).take(BUFFER as u64).read_to_end(&mut bytes)?;
        let (pairs, rest) = bytes.as_chunks::<2>();
        if !rest.is_empty() {
            return Err(damaged());
        }
        let big_endian = self.big_endian;
        let read = |pair: &[u8; 2]| match big_endian {
            true => u16::from_be_bytes(*pair),
            false => u16::from_le_bytes(*pair),
        };
        let mut units: Vec<u16> = self.high.take().into_iter().collect();
        units.extend(pairs.iter().map(read));
        if !bytes.is_empty() && units.last().is_some_and(|last| (0xd800..0xdc00).contains(last)) {
            self.high = units.pop();
        }
        self.ready.clear();
        self.at = 0;
        for character in char::decode_utf16(units) {
            let character = character.map_err(|_| damaged())?;
            let mut buffer = [0; 4];
            self.ready
                .extend_from_slice(character.encode_utf8(&mut buffer).as_bytes());
        }
        Ok(())
    }
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.ready.len() {
            self.fill()?;
            // A read of half a pair alone gives nothing yet.
            if self.ready.is_empty() && self.high.is_some() {
                self.fill()?;
            }
        }
        let length = buffer.len().min(self.ready.len() - self.at);
        buffer[..length].copy_from_slice(&self.ready[self.at..self.at + length]);
        self.at += length;
        Ok(length)
    }
}

/// A name or word of a file: UTF-8, or else what its bytes are in Latin-1 (Windows-1252 where that differs), and whether
/// it was the latter.
pub(super) fn word(bytes: &[u8]) -> (String, bool) {
    match std::str::from_utf8(bytes) {
        Ok(text) => (text.to_string(), false),
        Err(_) => (bytes.iter().map(|&byte| latin(byte)).collect(), true),
    }
}

fn latin(byte: u8) -> char {
    /// Windows-1252 from 0x80 to 0x9f, where Latin-1 has no printable characters.
    const WINDOWS: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
        '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9f => WINDOWS[usize::from(byte - 0x80)],
        byte => char::from(byte),
    }
}
