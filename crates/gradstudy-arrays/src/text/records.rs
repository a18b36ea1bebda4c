//! Lines of a table, and their fields.

use std::collections::VecDeque;
use std::io::{BufRead, Read};

use super::{Separator, TextError};
use gradstudy_base::limits;

/// The lines of a table that are neither empty nor comments.
pub(super) struct Lines<'a> {
    reader: Box<dyn BufRead + 'a>,
    /// The byte that ends a line; `\r` of files that have no `\n`.
    end: u8,
    /// Lines read so far.
    number: u64,
    /// Lines that were read ahead.
    ahead: VecDeque<Line>,
    /// Whether nothing comes after the lines read ahead.
    ended: bool,
    /// Comments before and between the rows.
    pub comments: u64,
    /// The last comment before the first row.
    pub comment_above: Option<Vec<u8>>,
    rows_begun: bool,
}

/// A line without its end, and its number from 1.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    pub number: u64,
    pub text: Vec<u8>,
}

/// What begins the line of a comment: NumPy's and R's mark.
const COMMENT: u8 = b'#';

impl<'a> Lines<'a> {
    pub fn new(mut reader: Box<dyn BufRead + 'a>) -> Result<Self, TextError> {
        let head = reader.fill_buf().map_err(|error| TextError::unread(&error))?;
        let end = match head.contains(&b'\r') && !head.contains(&b'\n') {
            true => b'\r',
            false => b'\n',
        };
        Ok(Lines {
            reader,
            end,
            number: 0,
            ahead: VecDeque::new(),
            ended: false,
            comments: 0,
            comment_above: None,
            rows_begun: false,
        })
    }

    /// Up to `count` lines, of some `bytes` at most, which will be read again.
    pub fn peek(&mut self, count: usize, bytes: usize) -> Result<Vec<Line>, TextError> {
        let mut held: usize = self.ahead.iter().map(|line| line.text.len()).sum();
        while self.ahead.len() < count && held < bytes {
            let Some(line) = self.read()? else { break };
            held += line.text.len();
            self.ahead.push_back(line);
        }
        Ok(self.ahead.iter().cloned().collect())
    }

    /// Takes the line `sep=;` away with which Excel says what stands between columns.
    pub fn take_directive(&mut self) -> Option<u8> {
        let text = self.ahead.front()?.text.trim_ascii();
        let byte = match text.split_at_checked(4)? {
            (word, [byte]) if word.eq_ignore_ascii_case(b"sep=") => *byte,
            // A tab is trimmed away.
            (word, []) if word.eq_ignore_ascii_case(b"sep=") => b'\t',
            _ => return None,
        };
        self.ahead.pop_front();
        Some(byte)
    }

    pub fn next(&mut self) -> Result<Option<Line>, TextError> {
        match self.ahead.pop_front() {
            Some(line) => Ok(Some(line)),
            None => self.read(),
        }
    }

    fn read(&mut self) -> Result<Option<Line>, TextError> {
        while let Some(text) = self.physical()? {
            if text.iter().all(|byte| matches!(byte, b' ' | b'\t')) {
                continue;
            }
            if text.trim_ascii_start().first() == Some(&COMMENT) {
                self.comments += 1;
                if !self.rows_begun {
                    self.comment_above = Some(text);
                }
                continue;
            }
            self.rows_begun = true;
            let number = self.number;
            return Ok(Some(Line { number, text }));
        }
        Ok(None)
    }

    /// The next line, whatever it holds.
    fn physical(&mut self) -> Result<Option<Vec<u8>>, TextError> {
        let mut text = Vec::new();
        let limit = limits::line();
        let read = (&mut self.reader).take(limit + 1).read_until(self.end, &mut text);
        if self.ended || read.map_err(|error| TextError::unread(&error))? == 0 {
            self.ended = true;
            return Ok(None);
        }
        if text.len() as u64 > limit {
            return Err(TextError::too_long(self.number + 1));
        }
        if text.last() == Some(&self.end) {
            text.pop();
        }
        if text.last() == Some(&b'\r') {
            text.pop();
        }
        self.number += 1;
        Ok(Some(text))
    }

