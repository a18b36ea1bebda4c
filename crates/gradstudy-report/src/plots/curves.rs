//! Which results make one curve, and what it is called.

use indexmap::{IndexMap, IndexSet};

use crate::report::label_of;
use crate::results::Subject;
use gradstudy_base::signature::Args;
use gradstudy_stats::outcome::Direction;

/// What the keys of curves can speak of.
pub(super) struct Identity<'a> {
    /// The name of the test or spectrum.
    pub name: &'a str,
    pub subject: &'a Subject,
    pub levels: &'a [(String, String)],
    pub direction: Direction,
}

/// The words of an optional list of words.
pub(super) fn words<'a>(args: &'a Args, key: &str) -> Vec<&'a str> {
    args.get(key).map(|_| args.texts(key)).unwrap_or_default()
}

/// What tells curves apart besides the factors of the study, in the order in which it names them.
const BUILT_IN: [&str; 8] = [
    "dataset",
    "model",
    "training",
    "spectrum",
    "layers",
    "sg_type",
    "batch",
    "iterations",
];

/// Groups `items` into curves by `keys`, and by whatever else tells them apart besides `axis`: a curve never joins two
/// conditions. Curves come in the order of the results.
pub(super) fn group<'a, T>(
    items: &'a [T],
    identity: impl Fn(&'a T) -> Identity<'a>,
    keys: &[&str],
    axis: Option<&str>,
) -> IndexMap<String, Vec<&'a T>> {
    let identities: Vec<Identity> = items.iter().map(&identity).collect();
    let factors: IndexSet<&str> = identities
        .iter()
        .flat_map(|it| it.levels)
        .map(|(factor, _)| factor.as_str())
        .collect();
    let others = factors.iter().copied().chain(BUILT_IN);
    let others =
        others.filter(|key| !keys.contains(key) && !axis.is_some_and(|axis| is_axis(&identities, axis, key)));
    let mut told: Vec<&str> = keys.to_vec();
    // A key that says the same of all is no name for any of them.
    for key in others {
        let count = |keys: &[&str]| {
            let labels = identities.iter().map(|it| label(it, keys));
            labels.collect::<IndexSet<_>>().len()
        };
        let before = count(&told);
        told.push(key);
        if count(&told) == before {
            told.pop();
        }
    }
    let mut curves: IndexMap<String, Vec<&T>> = IndexMap::new();
    for (item, identity) in items.iter().zip(&identities) {
        let mut name = label(identity, &told);
        if name.is_empty() {
            name = identity.name.to_string();
        }
        curves.entry(name).or_default().push(item);
    }
    curves
}

/// Whether `key` is what stands on the axis, be it under another name: each place on the axis has one level of `key`, and
/// each level one place.
fn is_axis(identities: &[Identity], axis: &str, key: &str) -> bool {
    let text = |key: &str, it: &Identity| label_of(key, it.subject, it.levels, it.direction);
    let pairs: IndexSet<(String, String)> = identities
        .iter()
        .map(|it| (text(axis, it), text(key, it)))
        .collect();
    let places: IndexSet<&String> = pairs.iter().map(|(place, _)| place).collect();
    let levels: IndexSet<&String> = pairs.iter().map(|(_, level)| level).collect();
    key == axis || (places.len() == pairs.len() && levels.len() == pairs.len())
}

fn label(identity: &Identity, keys: &[&str]) -> String {
    let labels = keys.iter().map(|key| {
        let text = label_of(key, identity.subject, identity.levels, identity.direction);
        match *key {
            _ if text.is_empty() => text,
            "batch" => format!("B = {text}"),
            "iterations" => format!("T = {text}"),
            // Names of data sets, networks and the like say what they are; so does a level labelled `K = 10`.
            key if BUILT_IN.contains(&key) || text.contains('=') => text,
            factor => format!("{factor} = {text}"),
        }
    });
    labels
        .filter(|text| !text.is_empty())
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    type Row = (Subject, Vec<(String, String)>);

    fn subject(batch: u64) -> Subject {
        Subject {
            dataset: "MNIST".into(),
            model: "LeNet".into(),
            training: "random".into(),
            batch,
            iterations: 5000,
            parameters: 10,
            spectrum: None,
            layers: None,
        }
    }

    fn names(rows: &[(u64, &[(&str, &str)])], keys: &[&str], axis: &str) -> Vec<String> {
        let own = |levels: &[(&str, &str)]| {
            let level = |(factor, level): &(&str, &str)| (factor.to_string(), level.to_string());
            levels.iter().map(level).collect()
        };
        let items: Vec<Row> = rows
            .iter()
            .map(|(batch, levels)| (subject(*batch), own(levels)))
            .collect();
        group(&items, identity, keys, Some(axis)).into_keys().collect()
    }

    fn identity(row: &Row) -> Identity<'_> {
        Identity {
            name: "tails",
            subject: &row.0,
            levels: &row.1,
            direction: Direction::Dimension,
        }
    }

    #[test]
    fn factors_name_curves_with_their_levels_and_the_axis_never_does() {
        let rows: &[(u64, &[(&str, &str)])] = &[
            (1, &[("b", "1"), ("lr", "0.1")]),
            (1, &[("b", "1"), ("lr", "0.2")]),
            (10, &[("b", "10"), ("lr", "0.1")]),
            (10, &[("b", "10"), ("lr", "0.2")]),
        ];
        // `b` is the batch size under another name.
        for axis in ["batch", "b"] {
            assert_eq!(names(rows, &[], axis), ["lr = 0.1", "lr = 0.2"], "{axis}");
        }
        assert_eq!(names(rows, &[], "lr"), ["b = 1", "b = 10"]);
        // What the study names does not join conditions that it says nothing of.
        assert_eq!(
            names(rows, &["model"], "batch"),
            ["LeNet, lr = 0.1", "LeNet, lr = 0.2"]
        );
        assert_eq!(names(&rows[..1], &[], "batch"), ["tails"]);
        // A level that says itself what it is.
        let labelled: &[(u64, &[(&str, &str)])] = &[(1, &[("clip", "c = 1")]), (1, &[("clip", "none")])];
        assert_eq!(names(labelled, &[], "batch"), ["c = 1", "clip = none"]);
    }

    #[test]
    fn conditions_at_other_places_of_the_axis_stay_apart() {
        let rows: &[(u64, &[(&str, &str)])] = &[
            (1, &[("net", "a")]),
            (10, &[("net", "a")]),
            (100, &[("net", "b")]),
        ];
        assert_eq!(names(rows, &[], "batch"), ["net = a", "net = b"]);
    }
}
