//! The numbers of a table in text, as a matrix in a temporary file.

use std::path::Path;

use super::{Field, Layout, TextError, TextSettings};
use crate::ArraysError;
use crate::matrix::{LeftOut, Matrix};
use crate::spill::Spill;

/// What was found in a column so far.
#[derive(Debug, Default, Clone)]
struct Column {
    numbers: u64,
    words: u64,
    /// The first word's line and text.
    word: Option<(u64, String)>,
    /// The first truth value's line and text.
    truth: Option<(u64, String)>,
}

/// The columns of numbers of the table `path`: what else it has is named in the matrix's `left_out`.
pub(crate) fn open(path: &Path, settings: &TextSettings) -> Result<Matrix, ArraysError> {
    let file = gradstudy_base::files::open(path).map_err(|reason| ArraysError::file(path, reason))?;
    let fail = |error| ArraysError::text(path, error);
    let mut table = super::open(path, file, settings, None).map_err(fail)?;
    let layout = table.layout.clone();
    let kept = layout.index..layout.fields;
    let mut columns = vec![Column::default(); kept.len()];
    let mut spill = Spill::new()?;
    let (mut rows, mut index) = (0, Vec::new());
    while let Some(row) = table.next_row().map_err(fail)? {
        if !row.fits() {
            return Err(fail(row.misfit()));
        }
        if layout.index > 0 {
            let name = row.word(0).0;
            index.truncate(1);
            index.push(name);
        }
        for (column, field) in columns.iter_mut().zip(kept.clone()) {
            let read = row.field(field);
            match read {
                Field::Word => {
                    column.words += 1;
                    column.word.get_or_insert_with(|| (row.line(), row.word(field).0));
                }
                Field::Truth(_) => {
                    column
                        .truth
                        .get_or_insert_with(|| (row.line(), row.word(field).0));
                }
                Field::Missing => {}
                Field::Whole(_) | Field::Real(_) => column.numbers += 1,
            }
            spill.push(read.value().unwrap_or(f64::NAN))?;
        }
        rows += 1;
    }
    if rows == 0 {
        let problem = "has names of columns and no row";
        return Err(ArraysError::malformed(path, problem));
    }
    let mut notes = layout.notes.clone();
    notes.extend(layout.index_note(&index).filter(|_| settings.index.is_none()));
    notes.extend(table.comments_note());
    let names: Vec<String> = layout.names.get(kept.clone()).unwrap_or_default().to_vec();
    let left_out: Vec<(usize, LeftOut)> = (columns.iter().enumerate())
        .filter_map(|(i, column)| Some((i, left_out(&layout, layout.index + i, column)?)))
        .collect();
    let numbers: Vec<usize> = (0..columns.len())
        .filter(|i| left_out.iter().all(|(left, _)| left != i))
        .collect();
    if numbers.is_empty() {
        return Err(no_numbers(
            path,
            left_out.into_iter().map(|(_, left)| left).collect(),
        ));
    }
    let all = columns.len();
    let names = match names.is_empty() {
        // Numbers of columns count those that are left out.
        true if numbers.len() < all => numbers.iter().map(|i| (layout.index + i).to_string()).collect(),
        true => Vec::new(),
        false => numbers.iter().map(|&i| names[i].clone()).collect(),
    };
    let spill = if numbers.len() < all {
        spill.select(rows, all, &numbers)?
    } else {
        spill
    };
    let mut matrix = spill.matrix(path, rows, names, numbers.len())?;
    matrix.notes = notes;
    matrix.left_out = left_out.into_iter().map(|(_, left)| left).collect();
    Ok(matrix)
}

fn left_out(layout: &Layout, field: usize, column: &Column) -> Option<LeftOut> {
    let name = match layout.names.get(field) {
        Some(name) => name.clone(),
        None => field.to_string(),
    };
    // Truth beside numbers is a slip, alone it is 0 and 1.
    let truth = column
        .truth
        .as_ref()
        .filter(|_| column.numbers + column.words > 0);
    let (line, text) = column.word.as_ref().or(truth)?.clone();
    let mistake = (column.numbers >= column.words).then(|| (line, text.clone()));
    let reason = match mistake {
        Some(_) => format!("holds `{text}` in line {line}, which is no number"),
        None => format!("holds words, such as `{text}`"),
    };
    Some(LeftOut {
        name,
        reason,
        mistake,
    })
}

fn no_numbers(path: &Path, left_out: Vec<LeftOut>) -> ArraysError {
    let reasons: Vec<String> = left_out
        .iter()
        .take(5)
        .map(|left| format!("`{}` {}", left.name, left.reason))
        .collect();
    let problem = format!("has no column of numbers: {}", reasons.join("; "));
    let help = "leave rows without numbers out (units, a second row of names); `--header true` or `--header false` says whether \
                the first row holds names";
    ArraysError::text(path, TextError::new(None, problem, help))
}
