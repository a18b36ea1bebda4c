//! How a table is written: separators, names, columns that number the rows.

use super::error::choose;
use super::records::{Line, Lines, Record, records_of};
use super::sample::Sample;
use super::{Decimal, Field, Separator, TextError, TextSettings, decimal, encoding, header, separator};

/// Lines by which the layout is told.
const LINES: usize = 2000;
/// Bytes of these lines; a row may have millions of numbers.
const BYTES: usize = 4 << 20;
/// Rows from which a first column that counts them is no accident, where no name says what it is.
const COUNTED: usize = 8;
/// Names of columns that number or name the rows, as pandas and R write them.
const INDEX_NAMES: [&str; 6] = [
    "",
    "index",
    "level_0",
    "row.names",
    "rownames",
    "__index_level_0__",
];

/// How a table is written.
#[derive(Debug, Clone, PartialEq)]
pub struct Layout {
    pub separator: Separator,
    pub decimal: Decimal,
    /// Whether the first row holds names.
    pub header: bool,
    /// Names of all columns, those of `index` included; none where the table has no names.
    pub names: Vec<String>,
    /// How many columns on the left number or name the rows.
    pub index: usize,
    /// Fields of a row, without what is empty behind a separator at its end.
    pub fields: usize,
    /// Whether a separator ends each row.
    pub trailing: bool,
    /// What was decided, in sentences without a full stop.
    pub notes: Vec<String>,
}

/// The layout of the table whose `lines` begin; `usual` is the separator of the file's extension, `label` the name of a
/// column that must be in it.
pub(super) fn find(
    lines: &mut Lines,
    usual: Option<Separator>,
    settings: &TextSettings,
    label: Option<&str>,
) -> Result<Layout, TextError> {
    lines.peek(LINES, BYTES)?;
    let said = lines.take_directive().and_then(Separator::of_byte);
    let sample = lines.peek(LINES, BYTES)?;
    if sample.is_empty() {
        return Err(TextError::without_rows(lines.comments));
    }
    let separator = match settings.separator.or(said) {
        Some(separator) => separator,
        None => separator::find(&sample, usual)?,
    };
    let records = records_of(&sample, separator);
    let decimal = match settings.decimal {
        Some(decimal) => decimal,
        None => decimal::find(&records)?,
    };
    let mut notes = Vec::new();
    let (sample, row_names, trailing) = shape(records, separator, decimal, &sample)?;
    if trailing {
        notes.push("every row ends with a separator: nothing stands behind it".to_string());
    }
    let header = match (settings.header, row_names) {
        (Some(header), _) => header,
        (None, true) => true,
        (None, false) => {
            let found = header::find(&sample, label)?;
            notes.extend(found.note);
            found.header
        }
    };
    let mut layout = Layout {
        separator,
        decimal,
        header,
        names: Vec::new(),
        index: 0,
        fields: sample.fields,
        trailing,
        notes,
    };
    layout.find_names(&sample, lines.comment_above.as_deref(), row_names);
    layout.find_index(&sample, settings.index, label)?;
    Ok(layout)
}

/// The records as header and body, whether the header lacks a name for the first column, and whether each row ends with a
/// separator.
fn shape(
    mut records: Vec<Record>,
    separator: Separator,
    decimal: Decimal,
    lines: &[Line],
) -> Result<(Sample, bool, bool), TextError> {
    if records.is_empty() {
        let problem = "a quote is opened and never closed";
        let help = "close it, or remove it; quotes within a field are doubled";
        return Err(TextError::new(
            lines.first().map(|line| line.number),
            problem,
            help,
        ));
    }
    let first = records.remove(0);
    let fields = usual_length(&records).unwrap_or(first.len());
    let ends_empty = |record: &Record| record.get(record.len() - 1).is_empty();
    // A header may lack a name for the first column, or one of the two may end with a separator; no more than that.
    let fields = match first.len() {
        length if length == fields || length + 1 == fields => fields,
        length if length == fields + 1 && ends_empty(&first) => fields,
        length => length,
    };
    // Rows of other lengths are complaints of the reader, which names their lines.
    let same = |record: &Record| record.len() == fields;
    let body: Vec<Record> = records.into_iter().filter(same).collect();
    let trailing = fields > 1
        && body.iter().all(ends_empty)
        && (first.len() + 1 == fields || first.len() == fields && ends_empty(&first));
    let row_names = !trailing && first.len() + 1 == fields && fields > 1;
    let fields = if trailing { fields - 1 } else { fields };
    let sample = Sample {
        first,
        body,
        fields,
        decimal,
    };
    // One name above two fields: names of rows and a column, or a column of numbers with decimal commas.
    if row_names
        && fields == 2
        && sample.content(0).is_numeric()
        && !sample.counts_rows(sample.body.iter(), 0)
    {
        let problem = "could be read in two ways: its rows have one field more than its first, a number that is no count of \
                       rows";
        let line = sample.body.first().map(|record| record.line);
        return Err(TextError::ambiguous(line, problem, &separator::remedy(separator)));
    }
    Ok((sample, row_names, trailing))
}

