//! A table as data: typed rows, each cell with its value and the steps it came from. Formatting happens last.

use indexmap::IndexMap;
use serde::Serialize;

use super::columns::ColumnKind;
use super::latex;
use super::mathematics;
use super::number::{self, Format, Target};
use crate::results::Subject;
use gradstudy_lang::study::Spread;
use gradstudy_stats::interval::Interval;
use gradstudy_stats::missing::LeftOut;
use gradstudy_stats::outcome::{Degenerate, Direction};

/// The layout of `<table>.json`; raised when a reader of the old layout would misread the new.
pub const FORMAT_VERSION: u32 = 1;

/// One table, ready for any format.
#[derive(Debug, Clone, Serialize)]
pub struct Table {
    pub format_version: u32,
    pub name: String,
    pub caption: String,
    /// The sentence behind the caption: which form of KS distance, how inputs are normalised.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub definitions: Option<String>,
    /// The paper's table whose printed values stand beside ours, if any.
    pub paper: Option<PaperSide>,
    /// The paper's table that was asked for, where none of its values fits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unmatched_paper: Option<PaperSide>,
    /// What stands behind ± in cells over several seeds.
    #[serde(skip_serializing_if = "Spread::is_default")]
    pub spread: Spread,
    /// Columns that say which row it is.
    pub keys: Vec<Key>,
    #[serde(serialize_with = "column_names")]
    pub columns: Vec<&'static ColumnKind>,
    /// Headings that the study gives columns, by their names.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub headings: IndexMap<String, String>,
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
    /// Tests of normality of this row that met samples of few digits.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub near_rounding: Vec<NearRounding>,
    /// Tests of this row that left values out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOutValues>,
    /// What could not be made of this row.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<FailedResults>,
    /// What speaks against the training behind this row.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub doubts: Vec<String>,
}

/// Results of one row that lack for one cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FailedResults {
    /// In a few words, such as `diverged at epoch 3`.
    pub why: String,
    /// What failed and why, such as `train noisy: LeNet on MNIST, …, seed 0: the training diverged: loss inf in epoch 3, …`.
    pub what: String,
    pub seeds: Vec<u64>,
}

/// Samples tested for normality whose values all lie within ten units of rounding of their mean, over all seeds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NearRounding {
    pub test: String,
    /// What the test is, in a word or two.
    #[serde(skip)]
    pub kind: &'static str,
    /// Samples in all.
    pub tested: u64,
    /// Those of few digits.
    pub samples: u64,
}

/// Values that are no finite numbers, left out by `missing: drop`, over all seeds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOutValues {
    pub test: String,
    /// What the test is, in a word or two.
    #[serde(skip)]
    pub kind: &'static str,
    #[serde(flatten)]
    pub left_out: LeftOut,
}

/// A tail of which only some values stand above the accuracy of the spectrum that was tested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TailInRounding {
    pub test: String,
    /// What the test is, in a word or two.
    #[serde(skip)]
    pub kind: &'static str,
    /// Points in the tail.
    pub points: u64,
    /// Those above the accuracy, in the seed that has fewest.
    pub above: u64,
}

impl Row {
    /// Why the cell of column `index` could not be made, if it is the first of the row that has no value for such a cause:
    /// once is enough.
    pub fn says_why(&self, index: usize) -> Option<&str> {
        let why = |cell: &'_ Cell| {
            matches!(
                cell.value,
                CellValue::Missing {
                    reason: Missing::Failed { .. }
                }
            )
        };
        if self.cells.iter().position(why) != Some(index) {
            return None;
        }
        match &self.cells[index].value {
            CellValue::Missing {
                reason: Missing::Failed { why },
            } => Some(why),
            _ => None,
        }
    }
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
        /// For a rate: samples that it is of, over all seeds.
        samples: Option<u64>,
        /// For a rate of one seed: independent samples that its samples are worth, as `correlation` found; 1 for a single
        /// sample, `None` where it is not known.
        #[serde(skip_serializing_if = "Option::is_none")]
        effective: Option<f64>,
        /// Wilson's 95 % interval of a rate of so many effective samples. Over several seeds the spread tells more.
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
    /// What it is of could not be made, in any seed: in a few words, such as `diverged at epoch 3`.
    Failed { why: String },
}

