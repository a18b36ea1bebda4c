//! A table row by row.

use std::io::Read;
use std::path::Path;

use super::records::{Lines, Record};
use super::{Field, Layout, Separator, TextError, TextSettings, encoding, layout, separator};

/// A table whose layout is known and whose rows are read one after the other.
pub struct TextTable<'a> {
    lines: Lines<'a>,
    pub layout: Layout,
    record: Record,
}

/// A row of a table.
#[derive(Debug, Clone, Copy)]
pub struct Row<'t> {
    record: &'t Record,
    layout: &'t Layout,
}

/// The separator of a file's extension.
fn usual(path: &Path) -> Option<Separator> {
    let name = path.file_name()?.to_str()?.to_ascii_lowercase();
    match name.strip_suffix(".gz").unwrap_or(&name).rsplit('.').next()? {
        "csv" => Some(Separator::Comma),
        "tsv" | "tab" => Some(Separator::Tab),
        _ => None,
    }
}

impl<'a> TextTable<'a> {
    pub(super) fn open(
        path: &Path,
        content: Box<dyn Read + 'a>,
        settings: &TextSettings,
        label: Option<&str>,
    ) -> Result<Self, TextError> {
        let mut lines = Lines::new(encoding::decoded(content)?)?;
        let layout = layout::find(&mut lines, usual(path), settings, label)?;
        let mut record = Record::default();
        if layout.header {
            lines.record(layout.separator, &mut record)?;
        }
        Ok(TextTable {
            lines,
            layout,
            record,
        })
    }

    /// The next row; its length may differ from that of the others ([`Row::fits`]).
    ///
    /// # Errors
    /// What cannot be read, and a quote that is never closed.
    pub fn next_row(&mut self) -> Result<Option<Row<'_>>, TextError> {
        if !self.lines.record(self.layout.separator, &mut self.record)? {
            return Ok(None);
        }
        Ok(Some(Row {
            record: &self.record,
            layout: &self.layout,
        }))
    }

    /// What is said of lines that begin with `#`.
    pub fn comments_note(&self) -> Option<String> {
        match self.lines.comments {
            0 => None,
            1 => Some("1 line that begins with `#` is a comment: left out".to_string()),
            comments => Some(format!(
                "{comments} lines that begin with `#` are comments: left out"
            )),
        }
    }
}

impl Row<'_> {
    /// The line on which it begins, from 1.
    pub fn line(&self) -> u64 {
        self.record.line
    }

    /// Fields, without an empty one behind a separator at the end of every row.
    pub fn len(&self) -> usize {
        let ends = self.layout.trailing
            && self.record.len() == self.layout.fields + 1
            && self.record.get(self.layout.fields).is_empty();
        self.record.len() - usize::from(ends)
    }

    /// Whether it has no field.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether it is as long as the layout says.
    pub fn fits(&self) -> bool {
        self.len() == self.layout.fields
    }

    /// Why it does not fit.
    pub fn misfit(&self) -> TextError {
        let (found, expected) = (self.len(), self.layout.fields);
        let problem = format!("{found} fields, the lines above have {expected}");
        TextError::new(
            Some(self.line()),
            problem,
            separator::remedy(self.layout.separator),
        )
    }

    /// The bytes of a field, without quotes and blanks around it.
    pub fn bytes(&self, field: usize) -> &[u8] {
        self.record.get(field)
    }

    /// What a field holds.
    pub fn field(&self, field: usize) -> Field {
        Field::read(self.record.get(field), self.layout.decimal)
    }

    /// A field as a word, and whether it is no UTF-8 and was read as Latin-1.
    pub fn word(&self, field: usize) -> (String, bool) {
        encoding::word(self.record.get(field))
    }
}
