//! What tells the rows of an export apart: columns of keys, and names made of them.

use indexmap::{IndexMap, IndexSet};
use serde_json::{Map, Value, json};

use crate::arrays::write::{Column, Columns};
use crate::results::{Factors, MeasuredSpectrum, Measurement, Results, Spectra, Subject};
use crate::study::LevelValue;

/// What some rows are of: a measurement, or a spectrum.
pub(super) struct Identity<'a> {
    /// Test and direction; none for a spectrum itself.
    test: Option<(&'a str, &'static str)>,
    /// The `spectrum` statement.
    spectrum: Option<&'a str>,
    record: &'a str,
    subject: &'a Subject,
    seed: u64,
    levels: &'a [(String, String)],
    /// How many rows are of it.
    rows: usize,
}

impl<'a> Identity<'a> {
    pub fn of_measurement(measurement: &'a Measurement, rows: usize) -> Self {
        Identity {
            test: Some((&measurement.test, measurement.direction.word())),
            spectrum: measurement.spectrum.as_deref(),
            record: &measurement.record,
            subject: &measurement.subject,
            seed: measurement.seed,
            levels: &measurement.levels,
            rows,
        }
    }

    pub fn of_spectrum(spectrum: &'a MeasuredSpectrum, rows: usize) -> Self {
        Identity {
            test: None,
            spectrum: Some(&spectrum.name),
            record: &spectrum.record,
            subject: &spectrum.subject,
            seed: spectrum.seed,
            levels: &spectrum.levels,
            rows,
        }
    }

    /// `tails/dimension/layers=conv1/seed=0/weights=random`: what differs from every other of the run.
    fn name(&self) -> String {
        let mut parts = match self.test {
            Some((test, direction)) => vec![test.to_string(), direction.to_string()],
            None => self.spectrum.iter().map(ToString::to_string).collect(),
        };
        parts.extend(self.subject.layers.iter().map(|layers| part("layers", layers)));
        parts.push(part("seed", &self.seed.to_string()));
        parts.extend(self.levels.iter().map(|(factor, label)| part(factor, label)));
        parts.join("/")
    }
}

/// `key=text`. A `/` in the text is written `%2F`, so that different parts never make one name.
fn part(key: &str, text: &str) -> String {
    format!("{key}={}", text.replace("%2", "%252").replace('/', "%2F"))
}

/// Names the tensors of a measurement.
pub fn measurement_name(measurement: &Measurement) -> String {
    Identity::of_measurement(measurement, 1).name()
}

/// Names the tensor of a spectrum.
pub fn spectrum_name(spectrum: &MeasuredSpectrum) -> String {
    Identity::of_spectrum(spectrum, 1).name()
}

/// How the levels of each factor of a run are written, whichever of its rows are.
#[derive(Debug, Default)]
pub struct LevelColumns(IndexMap<String, Factor>);

#[derive(Debug)]
struct Factor {
    /// The levels' values by label, where all of them are numbers, or all truth values.
    values: Option<(Kind, IndexMap<String, LevelValue>)>,
    /// Whether the labels are the values as written, so that the values alone tell rows apart.
    unlabelled: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Integer,
    Number,
    Boolean,
}

impl LevelColumns {
    /// Of a whole run.
    pub fn of(results: &Results, spectra: &Spectra) -> Self {
        let measured = results.measurements.iter().flat_map(|it| &it.levels);
        let all = measured.chain(spectra.spectra.iter().flat_map(|it| &it.levels));
        Self::of_levels(&results.factors, all)
    }

