//! Tables of numbers with one column of labels, in text: CSV and its relatives. Every mistake has a place,
//! `FILE:LINE:COLUMN`, lines counted as an editor does and columns as the separator does, both from 1.

use std::path::{Path, PathBuf};

/// How to read a table.
#[derive(Debug)]
pub(super) struct Format<'a> {
    /// Whether the first row holds names.
    pub header: bool,
    pub separator: u8,
    /// The label's column: its name, its number from 1, `first` or `last`.
    pub label: &'a str,
    /// Columns that are left out, named likewise.
    pub ignore: &'a [&'a str],
}

/// A table's rows.
#[derive(Debug, PartialEq)]
pub(super) struct Table {
    /// Row-major, `columns` numbers in each row.
    pub values: Vec<f64>,
    /// Columns that are neither the label nor ignored.
    pub columns: usize,
    pub labels: Vec<String>,
    /// The line of each row.
    lines: Vec<u64>,
    /// The label's column, from 1.
    label_column: usize,
}

/// A mistake in a table.
#[derive(Debug, Clone, PartialEq, thiserror::Error, miette::Diagnostic)]
#[error("{}:{line}:{column}: {problem}", path.display())]
#[diagnostic(code(gradstudy::data::table), help("{}", problem.help()))]
pub struct TableError {
    pub path: PathBuf,
    pub line: u64,
    pub column: usize,
    pub problem: TableProblem,
}

/// What is wrong there.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TableProblem {
    #[error("{name} is empty")]
    Hole { name: String },
    #[error("{name} is `{text}`, which is no number")]
    Text { name: String, text: String },
    #[error("{name} is {text}, which is not a finite number within the range of 32 bits")]
    Range { name: String, text: String },
    #[error("the row has {found} columns, the first one has {expected}")]
    Ragged { found: usize, expected: usize },
    #[error("there is no column `{wanted}`")]
    NoColumn { wanted: String, known: Vec<String> },
    #[error("no column is left for the features")]
    NoFeatures,
    #[error("the text is not UTF-8")]
    Encoding,
    #[error("there are no rows")]
    NoRows,
    #[error("label {label} is not a whole number")]
    Fraction { label: String },
    #[error("label `{label}` does not occur in the training data")]
    UnknownLabel { label: String },
    #[error("{reason}")]
    Csv { reason: String },
}

impl TableProblem {
    fn help(&self) -> String {
        match self {
            TableProblem::Hole { .. } => "fill in the value or remove the row".to_string(),
            TableProblem::Text { .. } => {
                "correct the value, remove the row, or leave the column out with `ignore`; \
                                          `header` and `separator` say how to read the file"
                    .to_string()
            }
            TableProblem::Range { .. } => "correct the value or remove the row".to_string(),
            TableProblem::Ragged { .. } => {
                "give every row as many columns; `separator` says what stands between them".to_string()
            }
            TableProblem::NoColumn { known, .. } => format!(
                "the columns are {}; `first`, `last` or a number counted from 1 also names one",
                known.join(", ")
            ),
            TableProblem::NoFeatures => "leave fewer columns out with `ignore`".to_string(),
            TableProblem::Encoding => "save the file as UTF-8".to_string(),
            TableProblem::NoRows => {
                "a header alone is no data; `header: false` if the first row is one".to_string()
            }
            TableProblem::Fraction { .. } => {
                "classes are whole numbers or words; check which column `label` names".to_string()
            }
            TableProblem::UnknownLabel { .. } => {
                "correct the label, or have at least one training example of every class".to_string()
            }
            TableProblem::Csv { .. } => "check the quotes in the file".to_string(),
        }
    }
}

