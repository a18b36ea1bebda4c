//! Tables of numbers with one column of labels, in text: CSV and its relatives. Every mistake has a place,
//! `FILE:LINE:COLUMN`, lines counted as an editor does and columns as the separator does, both from 1.

use std::path::{Path, PathBuf};

use gradstudy_arrays::text::{self, Field, Layout, Row, TextError, TextSettings};

/// How to read a table.
#[derive(Debug)]
pub(super) struct Format<'a> {
    /// Separators and header, as far as the study says.
    pub text: TextSettings,
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
    /// What was decided while the file was read, in sentences without a full stop.
    pub remarks: Vec<String>,
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
    Word { name: String, text: String },
    #[error("{name} is {text}, which is not a finite number within the range of 32 bits")]
    Range { name: String, text: String },
    #[error("the row has {found} columns, the first one has {expected}")]
    Ragged { found: usize, expected: usize },
    #[error("there is no column `{wanted}`")]
    NoColumn { wanted: String, known: Vec<String> },
    #[error("no column is left for the features")]
    NoFeatures,
    #[error("there are no rows")]
    NoRows,
    #[error("label {label} is not a whole number")]
    Fraction { label: String },
    #[error("label `{label}` does not occur in the training data")]
    UnknownLabel { label: String },
    #[error("the table {problem}")]
    Text { problem: String, help: String },
}

impl TableProblem {
    fn help(&self) -> String {
        match self {
            TableProblem::Hole { .. } => "fill in the value or remove the row".to_string(),
            TableProblem::Word { .. } => {
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
            TableProblem::NoRows => {
                "a header alone is no data; `header: false` if the first row is one".to_string()
            }
            TableProblem::Fraction { .. } => {
                "classes are whole numbers or words; check which column `label` names".to_string()
            }
            TableProblem::UnknownLabel { .. } => {
                "correct the label, or have at least one training example of every class".to_string()
            }
            TableProblem::Text { help, .. } => help.clone(),
        }
    }
}

/// Reads the `content` of the file at `path`, packed by gzip or not; the path's extension hints at the separator.
pub(super) fn read(path: &Path, content: &[u8], format: &Format) -> Result<Table, TableError> {
    let fault = |line: u64, column: usize, problem: TableProblem| TableError {
        path: path.to_path_buf(),
        line,
        column: column + 1,
        problem,
    };
    let unread = |error: TextError| {
        let TextError { line, problem, help } = error;
        fault(line.unwrap_or(1), 0, TableProblem::Text { problem, help })
    };
    let mut text = match text::open(path, content, &format.text, Some(format.label)) {
        Ok(text) => text,
        Err(error) if error.is_without_rows() => return Err(fault(1, 0, TableProblem::NoRows)),
        Err(error) => return Err(unread(error)),
    };
    let layout = text.layout.clone();
    let columns = Columns::new(&layout, format).map_err(|problem| fault(1, 0, problem))?;
    let mut table = Table {
        values: Vec::new(),
        columns: columns.features.len(),
        labels: Vec::new(),
        lines: Vec::new(),
        label_column: columns.label + 1,
        remarks: layout.notes.clone(),
    };
    let (mut latin, mut index) = (false, Vec::new());
    while let Some(row) = text.next_row().map_err(unread)? {
        let line = row.line();
        if !row.fits() {
            let (found, expected) = (row.len(), layout.fields);
            let problem = TableProblem::Ragged { found, expected };
            return Err(fault(line, found.min(expected), problem));
        }
        for &at in &columns.features {
            let value = number(&row, at, &columns.names[at]).map_err(|problem| fault(line, at, problem))?;
            table.values.push(value);
        }
        let (label, other) = row.word(columns.label);
        latin |= other;
        if label.is_empty() {
            let name = columns.names[columns.label].clone();
            return Err(fault(line, columns.label, TableProblem::Hole { name }));
        }
        table.labels.push(label);
        table.lines.push(line);
        if layout.index > 0 {
            index.truncate(1);
            index.push(row.word(0).0);
        }
    }
    if format.text.index.is_none() {
        table.remarks.extend(layout.index_note(&index));
    }
    table.remarks.extend(text.comments_note());
    if latin {
        table
            .remarks
            .push("labels are not UTF-8: they were read as Latin-1".to_string());
    }
    match table.labels.is_empty() {
        true => Err(fault(1, 0, TableProblem::NoRows)),
        false => Ok(table),
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
    fn new(layout: &Layout, format: &Format) -> Result<Self, TableProblem> {
        let count = layout.fields;
        let header = &layout.names;
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
                    known: match header.is_empty() {
                        false => header.iter().map(|name| format!("`{name}`")).collect(),
                        true => vec![format!("1 to {count}")],
                    },
                })
        };
        let label = find(format.label)?;
        let ignored: Vec<usize> = format
            .ignore
            .iter()
            .map(|name| find(name))
            .collect::<Result<_, _>>()?;
        let features: Vec<usize> = (layout.index..count)
            .filter(|at| *at != label && !ignored.contains(at))
            .collect();
        if features.is_empty() {
            return Err(TableProblem::NoFeatures);
        }
        Ok(Columns {
            names: (0..count).map(|at| layout.column(at)).collect(),
            label,
            features,
        })
    }
}

/// The number in a field.
fn number(row: &Row, at: usize, name: &str) -> Result<f64, TableProblem> {
    let (name, text) = (|| name.to_string(), || row.word(at).0);
    let value = match row.field(at) {
        Field::Missing if row.bytes(at).is_empty() => return Err(TableProblem::Hole { name: name() }),
        Field::Whole(value) | Field::Real(value) => value,
        Field::Missing if text().parse::<f64>().is_ok() => f64::NAN,
        Field::Missing | Field::Truth(_) | Field::Word => {
            return Err(TableProblem::Word {
                name: name(),
                text: text(),
            });
        }
    };
    match value.abs() <= f64::from(f32::MAX) {
        true => Ok(value),
        false => Err(TableProblem::Range {
            name: name(),
            text: text(),
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
