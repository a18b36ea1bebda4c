//! What `gradstudy test` prints and writes.

use crate::spreadsheet::cell;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::error::TestError;
use super::samples::{TestOf, Tested};
use crate::arrays::Along;
use crate::plan::test_kind;
use crate::report::columns::{COLUMNS, ColumnKind, samples::samples};
use crate::report::number::{self, Format, Target};
use crate::report::remarks;
use crate::report::table::Verdict;
use crate::report::{Screen, ScreenGrid};
use crate::signature::Call;
use crate::stats::interval::Interval;
use crate::stats::outcome::Outcome;
use crate::stats::power::Power;
use crate::stats::sensitivity::{Row as SensitivityRow, TailPoint};

/// Of the JSON; a new key does not change it.
const FORMAT_VERSION: u32 = 1;

fn statistics(outcome: &Outcome) -> impl Iterator<Item = (&'static ColumnKind, f64)> + '_ {
    COLUMNS
        .iter()
        .filter_map(|column| Some((column, (column.value)(outcome)?)))
}

fn what(along: Along, count: usize) -> &'static str {
    match (along, count) {
        (Along::Columns, 1) => "column",
        (Along::Columns, _) => "columns",
        (Along::Rows, 1) => "row",
        (Along::Rows, _) => "rows",
        (Along::All, _) => "sample",
    }
}

/// `power_law(tail: top(1000), ecdf: left)`, every setting written out.
fn written(call: &Call) -> String {
    let arguments: Vec<String> = call
        .args
        .0
        .iter()
        .map(|(name, value)| format!("{name}: {}", value_text(value)))
        .collect();
    match arguments.is_empty() {
        true => call.name.clone(),
        false => format!("{}({})", call.name, arguments.join(", ")),
    }
}

fn value_text(value: &crate::signature::Value) -> String {
    use crate::signature::Value;
    match value {
        Value::Boolean(value) => value.to_string(),
        Value::Integer(value) => value.to_string(),
        Value::Number(value) => value.to_string(),
        Value::Text(value) => value.clone(),
        Value::File(file) => file.written.clone(),
        Value::List(values) => format!(
            "[{}]",
            values.iter().map(value_text).collect::<Vec<_>>().join(", ")
        ),
        Value::Call(call) => written(call),
    }
}

/// One line for each statistic, with the conventions below; `left_out` says which arrays were not tested.
pub fn text(
    file: &Path,
    tested: &[Tested],
    left_out: &[String],
    independent: bool,
    screen: &Screen,
) -> String {
    let text = left_out
        .iter()
        .map(|line| format!("note: {line}\n"))
        .collect::<String>();
    let mut without = false;
    let (mut whole, mut text) = (String::new(), text);
    for matrix in tested {
        let (_, size) = matrix.matrix.samples(matrix.along);
        let count = matrix.range.len();
        let place = match file
            .file_name()
            .is_some_and(|name| name == matrix.matrix.name.as_str())
        {
            true => file.display().to_string(),
            false => format!("{}: {}", file.display(), matrix.matrix.name),
        };
        text += &format!(
            "{place}: {} × {}, {} {} of {} values\n",
            number::count(matrix.matrix.rows as u64, Target::Terminal),
            number::count(matrix.matrix.columns as u64, Target::Terminal),
            number::count(count as u64, Target::Terminal),
            what(matrix.along, count),
            number::count(size as u64, Target::Terminal),
        );
        for remark in &matrix.remarks {
            text += &format!("note: {remark}\n");
        }
        for test in &matrix.tests {
            text += &format!("\n{}\n", written(&test.call));
            text += &lines(&test.outcome, independent, screen);
            text += &format!("{}\n", test_kind(&test.call.name).convention(&test.call.args));
            for caveat in caveats(&test.outcome) {
                text += &format!("{caveat}\n");
            }
            without |= test.outcome.acceptance().is_some() && count > 1 && !independent;
        }
        if let Some(rows) = &matrix.sensitivity {
            whole += &screen.wrap_lines(&std::mem::take(&mut text));
            whole += &format!("\n{}", sensitivities(rows, screen));
            text += "Both critical distances are too large for `scan`.\n";
        }
    }
    if without {
        text += "Rates of several samples have a 95 % interval (Wilson's) with --independent, where they are independent.\n";
    }
    whole + &screen.wrap_lines(&text)
}

/// Columns that the lines of [`sensitivities`] take.
const SENSITIVITY_WIDTH: usize = 104;

