//! Whether the first row of a table holds the names of its columns.

use super::error::choose;
use super::field::significant_digits;
use super::records::Record;
use super::sample::Sample;
use super::{Field, TextError};

/// Whether the first row is a header, and what is to be said of that.
#[derive(Debug, PartialEq)]
pub(super) struct Header {
    pub header: bool,
    pub note: Option<String>,
}

/// Rows of the body from which the digits of numbers say something of the first row.
const ROWS: usize = 5;
/// Digits of a number that somebody wrote by hand.
const FEW: usize = 4;
/// Numbers below the first row that all have fractions, from which whole numbers above them are no accident.
const CELLS: usize = 4;

/// Looks for names in the first row. `label` is the name of a column that the table has.
pub(super) fn find(sample: &Sample, label: Option<&str>) -> Result<Header, TextError> {
    let first: Vec<&[u8]> = sample.first.fields().take(sample.fields).collect();
    // A number is no name here: it may as well be a value of the first row.
    let is_name = |label: &&str| label.parse::<f64>().is_err();
    if label
        .filter(is_name)
        .is_some_and(|label| first.contains(&label.as_bytes()))
    {
        return certain(true);
    }
    let read: Vec<Field> = (0..first.len()).map(|i| sample.field(&sample.first, i)).collect();
    if sample.body.is_empty() {
        return certain(read.iter().all(|field| !field.is_number()));
    }
    let contents: Vec<_> = (0..first.len()).map(|i| sample.content(i)).collect();
    let numeric: Vec<usize> = (0..first.len()).filter(|&i| contents[i].is_numeric()).collect();
    let is_word = |i: &&usize| matches!(read[**i], Field::Word | Field::Truth(_));
    let words = numeric.iter().filter(is_word).count();
    // A column that counts rows has no name; a value is not missing there alone.
    let unnamed = numeric.first() == Some(&0) && first[0].is_empty() && contents[0].missing == 0;
    let whole: Vec<f64> = read
        .iter()
        .filter_map(|field| match field {
            Field::Whole(value) => Some(*value),
            _ => None,
        })
        .collect();
    let counted = |from: f64| {
        whole
            .iter()
            .enumerate()
            .all(|(i, value)| *value == from + i as f64)
    };
    let others = numeric.iter().filter(|i| read[**i].is_number());
    let reals = others
        .clone()
        .filter(|i| matches!(read[**i], Field::Real(_)))
        .count();
    let others = others.count();
    // Columns of whole numbers above numbers of which none is whole, and how many of those there are.
    let switches = |i: &&usize| matches!(read[**i], Field::Whole(_)) && contents[**i].whole == 0;
    let switching: Vec<usize> = numeric.iter().filter(switches).copied().collect();
    let enough = switching.iter().map(|&i| contents[i].real).sum::<usize>() >= CELLS;
    let names = || {
        let what = match &whole[..] {
            [one] => one.to_string(),
            [one, two] => format!("{one}, {two}"),
            [first, .., last] => format!("{first} … {last}"),
            [] => String::new(),
        };
        Ok(Header {
            header: true,
            note: Some(format!("the first row ({what}) holds the names of the columns")),
        })
    };
    if numeric.is_empty() {
        // Nothing but words: a row unlike all others in every column has names.
        return certain(differs_everywhere(sample, &first));
    }
    if words > 0 && others == 0 {
        return certain(true);
    }
    if words > 0 || unnamed {
        let distinct = (0..whole.len()).all(|i| !whole[..i].contains(&whole[i]));
        return match reals == 0 && distinct && !whole.is_empty() {
            true => names(),
            false => Err(ambiguous("has words and numbers, as names or as values")),
        };
    }
    if reals == 0 && counted(0.0) && (others > 1 || !switching.is_empty()) {
        // pandas' names of columns without names. A single column may as well begin with 0.
        let alone = others == 1 && !long(sample, switching[0]);
        return match enough && !alone && !switching.is_empty() {
            true => names(),
            false if others == 1 && !enough => certain(false),
            false => Err(ambiguous("counts (0, 1, 2 …), as names do and values may")),
        };
    }
    if reals == 0 && counted(1.0) && others > 1 && switching.len() == others && enough {
        return names();
    }
    if others > 1 && switching.len() == others && enough {
        return Err(ambiguous(
            "has whole numbers and the rows below have none, as if they were names",
        ));
    }
    if others > 1 && reals > 0 && shorter(sample, &first, &numeric) {
        return Err(ambiguous(
            "has numbers of few digits and the rows below of many, as if they were names",
        ));
    }
    certain(false)
}

fn certain(header: bool) -> Result<Header, TextError> {
    Ok(Header { header, note: None })
}

fn ambiguous(problem: &str) -> TextError {
    let help = choose(
        "header",
        ["true", "false"],
        "whether the first row holds the columns' names",
    );
    TextError::ambiguous(
        Some(1),
        format!("could be read in two ways: its first row {problem}"),
        &help,
    )
}

/// Whether no field of the first row occurs in the column below it.
fn differs_everywhere(sample: &Sample, first: &[&[u8]]) -> bool {
    let occurs = |i: usize| sample.body.iter().any(|record| record.get(i) == first[i]);
    (0..first.len()).all(|i| !first[i].is_empty() && !occurs(i))
}

/// Whether the numbers of the first row have four digits at most, and those below at least twice as many.
fn shorter(sample: &Sample, first: &[&[u8]], numeric: &[usize]) -> bool {
    let names = numeric.iter().all(|&i| significant_digits(first[i]) <= FEW);
    names && sample.body.len() >= ROWS && numeric.iter().all(|&i| long(sample, i))
}

/// Whether all numbers of a column have many digits, as a program writes what it computed.
fn long(sample: &Sample, field: usize) -> bool {
    let is_long = |record: &Record| match sample.field(record, field) {
        Field::Missing => true,
        _ => significant_digits(record.get(field)) >= 2 * FEW,
    };
    sample.body.iter().filter(|record| is_long(record)).count() * 10 >= sample.body.len() * 9
}
