//! Results → [`Table`]: rows are told apart by subject, levels and direction; seeds become mean ± sd.

use indexmap::{IndexMap, IndexSet};

use super::caption::caption;
use super::cells::{cell, degenerate, failed, left_out, near_rounding, rounding};
use super::columns::{self, COLUMNS, ColumnKind};
use super::doubts::doubts;
use super::error::ReportError;
use super::paper::{Description, Paper, PaperRow, PaperTable, settings_in};
use super::row_keys::{self, ROW_KEYS, factor_heading};
use super::table::{FORMAT_VERSION, Key, Label, PaperSide, Row, Table};
use crate::results::{EffectiveNumbers, Measurement, Results, Subject};
use gradstudy_lang::study::TableSpec;
use gradstudy_stats::outcome::{Direction, Outcome};

/// What makes measurements belong to one row; the last is the test, where rows are told apart by it.
type Identity<'a> = (&'a Subject, &'a [(String, String)], Direction, Option<&'a str>);
/// The measurements of one row, in the order of the study.
pub(super) type Group<'a> = Vec<&'a Measurement>;

/// Lays out the results of the tests in `spec.of` (all tests, if it is empty) as `spec` says.
///
/// Rows come in the order in which the study measured them. Keys that the study did not ask for are added where
/// rows would look alike without them. `conventions` are sentences for the notes on how statistics are defined.
///
/// # Errors
/// A row key, column or paper table that does not exist, or no result at all for `spec.of`.
pub fn tabulate(results: &Results, spec: &TableSpec, conventions: &[String]) -> Result<Table, ReportError> {
    let groups = group(results, spec)?;
    let effective = EffectiveNumbers::of(results);
    let rows: Vec<(Identity, Group)> = groups.into_iter().collect();
    let keys = keys(&rows, spec)?;
    let columns = spec
        .columns
        .iter()
        .map(|name| column(name, spec))
        .collect::<Result<Vec<_>, _>>()?;
    let paper = spec.mirrors.map(|number| paper_table(number, spec)).transpose()?;
    let paper_rows = match paper {
        Some(table) => paper_rows(&rows, table),
        None => vec![None; rows.len()],
    };
    let rows = rows
        .iter()
        .zip(paper_rows)
        .map(|(((subject, levels, direction, _), group), paper)| Row {
            labels: keys.iter().map(|key| label(&key.name, group[0])).collect(),
            subject: (*subject).clone(),
            levels: levels.to_vec(),
            direction: *direction,
            seeds: group
                .iter()
                .map(|it| it.seed)
                .collect::<IndexSet<_>>()
                .into_iter()
                .collect(),
            cells: columns
                .iter()
                .map(|column| cell(column, group, paper, &effective))
                .collect(),
            degenerate: degenerate(group),
            rounding: rounding(group),
            near_rounding: near_rounding(group),
            left_out: left_out(group),
            failed: failed(group),
            doubts: doubts(group),
        })
        .collect();
    let side = |(number, table): (u32, &PaperTable)| PaperSide {
        table: number,
        fixed: table.fixed_settings(),
    };
    let side = spec.mirrors.zip(paper).map(side);
    let rows: Vec<Row> = rows;
    let beside = rows
        .iter()
        .flat_map(|row| &row.cells)
        .any(|cell| cell.paper.is_some());
    let (paper, unmatched_paper) = if beside { (side, None) } else { (None, side) };
    Ok(Table {
        format_version: FORMAT_VERSION,
        name: spec.name.clone(),
        caption: match &spec.caption {
            Some(caption) => caption.clone(),
            None => {
                let told: Vec<&str> = keys.iter().map(|key| key.name.as_str()).collect();
                caption(&results.study, &told, rows.iter().map(|row| &row.subject))
            }
        },
        definitions: None,
        paper,
        unmatched_paper,
        spread: spec.spread,
        keys,
        columns,
        headings: spec.headings.clone(),
        rows,
        conventions: conventions.to_vec(),
    })
}

fn group<'a>(
    results: &'a Results,
    spec: &TableSpec,
) -> Result<IndexMap<Identity<'a>, Group<'a>>, ReportError> {
    let by_test = spec.rows.iter().any(|key| key == row_keys::TEST);
    let mut groups: IndexMap<Identity, Group> = IndexMap::new();
    for measurement in &results.measurements {
        if spec.of.is_empty() || spec.of.contains(&measurement.test) {
            let identity = (
                &measurement.subject,
                measurement.levels.as_slice(),
                measurement.direction,
                by_test.then_some(measurement.test.as_str()),
            );
            groups.entry(identity).or_default().push(measurement);
        }
    }
    match groups.is_empty() {
        true => Err(ReportError::NoRows {
            table: spec.name.clone(),
            tests: spec.of.clone(),
        }),
        false => Ok(groups),
    }
}

fn column(name: &str, spec: &TableSpec) -> Result<&'static ColumnKind, ReportError> {
    columns::find(name).ok_or_else(|| ReportError::UnknownColumn {
        table: spec.name.clone(),
        column: name.to_string(),
        known: COLUMNS.iter().map(|column| column.name.to_string()).collect(),
    })
}

fn paper_table(number: u32, spec: &TableSpec) -> Result<&'static PaperTable, ReportError> {
    let paper = Paper::embedded();
    paper.table(number).ok_or_else(|| ReportError::UnknownPaperTable {
        table: spec.name.clone(),
        number,
        known: paper.numbers().map(|number| number.to_string()).collect(),
    })
}

