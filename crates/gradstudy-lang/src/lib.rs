//! The language of studies, from text to a checked study.
//!
//! [`syntax`] reads a `.study` file into a syntax tree that keeps its spans, and formats it; [`study`] resolves names,
//! checks types and writes defaults out. Neither knows which data sets, models or tests there are: a
//! [`study::Vocabulary`] says so.

pub mod syntax;

pub mod study;