    /// Of all the `(factor, label)` that there are.
    pub fn of_levels<'a>(factors: &Factors, levels: impl Iterator<Item = &'a (String, String)>) -> Self {
        let mut labels: IndexMap<&str, IndexSet<&str>> = IndexMap::new();
        for (factor, label) in levels {
            labels.entry(factor).or_default().insert(label);
        }
        let known = |factor: &str, label: &str| factors.get(factor)?.get(label).copied();
        let columns = labels.into_iter().map(|(name, labels)| {
            let values: Option<IndexMap<String, LevelValue>> = labels
                .iter()
                .map(|label| Some((label.to_string(), known(name, label)?)))
                .collect();
            let values = values.and_then(|values| Some((kind(&values)?, values)));
            let unlabelled = values.as_ref().is_some_and(|(_, values)| {
                let distinct: IndexSet<String> =
                    values.values().map(|value| number(*value).to_string()).collect();
                distinct.len() == labels.len() && values.iter().all(|(label, value)| reads(label, *value))
            });
            (name.to_string(), Factor { values, unlabelled })
        });
        LevelColumns(columns.collect())
    }

    /// `level.FACTOR` of each row: numbers and truth values where the study writes its levels so, else what it calls
    /// them; then the numbers that such names stand for are in `value.FACTOR`. Factors that no row has are left out.
    pub fn columns(&self, rows: &[(&[(String, String)], usize)]) -> Columns {
        let mut columns = Columns::new();
        for (name, factor) in &self.0 {
            let label = |levels: &[(String, String)]| {
                levels
                    .iter()
                    .find(|(factor, _)| factor == name)
                    .map(|(_, label)| label.clone())
            };
            let labels: Vec<Option<String>> = rows
                .iter()
                .flat_map(|(levels, rows)| std::iter::repeat_n(label(levels), *rows))
                .collect();
            if labels.iter().all(Option::is_none) {
                continue;
            }
            let values = factor
                .values
                .as_ref()
                .map(|(kind, values)| values_of(*kind, values, &labels));
            match values {
                Some(values) if factor.unlabelled => columns.push((format!("level.{name}"), values)),
                values => {
                    columns.push((format!("level.{name}"), Column::Text(labels)));
                    columns.extend(values.map(|values| (format!("value.{name}"), values)));
                }
            }
        }
        columns
    }
}

/// What all values are, if they are alike.
fn kind(values: &IndexMap<String, LevelValue>) -> Option<Kind> {
    let all = |fits: fn(&LevelValue) -> bool| values.values().all(fits);
    if all(|it| matches!(it, LevelValue::Integer(_))) {
        Some(Kind::Integer)
    } else if all(|it| matches!(it, LevelValue::Boolean(_))) {
        Some(Kind::Boolean)
    } else if all(|it| !matches!(it, LevelValue::Boolean(_))) {
        Some(Kind::Number)
    } else {
        None
    }
}

fn number(value: LevelValue) -> f64 {
    match value {
        LevelValue::Integer(value) => value as f64,
        LevelValue::Number(value) => value,
        LevelValue::Boolean(value) => f64::from(u8::from(value)),
    }
}

/// Whether `label` is `value` as a study may write it: `5_000`, `0.1`, `20%`, `true`.
fn reads(label: &str, value: LevelValue) -> bool {
    let plain = label.replace('_', "");
    match value {
        LevelValue::Boolean(value) => label == value.to_string(),
        LevelValue::Integer(value) => plain.parse() == Ok(value),
        LevelValue::Number(value) => match plain.strip_suffix('%') {
            Some(percent) => percent.trim().parse::<f64>().is_ok_and(|it| it / 100.0 == value),
            None => plain.parse() == Ok(value),
        },
    }
}

fn values_of(kind: Kind, values: &IndexMap<String, LevelValue>, labels: &[Option<String>]) -> Column {
    let of = labels
        .iter()
        .map(|label| label.as_ref().and_then(|label| values.get(label).copied()));
    match kind {
        Kind::Integer => Column::Signed(
            of.map(|value| match value {
                Some(LevelValue::Integer(value)) => Some(value),
                _ => None,
            })
            .collect(),
        ),
        Kind::Boolean => Column::Boolean(
            of.map(|value| match value {
                Some(LevelValue::Boolean(value)) => Some(value),
                _ => None,
            })
            .collect(),
        ),
        Kind::Number => Column::Number(of.map(|value| value.map_or(f64::NAN, number)).collect()),
    }
}

