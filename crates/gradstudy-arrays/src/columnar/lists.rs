//! Columns of lists of numbers: each list is a row of an array.

use std::ops::Range;
use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, OffsetSizeTrait};
use arrow_schema::DataType;

use super::numbers::numbers;
use crate::ArraysError;
use crate::matrix::{LeftOut, Matrix};
use crate::spill::Spill;

/// The lists of one column so far.
pub(super) struct Lists {
    name: String,
    spill: Spill,
    /// Numbers of each list, if any was read and they agree.
    length: Option<usize>,
    /// The first row, from 0, that is missing or of another length.
    uneven: Option<(usize, Option<usize>)>,
}

/// Whether each row of a column holds a list.
pub(super) fn is_list(ty: &DataType) -> bool {
    use DataType::*;
    matches!(
        ty,
        List(_) | LargeList(_) | FixedSizeList(..) | ListView(_) | LargeListView(_)
    )
}

/// The type of what lists of lists hold in the end.
pub(super) fn innermost(ty: &DataType) -> &DataType {
    use DataType::*;
    match ty {
        List(of) | LargeList(of) | FixedSizeList(of, _) | ListView(of) | LargeListView(of) => {
            innermost(of.data_type())
        }
        ty => ty,
    }
}

impl Lists {
    pub fn new(name: &str) -> Result<Self, ArraysError> {
        Ok(Lists {
            name: name.to_string(),
            spill: Spill::new()?,
            length: None,
            uneven: None,
        })
    }

    /// Adds the lists of `column`, the first of which is row `first` of the file.
    pub fn add(&mut self, column: &ArrayRef, first: usize) -> Result<(), ArraysError> {
        if self.uneven.is_some() {
            return Ok(());
        }
        let flat = flatten(column);
        for (row, list) in flat.rows.iter().enumerate() {
            let length = list.as_ref().map(Range::len);
            if length.is_none() || self.length.is_some_and(|expected| length != Some(expected)) {
                self.uneven = Some((first + row, length));
                return Ok(());
            }
            self.length = length;
            for &value in &flat.values[list.clone().unwrap_or_default()] {
                self.spill.push(value)?;
            }
        }
        Ok(())
    }

    /// The matrix of `rows` lists, or why the column is none.
    pub fn matrix(self, rows: usize) -> Result<Result<Matrix, LeftOut>, ArraysError> {
        if let Some((row, length)) = self.uneven {
            let reason = match (length, self.length) {
                (None, _) => format!("holds no list in row {row}"),
                (Some(found), expected) => format!(
                    "holds lists of different lengths ({} and, in row {row}, {found})",
                    expected.unwrap_or_default()
                ),
            };
            return Ok(Err(LeftOut {
                name: self.name,
                reason,
                mistake: None,
            }));
        }
        let columns = self.length.unwrap_or(0);
        let name = self.name.clone();
        let mut matrix = self.spill.matrix(Path::new(&name), rows, Vec::new(), columns)?;
        matrix.name = name;
        Ok(Ok(matrix))
    }
}

/// Numbers of a column, and where those of each row lie; `None` where the row, or a list in it, is missing or its lists are
/// of different lengths.
struct Flat {
    values: Vec<f64>,
    rows: Vec<Option<Range<usize>>>,
}

fn flatten(column: &dyn Array) -> Flat {
    let (inner, ranges) = match column.data_type() {
        DataType::List(_) => list::<i32>(column),
        DataType::LargeList(_) => list::<i64>(column),
        DataType::ListView(_) => view::<i32>(column),
        DataType::LargeListView(_) => view::<i64>(column),
        DataType::FixedSizeList(_, size) => {
            let list = column.as_fixed_size_list();
            let begin = |row: usize| list.value_offset_at(row);
            let ranges = (0..list.len()).map(|row| begin(row)..begin(row) + *size as usize);
            (flatten(list.values()), ranges.collect())
        }
        _ => {
            let values = numbers(column);
            let rows = (0..values.len()).map(|i| Some(i..i + 1)).collect();
            return Flat { values, rows };
        }
    };
    let row = |(row, range): (usize, Range<usize>)| {
        if column.is_null(row) {
            return None;
        }
        let parts: Vec<Range<usize>> = inner.rows[range].iter().cloned().collect::<Option<_>>()?;
        let even = parts.iter().all(|part| part.len() == parts[0].len());
        let (first, last) = (parts.first(), parts.last());
        even.then(|| first.map_or(0, |part| part.start)..last.map_or(0, |part| part.end))
    };
    let rows = ranges.into_iter().enumerate().map(row).collect();
    Flat {
        values: inner.values,
        rows,
    }
}

/// What the lists of a column hold, and which of it is in each list.
fn list<O: OffsetSizeTrait>(column: &dyn Array) -> (Flat, Vec<Range<usize>>) {
    let list = column.as_list::<O>();
    let ends = list.offsets().windows(2);
    let ranges = ends.map(|ends| ends[0].as_usize()..ends[1].as_usize()).collect();
    (flatten(list.values()), ranges)
}

/// As [`list`], of lists that need not lie one behind the other.
fn view<O: OffsetSizeTrait>(column: &dyn Array) -> (Flat, Vec<Range<usize>>) {
    let list = column.as_list_view::<O>();
    let places = list.offsets().iter().zip(list.sizes());
    let ranges = places
        .map(|(begin, size)| begin.as_usize()..begin.as_usize() + size.as_usize())
        .collect();
    (flatten(list.values()), ranges)
}
