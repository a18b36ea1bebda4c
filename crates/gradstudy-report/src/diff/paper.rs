//! A run beside the numbers that the paper prints.

use serde::Serialize;

use super::FailOn;
use super::compare::CONFIDENCE;
use crate::report::Table;
use crate::report::columns::ColumnKind;
use crate::report::number::{Format, printed_unit};
use crate::report::table::CellValue;
use gradstudy_stats::differences::{Difference, prediction};
use gradstudy_stats::interval::Interval;
use gradstudy_stats::multiple::benjamini_hochberg;

/// The layout of `gradstudy diff --paper --format json`; raised when a reader of the old layout would misread the new.
pub const FORMAT_VERSION: u32 = 1;

/// Every cell of a run's tables that the paper prints a number for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PaperDiff {
    pub format_version: u32,
    /// What was changed for the run: a profile, whose sizes are not the study's, and each `--set`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<String>,
    pub cells: Vec<PaperCell>,
    /// Rows of ours that the paper does not have, by table.
    pub without: Vec<(String, String)>,
}

/// One cell.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PaperCell {
    /// Name of our table.
    pub table: String,
    /// Number of the paper's.
    pub number: u32,
    pub row: String,
    /// The name of the column.
    pub statistic: &'static str,
    /// Whether it follows from the settings alone, as d_c does from n_tail: that it is as printed says nothing.
    pub setting: bool,
    #[serde(skip)]
    pub format: Format,
    /// Mean over seeds.
    pub ours: f64,
    pub sd: Option<f64>,
    pub seeds: u64,
    pub paper: f64,
    /// ours − paper.
    pub difference: f64,
    /// Whether ours rounds to the paper's digits.
    pub as_printed: bool,
    /// Whether ours and the paper's verdict are not the same.
    pub flip: bool,
    /// 95 % interval of the difference, the paper's number taken as that of one more seed; from two seeds on.
    pub interval: Option<Interval>,
    pub p_value: Option<f64>,
    /// Benjamini's and Hochberg's, over all cells that have one.
    pub p_adjusted: Option<f64>,
}

/// Columns that settings decide, by their names.
const SETTINGS: [&str; 6] = ["d_c", "n_tail", "alpha", "points", "tested", "replicates"];

/// Compares `tables` of a run, for which `overrides` were made, with the paper's; none where no table mirrors one.
pub fn paper_diff(tables: &[Table], overrides: &[String]) -> PaperDiff {
    let (mut cells, mut without) = (Vec::new(), Vec::new());
    for table in tables {
        let Some(side) = table.paper.as_ref().or(table.unmatched_paper.as_ref()) else {
            continue;
        };
        for row in &table.rows {
            if row.cells.iter().all(|cell| cell.paper.is_none()) {
                without.push((table.name.clone(), table.title(row)));
            }
            for (column, cell) in table.columns.iter().zip(&row.cells) {
                let (Some(paper), CellValue::Number { mean, sd, seeds, .. }) = (cell.paper, &cell.value)
                else {
                    continue;
                };
                cells.push(PaperCell {
                    table: table.name.clone(),
                    number: side.table,
                    row: table.title(row),
                    ..compared(column, *mean, *sd, *seeds, paper)
                });
            }
        }
    }
    let p_values: Vec<f64> = cells
        .iter()
        .map(|cell| cell.p_value.unwrap_or(f64::NAN))
        .collect();
    for (cell, p) in cells.iter_mut().zip(benjamini_hochberg(&p_values)) {
        cell.p_adjusted = Some(p).filter(|p| !p.is_nan());
    }
    PaperDiff {
        format_version: FORMAT_VERSION,
        overrides: overrides.to_vec(),
        cells,
        without,
    }
}

fn compared(column: &ColumnKind, ours: f64, sd: Option<f64>, seeds: u64, paper: f64) -> PaperCell {
    let verdict = column.format == Format::Verdict;
    let test: Option<Difference> = match verdict {
        true => None,
        false => sd.and_then(|sd| prediction(ours, sd, seeds, paper, CONFIDENCE)),
    };
    PaperCell {
        table: String::new(),
        number: 0,
        row: String::new(),
        statistic: column.name,
        setting: SETTINGS.contains(&column.name),
        format: column.format,
        ours,
        sd,
        seeds,
        paper,
        difference: ours - paper,
        as_printed: (ours - paper).abs() <= 0.500001 * printed_unit(paper, column.format),
        flip: verdict && ours != paper,
        // Of paper − ours, turned around.
        interval: test.map(|it| Interval {
            low: -it.interval.high,
            high: -it.interval.low,
        }),
        p_value: test.map(|it| it.p_value),
        p_adjusted: None,
    }
}

impl PaperDiff {
    /// Cells that differ by more than one more seed would, at level `alpha` after the adjustment.
    pub fn significant(&self, alpha: f64) -> usize {
        let significant = |cell: &&PaperCell| cell.p_adjusted.is_some_and(|p| p <= alpha);
        self.cells.iter().filter(significant).count()
    }

    /// Whether the difference is one of the kind `fail_on`. Any: a cell that does not round to the paper's digits.
    pub fn fails(&self, fail_on: FailOn, alpha: f64) -> bool {
        let flip = || self.cells.iter().any(|cell| cell.flip);
        match fail_on {
            FailOn::Flip => flip(),
            FailOn::Significant => flip() || self.significant(alpha) > 0,
            FailOn::Any => self.cells.iter().any(|cell| !cell.as_printed),
        }
    }
}
