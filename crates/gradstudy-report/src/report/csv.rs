//! A table as CSV: every digit of every value, for spreadsheets and plotting.

use super::columns;
use super::table::{CellValue, Table};
use gradstudy_base::spreadsheet::cell;

/// One line a row. For each column of the table: its mean, `_sd`, `_ci95` (half the mean's
/// confidence interval), for a rate `_low` and `_high` of its interval and the `_effective` samples that it rests on, and
/// `_paper` where the table has a paper side. A name that another statistic has (`xi_sd`) ends in `_over_seeds`. What is
/// missing is empty; rates are fractions. A label that a spreadsheet would run, such as `=1+2`, has an apostrophe in front. Where something could not be made, the last column, `failed`, says why.
///
/// # Errors
/// None in practice: writing to memory does not fail, and all records have one length.
pub(super) fn to_csv(table: &Table) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut header: Vec<String> = table.keys.iter().map(|key| key.name.clone()).collect();
    header.push("seeds".into());
    for column in &table.columns {
        header.push(column.name.into());
        header.extend(["sd", "ci95"].map(|spread| over_seeds(column.name, spread)));
        if column.counts.is_some() {
            header.extend(["low", "high", "effective"].map(|end| format!("{}_{end}", column.name)));
        }
        if table.paper.is_some() && column.paper.is_some() {
            header.push(format!("{}_paper", column.name));
        }
    }
    // Only where there is something to say, so that tables without failures keep their columns.
    let failed = table.rows.iter().any(|row| !row.failed.is_empty());
    if failed {
        header.push("failed".into());
    }
    writer.write_record(&header)?;
    let number = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
    for row in &table.rows {
        let labels = row.labels.iter().map(ToString::to_string);
        let mut record: Vec<String> = labels.map(|label| cell(&label).into_owned()).collect();
        record.push(row.seeds.len().to_string());
        for (column, found) in table.columns.iter().zip(&row.cells) {
            let (mean, sd, ci95, interval, effective) = match &found.value {
                CellValue::Number {
                    mean,
                    sd,
                    ci95,
                    interval,
                    effective,
                    ..
                } => (Some(*mean), *sd, *ci95, *interval, *effective),
                CellValue::Missing { .. } => (None, None, None, None, None),
            };
            record.extend([number(mean), number(sd), number(ci95)]);
            if column.counts.is_some() {
                record.extend([
                    number(interval.map(|it| it.low)),
                    number(interval.map(|it| it.high)),
                    number(effective),
                ]);
            }
            if table.paper.is_some() && column.paper.is_some() {
                record.push(number(found.paper));
            }
        }
        if failed {
            let why = row.failed.iter().map(|failed| failed.why.as_str());
            record.push(why.collect::<Vec<_>>().join("; "));
        }
        writer.write_record(&record)?;
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}

/// `beta_sd`: the spread over seeds of a column. Where another statistic has that name, as `xi_sd`, which is the spread over
/// samples: `xi_sd_over_seeds`.
fn over_seeds(column: &str, spread: &str) -> String {
    let name = format!("{column}_{spread}");
    match columns::find(&name) {
        None => name,
        Some(_) => format!("{name}_over_seeds"),
    }
}
