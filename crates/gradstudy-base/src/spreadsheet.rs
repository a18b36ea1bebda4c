//! Text in CSV files that people open in spreadsheets.

use std::borrow::Cow;

/// A text as a cell of a CSV file: one that a spreadsheet would take for a formula, such as `=1+2`, gets an apostrophe in
/// front. Numbers, also negative ones, stay as they are.
pub fn cell(text: &str) -> Cow<'_, str> {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    match formula && text.trim().parse::<f64>().is_err() {
        true => Cow::Owned(format!("'{text}")),
        false => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::cell;

    #[test]
    fn formulas_are_text_and_numbers_stay() {
        for formula in ["=1+2", "+cmd", "@SUM(A1)", "-2+3", "\t=1"] {
            assert_eq!(cell(formula), format!("'{formula}"));
        }
        for text in ["-1.5", "+3", "-1e-5", "a=b", "", "Clean"] {
            assert_eq!(cell(text), text);
        }
    }
}