/// Columns that say what each row is of. No two measurements, and no two spectra, of a run have the same.
pub(super) fn columns(of: &[Identity], levels: &LevelColumns) -> Columns {
    let text = |value: &dyn Fn(&Identity) -> Option<String>| {
        let repeated = of.iter().flat_map(|it| std::iter::repeat_n(value(it), it.rows));
        Column::Text(repeated.collect())
    };
    let integer = |value: fn(&Identity) -> Option<u64>| {
        let repeated = of.iter().flat_map(|it| std::iter::repeat_n(value(it), it.rows));
        Column::Integer(repeated.collect())
    };
    let owned = |text: &str| Some(text.to_string());
    let mut columns = Columns::new();
    let mut add = |name: &str, column| columns.push((name.to_string(), column));
    let tests = of.iter().any(|it| it.test.is_some());
    if tests {
        add("test", text(&|it| owned(it.test?.0)));
    }
    add("spectrum", text(&|it| owned(it.spectrum?)));
    add(
        "record",
        text(&|it| owned(it.record).filter(|name| !name.is_empty())),
    );
    add("dataset", text(&|it| owned(&it.subject.dataset)));
    add("model", text(&|it| owned(&it.subject.model)));
    add("training", text(&|it| owned(&it.subject.training)));
    add("layers", text(&|it| it.subject.layers.clone()));
    // Numbers of a file have no minibatches.
    add(
        "batch",
        integer(|it| Some(it.subject.batch).filter(|batch| *batch > 0)),
    );
    add("iterations", integer(|it| Some(it.subject.iterations)));
    add("parameters", integer(|it| Some(it.subject.parameters)));
    add("of", text(&|it| it.subject.spectrum.clone()));
    add("seed", integer(|it| Some(it.seed)));
    let rows: Vec<_> = of.iter().map(|it| (it.levels, it.rows)).collect();
    columns.extend(levels.columns(&rows));
    if tests {
        columns.push(("direction".to_string(), text(&|it| owned(it.test?.1))));
    }
    columns
}

/// The keys of each measurement, as a JSON object.
pub fn keys_of_measurements<'a>(
    measurements: impl Iterator<Item = &'a Measurement>,
    levels: &LevelColumns,
) -> Vec<Value> {
    objects(
        &measurements
            .map(|it| Identity::of_measurement(it, 1))
            .collect::<Vec<_>>(),
        levels,
    )
}

/// The keys of each spectrum, as a JSON object.
pub fn keys_of_spectra<'a>(
    spectra: impl Iterator<Item = &'a MeasuredSpectrum>,
    levels: &LevelColumns,
) -> Vec<Value> {
    objects(
        &spectra.map(|it| Identity::of_spectrum(it, 1)).collect::<Vec<_>>(),
        levels,
    )
}

fn objects(of: &[Identity], levels: &LevelColumns) -> Vec<Value> {
    let columns = columns(of, levels);
    let object = |row: usize| {
        let fields = columns
            .iter()
            .map(|(name, column)| (name.clone(), json_of(column, row)));
        Value::Object(
            fields
                .filter(|(_, value)| !value.is_null())
                .collect::<Map<_, _>>(),
        )
    };
    (0..of.len()).map(object).collect()
}

