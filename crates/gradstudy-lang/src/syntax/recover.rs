//! Parsing that goes on after a syntax error: when the file as a whole does not parse, it is cut at the lines
//! that look like the first line of a statement, and each piece is parsed by itself.

use super::expected::describe;
use super::parser::{Failure, NumberTooLarge, statements};
use super::{Diagnostic, Source, Span, Spanned, ast::Statement};

/// Brackets inside brackets; no study needs a tenth of it, and the parser's stack must not decide.
const MAX_DEPTH: usize = 64;

/// Words between values, which the grammar takes for no name.
const RESERVED: [&str; 3] = ["at", "with", "in"];

fn is_reserved(word: &Spanned<String>) -> bool {
    RESERVED.contains(&word.value.as_str())
}

/// What could be read, and what was wrong with the rest.
#[derive(Debug)]
pub struct Parsed {
    pub statements: Vec<Statement>,
    /// Names of statements that did not parse: a reference to one of them is not another mistake.
    pub lost: Vec<Lost>,
    pub diagnostics: Vec<Diagnostic>,
}

/// The first line of a statement that did not parse.
#[derive(Debug, Clone, PartialEq)]
pub struct Lost {
    pub keyword: String,
    pub name: Spanned<String>,
}

/// Parses a study. Every statement with a syntax error gives one diagnostic; the others are in the tree.
pub fn parse(source: &Source) -> Parsed {
    let text = &*source.text;
    let mut parsed = Parsed {
        statements: Vec::new(),
        lost: Vec::new(),
        diagnostics: Vec::new(),
    };
    if let Some(deep) = Outline::of(text).too_deep {
        let span = Span {
            start: deep,
            end: deep + 1,
        };
        let message = format!("brackets are nested more than {MAX_DEPTH} deep");
        parsed
            .diagnostics
            .push(Diagnostic::error("E0106", message, span, "one too many"));
        return parsed;
    }
    let whole = match statements(text, 0) {
        // `data at = mnist` reads as two statements, of which the second has the keyword `at`.
        Ok(Ok(statements)) if statements.iter().any(|it| is_reserved(&it.keyword)) => None,
        Ok(Ok(statements)) => return Parsed { statements, ..parsed },
        Ok(Err(failure)) => Some(failure),
        Err(_) => None,
    };
    for piece in pieces(text) {
        let part = &text[piece.start..piece.end];
        let first = lost(part, piece.start);
        if let Some(first) = first.as_ref().filter(|first| is_reserved(&first.name)) {
            parsed.diagnostics.push(reserved(&first.name));
            parsed.lost.push(first.clone());
            continue;
        }
        match statements(part, piece.start) {
            Ok(Ok(statements)) => parsed.statements.extend(statements),
            Ok(Err(failure)) => {
                parsed.diagnostics.push(explain(text, piece, &failure));
                parsed.lost.extend(first);
            }
            Err(NumberTooLarge(span)) => {
                let message = format!("`{}` is too large a number", &text[span.start..span.end]);
                let help = "whole numbers go up to 9_223_372_036_854_775_807, real ones to 1.8e308";
                parsed
                    .diagnostics
                    .push(Diagnostic::error("E0104", message, span, "").help(help));
                parsed.lost.extend(first);
            }
        }
    }
    // The pieces parse but their whole did not: no cut helps, so say what is wrong with the whole.
    if let (Some(failure), true) = (whole, parsed.diagnostics.is_empty()) {
        parsed.diagnostics.push(explain(
            text,
            Span {
                start: 0,
                end: text.len(),
            },
            &failure,
        ));
    }
    parsed
}

/// Cuts before each line that looks like a statement's first.
pub fn pieces(text: &str) -> Vec<Span> {
    let mut cuts = vec![0];
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if at > 0 && first_line(line).is_some() {
            cuts.push(at);
        }
        at += line.len();
    }
    cuts.push(text.len());
    cuts.windows(2)
        .map(|pair| Span {
            start: pair[0],
            end: pair[1],
        })
        .collect()
}

fn lost(piece: &str, offset: usize) -> Option<Lost> {
    let mut at = 0;
    for line in piece.split_inclusive('\n') {
        if let Some((keyword, name)) = first_line(line) {
            // `name` is a part of `line`; the keyword may hold the same letters.
            let start = offset + at + (name.as_ptr() as usize - line.as_ptr() as usize);
            let name = Spanned {
                value: name.to_string(),
                span: Span {
                    start,
                    end: start + name.len(),
                },
            };
            return (!name.value.starts_with('"')).then(|| Lost {
                keyword: keyword.to_string(),
                name,
            });
        }
        at += line.len();
    }
    None
}

/// Keyword and name (or title) if the line has the look of a statement's first: `word word =`, `word word in`,
/// `word word {`, `word "…`, or, at the line's very start, `word word` alone. No line within a well-formed
/// statement has it.
fn first_line(line: &str) -> Option<(&str, &str)> {
    let body = line.trim_start_matches([' ', '\t']);
    let (keyword, rest) = take_word(body)?;
    let spaced = rest.trim_start_matches([' ', '\t']);
    if keyword == "assert" || spaced.len() == rest.len() {
        return None;
    }
    if spaced.starts_with('"') {
        return Some((keyword, spaced.trim_end()));
    }
    let (name, rest) = take_word(spaced)?;
    let rest = rest.trim();
    let opens = rest.starts_with(['=', '{']) || take_word(rest).is_some_and(|(word, _)| word == "in");
    let alone = (rest.is_empty() || rest.starts_with('#')) && body.len() == line.len();
    (opens || (alone && !RESERVED.contains(&name))).then_some((keyword, name))
}

