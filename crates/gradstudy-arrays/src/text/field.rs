//! One field of a table.

use super::Decimal;

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Field {
    /// Nothing, or a usual word for it, such as `NA` or `nan`.
    Missing,
    /// A number written without a fraction or an exponent.
    Whole(f64),
    /// Any other number, infinities included.
    Real(f64),
    /// `true` or `false`, in any case.
    Truth(bool),
    Word,
}

/// What pandas, R, NumPy and SQL write for a missing value.
const MISSING: [&[u8]; 14] = [
    b"", b"NA", b"N/A", b"n/a", b"#N/A", b"<NA>", b"NaN", b"nan", b"NAN", b"-nan", b"-NaN", b"NULL", b"null",
    b"None",
];

impl Field {
    /// `bytes` without blanks around them.
    pub fn read(bytes: &[u8], decimal: Decimal) -> Field {
        if MISSING.contains(&bytes) {
            return Field::Missing;
        }
        let digits = bytes
            .strip_prefix(b"-")
            .or(bytes.strip_prefix(b"+"))
            .unwrap_or(bytes);
        let whole = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
        match number(bytes, decimal) {
            Some(value) if whole => Field::Whole(value),
            Some(value) => Field::Real(value),
            None if bytes.eq_ignore_ascii_case(b"true") => Field::Truth(true),
            None if bytes.eq_ignore_ascii_case(b"false") => Field::Truth(false),
            None => Field::Word,
        }
    }

    /// Whether it is a number; a missing value is none.
    pub fn is_number(self) -> bool {
        matches!(self, Field::Whole(_) | Field::Real(_))
    }

    /// The number; what is missing is NaN, truth 1 or 0; `None` for words.
    pub fn value(self) -> Option<f64> {
        match self {
            Field::Whole(value) | Field::Real(value) => Some(value),
            Field::Truth(value) => Some(f64::from(u8::from(value))),
            Field::Missing => Some(f64::NAN),
            Field::Word => None,
        }
    }
}

fn number(bytes: &[u8], decimal: Decimal) -> Option<f64> {
    let text = std::str::from_utf8(bytes).ok()?;
    match decimal {
        Decimal::Point => text.parse().ok(),
        Decimal::Comma if bytes.contains(&b'.') => None,
        Decimal::Comma => text.replacen(',', ".", 1).parse().ok(),
    }
}

/// Significant digits of a number as it is written.
pub(super) fn significant_digits(bytes: &[u8]) -> usize {
    let mantissa = bytes
        .split(|byte| matches!(byte, b'e' | b'E'))
        .next()
        .unwrap_or_default();
    let digits: Vec<u8> = mantissa.iter().copied().filter(u8::is_ascii_digit).collect();
    digits.iter().skip_while(|&&digit| digit == b'0').count()
}