/// The length that most rows have, of equally many the first.
fn usual_length(rows: &[Record]) -> Option<usize> {
    let count = |length: usize| rows.iter().filter(|row| row.len() == length).count();
    let mut lengths: Vec<usize> = Vec::new();
    for row in rows {
        if !lengths.contains(&row.len()) {
            lengths.push(row.len());
        }
    }
    let most = lengths.iter().map(|&length| count(length)).max()?;
    lengths.into_iter().find(|&length| count(length) == most)
}

impl Layout {
    fn find_names(&mut self, sample: &Sample, comment: Option<&[u8]>, row_names: bool) {
        let (mut names, mut latin) = (Vec::new(), false);
        let mut push = |bytes: &[u8]| {
            let (name, other) = encoding::word(bytes);
            latin |= other;
            names.push(name);
        };
        if self.header {
            if row_names {
                push(b"");
            }
            sample.first.fields().take(self.fields).for_each(&mut push);
        } else if let Some(record) = comment.and_then(|comment| self.commented_names(sample, comment)) {
            record.fields().for_each(&mut push);
            self.notes
                .push("the names of the columns are those of the comment above the rows".to_string());
        }
        if latin {
            self.notes
                .push("the names are not UTF-8: they were read as Latin-1".to_string());
        }
        self.names = names;
    }

    /// Names in a comment above the rows, as `numpy.savetxt(…, header="a b c")` writes them: as many words as columns.
    fn commented_names(&self, sample: &Sample, comment: &[u8]) -> Option<Record> {
        let comment = comment.trim_ascii_start();
        let marks = comment.iter().take_while(|byte| **byte == b'#').count();
        let text = comment[marks..].trim_ascii_start();
        let line = Line {
            number: 1,
            text: text.to_vec(),
        };
        let mut record = Record::default();
        let whole = record.split(&line, self.separator);
        let is_word = |field: &[u8]| Field::read(field, sample.decimal) == Field::Word;
        (whole && record.len() == self.fields && record.fields().all(is_word)).then_some(record)
    }

    /// Looks for columns on the left that number or name the rows.
    fn find_index(
        &mut self,
        sample: &Sample,
        setting: Option<bool>,
        label: Option<&str>,
    ) -> Result<(), TextError> {
        // A column that is asked for is none of these.
        let asked = |name: &str| label.is_some_and(|label| label == name && !name.is_empty());
        let first_asked = matches!(label, Some("first" | "1"));
        match setting {
            Some(true) => self.index = 1.min(self.fields.saturating_sub(1)),
            Some(false) => {}
            None if first_asked || self.fields < 2 => {}
            None if self.names.is_empty() => self.index = usize::from(counts_rows(sample)?),
            None => {
                let is_index = |(i, name): &(usize, &String)| {
                    let named = INDEX_NAMES.contains(&name.as_str()) || is_unnamed(name);
                    let plain = name.is_empty() || is_unnamed(name) || name.starts_with("__");
                    // A name that says what it is, above numbers that count rows, or no name at all.
                    named && !asked(name) && (plain || sample.counts_rows(sample.body.iter(), *i))
                };
                let found = self.names.iter().enumerate().take_while(is_index).count();
                self.index = found.min(self.fields - 1);
            }
        }
        Ok(())
    }

    /// What is said of columns that number or name the rows, given what stands in the first and in the last row.
    pub fn index_note(&self, ends: &[String]) -> Option<String> {
        let (first, last) = (ends.first()?, ends.last()?);
        Some(match self.index {
            1 => format!("the first column is an index ({first}…{last}): left out"),
            count => format!("the first {count} columns are an index ({first}…{last}): left out"),
        })
    }

    /// How messages call a column: its name, or its number from 1.
    pub fn column(&self, field: usize) -> String {
        match self.names.get(field) {
            Some(name) if !name.is_empty() => format!("column `{name}`"),
            _ => format!("column {}", field + 1),
        }
    }
}

/// `Unnamed: 0`, as pandas calls a column without a name.
fn is_unnamed(name: &str) -> bool {
    let number = name.strip_prefix("Unnamed: ");
    number.is_some_and(|number| {
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
    })
}

/// Whether the first column of a table without names counts its rows while the others hold fractions.
fn counts_rows(sample: &Sample) -> Result<bool, TextError> {
    let rows = || std::iter::once(&sample.first).chain(&sample.body);
    if sample.body.len() + 1 < COUNTED || !sample.counts_rows(rows(), 0) {
        return Ok(false);
    }
    let whole = |field: usize| sample.content(field).whole > 0;
    match (1..sample.fields).any(whole) {
        false => Ok(true),
        true => {
            let help = choose(
                "index",
                ["true", "false"],
                "whether the first column numbers the rows",
            );
            let problem = "could be read in two ways: its first column counts the rows, as an index does and values may";
            Err(TextError::ambiguous(Some(sample.first.line), problem, &help))
        }
    }
}
