//! Why cells have no value.

use super::Writer;
use crate::report::columns::NEED_TRACE;
use crate::report::number;
use crate::report::table::{CellValue, Missing, Row};

/// Spectra of a loss: only products with their matrices are made.
const CURVATURES: [&str; 3] = ["hessian", "gauss_newton", "fisher"];

impl Writer<'_> {
    /// One note for each column and cause.
    pub(super) fn empty_cells(&self) -> Vec<String> {
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
                let why = match (column.training, name.contains("test")) {
                    (None, _) => "no test of this table gives it",
                    (Some(_), false) => "not of weights that were trained here",
                    (Some(_), true) => {
                        "not of weights that were trained here, or the data have no test split"
                    }
                };
                notes.push(format!("{dash} for {name} in {rows}: {why}."));
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
