//! Which results make one curve, and what it is called.

use indexmap::{IndexMap, IndexSet};

use crate::report::label_of;
use crate::results::Subject;
use crate::signature::Args;
use crate::stats::outcome::Direction;

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

/// Groups `items` into curves by `keys`; where the study names none, by everything that tells them apart besides
/// `axis`. Curves come in the order of the results.
pub(super) fn group<'a, T>(
    items: &'a [T],
    identity: impl Fn(&'a T) -> Identity<'a>,
    keys: &[&str],
    axis: Option<&str>,
) -> IndexMap<String, Vec<&'a T>> {
    let factors: IndexSet<&str> = items
        .iter()
        .flat_map(|item| identity(item).levels)
        .map(|(factor, _)| factor.as_str())
        .collect();
    let candidates: Vec<&str> = match keys {
        [] => {
            let built_in = [
                "dataset",
                "model",
                "training",
                "spectrum",
                "layers",
                "sg_type",
                "batch",
                "iterations",
            ];
            factors
                .iter()
                .copied()
                .chain(built_in)
                .filter(|key| Some(*key) != axis)
                .collect()
        }
        keys => keys.to_vec(),
    };
    // A key that says the same of all is no name for any of them.
    let mut told: Vec<&str> = Vec::new();
    for key in candidates {
        let count = |keys: &[&str]| {
            let labels = items.iter().map(|item| label(&identity(item), keys));
            labels.collect::<IndexSet<_>>().len()
        };
        let before = count(&told);
        told.push(key);
        if keys.is_empty() && count(&told) == before {
            told.pop();
        }
    }
    let mut curves: IndexMap<String, Vec<&T>> = IndexMap::new();
    for item in items {
        let identity = identity(item);
        let mut name = label(&identity, &told);
        if name.is_empty() {
            name = identity.name.to_string();
        }
        curves.entry(name).or_default().push(item);
    }
    curves
}

fn label(identity: &Identity, keys: &[&str]) -> String {
    let labels = keys.iter().map(|key| {
        let text = label_of(key, identity.subject, identity.levels, identity.direction);
        match *key {
            "batch" => format!("B = {text}"),
            "iterations" => format!("T = {text}"),
            _ => text,
        }
    });
    labels
        .filter(|text| !text.is_empty())
        .collect::<Vec<_>>()
        .join(", ")
}
