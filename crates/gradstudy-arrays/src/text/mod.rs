//! Tables in text: CSV and its relatives, as spreadsheets, pandas, R and NumPy write them.
//!
//! The ways of writing a table that are certain are read without a setting; what was decided is said in
//! [`Layout::notes`]; what could be read in two ways is an error that names the setting which decides. `gradstudy test`,
//! `file(…)` and `csv(…)` read their files here.

mod decimal;
mod encoding;
mod error;
mod field;
mod header;
mod layout;
pub(super) mod matrix;
mod records;
mod sample;
mod separator;
pub mod settings;
mod table;

use std::io::Read;
use std::path::Path;

pub use error::TextError;
pub use field::Field;
pub use layout::Layout;
pub use settings::{DECIMAL_WORDS, Decimal, SEPARATOR_WORDS, Separator, TextSettings};
pub use table::{Row, TextTable};

/// The table in `content`, which may be packed by gzip. `path` gives the kind by its extension. `label` is the name of a
/// column that the table is known to have: a first row that holds it is a header.
///
/// # Errors
/// What is no text, or could be read in two ways.
pub fn open<'a>(
    path: &Path,
    content: impl Read + 'a,
    settings: &TextSettings,
    label: Option<&str>,
) -> Result<TextTable<'a>, TextError> {
    TextTable::open(path, Box::new(content), settings, label)
}

#[cfg(test)]
mod tests;