/// The keys that were asked for, then those without which two rows would read alike.
fn keys(rows: &[(Identity, Group)], spec: &TableSpec) -> Result<Vec<Key>, ReportError> {
    let firsts: Vec<&Measurement> = rows.iter().map(|(_, group)| group[0]).collect();
    let factors: IndexSet<&str> = firsts
        .iter()
        .flat_map(|first| &first.levels)
        .map(|(factor, _)| factor.as_str())
        .collect();
    let built_in = || ROW_KEYS.iter().map(|key| key.name);
    let key = |name: &str, asked: bool| Key {
        name: name.to_string(),
        heading: match spec.headings.get(name) {
            Some(heading) => heading.clone(),
            None => row_keys::find(name).map_or_else(|| factor_heading(name), |key| key.heading.to_string()),
        },
        asked,
    };
    let mut keys = Vec::new();
    for name in &spec.rows {
        if row_keys::find(name).is_none() && !factors.contains(name.as_str()) {
            let known = built_in()
                .chain(factors.iter().copied())
                .map(str::to_string)
                .collect();
            return Err(ReportError::UnknownRowKey {
                table: spec.name.clone(),
                key: name.clone(),
                known,
            });
        }
        keys.push(key(name, true));
    }
    // Levels name a row in the study's own words, so they are tried before the built-in keys.
    for name in factors
        .iter()
        .copied()
        .chain(built_in().filter(|name| *name != row_keys::TEST))
    {
        let distinct = |keys: &[Key]| {
            let labels =
                |first: &&Measurement| keys.iter().map(|key| label(&key.name, first)).collect::<Vec<_>>();
            let texts = firsts
                .iter()
                .map(|first| labels(first).iter().map(Label::to_string).collect::<Vec<_>>());
            texts.collect::<IndexSet<_>>().len()
        };
        let before = distinct(&keys);
        if before < firsts.len() && !keys.iter().any(|key| key.name == name) {
            keys.push(key(name, false));
            if distinct(&keys) == before {
                keys.pop();
            }
        }
    }
    Ok(keys)
}

fn label(key: &str, measurement: &Measurement) -> Label {
    let Measurement {
        subject,
        levels,
        direction,
        ..
    } = measurement;
    match row_keys::find(key) {
        Some(key) if key.name == row_keys::TEST => Label::Text(measurement.test.clone()),
        Some(key) => (key.label)(subject, *direction),
        None => Label::Text(row_keys::label_of(key, subject, levels, *direction)),
    }
}

/// The paper's row for each of ours. One that fits several of ours stands beside none: they differ in something
/// that the paper does not state, so at most one of them can be meant.
fn paper_rows<'r, 'a>(rows: &[(Identity<'r>, Group)], table: &'a PaperTable) -> Vec<Option<&'a PaperRow>> {
    let shown = shown_factors(rows);
    let critical_distance = |group: &Group| {
        group.iter().find_map(|it| match &it.outcome {
            Outcome::PowerLaw(outcome) => {
                Some(outcome.critical_distance).filter(|distance| distance.is_finite())
            }
            _ => None,
        })
    };
    let describe = |((subject, levels, direction, _), group): &(Identity<'r>, Group)| Description {
        subject,
        direction: *direction,
        settings: levels
            .iter()
            .filter(|(factor, _)| !shown.contains(factor.as_str()))
            .flat_map(|(_, level)| settings_in(level))
            .collect(),
        critical_distance: critical_distance(group),
    };
    let found: Vec<Option<&PaperRow>> = rows.iter().map(|row| table.find(&describe(row))).collect();
    let fits = |row: &PaperRow| {
        found
            .iter()
            .flatten()
            .filter(|other| std::ptr::eq(**other, row))
            .count()
    };
    found.iter().map(|row| row.filter(|row| fits(row) == 1)).collect()
}

/// Factors whose levels the subjects tell apart by what the paper's rows speak of: any two rows of different levels
/// differ in it.
fn shown_factors<'a>(rows: &[(Identity<'a>, Group)]) -> IndexSet<&'a str> {
    let stated = |subject: &Subject| {
        let Subject {
            dataset,
            model,
            training,
            batch,
            iterations,
            spectrum,
            ..
        } = subject.clone();
        (dataset, model, training, batch, iterations, spectrum)
    };
    let level = |identity: &Identity<'a>, factor: &str| {
        let level = identity.1.iter().find(|(name, _)| name == factor);
        level.map(|(_, level)| level.as_str())
    };
    let shown = |factor: &str| {
        let mut of: IndexMap<_, IndexSet<Option<&str>>> = IndexMap::new();
        for (identity, _) in rows {
            of.entry((stated(identity.0), identity.2))
                .or_default()
                .insert(level(identity, factor));
        }
        let levels: IndexSet<_> = of.values().flatten().collect();
        levels.len() > 1 && of.values().all(|levels| levels.len() == 1)
    };
    let factors = rows.iter().flat_map(|((_, levels, ..), _)| levels.iter());
    let factors: IndexSet<&str> = factors.map(|(factor, _)| factor.as_str()).collect();
    factors.into_iter().filter(|factor| shown(factor)).collect()
}