/// Degenerate samples of one test in one row, over all seeds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DegenerateSamples {
    pub test: String,
    /// What the test is, in a word or two.
    #[serde(skip)]
    pub kind: &'static str,
    pub tested: u64,
    pub causes: Degenerate,
    /// Whether the test has a verdict, which degenerate samples then fail; an estimator leaves them out.
    #[serde(skip)]
    pub has_verdict: bool,
}

impl Table {
    /// Whether a cell has that verdict.
    pub fn says(&self, verdict: Verdict) -> bool {
        let mut cells = self.rows.iter().flat_map(|row| &row.cells);
        cells.any(|cell| cell.verdict == Some(verdict))
    }

    /// What stands above column `index`: what the study says, in Markdown with its dollars; else the column's own heading. The
    /// mean over rows or columns of G has a bar, a single sample's value has none.
    pub fn heading(&self, index: usize, target: Target) -> String {
        let column = self.columns[index];
        if let Some(heading) = self.headings.get(column.name) {
            return match target {
                Target::Latex => latex::prose(heading),
                Target::Markdown => heading.clone(),
                Target::Terminal => mathematics::plain(heading),
            };
        }
        let single = self.rows.iter().all(|row| row.direction == Direction::Spectrum);
        match (target, single) {
            (Target::Latex, false) => column.heading_tex.to_string(),
            (Target::Latex, true) => without_bars(column.heading_tex),
            (_, false) => column.heading.to_string(),
            (_, true) => column.heading.replace('\u{304}', "").replace('Ā', "A"),
        }
    }

    /// Whether the paper's values stand beside those of column `index`: it prints some for these rows.
    pub fn beside_paper(&self, index: usize) -> bool {
        self.paper.is_some() && self.rows.iter().any(|row| row.cells[index].paper.is_some())
    }

    /// What tells `row` apart from the others, in one line, such as `Random, Dimension, B = 10`.
    pub fn title(&self, row: &Row) -> String {
        let tells = |index: &usize| {
            self.rows.len() < 2
                || self
                    .rows
                    .iter()
                    .any(|other| other.labels[*index] != row.labels[*index])
        };
        let parts = (0..self.keys.len()).filter(tells);
        let parts: Vec<String> = parts
            .map(|index| titled(&self.keys[index], &row.labels[index]))
            .filter(|part| !part.is_empty())
            .collect();
        parts.join(", ")
    }
}

/// A label that says what it is of: `B = 10`, `weight decay 0.1`, `MNIST`.
fn titled(key: &Key, label: &Label) -> String {
    let text = label.to_string();
    let number = text.starts_with(|it: char| it.is_ascii_digit())
        && text
            .trim_end_matches('%')
            .trim()
            .replace('_', "")
            .parse::<f64>()
            .is_ok();
    match (key.name.as_str(), number) {
        ("batch", true) => format!("B = {text}"),
        ("iterations", true) => format!("T = {text}"),
        (_, true) => format!("{} {text}", key.heading.to_lowercase()),
        (_, false) => text,
    }
}

/// `\bar{d}_{…}` without the bar.
fn without_bars(tex: &str) -> String {
    let mut plain = String::new();
    let mut rest = tex;
    while let Some((before, behind)) = rest.split_once(r"\bar{") {
        let (letter, after) = behind.split_once('}').unwrap_or((behind, ""));
        plain.push_str(before);
        plain.push_str(letter);
        rest = after;
    }
    plain + rest
}

impl Cell {
    /// How the value is shown in `column`: a rate of few samples with fewer digits.
    pub fn format(&self, column: &ColumnKind) -> Format {
        match &self.value {
            CellValue::Number {
                mean,
                samples: Some(samples),
                ..
            } => number::of_samples(column.format, *mean, *samples),
            _ => column.format,
        }
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
