//! What each word of a text is, however broken the text: the shapes of `grammar/study.pest`, read token by token
//! without ever giving up. On text that parses the two agree (`tests/lsp` compares them).

use crate::syntax::Span;

use super::reader::Reader;

/// What a word is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    Keyword,
    /// A statement's own name.
    Name,
    /// `in` before levels.
    In,
    /// `at`, `with`.
    Infix,
    /// Before `:` in a block or a call.
    Key,
    /// Before `:` in a list.
    Label,
    /// Before `(`.
    Callee,
    /// A value.
    Value,
    /// `assert`.
    Assert,
    /// What an assert compares.
    Subject,
}

/// One step on the way from a statement to a place in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Behind `=` or `in`.
    Binding,
    /// In the block; the key's place, or none where a key is still to come.
    Field(Option<Span>),
    /// In the parentheses of the call at `callee`.
    Argument {
        callee: Span,
        key: Option<Span>,
        position: usize,
    },
    /// In a list.
    Entry,
    /// Behind `at` or `with`.
    Right(Span),
    /// Behind the comparison of an assert.
    Assert,
}

/// A word in its place.
#[derive(Debug, Clone)]
pub struct Word {
    pub span: Span,
    pub role: Role,
    /// Index of its statement.
    pub statement: usize,
    pub path: Vec<Step>,
}

/// What could be read of a statement.
#[derive(Debug, Clone)]
pub struct Outlined {
    pub keyword: Span,
    pub name: Option<Span>,
    /// With its quotes.
    pub title: Option<Span>,
    /// The word that its binding begins with.
    pub callee: Option<Span>,
    /// To the end of its last token.
    pub span: Span,
}

/// A text's statements and words, in order.
#[derive(Debug, Clone, Default)]
pub struct Outline {
    pub statements: Vec<Outlined>,
    pub words: Vec<Word>,
    pub comments: Vec<Span>,
    pub texts: Vec<Span>,
}

/// What may come next, as the last tokens have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// A statement.
    Keyword,
    /// A name or title (a new line brings a statement's other parts).
    Head,
    /// `=`, `in`, `{` or a statement.
    Sign,
    Value,
    /// What follows a value: an infix, `,`, `{`, a key …
    AfterValue,
    /// A key or `assert`, in a block.
    Key,
    Colon,
    /// A key or a value, in a call.
    Argument,
    Subject,
    Comparison,
}

/// Where a text that is being written stops.
#[derive(Debug)]
pub struct Cursor {
    pub next: Next,
    /// Index of the statement that it is in.
    pub statement: Option<usize>,
    pub path: Vec<Step>,
}

impl Outline {
    /// The outline of a text.
    pub fn of(text: &str) -> Outline {
        Reader::read(text, text.len()).outline
    }

    /// What may stand at byte `offset` of `text`, whatever follows it: what is read of the text ends at `offset`.
    pub fn cursor(text: &str, offset: usize) -> Cursor {
        let reader = Reader::read(text, offset);
        reader.cursor()
    }

    /// The word that holds byte `offset` or ends there.
    pub fn word_at(&self, offset: usize) -> Option<&Word> {
        let touching = |word: &&Word| word.span.start <= offset && offset <= word.span.end;
        self.words.iter().rev().find(touching)
    }
}