/// A power law's verdict under each choice, a line each.
fn sensitivities(rows: &[SensitivityRow], screen: &Screen) -> String {
    let number = |value: f64| number::quantity(value, None, Format::Significant(3), Target::Terminal);
    let verdict = |accepted: bool| if accepted { "yes" } else { "no" };
    if screen.width.is_some_and(|width| width < SENSITIVITY_WIDTH) {
        let mut grid = ScreenGrid::new([
            "tail",
            "ecdf",
            "n_tail",
            "x_min",
            "β̂",
            "SE(β̂)",
            "d_ks",
            "d_c fixed",
            "d_c fitted",
        ])
        .fold([0])
        .turning(2);
        for row in rows {
            let cells = match &row.found {
                None => std::iter::once("no such tail".to_string())
                    .chain((0..6).map(|_| number::dash(Target::Terminal).to_string()))
                    .collect(),
                Some(found) => vec![
                    found.n_tail.to_string(),
                    number(found.x_min),
                    number(found.beta),
                    number(found.beta_se),
                    number(found.d_ks),
                    format!("{} {}", number(found.d_c_fixed), verdict(found.power_law_fixed)),
                    format!("{} {}", number(found.d_c_fitted), verdict(found.power_law_fitted)),
                ],
            };
            grid.add_row(
                [row.tail.to_string(), row.ecdf.to_string()]
                    .into_iter()
                    .chain(cells),
            );
        }
        return grid.show(screen) + "\n";
    }
    let mut text = "tail                ecdf       n_tail  x_min      β̂        SE(β̂)    d_ks     d_c fixed     d_c fitted\n".to_string();
    for row in rows {
        text += &format!("{:<19} {:<9}", row.tail, row.ecdf);
        text += &match &row.found {
            None => "  no such tail\n".to_string(),
            Some(found) => format!(
                " {:>7}  {:<9}  {:<7}  {:<7}  {:<7}  {:<8} {:<4} {:<8} {}\n",
                found.n_tail,
                number(found.x_min),
                number(found.beta),
                number(found.beta_se),
                number(found.d_ks),
                number(found.d_c_fixed),
                verdict(found.power_law_fixed),
                number(found.d_c_fitted),
                verdict(found.power_law_fitted),
            ),
        };
    }
    text
}

/// What must be known before the numbers are believed.
fn caveats(outcome: &Outcome) -> Vec<String> {
    let count = |value| number::count(value, Target::Terminal);
    let (tested, degenerate) = samples(outcome);
    let mut all = Vec::new();
    if degenerate.rounding > 0 {
        all.push(format!(
            "No verdict on {} of {} samples, {} (they count as rejected).",
            count(degenerate.rounding),
            count(tested),
            remarks::ROUNDING
        ));
    }
    if let Outcome::Normality(outcome) = outcome
        && outcome.near_rounding > 0
    {
        all.push(format!(
            "{}: {} of {} samples.",
            remarks::NEAR_ROUNDING,
            count(outcome.near_rounding),
            count(tested)
        ));
    }
    if let Some(found) = outcome.left_out() {
        let found = remarks::left_out(&found, Target::Terminal);
        all.push(format!("{}: {found}.", remarks::LEFT_OUT));
    }
    all
}

/// Wilson's 95 % interval of a rate of one sample, or of several that are said to be independent.
fn interval(column: &ColumnKind, outcome: &Outcome, independent: bool) -> Option<Interval> {
    let counts = column.counts.and_then(|counts| counts(outcome))?;
    (independent || counts.tested == 1).then(|| counts.interval(counts.tested as f64))
}

fn lines(outcome: &Outcome, independent: bool, screen: &Screen) -> String {
    let tested = outcome.acceptance().map_or(0, |counts| counts.tested);
    let shown = |column: &ColumnKind, value: f64| {
        let interval = interval(column, outcome, independent);
        let interval = interval.map_or(String::new(), |interval| {
            let interval = number::interval(&interval, column.format, tested, Target::Terminal);
            format!("  (95 %: {interval})")
        });
        let quantity = number::quantity(value, None, column.format, Target::Terminal);
        let verdict = (column.format == Format::Verdict && tested == 1).then_some(match value {
            1.0 => Verdict::NotRejected,
            _ => Verdict::Rejected,
        });
        let quantity = screen.judged(&quantity, verdict);
        format!("  {:<28} {quantity}{interval}\n", column.name)
    };
    statistics(outcome)
        .map(|(column, value)| shown(column, value))
        .collect()
}

