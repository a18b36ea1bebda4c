//! A text cut into tokens, whatever it holds: the parser reads whole statements, an editor's text is half of one.

use crate::syntax::Span;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `lenet`, `g.batch`.
    Word,
    Number,
    /// `"…"`, closed or running to the end of its line.
    Text,
    /// `(`, `[` or `{`.
    Open(char),
    /// `)`, `]` or `}`.
    Close(char),
    Colon,
    Comma,
    Semicolon,
    Equals,
    /// `==`, `!=`, `<=`, `>=`, `<`, `>`.
    Compare,
    /// `..`
    Dots,
    /// Anything that no study holds.
    Other,
}

/// A token and its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    pub kind: Kind,
    pub span: Span,
}

/// The tokens of `text` in order, and its comments.
pub fn tokens(text: &str) -> (Vec<Token>, Vec<Span>) {
    let (mut tokens, mut comments) = (Vec::new(), Vec::new());
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        if matches!(c, ' ' | '\t' | '\r' | '\n') {
            at += 1;
            continue;
        }
        if c == '#' {
            let end = at + rest.find('\n').unwrap_or(rest.len());
            comments.push(Span { start: at, end });
            at = end;
            continue;
        }
        let (kind, length) = token(rest, c);
        let span = Span {
            start: at,
            end: at + length,
        };
        tokens.push(Token { kind, span });
        at += length;
    }
    (tokens, comments)
}

/// The token that `rest` begins with, and its bytes; `c` is its first character.
fn token(rest: &str, c: char) -> (Kind, usize) {
    let second = rest[c.len_utf8()..].chars().next();
    let signed = matches!(c, '-' | '+') && second.is_some_and(|c| c.is_ascii_digit());
    match (c, second) {
        _ if begins_word(c) => (Kind::Word, word(rest)),
        _ if c.is_ascii_digit() || signed => (Kind::Number, number(rest)),
        ('"', _) => (Kind::Text, quoted(rest)),
        ('(' | '[' | '{', _) => (Kind::Open(c), 1),
        (')' | ']' | '}', _) => (Kind::Close(c), 1),
        (':', _) => (Kind::Colon, 1),
        (',', _) => (Kind::Comma, 1),
        (';', _) => (Kind::Semicolon, 1),
        ('.', Some('.')) => (Kind::Dots, 2),
        ('=' | '!' | '<' | '>', Some('=')) => (Kind::Compare, 2),
        ('<' | '>', _) => (Kind::Compare, 1),
        ('=', _) => (Kind::Equals, 1),
        _ => (Kind::Other, c.len_utf8()),
    }
}

/// Whether `c` may begin a word.
pub fn begins_word(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_'
}

/// Whether `c` may stand in a word.
pub fn in_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn simple(rest: &str) -> usize {
    rest.find(|c| !in_word(c)).unwrap_or(rest.len())
}

/// `word`, `word.word`: the keys of profiles have parts.
fn word(rest: &str) -> usize {
    let mut end = simple(rest);
    while let Some(part) = rest[end..]
        .strip_prefix('.')
        .filter(|part| part.starts_with(begins_word))
    {
        end += 1 + simple(part);
    }
    end
}

/// A number, with what is wrongly stuck to it.
fn number(rest: &str) -> usize {
    let mut end = rest.len() - rest.trim_start_matches(['-', '+']).len();
    end += simple(&rest[end..]);
    let fraction = |end: usize| {
        let after = rest[end..].strip_prefix('.')?;
        after
            .starts_with(|c: char| c.is_ascii_digit())
            .then(|| end + 1 + simple(after))
    };
    end = fraction(end).unwrap_or(end);
    if rest[..end].ends_with(['e', 'E'])
        && let Some(exponent) = rest[end..].strip_prefix(['-', '+'])
        && exponent.starts_with(|c: char| c.is_ascii_digit())
    {
        end += 1 + simple(exponent);
    }
    if rest[end..].starts_with('%') {
        end + 1
    } else {
        end
    }
}

fn quoted(rest: &str) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            '\n' => return at - usize::from(rest[..at].ends_with('\r')),
            '"' if !escaped => return at + 1,
            _ => escaped = c == '\\' && !escaped,
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_those_of_the_grammar() {
        let text = "x in [0..2, -1, 5e-4, 40%, 44_426] # é\n g.batch: \"a \\\" b\" assert n <= 3 ü";
        let (found, comments) = tokens(text);
        let of = |kind: Kind| -> Vec<&str> {
            let of = found.iter().filter(|token| token.kind == kind);
            of.map(|token| &text[token.span.start..token.span.end]).collect()
        };
        assert_eq!(of(Kind::Word), ["x", "in", "g.batch", "assert", "n"]);
        assert_eq!(of(Kind::Number), ["0", "2", "-1", "5e-4", "40%", "44_426", "3"]);
        assert_eq!(
            (of(Kind::Text), of(Kind::Other)),
            (vec!["\"a \\\" b\""], vec!["ü"])
        );
        assert_eq!(&text[comments[0].start..comments[0].end], "# é");
    }
}
