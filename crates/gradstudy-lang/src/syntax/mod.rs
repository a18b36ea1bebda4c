//! Text to syntax tree. [`parse`] knows the shapes of the language (`grammar/study.pest`) and no names:
//! what a keyword, a dataset or a test takes is the `study` module's concern.

pub mod ast;
mod diagnostic;
mod expected;
mod layout;
mod parser;
mod printer;
mod recover;
mod shift;
mod source;
mod sources;

pub use ast::{Span, Spanned};
pub use diagnostic::{Diagnostic, Diagnostics, Elsewhere};
pub use parser::parse_value;
pub use printer::format;
pub use recover::{Lost, Parsed, parse, pieces, reserved};
pub use shift::{shift, shift_value};
pub use source::{Source, SourceError};
pub use sources::Sources;