fn numbers(outcome: &Outcome) -> Map<String, Value> {
    statistics(outcome)
        .map(|(column, value)| (column.name.to_string(), json!(value)))
        .collect()
}

fn intervals(outcome: &Outcome, independent: bool) -> Map<String, Value> {
    statistics(outcome)
        .filter_map(|(column, _)| {
            let interval = interval(column, outcome, independent)?;
            Some((column.name.to_string(), json!(interval)))
        })
        .collect()
}

/// Everything, with the outcomes in full.
pub fn json(file: &Path, tested: &[Tested], left_out: &[String], independent: bool) -> String {
    let test = |test: &TestOf| {
        json!({
            "test": test.call,
            "statistics": numbers(&test.outcome),
            "intervals": intervals(&test.outcome, independent),
            "outcome": test.outcome,
            "convention": test_kind(&test.call.name).convention(&test.call.args),
            "remarks": caveats(&test.outcome),
        })
    };
    let arrays: Vec<Value> = tested
        .iter()
        .map(|matrix| {
            let mut array = json!({
                "array": matrix.matrix.name,
                "rows": matrix.matrix.rows,
                "columns": matrix.matrix.columns,
                "along": match matrix.along {
                    Along::Columns => "columns",
                    Along::Rows => "rows",
                    Along::All => "all",
                },
                "samples": matrix.range.len(),
                "size": matrix.matrix.samples(matrix.along).1,
                "notes": matrix.remarks,
                "tests": matrix.tests.iter().map(test).collect::<Vec<_>>(),
            });
            if let Some(rows) = &matrix.sensitivity {
                array["sensitivity"] = json!(rows);
            }
            array
        })
        .collect();
    let all = json!({
        "format_version": FORMAT_VERSION,
        "file": file.display().to_string(),
        "left_out": left_out,
        "arrays": arrays,
    });
    serde_json::to_string_pretty(&all).expect("results are data") + "\n"
}

/// Every sample's statistics, one line each.
pub fn write_each(path: &Path, tested: &[Tested]) -> Result<(), TestError> {
    let fail = |reason| TestError::Write {
        path: path.into(),
        reason,
    };
    let mut writer = csv::Writer::from_path(path).map_err(|error| fail(error.into()))?;
    let mut write = |fields: [&str; 5]| writer.write_record(fields).map_err(|error| fail(error.into()));
    write(["array", "sample", "test", "statistic", "value"])?;
    for matrix in tested {
        for test in &matrix.tests {
            for (index, outcome) in matrix.range.clone().zip(&test.each) {
                let sample = matrix.matrix.sample_name(matrix.along, index);
                for (column, value) in statistics(outcome) {
                    let array = &matrix.matrix.name;
                    write([
                        &cell(array),
                        &cell(&sample),
                        &test.call.name,
                        column.name,
                        &value.to_string(),
                    ])?;
                }
            }
        }
    }
    writer.flush().map_err(fail)
}

/// Tails from short to long, one line each.
pub fn write_stability(path: &Path, points: &[TailPoint]) -> Result<(), TestError> {
    let fail = |reason| TestError::Write {
        path: path.into(),
        reason,
    };
    let mut writer = csv::Writer::from_path(path).map_err(|error| fail(error.into()))?;
    for point in points {
        writer.serialize(point).map_err(|error| fail(error.into()))?;
    }
    writer.flush().map_err(fail)
}

/// Shares of rejections.
pub fn power_text(law: &Call, size: usize, found: &[(Call, Power)]) -> String {
    let line = |(call, power): &(Call, Power)| {
        let rate = number::quantity(power.rate, None, Format::Percent(3), Target::Terminal);
        let interval = number::interval(
            &power.rate_interval,
            Format::Percent(3),
            u64::MAX,
            Target::Terminal,
        );
        format!(
            "{}\n  rejected {} of {} samples: {rate}  (95 %: {interval})\n",
            written(call),
            power.rejected,
            power.samples
        )
    };
    let lines: String = found.iter().map(line).collect();
    format!("Samples of {size} numbers from {}\n{lines}", written(law))
}

/// The same as JSON.
pub fn power_json(law: &Call, size: usize, found: &[(Call, Power)]) -> String {
    let tests: Vec<Value> = found
        .iter()
        .map(|(call, power)| json!({"test": call, "power": power}))
        .collect();
    let all = json!({"format_version": FORMAT_VERSION, "law": law, "size": size, "tests": tests});
    serde_json::to_string_pretty(&all).expect("results are data") + "\n"
}
