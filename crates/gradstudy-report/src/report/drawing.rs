//! A figure as the report takes it: drawn already.

/// A figure with its files. `report` does not know how it was drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawing {
    pub name: String,
    pub caption: String,
    /// Sentences under the figure, in plain text.
    pub notes: Vec<String>,
    /// An SVG document that can stand in an HTML page as it is.
    pub svg: String,
    /// What follows the name in the name of a file, such as `.pdf`, and its contents.
    pub files: Vec<(&'static str, Vec<u8>)>,
}