/// Reads the unpacked `content` of the file at `path` (named in errors only).
pub(super) fn read(path: &Path, content: &[u8], format: &Format) -> Result<Table, TableError> {
    // A byte-order mark is no part of the first name.
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
    let fault = |line: u64, column: usize, problem: TableProblem| TableError {
        path: path.to_path_buf(),
        line,
        column: column + 1,
        problem,
    };
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(format.separator)
        .trim(csv::Trim::All)
        .from_reader(content);
    let mut record = csv::ByteRecord::new();
    let mut lines = Lines {
        content,
        at: 0,
        line: 1,
    };
    let mut columns: Option<Columns> = None;
    let mut table = Table {
        values: Vec::new(),
        columns: 0,
        labels: Vec::new(),
        lines: Vec::new(),
        label_column: 0,
    };
    loop {
        let more = reader.read_byte_record(&mut record).map_err(|error| {
            let line = error.position().map_or(1, |position| lines.line(position.byte()));
            let reason = error.to_string();
            fault(line, 0, TableProblem::Csv { reason })
        })?;
        if !more {
            break;
        }
        let line = record
            .position()
            .map_or(1, |position| lines.line(position.byte()));
        let columns = match &columns {
            Some(columns) => columns,
            None => {
                let found = Columns::new(&record, format).map_err(|problem| fault(line, 0, problem))?;
                table.columns = found.features.len();
                table.label_column = found.label + 1;
                columns = Some(found);
                if format.header {
                    continue;
                }
                columns.as_ref().expect("just found")
            }
        };
        if record.len() != columns.names.len() {
            let (found, expected) = (record.len(), columns.names.len());
            let problem = TableProblem::Ragged { found, expected };
            return Err(fault(line, found.min(expected), problem));
        }
        for &at in &columns.features {
            let value =
                number(&record[at], &columns.names[at]).map_err(|problem| fault(line, at, problem))?;
            table.values.push(value);
        }
        let label = text(&record[columns.label]).map_err(|problem| fault(line, columns.label, problem))?;
        if label.is_empty() {
            let name = columns.names[columns.label].clone();
            return Err(fault(line, columns.label, TableProblem::Hole { name }));
        }
        table.labels.push(label.to_string());
        table.lines.push(line);
    }
    match table.labels.is_empty() {
        true => Err(fault(1, 0, TableProblem::NoRows)),
        false => Ok(table),
    }
}

/// Counts lines; the reader's own count stops between the two bytes of a Windows line end, and before empty lines.
struct Lines<'a> {
    content: &'a [u8],
    at: usize,
    line: u64,
}

impl Lines<'_> {
    /// The line, from 1, of the first byte from `byte` on that ends no line. To be asked in rising order.
    fn line(&mut self, byte: u64) -> u64 {
        let byte = byte as usize;
        while let Some(current) = self.content.get(self.at) {
            let ends_line = match current {
                b'\n' => true,
                b'\r' => self.content.get(self.at + 1) != Some(&b'\n'),
                _ if self.at >= byte => break,
                _ => false,
            };
            self.line += u64::from(ends_line);
            self.at += 1;
        }
        self.line
    }
}

/// Which column is what.
struct Columns {
    /// For messages: ``column `width` `` or `column 3`.
    names: Vec<String>,
    label: usize,
    features: Vec<usize>,
}

impl Columns {
    fn new(first: &csv::ByteRecord, format: &Format) -> Result<Self, TableProblem> {
        let count = first.len();
        let header: Vec<String> = match format.header {
            true => first
                .iter()
                .map(|name| text(name).map(String::from))
                .collect::<Result<_, _>>()?,
            false => Vec::new(),
        };
        let find = |wanted: &str| {
            let named = header.iter().position(|name| name == wanted);
            let number = || wanted.parse().ok().filter(|number| (1..=count).contains(number));
            named
                .or_else(|| match wanted {
                    "first" => Some(0),
                    "last" => Some(count - 1),
                    _ => number().map(|number: usize| number - 1),
                })
                .ok_or_else(|| TableProblem::NoColumn {
                    wanted: wanted.to_string(),
                    known: match format.header {
                        true => header.iter().map(|name| format!("`{name}`")).collect(),
                        false => vec![format!("1 to {count}")],
                    },
                })
        };
        let label = find(format.label)?;
        let ignored: Vec<usize> = format
            .ignore
            .iter()
            .map(|name| find(name))
            .collect::<Result<_, _>>()?;
        let features: Vec<usize> = (0..count)
            .filter(|at| *at != label && !ignored.contains(at))
            .collect();
        if features.is_empty() {
            return Err(TableProblem::NoFeatures);
        }
        let names = (0..count).map(|at| match header.get(at) {
            Some(name) => format!("column `{name}`"),
            None => format!("column {}", at + 1),
        });
        Ok(Columns {
            names: names.collect(),
            label,
            features,
        })
    }
}