fn json_of(column: &Column, row: usize) -> Value {
    match column {
        Column::Text(values) => json!(values[row]),
        Column::Integer(values) => json!(values[row]),
        Column::Signed(values) => json!(values[row]),
        Column::Boolean(values) => json!(values[row]),
        // NaN, which stands for what is missing, is null.
        Column::Number(values) => json!(values[row]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns_of(factors: &[(&str, &[(&str, Option<LevelValue>)])]) -> Columns {
        let values = |levels: &[(&str, Option<LevelValue>)]| -> IndexMap<String, LevelValue> {
            levels
                .iter()
                .filter_map(|(label, value)| Some((label.to_string(), (*value)?)))
                .collect()
        };
        let known: Factors = factors
            .iter()
            .map(|(name, levels)| (name.to_string(), values(levels)))
            .collect();
        let all: Vec<(String, String)> = factors
            .iter()
            .flat_map(|(name, levels)| {
                levels
                    .iter()
                    .map(|(label, _)| (name.to_string(), label.to_string()))
            })
            .collect();
        let columns = LevelColumns::of_levels(&known, all.iter());
        let rows: Vec<(&[(String, String)], usize)> = all.chunks(1).map(|level| (level, 1)).collect();
        columns.columns(&rows)
    }

    #[test]
    fn levels_keep_their_types() {
        use LevelValue::{Boolean, Integer, Number};
        let one = |levels: &[(&str, Option<LevelValue>)]| columns_of(&[("f", levels)]);
        let text = |labels: &[&str]| Column::Text(labels.iter().map(|it| Some(it.to_string())).collect());
        let level = |column| ("level.f".to_string(), column);
        let value = |column| ("value.f".to_string(), column);
        assert_eq!(
            one(&[("-3", Some(Integer(-3))), ("5_000", Some(Integer(5000)))]),
            [level(Column::Signed(vec![Some(-3), Some(5000)]))]
        );
        assert_eq!(
            one(&[
                ("1", Some(Integer(1))),
                ("20%", Some(Number(0.2))),
                ("1e-3", Some(Number(1e-3)))
            ]),
            [level(Column::Number(vec![1.0, 0.2, 1e-3]))]
        );
        assert_eq!(
            one(&[("true", Some(Boolean(true))), ("false", Some(Boolean(false)))]),
            [level(Column::Boolean(vec![Some(true), Some(false)]))]
        );
        // A label that is no number is what tells rows apart; its number goes beside it.
        assert_eq!(
            one(&[("small", Some(Integer(10))), ("100", Some(Integer(100)))]),
            [
                level(text(&["small", "100"])),
                value(Column::Signed(vec![Some(10), Some(100)]))
            ]
        );
        // Two labels of one number are told apart by their labels.
        assert_eq!(
            one(&[("1", Some(Integer(1))), ("1.0", Some(Number(1.0)))]),
            [level(text(&["1", "1.0"])), value(Column::Number(vec![1.0, 1.0]))]
        );
        assert_eq!(
            one(&[("none", None), ("0.1", Some(Number(0.1)))]),
            [level(text(&["none", "0.1"]))]
        );
        assert_eq!(
            one(&[("true", Some(Boolean(true))), ("1", Some(Integer(1)))]),
            [level(text(&["true", "1"]))]
        );
    }

    #[test]
    fn a_factor_that_a_row_lacks_is_missing_there() {
        let columns = columns_of(&[
            ("a", &[("1", Some(LevelValue::Integer(1)))]),
            ("b", &[("0.5", Some(LevelValue::Number(0.5)))]),
        ]);
        assert_eq!(
            columns[0],
            ("level.a".to_string(), Column::Signed(vec![Some(1), None]))
        );
        let (name, Column::Number(values)) = &columns[1] else {
            panic!("{columns:?}");
        };
        assert_eq!((name.as_str(), values[1]), ("level.b", 0.5));
        assert!(values[0].is_nan());
    }

    #[test]
    fn different_levels_never_make_one_name() {
        let names: IndexSet<String> = ["a/g=b", "a%2Fg=b", "a%252Fg=b", "40 %", "40 %2"]
            .iter()
            .flat_map(|f| ["b", "b/g=c", "g=b"].map(|g| format!("{}/{}", part("f", f), part("g", g))))
            .collect();
        assert_eq!(names.len(), 15);
        assert_eq!(part("noise", "40 %"), "noise=40 %");
    }
}
