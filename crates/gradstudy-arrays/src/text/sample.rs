//! The first rows of a table, by which its layout is told.

use super::records::Record;
use super::{Decimal, Field};

/// Records of equal length, the first of which may hold names.
pub(super) struct Sample {
    pub first: Record,
    pub body: Vec<Record>,
    /// Fields of a row of the body, without an empty one behind a separator at its end.
    pub fields: usize,
    pub decimal: Decimal,
}

/// What a column of the body holds.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Content {
    pub whole: usize,
    pub real: usize,
    pub missing: usize,
    pub words: usize,
}

impl Content {
    pub fn numbers(&self) -> usize {
        self.whole + self.real
    }

    /// Whether it is a column of numbers, single words aside.
    pub fn is_numeric(&self) -> bool {
        self.numbers() > self.words
    }
}

impl Sample {
    pub fn field(&self, record: &Record, field: usize) -> Field {
        Field::read(record.get(field), self.decimal)
    }

    pub fn content(&self, field: usize) -> Content {
        let mut content = Content::default();
        for record in &self.body {
            match self.field(record, field) {
                Field::Missing => content.missing += 1,
                Field::Whole(_) => content.whole += 1,
                Field::Real(_) => content.real += 1,
                Field::Truth(_) | Field::Word => content.words += 1,
            }
        }
        content
    }

    /// Whether a column of `records` counts rows: whole numbers from 0 or 1 on, each one more than the one before.
    pub fn counts_rows<'a>(&self, records: impl Iterator<Item = &'a Record>, field: usize) -> bool {
        let mut last: Option<f64> = None;
        for record in records {
            match (self.field(record, field), last) {
                (Field::Whole(value), None) if value == 0.0 || value == 1.0 => last = Some(value),
                (Field::Whole(value), Some(before)) if value == before + 1.0 => last = Some(value),
                _ => return false,
            }
        }
        last.is_some()
    }
}