fn text(field: &[u8]) -> Result<&str, TableProblem> {
    std::str::from_utf8(field).map_err(|_| TableProblem::Encoding)
}

fn number(field: &[u8], name: &str) -> Result<f64, TableProblem> {
    let (text, name) = (text(field)?, || name.to_string());
    if text.is_empty() {
        return Err(TableProblem::Hole { name: name() });
    }
    let value: f64 = text.parse().map_err(|_| TableProblem::Text {
        name: name(),
        text: text.to_string(),
    })?;
    match value.abs() <= f64::from(f32::MAX) {
        true => Ok(value),
        false => Err(TableProblem::Range {
            name: name(),
            text: text.to_string(),
        }),
    }
}

/// The classes of a table, in order: numbers by size, anything else by the alphabet.
#[derive(Debug, PartialEq)]
pub(super) enum Classes {
    Numbers(Vec<f64>),
    Words(Vec<String>),
}

impl Classes {
    /// The classes that occur in `table`. Errors: numbers with a fraction.
    pub fn of(table: &Table, path: &Path) -> Result<Self, TableError> {
        let numbers: Option<Vec<f64>> = table.labels.iter().map(|label| whole(label)).collect();
        let Some(mut numbers) = numbers else {
            let mut words = table.labels.clone();
            words.sort();
            words.dedup();
            return Ok(Classes::Words(words));
        };
        if let Some(row) = numbers.iter().position(|number| number.fract() != 0.0) {
            let label = table.labels[row].clone();
            return Err(table.label_fault(path, row, TableProblem::Fraction { label }));
        }
        numbers.sort_by(f64::total_cmp);
        numbers.dedup();
        Ok(Classes::Numbers(numbers))
    }

    /// Number of classes.
    pub fn len(&self) -> usize {
        match self {
            Classes::Numbers(classes) => classes.len(),
            Classes::Words(classes) => classes.len(),
        }
    }

    /// The class number of each row. Errors: a label that is none of these.
    pub fn numbers(&self, table: &Table, path: &Path) -> Result<Vec<u32>, TableError> {
        let number = |label: &String| match self {
            Classes::Numbers(classes) => {
                let value = whole(label)?;
                classes.binary_search_by(|class| class.total_cmp(&value)).ok()
            }
            Classes::Words(classes) => classes.binary_search(label).ok(),
        };
        let unknown = |row: usize| {
            let label = table.labels[row].clone();
            table.label_fault(path, row, TableProblem::UnknownLabel { label })
        };
        table
            .labels
            .iter()
            .enumerate()
            .map(|(row, label)| Ok(number(label).ok_or_else(|| unknown(row))? as u32))
            .collect()
    }
}

/// A finite number; −0 counts as 0.
fn whole(label: &str) -> Option<f64> {
    let value: f64 = label.parse().ok()?;
    value.is_finite().then_some(value + 0.0)
}

impl Table {
    fn label_fault(&self, path: &Path, row: usize, problem: TableProblem) -> TableError {
        TableError {
            path: path.to_path_buf(),
            line: self.lines[row],
            column: self.label_column,
            problem,
        }
    }
}

#[cfg(test)]
mod tests;
