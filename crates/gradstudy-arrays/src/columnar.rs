//! Columns of numbers in Arrow and Parquet files. What is no number is named in the matrix's `left_out`; a missing value is
//! NaN. A column of lists (a gradient in each row) is an array of its own.

mod index;
mod lists;
mod numbers;

use std::io::Read;
use std::path::Path;

use arrow_array::RecordBatch;
use arrow_ipc::reader::{FileReader, StreamReader};
use arrow_schema::{ArrowError, Schema};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::ArraysError;
use super::matrix::{LeftOut, Matrix};
use super::spill::Spill;
use lists::Lists;
use numbers::{is_number, kind, numbers};

/// Rows that are decoded together where columns hold lists, which may be long.
const LISTS_AT_A_TIME: usize = 16;

/// Arrow's file format (Feather's second version), or its stream format. `index` says whether columns that pandas calls an
/// index are left out; without it they are, and that is said.
pub(super) fn open_arrow(path: &Path, index: Option<bool>) -> Result<Vec<Matrix>, ArraysError> {
    let open = || gradstudy_base::files::open(path).map_err(|reason| ArraysError::file(path, reason));
    let mut magic = [0; 6];
    let length = open()?
        .read(&mut magic)
        .map_err(|reason| ArraysError::file(path, reason))?;
    match &magic[..length] {
        b"ARROW1" => {
            let reader = FileReader::try_new(open()?, None).map_err(|error| damaged(path, error))?;
            collect(path, &reader.schema(), reader, index)
        }
        [b'F', b'E', b'A', b'1', ..] => {
            let problem = "is Feather's first version; write its second (pandas and pyarrow: `version=2`)";
            Err(ArraysError::malformed(path, problem))
        }
        _ => {
            let reader = StreamReader::try_new(open()?, None).map_err(|error| damaged(path, error))?;
            collect(path, &reader.schema(), reader, index)
        }
    }
}

/// A Parquet file, packed in any of the usual ways; `index` as for [`open_arrow`].
pub(super) fn open_parquet(path: &Path, index: Option<bool>) -> Result<Vec<Matrix>, ArraysError> {
    let file = gradstudy_base::files::open(path).map_err(|reason| ArraysError::file(path, reason))?;
    let unsound = |error: parquet::errors::ParquetError| {
        ArraysError::malformed(path, format!("is no sound Parquet file: {error}"))
    };
    let mut builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(unsound)?;
    let mut schema = builder.schema().as_ref().clone();
    // The keys of the file are those of the schema where a writer of Arrow's did not put them there.
    let keys = builder.metadata().file_metadata().key_value_metadata();
    for pair in keys.into_iter().flatten() {
        if let Some(value) = &pair.value
            && !schema.metadata.contains_key(&pair.key)
        {
            schema.metadata.insert(pair.key.clone(), value.clone());
        }
    }
    if schema
        .fields()
        .iter()
        .any(|field| lists::is_list(field.data_type()))
    {
        builder = builder.with_batch_size(LISTS_AT_A_TIME);
    }
    collect(path, &schema, builder.build().map_err(unsound)?, index)
}

fn damaged(path: &Path, error: ArrowError) -> ArraysError {
    ArraysError::malformed(path, format!("is no sound Arrow file: {error}"))
}

/// A file on which the library gave up, and its words.
pub(super) fn unsound(path: &Path, reason: &str) -> ArraysError {
    ArraysError::malformed(path, format!("is damaged: {reason}"))
}

fn collect(
    path: &Path,
    schema: &Schema,
    batches: impl Iterator<Item = Result<RecordBatch, ArrowError>>,
    index: Option<bool>,
) -> Result<Vec<Matrix>, ArraysError> {
    let (mut notes, mut left_out) = (Vec::new(), Vec::new());
    let indices = match index {
        Some(false) => Vec::new(),
        Some(true) => vec![0],
        None => index::columns(schema),
    };
    notes.extend(index::note(schema, &indices).filter(|_| index.is_none()));
    let (mut scalars, mut lists) = (Vec::new(), Vec::new());
    for (i, field) in schema
        .fields()
        .iter()
        .enumerate()
        .filter(|(i, _)| !indices.contains(i))
    {
        match field.data_type() {
            ty if is_number(ty) => scalars.push(i),
            ty if lists::is_list(ty) && is_number(lists::innermost(ty)) => {
                lists.push((i, Lists::new(field.name())?));
            }
            ty => left_out.push(LeftOut::of_kind(field.name(), kind(ty))),
        }
    }
    let mut table = Spill::new()?;
    let mut rows = 0;
    for batch in batches {
        let batch = batch.map_err(|error| damaged(path, error))?;
        let columns: Vec<Vec<f64>> = scalars.iter().map(|&i| numbers(batch.column(i))).collect();
        for row in 0..batch.num_rows() {
            for column in &columns {
                table.push(column[row])?;
            }
        }
        for (i, list) in &mut lists {
            list.add(batch.column(*i), rows)?;
        }
        rows += batch.num_rows();
    }
    let mut arrays = Vec::new();
    if !scalars.is_empty() {
        let names: Vec<String> = scalars.iter().map(|&i| schema.field(i).name().clone()).collect();
        let columns = names.len();
        arrays.push(table.matrix(path, rows, names, columns)?);
    }
    for (_, list) in lists {
        match list.matrix(rows)? {
            Ok(matrix) => arrays.push(matrix),
            Err(left) => left_out.push(left),
        }
    }
    let Some(first) = arrays.first_mut() else {
        return Err(no_numbers(path, &left_out));
    };
    first.notes = notes;
    first.left_out = left_out;
    Ok(arrays)
}

fn no_numbers(path: &Path, left_out: &[LeftOut]) -> ArraysError {
    let found: Vec<String> = left_out
        .iter()
        .take(8)
        .map(|left| format!("`{}` {}", left.name, left.reason))
        .collect();
    ArraysError::Element {
        place: format!("`{}`", path.display()),
        found: match found.is_empty() {
            true => "no column".to_string(),
            false => format!("no column of numbers ({})", found.join("; ")),
        },
    }
}