    /// The next record; one with a line end between quotes goes over several lines.
    pub fn record(&mut self, separator: Separator, record: &mut Record) -> Result<bool, TextError> {
        let Some(mut line) = self.next()? else {
            return Ok(false);
        };
        while !record.split(&line, separator) {
            let more = match self.ahead.pop_front() {
                Some(more) => Some(more.text),
                None => self.physical()?,
            };
            let Some(more) = more else {
                let problem = "a quote is opened and never closed";
                let help = "close it, or remove it; quotes within a field are doubled";
                return Err(TextError::new(Some(line.number), problem, help));
            };
            line.text.push(b'\n');
            line.text.extend_from_slice(&more);
            if line.text.len() as u64 > limits::line() {
                return Err(TextError::too_long(line.number));
            }
        }
        Ok(true)
    }
}

/// The fields of one row, without quotes and without the blanks around them.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Record {
    text: Vec<u8>,
    ends: Vec<usize>,
    /// The line that it begins on, from 1.
    pub line: u64,
}

impl Record {
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn get(&self, field: usize) -> &[u8] {
        let begin = match field {
            0 => 0,
            _ => self.ends[field - 1],
        };
        &self.text[begin..self.ends[field]]
    }

    pub fn fields(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len()).map(|field| self.get(field))
    }

    /// Puts the fields of `line` in place of what was there; false if a quote is left open.
    pub fn split(&mut self, line: &Line, separator: Separator) -> bool {
        self.text.clear();
        self.ends.clear();
        self.line = line.number;
        let text = &line.text[..];
        let byte = separator.byte();
        let is_blank = |c: u8| c == b' ' || c == b'\t' && byte != Some(b'\t');
        let ends = |c: u8| byte.map_or(is_blank(c), |byte| c == byte);
        let mut at = 0;
        loop {
            while at < text.len() && is_blank(text[at]) {
                at += 1;
            }
            if at == text.len() && byte.is_none() {
                // Blanks at the end of a line separate nothing.
                return true;
            }
            if text.get(at) == Some(&b'"') {
                let Some(closed) = self.quoted(text, at + 1) else {
                    return false;
                };
                at = closed;
            }
            let begin = at;
            while at < text.len() && !ends(text[at]) {
                at += 1;
            }
            let mut end = at;
            while end > begin && is_blank(text[end - 1]) {
                end -= 1;
            }
            self.text.extend_from_slice(&text[begin..end]);
            self.ends.push(self.text.len());
            if at == text.len() {
                return true;
            }
            at += 1;
        }
    }

    /// Adds what stands between quotes, the first of which is before `at`; where it ends, or `None` if it does not.
    fn quoted(&mut self, text: &[u8], mut at: usize) -> Option<usize> {
        loop {
            match (text.get(at)?, text.get(at + 1)) {
                (b'"', Some(b'"')) => {
                    self.text.push(b'"');
                    at += 2;
                }
                (b'"', _) => return Some(at + 1),
                (&other, _) => {
                    self.text.push(other);
                    at += 1;
                }
            }
        }
    }
}

/// The records of `lines`; the last one is left out where a quote stays open.
pub(super) fn records_of(lines: &[Line], separator: Separator) -> Vec<Record> {
    let mut records = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let mut line = lines[at].clone();
        let mut record = Record::default();
        let mut whole = record.split(&line, separator);
        // A quote over more lines than this is a slip.
        while !whole && at + 1 < lines.len() && line.text.len() < 1 << 16 {
            at += 1;
            line.text.push(b'\n');
            line.text.extend_from_slice(&lines[at].text);
            whole = record.split(&line, separator);
        }
        if whole {
            records.push(record);
        }
        at += 1;
    }
    records
}
