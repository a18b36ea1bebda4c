//! Tables of numbers as text. A first row with anything but numbers holds the columns' names; an empty field is NaN.

use std::path::Path;

use ::csv::{ReaderBuilder, StringRecord, Trim};

use super::ArraysError;
use super::matrix::Matrix;
use super::spill::Spill;

pub(super) fn open(path: &Path, separator: u8) -> Result<Matrix, ArraysError> {
    let damaged = |error: ::csv::Error| match error.into_kind() {
        ::csv::ErrorKind::Io(reason) => ArraysError::file(path, reason),
        ::csv::ErrorKind::UnequalLengths {
            pos,
            expected_len,
            len,
        } => {
            let line = pos.map_or(0, |pos| pos.line());
            ArraysError::malformed(
                path,
                format!("line {line}: {len} fields, the lines above have {expected_len}"),
            )
        }
        other => ArraysError::malformed(path, format!("is no table: {other:?}")),
    };
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .delimiter(separator)
        .trim(Trim::All)
        .from_path(path)
        .map_err(damaged)?;
    let mut spill = Spill::new()?;
    let (mut names, mut columns, mut rows) = (Vec::new(), 0, 0);
    let mut record = StringRecord::new();
    while reader.read_record(&mut record).map_err(damaged)? {
        if columns == 0 {
            columns = record.len();
            if record.iter().any(|field| number(field).is_none()) {
                names = record.iter().map(str::to_string).collect();
                continue;
            }
        }
        for (i, field) in record.iter().enumerate() {
            let Some(value) = number(field) else {
                return Err(ArraysError::Field {
                    path: path.into(),
                    line: record.position().map_or(0, |position| position.line()),
                    column: names
                        .get(i)
                        .map_or((i + 1).to_string(), |name| format!("`{name}`")),
                    text: field.to_string(),
                });
            };
            spill.push(value)?;
        }
        rows += 1;
    }
    spill.matrix(path, rows, names, columns)
}

fn number(field: &str) -> Option<f64> {
    match field {
        "" => Some(f64::NAN),
        field => field.parse().ok(),
    }
}
