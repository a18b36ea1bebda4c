//! The notes under a table: what its numbers mean, and what must be known before they are believed.

mod empty;
mod failed;

use super::number::{self, Format, Target};
use super::remarks;
use super::table::{Cell, CellValue, DegenerateSamples, PaperSide, Row, Table};
use gradstudy_lang::study::Spread;

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
    notes.extend(writer.failed());
    notes.extend(writer.doubts());
    notes.extend(writer.added_keys());
    notes.extend(writer.intervals());
    notes.extend(writer.degenerate());
    notes.extend(writer.near_rounding());
    notes.extend(writer.left_out());
    notes.extend(writer.rounding());
    notes.extend(writer.empty_cells());
    notes
}

struct Writer<'a> {
    table: &'a Table,
    target: Target,
    escape: fn(&str) -> String,
}

impl Writer<'_> {
    fn title(&self, row: &Row) -> String {
        (self.escape)(&self.table.title(row))
    }

    /// `of` a row, behind what tells the row apart.
    fn of_row(&self, row: &Row, of: String) -> String {
        match self.title(row) {
            title if title.is_empty() || self.table.rows.len() < 2 => of,
            title => format!("{title}: {of}"),
        }
    }

    fn percent(&self) -> &'static str {
        match self.target {
            Target::Latex => r"95\,\%",
            _ => "95 %",
        }
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
            Spread::Sd => "sample standard deviation".to_string(),
            Spread::Ci95 => format!("half the {} confidence interval (Student's t)", self.percent()),
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
                    .map(|row| self.of_row(row, list(&row.seeds)))
                    .collect();
                format!(
                    "Mean {pm} {spread} over the seeds of each row: {}.",
                    each.join("; ")
                )
            }
        }
    }

    fn paper(&self) -> Option<String> {
        let fixed = |paper: &PaperSide| match paper.fixed.as_slice() {
            [] => String::new(),
            fixed => format!(" (it is for {})", (self.escape)(&fixed.join(", "))),
        };
        if let Some(paper) = &self.table.unmatched_paper {
            return Some(format!(
                "Table {} of Xie et al. (2023) has no row of these settings{}.",
                paper.table,
                fixed(paper)
            ));
        }
        let paper = self.table.paper.as_ref()?;
        if self
            .table
            .rows
            .iter()
            .all(|row| row.cells.iter().any(|cell| cell.paper.is_some()))
        {
            return None;
        }
        Some(format!(
            "({}) where Table {} has no row of the same description{}.",
            number::dash(self.target),
            paper.table,
            fixed(paper)
        ))
    }

    fn doubts(&self) -> Vec<String> {
        let of = |row: &Row, doubt: &String| format!("Warning, {}.", self.of_row(row, (self.escape)(doubt)));
        let rows = self.table.rows.iter();
        rows.flat_map(|row| row.doubts.iter().map(move |doubt| of(row, doubt)))
            .collect()
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

    /// One note a column, with the effective samples beside each interval; and why some rates have none.
    fn intervals(&self) -> Vec<String> {
        let of_column = |index: usize| {
            let rows = self.table.rows.iter().filter_map(|row| {
                let CellValue::Number {
                    interval: Some(interval),
                    samples: Some(samples),
                    effective: Some(effective),
                    ..
                } = &row.cells[index].value
                else {
                    return None;
                };
                let format = self.table.columns[index].format;
                let text = number::interval(interval, format, *samples, self.target);
                Some(self.of_row(row, text + &self.of_effective(*effective, *samples)))
            });
            let rows: Vec<String> = rows.collect();
            let heading = self.table.heading(index, self.target);
            (!rows.is_empty()).then(|| format!("{heading}: {}", rows.join("; ")))
        };
        let columns: Vec<String> = (0..self.table.columns.len()).filter_map(of_column).collect();
        let mut notes: Vec<String> = columns
            .iter()
            .map(|column| format!("Wilson {} intervals, {column}.", self.percent()))
            .collect();
        let without = |cell: &Cell| {
            let CellValue::Number {
                seeds,
                samples,
                interval,
                ..
            } = &cell.value
            else {
                return false;
            };
            *seeds == 1 && samples.is_some() && interval.is_none()
        };
        if self.table.rows.iter().flat_map(|row| &row.cells).any(without) {
            let rates = match notes.is_empty() {
                true => "Rates of one seed",
                false => "Other rates of one seed",
            };
            notes.push(format!(
                "{rates} have no interval: rows and columns of one G are not independent, and their effective number was \
                 not measured (test correlation)."
            ));
        }
        notes
    }

    /// Such as ` (2.96 effective of 300)`; nothing where all samples count.
    fn of_effective(&self, effective: f64, samples: u64) -> String {
        if effective == samples as f64 {
            return String::new();
        }
        let effective = number::quantity(effective, None, Format::Significant(3), self.target);
        format!(
            " ({effective} effective of {})",
            number::count(samples, self.target)
        )
    }

    /// What a test is called: by what it is, where the table has no other of that kind.
    fn test(&self, name: &str, kind: &'static str) -> String {
        let rows = self.table.rows.iter();
        let tests = rows.flat_map(|row| {
            let degenerate = row.degenerate.iter().map(|it| (&it.test, it.kind));
            degenerate
                .chain(row.rounding.iter().map(|it| (&it.test, it.kind)))
                .chain(row.near_rounding.iter().map(|it| (&it.test, it.kind)))
                .chain(row.left_out.iter().map(|it| (&it.test, it.kind)))
        });
        let same = |(other, its): (&String, &str)| its != kind || other == name;
        match !kind.is_empty() && tests.into_iter().all(same) {
            true => kind.to_string(),
            false => format!("test {}", (self.escape)(name)),
        }
    }

    /// One note a test.
    fn degenerate(&self) -> Vec<String> {
        let mut tests: Vec<&DegenerateSamples> = Vec::new();
        for found in self.table.rows.iter().flat_map(|row| &row.degenerate) {
            if !tests.iter().any(|known| known.test == found.test) {
                tests.push(found);
            }
        }
        let mut said: Vec<bool> = Vec::new();
        let mut notes = Vec::new();
        for test in tests {
            let rows = self.table.rows.iter().flat_map(|row| {
                let of_test = row.degenerate.iter().filter(|it| it.test == test.test);
                of_test.map(|found| self.of_row(row, self.degenerate_of(found, row.seeds.len() > 1)))
            });
            let fate = match (said.contains(&test.has_verdict), test.has_verdict) {
                (true, _) => "",
                (false, true) => " (they count as rejected)",
                (false, false) => " (they are left out)",
            };
            said.push(test.has_verdict);
            notes.push(format!(
                "Degenerate samples{fate}, {}: {}.",
                self.test(&test.test, test.kind),
                rows.collect::<Vec<_>>().join("; ")
            ));
        }
        notes
    }

    fn degenerate_of(&self, found: &DegenerateSamples, several_seeds: bool) -> String {
        let count = |value| number::count(value, self.target);
        let causes = [
            (found.causes.constant, "constant"),
            (found.causes.rounding, remarks::ROUNDING),
            (found.causes.too_few, "with too few values above zero"),
            (found.causes.not_finite, "with a NaN or an infinity"),
            (found.causes.not_whole, "with values that are no whole numbers"),
        ];
        let causes: Vec<(u64, &str)> = causes.into_iter().filter(|(number, _)| *number > 0).collect();
        let causes = match causes.as_slice() {
            [(_, cause)] => cause.to_string(),
            causes => {
                let each = causes
                    .iter()
                    .map(|(number, cause)| format!("{} {cause}", count(*number)));
                each.collect::<Vec<_>>().join(", ")
            }
        };
        format!(
            "{} of {}{} ({causes})",
            count(found.causes.total()),
            count(found.tested),
            if several_seeds { " over all seeds" } else { "" },
        )
    }

    fn near_rounding(&self) -> Option<String> {
        let count = |value| number::count(value, self.target);
        let rows = self.table.rows.iter();
        let found = rows.flat_map(|row| row.near_rounding.iter().map(move |found| (row, found)));
        self.by_test(
            found.map(|(row, found)| {
                let of = format!("{} of {}", count(found.samples), count(found.tested));
                ((&found.test, found.kind), self.of_row(row, of))
            }),
            remarks::NEAR_ROUNDING,
        )
    }

    fn left_out(&self) -> Option<String> {
        let rows = self.table.rows.iter();
        let found = rows.flat_map(|row| row.left_out.iter().map(move |found| (row, found)));
        self.by_test(
            found.map(|(row, found)| {
                let of = remarks::left_out(&found.left_out, self.target);
                ((&found.test, found.kind), self.of_row(row, of))
            }),
            remarks::LEFT_OUT,
        )
    }

    /// `what`, the tests that it is about, and of how many samples of each row; `None` of nothing.
    fn by_test<'t>(
        &self,
        found: impl Iterator<Item = ((&'t String, &'static str), String)>,
        what: &str,
    ) -> Option<String> {
        let mut tests: Vec<String> = Vec::new();
        let each = found.map(|((name, kind), of)| {
            let test = self.test(name, kind);
            if !tests.contains(&test) {
                tests.push(test);
            }
            of
        });
        let each: Vec<String> = each.collect();
        (!each.is_empty()).then(|| format!("{what}, {}: {}.", tests.join(", "), each.join("; ")))
    }

    fn rounding(&self) -> Option<String> {
        let count = |value| number::count(value, self.target);
        let rows = self.table.rows.iter();
        let found = rows.flat_map(|row| row.rounding.iter().map(move |found| (row, found)));
        let mut tests: Vec<String> = Vec::new();
        let each = found.map(|(row, found)| {
            tests.push(self.test(&found.test, found.kind));
            self.of_row(row, format!("{} of {}", count(found.above), count(found.points)))
        });
        let each: Vec<String> = each.collect();
        tests.dedup();
        (!each.is_empty()).then(|| {
            format!(
                "Rounding, {}: so many values of the tail stand above the spectrum's accuracy (the others are rounding, \
                 and so is the fit): {}.",
                tests.join(", "),
                each.join("; ")
            )
        })
    }
}
