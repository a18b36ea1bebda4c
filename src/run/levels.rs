//! Columns for the levels of factors, each of the type that the study writes.

use indexmap::{IndexMap, IndexSet};

use crate::arrays::write::{Column, Columns};
use crate::results::{Factors, Results, Spectra};
use crate::study::LevelValue;

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

#[cfg(test)]
mod tests {
    use super::*;

    /// A label, and its value if it is a number.
    type Label = (&'static str, Option<LevelValue>);

    fn columns_of(factors: &[(&str, &[Label])]) -> Columns {
        let values = |levels: &[Label]| -> IndexMap<String, LevelValue> {
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
        let one = |levels: &[Label]| columns_of(&[("f", levels)]);
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
}
