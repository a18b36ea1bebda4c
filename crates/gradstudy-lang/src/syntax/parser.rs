//! Pest's pairs to the tree, and nothing else.

use pest::Parser;
use pest::error::{Error, InputLocation};
use pest::iterators::Pair;
use pest_derive::Parser;

use super::ast::{
    Argument, Assert, Binding, Block, Comparison, Entry, Expr, ExprKind, Sign, Span, Spanned, Statement,
};

#[derive(Parser)]
#[grammar = "../../grammar/study.pest"]
pub(super) struct StudyParser;

/// Why a piece of text does not parse: where, and which rules could have gone on there.
pub(super) struct Failure {
    pub at: usize,
    pub expected: Vec<Rule>,
}

/// Parses `text` as a whole file. `offset` is where `text` begins in its source. `Err` holds pest's furthest failure.
pub(super) fn statements(
    text: &str,
    offset: usize,
) -> Result<Result<Vec<Statement>, Failure>, NumberTooLarge> {
    match StudyParser::parse(Rule::file, text) {
        Err(error) => Ok(Err(failure(error, offset))),
        Ok(pairs) => {
            let file = pairs
                .flat_map(Pair::into_inner)
                .filter(|pair| pair.as_rule() == Rule::statement);
            file.map(|pair| statement(pair, offset))
                .collect::<Result<_, _>>()
                .map(Ok)
        }
    }
}

/// A single value, as in a signature's default; `None` if `text` is not one.
pub fn parse_value(text: &str) -> Option<Expr> {
    let mut pairs = StudyParser::parse(Rule::lone_value, text).ok()?;
    value(pairs.next()?.into_inner().next()?, 0).ok()
}

/// A whole number that does not fit in 64 bits, or a real one beyond the largest.
pub(super) struct NumberTooLarge(pub Span);

fn failure(error: Error<Rule>, offset: usize) -> Failure {
    let at = match error.location {
        InputLocation::Pos(at) | InputLocation::Span((at, _)) => at + offset,
    };
    let expected = match error.variant {
        pest::error::ErrorVariant::ParsingError { positives, .. } => positives,
        pest::error::ErrorVariant::CustomError { .. } => Vec::new(),
    };
    Failure { at, expected }
}

type Built<T> = Result<T, NumberTooLarge>;

fn span(pair: &Pair<Rule>, offset: usize) -> Span {
    Span {
        start: pair.as_span().start() + offset,
        end: pair.as_span().end() + offset,
    }
}

fn word(pair: &Pair<Rule>, offset: usize) -> Spanned<String> {
    let text = pair.as_str();
    let value = if text.starts_with('"') {
        unquote(text)
    } else {
        text.to_string()
    };
    Spanned {
        value,
        span: span(pair, offset),
    }
}

/// Without the quotes; `\"` and `\\` lose their backslash, any other backslash stays (captions hold LaTeX).
fn unquote(text: &str) -> String {
    let inner = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
        .unwrap_or(text);
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('\\', Some(&next @ ('"' | '\\'))) => {
                out.push(next);
                chars.next();
            }
            _ => out.push(c),
        }
    }
    out
}

fn statement(pair: Pair<Rule>, offset: usize) -> Built<Statement> {
    let mut keyword = Spanned {
        value: String::new(),
        span: span(&pair, offset),
    };
    let (mut title, mut name, mut binding, mut block) = (None, None, None, None);
    for part in pair.into_inner() {
        match part.as_rule() {
            Rule::head => {
                for part in part.into_inner() {
                    match part.as_rule() {
                        Rule::keyword => keyword = word(&part, offset),
                        Rule::text => title = Some(word(&part, offset)),
                        _ => name = Some(word(&part, offset)),
                    }
                }
            }
            Rule::binding => binding = Some(self::binding(part, offset)?),
            _ => block = Some(self::block(part, offset)?),
        }
    }
    Ok(Statement {
        keyword,
        title,
        name,
        binding,
        block,
    })
}

fn binding(pair: Pair<Rule>, offset: usize) -> Built<Binding> {
    let whole = span(&pair, offset);
    let mut inner = pair.into_inner();
    let sign = match inner.next().map(|sign| sign.as_rule()) {
        Some(Rule::within) => Sign::In,
        _ => Sign::Equals,
    };
    Ok(Binding {
        sign,
        value: last_value(inner, offset)?,
        span: whole,
    })
}

fn block(pair: Pair<Rule>, offset: usize) -> Built<Block> {
    let mut block = Block {
        fields: Vec::new(),
        asserts: Vec::new(),
        span: span(&pair, offset),
    };
    for part in pair.into_inner() {
        match part.as_rule() {
            Rule::field => block.fields.push(argument(part, offset)?),
            Rule::assertion => block.asserts.push(assertion(part, offset)?),
            _ => {}
        }
    }
    Ok(block)
}