fn take_word(text: &str) -> Option<(&str, &str)> {
    let end = text
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .unwrap_or(text.len());
    let word = &text[..end];
    word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        .then_some((word, &text[end..]))
}

/// The brackets of a text, read without the grammar.
struct Outline {
    /// Where brackets still open at the end were opened, outermost first.
    open: Vec<(usize, char)>,
    too_deep: Option<usize>,
    /// End of the last character that is neither blank nor in a comment.
    end: usize,
}

impl Outline {
    fn of(text: &str) -> Outline {
        let mut outline = Outline {
            open: Vec::new(),
            too_deep: None,
            end: 0,
        };
        let mut chars = text.char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '#' => {
                    chars.find(|(_, c)| *c == '\n');
                    continue;
                }
                '"' => {
                    let mut escaped = false;
                    let mut close = at + 1;
                    for (at, c) in chars.by_ref() {
                        close = at + c.len_utf8();
                        if c == '\n' || (c == '"' && !escaped) {
                            break;
                        }
                        escaped = c == '\\' && !escaped;
                    }
                    outline.end = close;
                    continue;
                }
                '(' | '[' | '{' => {
                    outline.open.push((at, c));
                    if outline.open.len() > MAX_DEPTH {
                        outline.too_deep.get_or_insert(at);
                    }
                }
                ')' | ']' | '}' => {
                    outline.open.pop();
                }
                _ => {}
            }
            if !c.is_whitespace() {
                outline.end = at + c.len_utf8();
            }
        }
        outline
    }
}

/// A diagnostic for pest's furthest failure within `piece` of `text`.
fn explain(text: &str, piece: Span, failure: &Failure) -> Diagnostic {
    let outline = Outline::of(&text[piece.start..piece.end]);
    let end = piece.start + outline.end;
    let expected = describe(&failure.expected);
    if failure.at >= end {
        let here = Span { start: end, end };
        if let Some((at, bracket)) = outline.open.last() {
            let at = piece.start + at;
            let message = format!("`{bracket}` is never closed");
            let open = Span {
                start: at,
                end: at + 1,
            };
            return Diagnostic::error("E0105", message, open, "opened here")
                .label(here, format!("expected {expected}"));
        }
        let message = format!("the statement ends where {expected} is expected");
        return Diagnostic::error("E0101", message, here, format!("expected {expected}"));
    }
    let rest = &text[failure.at..piece.end];
    let token = token(rest);
    let span = Span {
        start: failure.at,
        end: failure.at + token.len(),
    };
    let line_end = rest.find('\n').unwrap_or(rest.len());
    if token == "\"" {
        let span = Span {
            end: failure.at + rest[..line_end].trim_end().len(),
            ..span
        };
        return Diagnostic::error("E0102", "a text is not closed on its line", span, "begins here")
            .help("end the text with `\"` on the same line; write `\\\"` for a quotation mark inside it");
    }
    if token.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '.') && token.len() > 1 {
        let message = format!("`{token}` is not a number");
        return Diagnostic::error("E0103", message, span, "")
            .help("numbers look like 5000, 44_426, 0.1, 5e-4 and 40%; ranges like 0..2");
    }
    let message = format!("expected {expected}, found `{token}`");
    let diagnostic = Diagnostic::error("E0101", message, span, format!("expected {expected}"));
    if token == ":"
        && let Some(label) = number_as_label(&text[piece.start..failure.at])
    {
        let help = format!("a label is a name or a text; quote the label: \"{label}\"");
        return diagnostic.help(help);
    }
    match habit(token, &expected) {
        Some(help) => diagnostic.help(help),
        None => diagnostic,
    }
}

/// A statement whose name is a word that means something else.
pub fn reserved(name: &Spanned<String>) -> Diagnostic {
    let word = &name.value;
    let message = format!("`{word}` is a word of the language, and no name");
    let help = format!("take another name, such as `{word}_1`");
    Diagnostic::error("E0107", message, name.span, "cannot be a name").help(help)
}

/// The number that a list's entry begins with, if `before` ends in one: it was meant as the entry's label.
fn number_as_label(before: &str) -> Option<&str> {
    let before = before.trim_end();
    let (_, opened) = *Outline::of(before).open.last()?;
    let part = |c: char| c.is_ascii_alphanumeric() || "._%+-".contains(c);
    let number = &before[before.rfind(|c| !part(c)).map_or(0, |at| at + 1)..];
    let is_number = number.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c));
    (opened == '[' && is_number).then_some(number)
}

/// The word, number or single character that `rest` begins with.
fn token(rest: &str) -> &str {
    let first = rest.chars().next().map_or(0, char::len_utf8);
    let number = rest.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '.');
    let part = |c: char| c.is_ascii_alphanumeric() || c == '_' || (number && (c == '.' || c == '%'));
    if !number && !rest.starts_with(part) {
        return &rest[..first];
    }
    let length = rest[first..]
        .find(|c| !part(c))
        .map_or(rest.len(), |length| first + length);
    &rest[..length]
}

/// Help for what people coming from other languages write.
fn habit(token: &str, expected: &str) -> Option<&'static str> {
    match token {
        "=" if expected.contains("`:`") => Some("inside `{ }` and `( )` a setting is written `key: value`"),
        ":" if expected.contains("`=`") => {
            Some("a statement is written `keyword name = value { key: value }`")
        }
        "'" | "“" | "”" | "‘" => Some("texts stand in straight double quotes: \"…\""),
        "/" => Some("comments begin with `#`"),
        "%" => Some("a percent sign follows its number without a space"),
        _ => None,
    }
}
