//! Tables and arrays written for other programs: Parquet, CSV, `.npy`, `.safetensors`.

use gradstudy_base::spreadsheet::cell;
use std::collections::{HashMap, HashSet};
use std::io::{self, Write};
use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray, UInt64Array};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use safetensors::tensor::{Dtype, TensorView};

/// A column of a table; what is missing is `None`, or NaN in numbers.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    Text(Vec<Option<String>>),
    Integer(Vec<Option<u64>>),
    Signed(Vec<Option<i64>>),
    Number(Vec<f64>),
    Boolean(Vec<Option<bool>>),
}

/// Named columns of equal length.
pub type Columns = Vec<(String, Column)>;

impl Column {
    /// How many rows it has.
    pub fn len(&self) -> usize {
        match self {
            Column::Text(values) => values.len(),
            Column::Integer(values) => values.len(),
            Column::Signed(values) => values.len(),
            Column::Number(values) => values.len(),
            Column::Boolean(values) => values.len(),
        }
    }

    /// Whether it has no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn field(&self, row: usize) -> String {
        match self {
            Column::Text(values) => cell(values[row].as_deref().unwrap_or_default()).into_owned(),
            Column::Integer(values) => values[row].map_or_else(String::new, |value| value.to_string()),
            Column::Signed(values) => values[row].map_or_else(String::new, |value| value.to_string()),
            Column::Boolean(values) => values[row].map_or_else(String::new, |value| value.to_string()),
            Column::Number(values) if values[row].is_nan() => String::new(),
            Column::Number(values) => values[row].to_string(),
        }
    }

    fn array(&self) -> ArrayRef {
        match self {
            Column::Text(values) => Arc::new(StringArray::from_iter(values)),
            Column::Integer(values) => Arc::new(UInt64Array::from_iter(values.iter().copied())),
            Column::Signed(values) => Arc::new(Int64Array::from_iter(values.iter().copied())),
            Column::Boolean(values) => Arc::new(BooleanArray::from_iter(values.iter().copied())),
            Column::Number(values) => Arc::new(Float64Array::from_iter_values(values.iter().copied())),
        }
    }
}

/// A Parquet file of `columns`, which must not be empty; text, integers, doubles and booleans.
///
/// # Errors
/// What cannot be written.
pub fn parquet(columns: &Columns, file: &mut (dyn Write + Send)) -> io::Result<()> {
    let arrays = columns.iter().map(|(name, column)| (name, column.array(), true));
    let batch = RecordBatch::try_from_iter_with_nullable(arrays).map_err(io::Error::other)?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .build();
    let mut writer =
        ArrowWriter::try_new(file, batch.schema(), Some(properties)).map_err(io::Error::other)?;
    writer.write(&batch).map_err(io::Error::other)?;
    writer.close().map(|_| ()).map_err(io::Error::other)
}

/// The same as CSV; missing values are empty.
///
/// # Errors
/// What cannot be written.
pub fn csv(columns: &Columns, file: &mut dyn Write) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(file);
    writer.write_record(columns.iter().map(|(name, _)| name))?;
    let rows = columns.first().map_or(0, |(_, column)| column.len());
    for row in 0..rows {
        writer.write_record(columns.iter().map(|(_, column)| column.field(row)))?;
    }
    writer.flush()
}

/// A `.npy` file of numbers in C's order, of the type that they are here.
///
/// # Errors
/// What cannot be written, and values that are not as many as `shape` says.
pub fn npy<T: npyz::AutoSerialize>(
    shape: &[u64],
    values: impl IntoIterator<Item = T>,
    file: &mut dyn Write,
) -> io::Result<()> {
    use npyz::WriterBuilder;
    let options = npyz::WriteOptions::new().default_dtype().shape(shape);
    let mut writer = options.writer(file).begin_nd()?;
    writer.extend(values)?;
    writer.finish()
}

/// A tensor of a `.safetensors` file.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    pub name: String,
    pub dtype: Dtype,
    pub shape: Vec<usize>,
    pub bytes: Vec<u8>,
}

/// A `.safetensors` file of `tensors`, with `facts` as its metadata.
///
/// # Errors
/// What cannot be written, and two tensors of one name.
pub fn safetensors(
    tensors: &[Tensor],
    facts: HashMap<String, String>,
    file: &mut dyn Write,
) -> io::Result<()> {
    let mut names = HashSet::new();
    if let Some(twice) = tensors.iter().find(|tensor| !names.insert(&tensor.name)) {
        return Err(io::Error::other(format!(
            "two tensors would be called `{}`",
            twice.name
        )));
    }
    let views: Result<Vec<_>, _> = tensors
        .iter()
        .map(|it| TensorView::new(it.dtype, it.shape.clone(), &it.bytes).map(|view| (&it.name, view)))
        .collect();
    let bytes = views.and_then(|views| safetensors::serialize(views, Some(facts)));
    file.write_all(&bytes.map_err(io::Error::other)?)
}

impl Tensor {
    /// A row of float64.
    pub fn of_numbers(name: String, values: &[f64]) -> Self {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let shape = vec![values.len()];
        Tensor {
            name,
            dtype: Dtype::F64,
            shape,
            bytes,
        }
    }

    /// A row of truth values.
    pub fn of_booleans(name: String, values: impl Iterator<Item = bool>) -> Self {
        let bytes: Vec<u8> = values.map(u8::from).collect();
        Tensor {
            name,
            dtype: Dtype::BOOL,
            shape: vec![bytes.len()],
            bytes,
        }
    }
}