fn assertion(pair: Pair<Rule>, offset: usize) -> Built<Assert> {
    let whole = span(&pair, offset);
    let mut subject = Spanned {
        value: String::new(),
        span: whole,
    };
    let mut comparison = Comparison::Equal;
    let inner = pair.into_inner();
    for part in inner.clone() {
        match (part.as_rule(), part.as_str()) {
            (Rule::subject, _) => subject = word(&part, offset),
            (Rule::comparison, "!=") => comparison = Comparison::NotEqual,
            (Rule::comparison, "<=") => comparison = Comparison::AtMost,
            (Rule::comparison, ">=") => comparison = Comparison::AtLeast,
            (Rule::comparison, "<") => comparison = Comparison::Below,
            (Rule::comparison, ">") => comparison = Comparison::Above,
            _ => {}
        }
    }
    Ok(Assert {
        subject,
        comparison,
        value: last_value(inner, offset)?,
        span: whole,
    })
}

/// `[key :] value`, of a block or a call.
fn argument(pair: Pair<Rule>, offset: usize) -> Built<Argument> {
    let inner = pair.into_inner();
    let key = inner
        .clone()
        .find(|part| part.as_rule() == Rule::key)
        .map(|part| word(&part, offset));
    Ok(Argument {
        key,
        value: last_value(inner, offset)?,
    })
}

/// The value that ends a binding, field, argument, entry or assert; the grammar always has one there.
fn last_value<'a>(inner: impl Iterator<Item = Pair<'a, Rule>>, offset: usize) -> Built<Expr> {
    let pair = inner.filter(|part| part.as_rule() == Rule::value).last();
    value(pair.expect("the grammar ends this shape in a value"), offset)
}

fn value(pair: Pair<Rule>, offset: usize) -> Built<Expr> {
    let whole = span(&pair, offset);
    let mut inner = pair.into_inner();
    let left = operand(inner.next().expect("a value begins with an operand"), offset)?;
    let Some(infix) = inner.next() else {
        return Ok(left);
    };
    let right = operand(inner.next().expect("an operand follows `at` and `with`"), offset)?;
    let kind = ExprKind::Infix {
        left: Box::new(left),
        word: word(&infix, offset),
        right: Box::new(right),
    };
    Ok(Expr {
        kind,
        span: whole,
        via: None,
    })
}

fn operand(pair: Pair<Rule>, offset: usize) -> Built<Expr> {
    let whole = span(&pair, offset);
    let kind = match pair.as_rule() {
        Rule::text => ExprKind::Text(unquote(pair.as_str())),
        Rule::percent => ExprKind::Percent(real(pair.as_str().trim_end_matches('%'), whole)?),
        Rule::number => match integer(pair.as_str()) {
            Some(value) => ExprKind::Integer(value),
            None if pair.as_str().contains(['.', 'e', 'E']) => ExprKind::Number(real(pair.as_str(), whole)?),
            None => return Err(NumberTooLarge(whole)),
        },
        Rule::range => {
            let mut bounds = pair.into_inner().filter(|part| part.as_rule() == Rule::bound);
            let mut bound = || {
                bounds
                    .next()
                    .and_then(|part| integer(part.as_str()))
                    .ok_or(NumberTooLarge(whole))
            };
            ExprKind::Range(bound()?, bound()?)
        }
        Rule::list => {
            let entries = pair.into_inner().filter(|part| part.as_rule() == Rule::entry);
            ExprKind::List(
                entries
                    .map(|part| entry(part, offset))
                    .collect::<Result<_, _>>()?,
            )
        }
        Rule::call => {
            let mut inner = pair.into_inner();
            let name = word(&inner.next().expect("a call begins with its name"), offset);
            let arguments = inner.filter(|part| part.as_rule() == Rule::argument);
            let arguments = arguments
                .map(|part| argument(part, offset))
                .collect::<Result<_, _>>()?;
            ExprKind::Call { name, arguments }
        }
        _ => match pair.as_str() {
            "true" => ExprKind::Boolean(true),
            "false" => ExprKind::Boolean(false),
            text => ExprKind::Word(text.to_string()),
        },
    };
    Ok(Expr {
        kind,
        span: whole,
        via: None,
    })
}

fn entry(pair: Pair<Rule>, offset: usize) -> Built<Entry> {
    let inner = pair.into_inner();
    let label = inner
        .clone()
        .find(|part| part.as_rule() == Rule::label)
        .map(|part| word(&part, offset));
    Ok(Entry {
        label,
        value: last_value(inner, offset)?,
    })
}

fn integer(text: &str) -> Option<i64> {
    text.replace('_', "").parse().ok()
}

fn real(text: &str, span: Span) -> Built<f64> {
    match text.replace('_', "").parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(value),
        _ => Err(NumberTooLarge(span)),
    }
}
