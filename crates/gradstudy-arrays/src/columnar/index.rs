//! Columns that are no data but the labels of rows, as pandas writes them beside a table.

use arrow_schema::Schema;
use serde_json::Value;

/// The columns that the file's pandas metadata call an index, and those with the names that pandas gives one.
pub(super) fn columns(schema: &Schema) -> Vec<usize> {
    let named = pandas(schema);
    let is_index = |name: &str| {
        let unnamed = name
            .strip_prefix("Unnamed: ")
            .is_some_and(|number| number.parse::<f64>().is_ok());
        let level = name
            .strip_prefix("__index_level_")
            .and_then(|rest| rest.strip_suffix("__"));
        unnamed
            || level.is_some_and(|number| number.parse::<u32>().is_ok())
            || named.iter().any(|it| it == name)
    };
    let fields = schema.fields().iter().enumerate();
    fields
        .filter(|(_, field)| is_index(field.name()))
        .map(|(i, _)| i)
        .collect()
}

/// Names of index columns in pandas' metadata; an index that only counts has no column.
fn pandas(schema: &Schema) -> Vec<String> {
    let Some(metadata) = schema.metadata.get("pandas") else {
        return Vec::new();
    };
    let Ok(metadata) = serde_json::from_str::<Value>(metadata) else {
        return Vec::new();
    };
    let columns = metadata["index_columns"].as_array().cloned().unwrap_or_default();
    columns
        .iter()
        .filter_map(|column| Some(column.as_str()?.to_string()))
        .collect()
}

/// What is said of index columns.
pub(super) fn note(schema: &Schema, columns: &[usize]) -> Option<String> {
    let names: Vec<String> = columns
        .iter()
        .map(|&i| format!("`{}`", schema.field(i).name()))
        .collect();
    match names.len() {
        0 => None,
        1 => Some(format!("the column {} is an index: left out", names[0])),
        _ => Some(format!("the columns {} are an index: left out", names.join(", "))),
    }
}
