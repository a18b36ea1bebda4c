//! What tells the rows of an export apart: columns of keys, and names made of them.

use serde_json::{Map, Value, json};

use super::levels::LevelColumns;
use crate::arrays::write::{Column, Columns};
use crate::results::{MeasuredSpectrum, Measurement, Subject};

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
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn different_levels_never_make_one_name() {
        let names: HashSet<String> = ["a/g=b", "a%2Fg=b", "a%252Fg=b", "40 %", "40 %2"]
            .iter()
            .flat_map(|f| ["b", "b/g=c", "g=b"].map(|g| format!("{}/{}", part("f", f), part("g", g))))
            .collect();
        assert_eq!(names.len(), 15);
        assert_eq!(part("noise", "40 %"), "noise=40 %");
    }
}
