//! What exports are read back as.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use arrow_array::{Array, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray, UInt64Array};
use arrow_schema::DataType;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

/// A table, each value as text.
#[derive(Debug)]
pub struct Table {
    pub names: Vec<String>,
    /// Types of the columns; all text of a CSV file.
    pub types: Vec<DataType>,
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// A `.parquet` or `.csv` file.
    pub fn open(path: &Path) -> Table {
        match path.extension().is_some_and(|it| it == "csv") {
            true => Table::csv(path),
            false => Table::parquet(path),
        }
    }

    fn parquet(path: &Path) -> Table {
        let builder = ParquetRecordBatchReaderBuilder::try_new(fs::File::open(path).unwrap()).unwrap();
        let schema = builder.schema().clone();
        let batches: Vec<RecordBatch> = builder.build().unwrap().map(|batch| batch.unwrap()).collect();
        let row = |batch: &RecordBatch, row: usize| -> Vec<String> {
            batch
                .columns()
                .iter()
                .map(|column| text(column.as_ref(), row))
                .collect()
        };
        Table {
            names: schema.fields().iter().map(|field| field.name().clone()).collect(),
            types: schema
                .fields()
                .iter()
                .map(|field| field.data_type().clone())
                .collect(),
            rows: batches
                .iter()
                .flat_map(|batch| (0..batch.num_rows()).map(move |it| row(batch, it)))
                .collect(),
        }
    }

    fn csv(path: &Path) -> Table {
        let mut reader = csv::Reader::from_path(path).unwrap();
        let names: Vec<String> = reader.headers().unwrap().iter().map(str::to_string).collect();
        let distinct: HashSet<&String> = names.iter().collect();
        assert_eq!(distinct.len(), names.len(), "{names:?}");
        let rows = reader
            .records()
            .map(|row| row.unwrap().iter().map(str::to_string).collect());
        Table {
            types: vec![DataType::Utf8; names.len()],
            rows: rows.collect(),
            names,
        }
    }

    pub fn has(&self, name: &str) -> bool {
        self.names.iter().any(|it| it == name)
    }

    fn index(&self, name: &str) -> usize {
        let index = self.names.iter().position(|it| it == name);
        index.unwrap_or_else(|| panic!("{name} is not among {:?}", self.names))
    }

    pub fn type_of(&self, name: &str) -> &DataType {
        &self.types[self.index(name)]
    }

    /// A column as text; what is missing is empty.
    pub fn column(&self, name: &str) -> Vec<&str> {
        let index = self.index(name);
        self.rows.iter().map(|row| row[index].as_str()).collect()
    }

    pub fn numbers(&self, name: &str) -> Vec<f64> {
        self.column(name)
            .iter()
            .map(|text| text.parse().unwrap_or(f64::NAN))
            .collect()
    }

    /// The rows in which each of `columns` says what is asked.
    pub fn only(&self, asked: &[(&str, &str)]) -> Table {
        let fits = |row: &&Vec<String>| asked.iter().all(|(name, text)| row[self.index(name)] == *text);
        Table {
            names: self.names.clone(),
            types: self.types.clone(),
            rows: self.rows.iter().filter(fits).cloned().collect(),
        }
    }
}

fn text(column: &dyn Array, row: usize) -> String {
    if column.is_null(row) {
        return String::new();
    }
    let any = column.as_any();
    match column.data_type() {
        DataType::Utf8 => any.downcast_ref::<StringArray>().unwrap().value(row).to_string(),
        DataType::UInt64 => any.downcast_ref::<UInt64Array>().unwrap().value(row).to_string(),
        DataType::Int64 => any.downcast_ref::<Int64Array>().unwrap().value(row).to_string(),
        DataType::Boolean => any.downcast_ref::<BooleanArray>().unwrap().value(row).to_string(),
        DataType::Float64 => {
            let value = any.downcast_ref::<Float64Array>().unwrap().value(row);
            if value.is_nan() {
                String::new()
            } else {
                value.to_string()
            }
        }
        other => panic!("{other} is no type of an export"),
    }
}

/// The words of a command line, single quotes taken off.
pub fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for letter in line.chars() {
        match letter {
            '\'' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            letter => words.last_mut().unwrap().push(letter),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}
