//! Results → tables → documents.
//!
//! [`tabulate`] lays results out as a [`Table`] of typed cells: a mean, a spread and where they came from, and no
//! text. [`number`] alone turns numbers into text, [`markup`] and [`latex`] spell a table in a format, and the
//! templates of [`template`] make documents of them. [`write_all`] puts the documents into a run's directory.
//!
//! Figures come in as [`Drawing`]s, drawn already; the HTML report shows them, and every report has them beside it.

mod caption;
pub mod cells;
mod cjk;
pub mod columns;
mod context;
mod csv;
mod doubts;
mod drawing;
pub mod error;
pub mod html;
pub mod latex;
pub mod markup;
mod mathematics;
mod notes;
pub mod number;
pub mod paper;
pub mod remarks;
pub mod row_keys;
pub mod screen;
pub mod symbols;
pub mod table;
pub mod tabulate;
pub mod template;
pub mod write;

pub use caption::caption;
pub use columns::{COLUMNS, ColumnKind, find as column, given, quantity};
pub use drawing::Drawing;
pub use error::ReportError;
pub use markup::{to_markdown, to_screen, to_terminal};
pub use row_keys::{ROW_KEYS, RowKey, label_of};
pub use screen::{Screen, ScreenGrid};
pub use table::Table;
pub use tabulate::tabulate;
pub use template::Templates;
pub use write::{Report, Timing, write_all};
