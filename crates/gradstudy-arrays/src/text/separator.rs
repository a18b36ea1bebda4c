//! What stands between the columns of a table.

use super::error::choose;
use super::records::{Line, Record, records_of};
use super::{Decimal, Field, Separator, TextError};

/// In the order in which they are preferred where a table could be of several.
const ALL: [Separator; 5] = [
    Separator::Tab,
    Separator::Semicolon,
    Separator::Comma,
    Separator::Pipe,
    Separator::Space,
];

/// The separator under which the lines of the sample have one number of fields, the most of them numbers. `usual` is that
/// of the file's extension.
pub(super) fn find(lines: &[Line], usual: Option<Separator>) -> Result<Separator, TextError> {
    let mut best: Option<((bool, f64), Separator)> = None;
    let order = usual
        .into_iter()
        .chain(ALL.into_iter().filter(|it| Some(*it) != usual));
    for separator in order {
        let records = records_of(lines, separator);
        if !agrees(&records) {
            continue;
        }
        // A first row of another length is a header of its own kind: rather than that, another separator.
        let even = records[0].len() == records[records.len() - 1].len();
        let rank = (even, share_of_numbers(&records));
        if best.is_none_or(|(most, _)| rank > most) {
            best = Some((rank, separator));
        }
    }
    let Some((_, separator)) = best else {
        return Ok(alone_or_ragged(lines, usual));
    };
    if separator == Separator::Comma {
        not_decimal_commas(&records_of(lines, separator))?;
    }
    Ok(separator)
}

/// Where no separator gives every line as many fields: one that the lines hold, so that the lines that differ are named,
/// or the usual one of a table of one column.
fn alone_or_ragged(lines: &[Line], usual: Option<Separator>) -> Separator {
    let usual = usual.unwrap_or(Separator::Comma);
    let holds = |separator: &Separator| {
        let several = |record: &Record| record.len() > 1;
        let records = records_of(lines, *separator);
        // Words with a blank between them are one name.
        records.iter().filter(|record| several(record)).count() * 2 > records.len()
    };
    match holds(&usual) {
        true => usual,
        false => ALL.into_iter().find(holds).unwrap_or(usual),
    }
}

/// Whether all records have as many fields, two or more; the first may have one more or fewer (names of the columns, without
/// one for the rows; a separator at the end of either).
fn agrees(records: &[Record]) -> bool {
    let Some(fields) = records.last().map(Record::len) else {
        return false;
    };
    let rest = records.get(1..).unwrap_or_default();
    fields > 1 && records[0].len().abs_diff(fields) <= 1 && rest.iter().all(|record| record.len() == fields)
}

fn share_of_numbers(records: &[Record]) -> f64 {
    let is_number = |field: &&[u8]| {
        Field::read(field, Decimal::Point).is_number() || Field::read(field, Decimal::Comma).is_number()
    };
    let fields = || {
        records
            .iter()
            .flat_map(Record::fields)
            .filter(|field| !field.is_empty())
    };
    match fields().count() {
        0 => 0.0,
        count => fields().filter(is_number).count() as f64 / count as f64,
    }
}

/// Refuses fields such as `05`, which are no numbers of a table but fractions behind decimal commas.
fn not_decimal_commas(records: &[Record]) -> Result<(), TextError> {
    let mut padded = None;
    for record in records {
        for field in record.fields() {
            if let Field::Real(_) = Field::read(field, Decimal::Point) {
                return Ok(());
            }
            let whole = matches!(Field::read(field, Decimal::Point), Field::Whole(_));
            if whole && field.len() > 1 && field[0] == b'0' && padded.is_none() {
                padded = Some((record.line, String::from_utf8_lossy(field).into_owned()));
            }
        }
    }
    let Some((line, field)) = padded else {
        return Ok(());
    };
    let problem = format!(
        "could be read in two ways: commas may stand between columns or before fractions, which `{field}` looks like"
    );
    let help = "say `--separator comma` if they stand between columns, `--separator semicolon --decimal comma` if they stand \
                before the fractions of one column (in a study `separator: comma`, or `separator: semicolon  decimal: comma`)";
    Err(TextError::ambiguous(Some(line), problem, help))
}

/// The remedy for rows of unequal lengths.
pub(super) fn remedy(separator: Separator) -> String {
    format!(
        "the file was read with `{}` between columns: another is said with `--separator`, in a study `separator: \
         semicolon` (comma, semicolon, tab, pipe, space)",
        separator.name()
    )
}

/// The decimal sign's remedy, here because it is a matter of commas, too.
pub(super) fn decimal_remedy() -> String {
    choose("decimal", ["point", "comma"], "what stands before fractions")
}
