//! A table as data: typed rows, each cell with its value and the steps it came from. Formatting happens last.

use serde::Serialize;

use super::columns::ColumnKind;
use crate::results::Subject;
use crate::stats::interval::Interval;
use crate::stats::outcome::{Degenerate, Direction};
use crate::study::Spread;

/// The layout of `<table>.json`; raised when a reader of the old layout would misread the new.
pub const FORMAT_VERSION: u32 = 1;

/// One table, ready for any format.
#[derive(Debug, Clone, Serialize)]
pub struct Table {
    pub format_version: u32,
    pub name: String,
    pub caption: String,
    /// The paper's table whose printed values stand beside ours, if any.
    pub paper: Option<PaperSide>,
    /// What stands behind ± in cells over several seeds.
    #[serde(skip_serializing_if = "Spread::is_default")]
    pub spread: Spread,
    /// Columns that say which row it is.
    pub keys: Vec<Key>,
    #[serde(serialize_with = "column_names")]
    pub columns: Vec<&'static ColumnKind>,
    pub rows: Vec<Row>,
    /// Sentences on how the statistics are defined, for the notes.
    pub conventions: Vec<String>,
}

/// The published table beside ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PaperSide {
    /// The paper's number for it.
    pub table: u32,
    /// What its caption fixes for every row, for the note on rows that it does not have.
    pub fixed: Vec<String>,
}

/// A column that tells rows apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Key {
    /// The word that a study writes in `rows: [...]`, or a factor's name.
    pub name: String,
    pub heading: String,
    /// Whether the study asked for it, or rows would look alike without it.
    pub asked: bool,
}

/// One subject, direction and case, over all its seeds.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// One for each of the table's keys.
    pub labels: Vec<Label>,
    pub subject: Subject,
    pub levels: Vec<(String, String)>,
    pub direction: Direction,
    pub seeds: Vec<u64>,
    /// One for each of the table's columns.
    pub cells: Vec<Cell>,
    /// Tests of this row that met samples they cannot be applied to.
    pub degenerate: Vec<DegenerateSamples>,
    /// Tests of this row whose tail reaches into the rounding of a spectrum.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rounding: Vec<TailInRounding>,
}

/// A tail of which only some values stand above the accuracy of the spectrum that was tested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TailInRounding {
    pub test: String,
    /// Points in the tail.
    pub points: u64,
    /// Those above the accuracy, in the seed that has fewest.
    pub above: u64,
}

/// What a key says of a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Label {
    Count(u64),
    Text(String),
}

/// One statistic of one row.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cell {
    pub value: CellValue,
    /// What is coloured as the paper does it: blue for a hypothesis that is not rejected, red for one that is and
    /// for the cause.
    pub verdict: Option<Verdict>,
    /// As printed in the paper, in the unit of the column (rates as fractions); `None` where it prints none.
    pub paper: Option<f64>,
    /// Steps that measured it, one for each seed.
    pub steps: Vec<String>,
}

/// The verdict on a single sample, in all seeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    NotRejected,
    Rejected,
}

/// A value that has not been formatted.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CellValue {
    Number {
        /// Over seeds.
        mean: f64,
        /// Sample standard deviation over seeds (n − 1); `None` for one seed.
        sd: Option<f64>,
        /// Half the width of the mean's 95 % confidence interval, by Student's t over the seeds; `None` for one seed.
        ci95: Option<f64>,
        /// Seeds that gave a finite value.
        seeds: u64,
        /// For a rate: Wilson 95 % interval of the counts of all seeds together.
        interval: Option<Interval>,
    },
    Missing {
        reason: Missing,
    },
}

impl CellValue {
    /// The mean and what stands behind its ±, as the table asks; `None` where there is no value.
    pub fn spread(&self, spread: Spread) -> Option<(f64, Option<f64>)> {
        match (self, spread) {
            (CellValue::Number { mean, sd, .. }, Spread::Sd) => Some((*mean, *sd)),
            (CellValue::Number { mean, ci95, .. }, Spread::Ci95) => Some((*mean, *ci95)),
            (CellValue::Missing { .. }, _) => None,
        }
    }
}

/// Why a cell has no value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "because", rename_all = "snake_case")]
pub enum Missing {
    /// No test of the table gives this statistic for this row.
    NotMeasured,
    /// No sample allowed the statistic.
    NotFinite,
    /// Several tests give it, and they differ.
    Ambiguous { tests: Vec<String> },
}

/// Degenerate samples of one test in one row, over all seeds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DegenerateSamples {
    pub test: String,
    pub tested: u64,
    pub causes: Degenerate,
    /// Whether the test has a verdict, which degenerate samples then fail; an estimator leaves them out.
    #[serde(skip)]
    pub has_verdict: bool,
}

impl Table {
    /// Whether a cell has a verdict.
    pub fn has_verdicts(&self) -> bool {
        self.rows
            .iter()
            .flat_map(|row| &row.cells)
            .any(|cell| cell.verdict.is_some())
    }
}

impl Row {
    /// What tells the row apart, in one line, such as `MNIST, Random, Dimension`.
    pub fn title(&self) -> String {
        self.labels
            .iter()
            .map(Label::to_string)
            .collect::<Vec<_>>()
            .join(", ")
    }
}

impl std::fmt::Display for Label {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Label::Count(count) => count.fmt(f),
            Label::Text(text) => text.fmt(f),
        }
    }
}

fn column_names<S: serde::Serializer>(
    columns: &[&'static ColumnKind],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(columns.iter().map(|column| column.name))
}
