//! How a table in text is written, as a study or a command line says it.

use gradstudy_base::signature::{Args, Default, Param, ParamType};

/// What stands between the columns of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Separator {
    Comma,
    Semicolon,
    Tab,
    Pipe,
    /// One blank or more; tabs count as blanks.
    Space,
}

/// What stands before the fraction of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decimal {
    Point,
    Comma,
}

/// How a table in text is written, as far as the user says; what is `None` is found out from the file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TextSettings {
    /// Whether the first row holds the columns' names.
    pub header: Option<bool>,
    /// Whether the first column numbers or names the rows.
    pub index: Option<bool>,
    pub separator: Option<Separator>,
    pub decimal: Option<Decimal>,
}

/// Words for separators, in studies and on the command line.
pub const SEPARATOR_WORDS: &[&str] = &["comma", "semicolon", "tab", "pipe", "space"];
/// Words for what stands before a fraction, in studies and on the command line.
pub const DECIMAL_WORDS: &[&str] = &["point", "comma"];

impl Separator {
    /// The separator of one of [`SEPARATOR_WORDS`]; `None` for another word.
    pub fn of_word(word: &str) -> Option<Separator> {
        let at = SEPARATOR_WORDS.iter().position(|it| *it == word)?;
        Some(SEPARATORS[at])
    }
}

impl Decimal {
    /// The decimal sign of one of [`DECIMAL_WORDS`]; `None` for another word.
    pub fn of_word(word: &str) -> Option<Decimal> {
        match word {
            "point" => Some(Decimal::Point),
            "comma" => Some(Decimal::Comma),
            _ => None,
        }
    }
}

/// In the order of [`SEPARATOR_WORDS`].
const SEPARATORS: [Separator; 5] = [
    Separator::Comma,
    Separator::Semicolon,
    Separator::Tab,
    Separator::Pipe,
    Separator::Space,
];

impl Separator {
    pub(super) fn name(self) -> &'static str {
        let at = SEPARATORS.iter().position(|it| *it == self);
        at.map_or(SEPARATOR_WORDS[0], |at| SEPARATOR_WORDS[at])
    }

    /// The separator that a byte is; blanks in any number for a blank.
    pub(super) fn of_byte(byte: u8) -> Option<Separator> {
        let is_it = |separator: &Separator| separator.byte().unwrap_or(b' ') == byte;
        SEPARATORS.into_iter().find(is_it)
    }

    /// The separator's byte; blanks have none, as any number of them is one separator.
    pub(super) fn byte(self) -> Option<u8> {
        match self {
            Separator::Comma => Some(b','),
            Separator::Semicolon => Some(b';'),
            Separator::Tab => Some(b'\t'),
            Separator::Pipe => Some(b'|'),
            Separator::Space => None,
        }
    }
}

/// Whether the first row of a table in text holds names.
pub const HEADER: Param = Param {
    name: "header",
    ty: ParamType::Boolean,
    default: Default::Absent,
    doc: "of a table in text: whether the first row holds the columns' names; told from the rows where it is left out",
};
/// Whether the first column of a table numbers or names its rows.
pub const INDEX: Param = Param {
    name: "index",
    ty: ParamType::Boolean,
    default: Default::Absent,
    doc: "of a table: whether the first column numbers or names the rows, and is left out; told from the file where it is \
          left out",
};
/// What stands between the columns of a table in text.
pub const SEPARATOR: Param = Param {
    name: "separator",
    ty: ParamType::Word(SEPARATOR_WORDS),
    default: Default::Absent,
    doc: "of a table in text: what stands between columns; told from the rows where it is left out",
};
/// What stands before the fractions of numbers in a table in text.
pub const DECIMAL: Param = Param {
    name: "decimal",
    ty: ParamType::Word(DECIMAL_WORDS),
    default: Default::Absent,
    doc: "of a table in text: what stands before fractions; told from the rows where it is left out",
};

impl TextSettings {
    /// What the settings of a `file(…)` or a `csv(…)` say.
    pub fn of(args: &Args) -> Self {
        let boolean = |name: &str| args.get(name).map(|_| args.boolean(name));
        let word = |name: &str| args.get(name).map(|_| args.text(name));
        TextSettings {
            header: boolean("header"),
            index: boolean("index"),
            separator: word("separator").and_then(Separator::of_word),
            decimal: word("decimal").and_then(Decimal::of_word),
        }
    }
}
