//! Columns of numbers in Arrow and Parquet files; other columns are left out, a missing value is NaN.

use std::fs::File;
use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type,
    UInt64Type,
};
use arrow_array::{Array, RecordBatch};
use arrow_ipc::reader::{FileReader, StreamReader};
use arrow_schema::{ArrowError, DataType, Schema};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::ArraysError;
use super::matrix::Matrix;
use super::spill::Spill;

/// Arrow's file format (Feather's second version), or its stream format.
pub(super) fn open_arrow(path: &Path) -> Result<Matrix, ArraysError> {
    let file = || File::open(path).map_err(|reason| ArraysError::file(path, reason));
    if let Ok(reader) = FileReader::try_new(file()?, None) {
        return collect(path, &reader.schema(), reader);
    }
    let reader = StreamReader::try_new(file()?, None).map_err(|error| damaged(path, error))?;
    collect(path, &reader.schema(), reader)
}

pub(super) fn open_parquet(path: &Path) -> Result<Matrix, ArraysError> {
    let file = File::open(path).map_err(|reason| ArraysError::file(path, reason))?;
    let unsound = |error: parquet::errors::ParquetError| {
        ArraysError::malformed(path, format!("is no sound Parquet file: {error}"))
    };
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(unsound)?;
    let schema = builder.schema().clone();
    collect(path, &schema, builder.build().map_err(unsound)?)
}

fn damaged(path: &Path, error: ArrowError) -> ArraysError {
    ArraysError::malformed(path, format!("is no sound Arrow file: {error}"))
}

fn collect(
    path: &Path,
    schema: &Schema,
    batches: impl Iterator<Item = Result<RecordBatch, ArrowError>>,
) -> Result<Matrix, ArraysError> {
    let fields: Vec<_> = schema.fields().iter().enumerate().collect();
    let kept: Vec<usize> = fields
        .iter()
        .filter(|(_, field)| is_number(field.data_type()))
        .map(|(i, _)| *i)
        .collect();
    if kept.is_empty() {
        let found: Vec<String> = fields
            .iter()
            .map(|(_, field)| field.data_type().to_string())
            .collect();
        return Err(ArraysError::Element {
            place: format!("`{}`", path.display()),
            found: format!("columns of {}", found.join(", ")),
        });
    }
    let mut spill = Spill::new()?;
    let mut rows = 0;
    for batch in batches {
        let batch = batch.map_err(|error| damaged(path, error))?;
        let columns: Vec<Vec<f64>> = kept.iter().map(|&i| numbers(batch.column(i).as_ref())).collect();
        for row in 0..batch.num_rows() {
            for column in &columns {
                spill.push(column[row])?;
            }
        }
        rows += batch.num_rows();
    }
    let names: Vec<String> = kept.iter().map(|&i| fields[i].1.name().clone()).collect();
    let columns = names.len();
    spill.matrix(path, rows, names, columns)
}

fn is_number(ty: &DataType) -> bool {
    use DataType::*;
    matches!(
        ty,
        Boolean | Int8 | Int16 | Int32 | Int64 | UInt8 | UInt16 | UInt32 | UInt64 | Float32 | Float64
    )
}

/// The values of a column for which [`is_number`] holds.
fn numbers(column: &dyn Array) -> Vec<f64> {
    macro_rules! primitive {
        ($type:ty) => {
            column
                .as_primitive::<$type>()
                .iter()
                .map(|value| value.map_or(f64::NAN, |value| value as f64))
                .collect()
        };
    }
    match column.data_type() {
        DataType::Boolean => column
            .as_boolean()
            .iter()
            .map(|value| value.map_or(f64::NAN, |value| f64::from(u8::from(value))))
            .collect(),
        DataType::Int8 => primitive!(Int8Type),
        DataType::Int16 => primitive!(Int16Type),
        DataType::Int32 => primitive!(Int32Type),
        DataType::Int64 => primitive!(Int64Type),
        DataType::UInt8 => primitive!(UInt8Type),
        DataType::UInt16 => primitive!(UInt16Type),
        DataType::UInt32 => primitive!(UInt32Type),
        DataType::UInt64 => primitive!(UInt64Type),
        DataType::Float32 => primitive!(Float32Type),
        _ => primitive!(Float64Type),
    }
}
