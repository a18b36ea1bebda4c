//! Bytes of a text and an editor's positions: lines from 0, columns in UTF-16 code units, as the protocol has them
//! unless something else is agreed upon.

use lsp_types::{Position, Range};

use crate::syntax::Span;

/// Where each line of a text begins, in bytes.
#[derive(Debug, Clone)]
pub struct Lines {
    starts: Vec<usize>,
}

impl Lines {
    /// Lines end in `\n`, `\r\n` or `\r`.
    pub fn of(text: &str) -> Lines {
        let bytes = text.as_bytes();
        let mut starts = vec![0];
        for (at, byte) in bytes.iter().enumerate() {
            if *byte == b'\n' || (*byte == b'\r' && bytes.get(at + 1) != Some(&b'\n')) {
                starts.push(at + 1);
            }
        }
        Lines { starts }
    }

    /// The position of byte `offset` of `text`; one beyond its end is at its end, one within a character at its
    /// start.
    pub fn position(&self, text: &str, offset: usize) -> Position {
        let mut offset = offset.min(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = self.starts.partition_point(|start| *start <= offset) - 1;
        let before = &text[self.starts[line]..offset];
        Position {
            line: line as u32,
            character: before.encode_utf16().count() as u32,
        }
    }

    /// The byte of `text` at `position`; a column beyond its line is the line's end, a line beyond the last the
    /// text's end, the second half of a surrogate pair its character's start.
    pub fn offset(&self, text: &str, position: Position) -> usize {
        let Some(start) = self.starts.get(position.line as usize) else {
            return text.len();
        };
        let end = self
            .starts
            .get(position.line as usize + 1)
            .copied()
            .unwrap_or(text.len());
        let line = text[*start..end].trim_end_matches(['\r', '\n']);
        let mut units = position.character as usize;
        for (at, c) in line.char_indices() {
            if units < c.len_utf16() {
                return start + at;
            }
            units -= c.len_utf16();
        }
        start + line.len()
    }

    /// Both ends of `span`.
    pub fn range(&self, text: &str, span: Span) -> Range {
        Range {
            start: self.position(text, span.start),
            end: self.position(text, span.end),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn columns_are_utf16_code_units() {
        let text = "é𝛽 = 1\r\nb\rc\n";
        let lines = Lines::of(text);
        let at = |offset| {
            let position = lines.position(text, offset);
            (position.line, position.character)
        };
        assert_eq!([0, 2, 6, 9].map(at), [(0, 0), (0, 1), (0, 3), (0, 6)]);
        assert_eq!([13, 14, 15, 16].map(at), [(1, 1), (2, 0), (2, 1), (3, 0)]);
        let back = |line, character| lines.offset(text, Position { line, character });
        assert_eq!([back(0, 2), back(0, 3), back(0, 99), back(9, 0)], [2, 6, 10, 16]);
    }

    proptest! {
        #[test]
        fn every_character_has_its_own_position(text in "[aé𝛽\r\n ]{0,30}") {
            let lines = Lines::of(&text);
            for (offset, c) in text.char_indices() {
                // Between `\r` and `\n` there is no position.
                if c == '\n' && text[..offset].ends_with('\r') {
                    continue;
                }
                prop_assert_eq!(lines.offset(&text, lines.position(&text, offset)), offset);
            }
            prop_assert_eq!(lines.offset(&text, lines.position(&text, text.len())), text.len());
        }
    }
}
