//! The bytes of a pickle, as its codes ask for them.

use std::io::{self, BufRead, Read};

/// Bytes that are read one after the other.
pub(super) struct PickleBytes<'a>(pub &'a mut dyn BufRead);

impl PickleBytes<'_> {
    /// The next N bytes.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let mut bytes = [0; N];
        self.0.read_exact(&mut bytes).map_err(cut)?;
        Ok(bytes)
    }

    /// The next `length` bytes; memory grows with what is there, so that a damaged length takes none.
    pub fn bytes(&mut self, length: u64) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        let mut part = (&mut *self.0).take(length);
        part.read_to_end(&mut bytes).map_err(cut)?;
        match bytes.len() as u64 == length {
            true => Ok(bytes),
            false => Err(CUT.to_string()),
        }
    }

    /// Text of `length` bytes, what is no UTF-8 (of Python 2) replaced.
    pub fn text(&mut self, length: u64) -> Result<String, String> {
        let bytes = self.bytes(length)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Passes over `length` bytes.
    pub fn skip(&mut self, length: u64) -> Result<(), String> {
        let mut part = (&mut *self.0).take(length);
        match io::copy(&mut part, &mut io::sink()).map_err(cut)? == length {
            true => Ok(()),
            false => Err(CUT.to_string()),
        }
    }

    /// What stands before the next line end.
    pub fn line(&mut self) -> Result<String, String> {
        let mut line = Vec::new();
        self.0.read_until(b'\n', &mut line).map_err(cut)?;
        match line.pop() {
            Some(b'\n') => Ok(String::from_utf8_lossy(&line).into_owned()),
            _ => Err(CUT.to_string()),
        }
    }
}

const CUT: &str = "its pickle is cut off";

fn cut(error: io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => CUT.to_string(),
        _ => error.to_string(),
    }
}
