//! Decimal points and decimal commas.

use super::records::Record;
use super::separator::decimal_remedy;
use super::{Decimal, TextError};

/// A number's field by its commas and points, without sign and exponent.
#[derive(Debug, PartialEq)]
enum Shape {
    /// No comma and no point, or no number.
    Plain,
    Point,
    /// `1,5`, `0,123`: a comma before a fraction.
    Comma,
    /// `1,234`: a comma before a fraction or between thousands.
    CommaOrThousands,
    /// `1,234,567`, `1.234,5`, `1,234.5`.
    Thousands,
}

/// How the numbers of a table have their fractions.
pub(super) fn find(records: &[Record]) -> Result<Decimal, TextError> {
    let (mut comma, mut point, mut either) = (None, None, None);
    for record in records {
        for field in record.fields() {
            let place = || Some((record.line, String::from_utf8_lossy(field).into_owned()));
            match shape(field) {
                Shape::Plain => {}
                Shape::Point if point.is_none() => point = place(),
                Shape::Comma if comma.is_none() => comma = place(),
                Shape::CommaOrThousands if either.is_none() => either = place(),
                Shape::Thousands => {
                    let problem = format!(
                        "has marks between thousands (`{}`)",
                        String::from_utf8_lossy(field)
                    );
                    let help = "write the numbers without them";
                    return Err(TextError::new(Some(record.line), problem, help));
                }
                _ => {}
            }
        }
    }
    match (comma, either, point) {
        (None, None, _) => Ok(Decimal::Point),
        (Some(_), _, None) => Ok(Decimal::Comma),
        (Some((line, comma)), _, Some((_, point))) => {
            let problem = format!("has both `{comma}` and `{point}`: decimal commas and decimal points");
            Err(TextError::ambiguous(Some(line), problem, &decimal_remedy()))
        }
        (None, Some((line, either)), _) => {
            let problem = format!(
                "could be read in two ways: the comma of `{either}` may stand before a fraction or between thousands"
            );
            Err(TextError::ambiguous(Some(line), problem, &decimal_remedy()))
        }
    }
}

fn shape(field: &[u8]) -> Shape {
    let field = field
        .strip_prefix(b"-")
        .or(field.strip_prefix(b"+"))
        .unwrap_or(field);
    let mut parts = field.splitn(2, |byte| matches!(byte, b'e' | b'E'));
    let mantissa = parts.next().unwrap_or_default();
    let exponent = parts.next();
    let digits = |text: &[u8]| text.iter().all(u8::is_ascii_digit);
    let signed = |text: &[u8]| {
        let text = text
            .strip_prefix(b"-")
            .or(text.strip_prefix(b"+"))
            .unwrap_or(text);
        !text.is_empty() && digits(text)
    };
    let marks: Vec<u8> = mantissa
        .iter()
        .copied()
        .filter(|byte| !byte.is_ascii_digit())
        .collect();
    let digit = mantissa.iter().any(u8::is_ascii_digit);
    if !digit || exponent.is_some_and(|exponent| !signed(exponent)) {
        return Shape::Plain;
    }
    let groups: Vec<&[u8]> = mantissa.split(|byte| matches!(byte, b',' | b'.')).collect();
    // 1,234,567: up to three digits, then threes.
    let threes = (1..=3).contains(&groups[0].len()) && groups[1..].iter().all(|group| group.len() == 3);
    match &marks[..] {
        [] => Shape::Plain,
        [b'.'] => Shape::Point,
        [b','] if threes && exponent.is_none() && groups[0][0] != b'0' => Shape::CommaOrThousands,
        [b','] => Shape::Comma,
        [b',', rest @ ..] if rest.iter().all(|mark| *mark == b',') && threes => Shape::Thousands,
        [b'.', rest @ ..] if rest.iter().all(|mark| *mark == b'.') && threes => Shape::Thousands,
        [first @ .., last] => {
            let kinds = (
                first.iter().all(|mark| *mark == b','),
                first.iter().all(|mark| *mark == b'.'),
            );
            match (kinds, last) {
                ((true, _), b'.') | ((_, true), b',') => Shape::Thousands,
                _ => Shape::Plain,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Shape, shape};

    #[test]
    fn commas_and_points_are_told_apart() {
        for (field, expected) in [
            ("15", Shape::Plain),
            ("1.5", Shape::Point),
            ("-1,5e-3", Shape::Comma),
            ("0,123", Shape::Comma),
            ("1,234", Shape::CommaOrThousands),
            ("1234,567", Shape::Comma),
            ("1,234,567", Shape::Thousands),
            ("1.234,5", Shape::Thousands),
            ("1,234.5", Shape::Thousands),
            ("192.168.0.1", Shape::Plain),
            ("a,b", Shape::Plain),
            ("1,5 m", Shape::Plain),
            (",", Shape::Plain),
        ] {
            assert_eq!(shape(field.as_bytes()), expected, "{field}");
        }
    }
}
