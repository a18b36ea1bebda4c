//! The notes under a table: what its numbers mean, and what must be known before they are believed.

use super::columns::NEED_TRACE;
use super::number::{self, Target};
use super::table::{CellValue, Missing, Row, Table};
use crate::study::Spread;

/// One note a line, in the markup of `target`: what stands in the cells, intervals of the rates, degenerate
/// samples, empty cells. `escape` makes text of the study safe in that markup. The table's conventions follow them.
pub(super) fn notes(table: &Table, target: Target, escape: fn(&str) -> String) -> Vec<String> {
    let writer = Writer {
        table,
        target,
        escape,
    };
    let mut notes = vec![writer.seeds()];
    notes.extend(writer.paper());
    notes.extend(writer.added_keys());
    notes.extend(writer.intervals());
    notes.extend(writer.degenerate());
    notes.extend(writer.rounding());
    notes.extend(writer.empty_cells());
    notes
}

/// Spectra of a loss: only products with their matrices are made.
const CURVATURES: [&str; 3] = ["hessian", "gauss_newton", "fisher"];

struct Writer<'a> {
    table: &'a Table,
    target: Target,
    escape: fn(&str) -> String,
}

impl Writer<'_> {
    fn title(&self, row: &Row) -> String {
        (self.escape)(&row.title())
    }

    fn seeds(&self) -> String {
        let list = |seeds: &[u64]| seeds.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
        let rows = &self.table.rows;
        let pm = if self.target == Target::Latex {
            "$\\pm$"
        } else {
            "±"
        };
        let spread = match self.table.spread {
            Spread::Sd => "sample standard deviation",
            Spread::Ci95 if self.target == Target::Latex => {
                r"half the 95\,\% confidence interval (Student's t)"
            }
            Spread::Ci95 => "half the 95 % confidence interval (Student's t)",
        };
        match rows.split_first() {
            Some((first, rest)) if rest.iter().all(|row| row.seeds == first.seeds) => match first.seeds.len()
            {
                1 => format!("One seed ({}), so no spread over seeds.", list(&first.seeds)),
                n => format!(
                    "Mean {pm} {spread} over n = {n} seeds ({}); no {pm} where all gave the same \
                     value.",
                    list(&first.seeds)
                ),
            },
            _ => {
                let each: Vec<String> = rows
                    .iter()
                    .map(|row| format!("{}: {}", self.title(row), list(&row.seeds)))
                    .collect();
                format!(
                    "Mean {pm} {spread} over the seeds of each row: {}.",
                    each.join("; ")
                )
            }
        }
    }

    fn paper(&self) -> Option<String> {
        let paper = self.table.paper.as_ref()?;
        if self
            .table
            .rows
            .iter()
            .all(|row| row.cells.iter().any(|cell| cell.paper.is_some()))
        {
            return None;
        }
        let dash = number::dash(self.target);
        let fixed = match paper.fixed.as_slice() {
            [] => String::new(),
            fixed => format!(" (it is for {})", (self.escape)(&fixed.join(", "))),
        };
        Some(format!(
            "({dash}) where Table {} has no row of the same description{fixed}.",
            paper.table
        ))
    }

    fn added_keys(&self) -> Option<String> {
        let added: Vec<&str> = self
            .table
            .keys
            .iter()
            .filter(|key| !key.asked)
            .map(|key| key.heading.as_str())
            .collect();
        let names = (self.escape)(&added.join(", "));
        (!added.is_empty()).then(|| format!("Added because rows would read alike without: {names}."))
    }

    fn intervals(&self) -> Vec<String> {
        let mut notes = Vec::new();
        for row in &self.table.rows {
            let mut parts = Vec::new();
            for (column, cell) in self.table.columns.iter().zip(&row.cells) {
                if let CellValue::Number {
                    interval: Some(interval),
                    ..
                } = &cell.value
                {
                    let text = number::interval(interval, column.format, self.target);
                    let heading = if self.target == Target::Latex {
                        column.heading_tex
                    } else {
                        column.heading
                    };
                    parts.push(format!("{heading} {text}"));
                }
            }
            if !parts.is_empty() {
                notes.push(format!(
                    "Wilson 95 % interval, {}: {}.",
                    self.title(row),
                    parts.join(", ")
                ));
            }
        }
        match self.target {
            Target::Latex => notes
                .into_iter()
                .map(|note| note.replacen("95 %", "95\\,\\%", 1))
                .collect(),
            _ => notes,
        }
    }

    fn degenerate(&self) -> Vec<String> {
        let count = |value| number::count(value, self.target);
        let mut notes = Vec::new();
        for row in &self.table.rows {
            for found in &row.degenerate {
                let causes = [
                    (found.causes.constant, "constant"),
                    (found.causes.too_few, "with too few values above zero"),
                    (found.causes.not_finite, "with a NaN or an infinity"),
                    (found.causes.not_whole, "with values that are no whole numbers"),
                ];
                let causes: Vec<String> = causes
                    .iter()
                    .filter(|(number, _)| *number > 0)
                    .map(|(number, cause)| format!("{} {cause}", count(*number)))
                    .collect();
                let over = if row.seeds.len() > 1 {
                    " over all seeds"
                } else {
                    ""
                };
                notes.push(format!(
                    "Degenerate, {}, test {}: {} of {} samples{over} ({}); they {}.",
                    self.title(row),
                    (self.escape)(&found.test),
                    count(found.causes.total()),
                    count(found.tested),
                    causes.join(", "),
                    if found.has_verdict {
                        "count as rejected"
                    } else {
                        "are left out"
                    },
                ));
            }
        }
        notes
    }

    fn rounding(&self) -> Vec<String> {
        let count = |value| number::count(value, self.target);
        let rows = self.table.rows.iter();
        let found = rows.flat_map(|row| row.rounding.iter().map(move |found| (row, found)));
        let note = |(row, found): (&Row, &super::table::TailInRounding)| {
            format!(
                "Rounding, {}, test {}: {} of the {} values in the tail stand above the spectrum's accuracy; the others \
                 are rounding, and so is the fit.",
                self.title(row),
                (self.escape)(&found.test),
                count(found.above),
                count(found.points)
            )
        };
        found.map(note).collect()
    }

    fn empty_cells(&self) -> Vec<String> {
        let mut notes = Vec::new();
        for (index, column) in self.table.columns.iter().enumerate() {
            let of = |wanted: fn(&Missing) -> bool| {
                let missing = |row: &&Row| matches!(&row.cells[index].value, CellValue::Missing { reason } if wanted(reason));
                let rows: Vec<String> = self
                    .table
                    .rows
                    .iter()
                    .filter(missing)
                    .map(|row| self.title(row))
                    .collect();
                let all = rows.len() == self.table.rows.len();
                (!rows.is_empty()).then(|| {
                    if all {
                        "all rows".to_string()
                    } else {
                        rows.join("; ")
                    }
                })
            };
            let name = (self.escape)(column.name);
            let dash = number::dash(self.target);
            if let Some(rows) = of(|reason| *reason == Missing::NotMeasured) {
                notes.push(format!(
                    "{dash} for {name} in {rows}: no test of this table gives it."
                ));
            }
            if let Some(rows) = of(|reason| *reason == Missing::NotFinite) {
                let missing = |row: &&Row| {
                    let not_finite = CellValue::Missing {
                        reason: Missing::NotFinite,
                    };
                    row.cells[index].value == not_finite
                };
                let of_loss = |row: &Row| {
                    let spectrum = row.subject.spectrum.as_deref();
                    spectrum.is_some_and(|name| CURVATURES.contains(&name))
                };
                let why = match NEED_TRACE.contains(&column.name)
                    && self.table.rows.iter().filter(missing).all(of_loss)
                {
                    true => "not known, since the matrix is never formed",
                    false => "no sample allowed it",
                };
                notes.push(format!("{dash} for {name} in {rows}: {why}."));
            }
            if let Some(rows) = of(|reason| matches!(reason, Missing::Ambiguous { .. })) {
                let tests = self
                    .table
                    .rows
                    .iter()
                    .find_map(|row| match &row.cells[index].value {
                        CellValue::Missing {
                            reason: Missing::Ambiguous { tests },
                        } => Some(tests.join(", ")),
                        _ => None,
                    });
                let tests = (self.escape)(&tests.unwrap_or_default());
                notes.push(format!(
                    "{dash} for {name} in {rows}: the tests {tests} give different values; make one table for each."
                ));
            }
        }
        notes
    }
}
