//! The syntax tree: what was written and where. Not yet true of it: that keywords, names and keys exist, that
//! a key stands once, that a value has the type its key asks for, that a statement has the parts it needs.

use serde::{Deserialize, Serialize};

/// Bytes `start..end` of the source; both lie on character boundaries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Span {
    pub start: usize,
    pub end: usize,
}

impl Span {
    /// From the start of this span to the end of `other`.
    pub fn to(self, other: Span) -> Span {
        Span {
            start: self.start,
            end: other.end.max(self.end),
        }
    }
}

/// A value and its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Spanned<T> {
    pub value: T,
    pub span: Span,
}

/// `keyword ["title" | name] [= value | in value] [{ block }]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    pub keyword: Spanned<String>,
    pub title: Option<Spanned<String>>,
    pub name: Option<Spanned<String>>,
    pub binding: Option<Binding>,
    pub block: Option<Block>,
}

impl Statement {
    /// Keyword to name or title: the place of a complaint about the statement as a whole.
    pub fn head(&self) -> Span {
        let last = self
            .name
            .as_ref()
            .or(self.title.as_ref())
            .unwrap_or(&self.keyword);
        self.keyword.span.to(last.span)
    }
}

/// `= value` or `in value`.
#[derive(Debug, Clone, PartialEq)]
pub struct Binding {
    pub sign: Sign,
    pub value: Expr,
    pub span: Span,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    Equals,
    In,
}

/// `{ key: value … assert … }`.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    pub fields: Vec<Argument>,
    pub asserts: Vec<Assert>,
    pub span: Span,
}

/// `key: value`, or `value` alone (in a call).
#[derive(Debug, Clone, PartialEq)]
pub struct Argument {
    pub key: Option<Spanned<String>>,
    pub value: Expr,
}

/// `assert subject == value`.
#[derive(Debug, Clone, PartialEq)]
pub struct Assert {
    pub subject: Spanned<String>,
    pub comparison: Comparison,
    pub value: Expr,
    pub span: Span,
}

/// How an assert compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Comparison {
    #[serde(rename = "==")]
    Equal,
    #[serde(rename = "!=")]
    NotEqual,
    #[serde(rename = "<=")]
    AtMost,
    #[serde(rename = ">=")]
    AtLeast,
    #[serde(rename = "<")]
    Below,
    #[serde(rename = ">")]
    Above,
}

impl Comparison {
    /// Whether `left` compares so with `right`.
    pub fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Comparison::Equal => left == right,
            Comparison::NotEqual => left != right,
            Comparison::AtMost => left <= right,
            Comparison::AtLeast => left >= right,
            Comparison::Below => left < right,
            Comparison::Above => left > right,
        }
    }
}

/// A value as written.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    pub kind: ExprKind,
    pub span: Span,
    /// Where a factor's name stood that this value was put in for.
    pub via: Option<Span>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    Integer(i64),
    Number(f64),
    /// `40%`, held as 40.
    Percent(f64),
    Boolean(bool),
    Text(String),
    Word(String),
    /// `first..last`, both included.
    Range(i64, i64),
    List(Vec<Entry>),
    Call {
        name: Spanned<String>,
        arguments: Vec<Argument>,
    },
    /// `left at right`, `left with right`.
    Infix {
        left: Box<Expr>,
        word: Spanned<String>,
        right: Box<Expr>,
    },
}

/// One entry of a list, with its label if it has one.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub label: Option<Spanned<String>>,
    pub value: Expr,
}
