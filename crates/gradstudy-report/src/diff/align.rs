//! Which measurement of one run answers to which of the other.

use indexmap::{IndexMap, IndexSet};
use serde::Serialize;

use crate::results::{Measurement, Results, Subject};
use gradstudy_stats::outcome::Direction;

/// How measurements were paired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Alignment {
    /// Seed by seed.
    Seed,
    /// The runs share no seed: their means over seeds are compared.
    Mean { left: Vec<u64>, right: Vec<u64> },
}

/// What was measured. `seed` is none where means over seeds are compared.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Identity {
    pub test: String,
    pub subject: Subject,
    pub levels: Vec<(String, String)>,
    pub direction: Direction,
    pub seed: Option<u64>,
}

/// The measurements of one identity on each side; empty where the side lacks it.
#[derive(Debug)]
pub(super) struct Aligned<'a> {
    /// Of the left run, if it has it.
    pub identity: Identity,
    /// What the right run measured, where that is another subject.
    pub right_subject: Option<Subject>,
    pub left: Vec<&'a Measurement>,
    pub right: Vec<&'a Measurement>,
}

pub(super) fn align<'a>(left: &'a Results, right: &'a Results) -> (Alignment, Vec<Aligned<'a>>) {
    let seeds = |results: &Results| {
        results
            .measurements
            .iter()
            .map(|it| it.seed)
            .collect::<IndexSet<_>>()
    };
    let (left_seeds, right_seeds) = (seeds(left), seeds(right));
    let apart = !left_seeds.is_empty() && !right_seeds.is_empty() && left_seeds.is_disjoint(&right_seeds);
    let mut sides: IndexMap<Identity, [Vec<&Measurement>; 2]> = IndexMap::new();
    for (side, results) in [left, right].into_iter().enumerate() {
        for measurement in &results.measurements {
            let sides = sides.entry(identity(measurement, !apart)).or_default();
            sides[side].push(measurement);
        }
    }
    let aligned = sides.into_iter().map(|(identity, [left, right])| Aligned {
        identity,
        right_subject: None,
        left,
        right,
    });
    let alignment = match apart {
        false => Alignment::Seed,
        true => Alignment::Mean {
            left: left_seeds.into_iter().collect(),
            right: right_seeds.into_iter().collect(),
        },
    };
    (alignment, pair_changed(aligned.collect()))
}

/// Pairs what only one side has with what only the other has, where nothing but the subject differs and there is one
/// of it on each side: a changed setting, such as the batch size, changes the subject.
fn pair_changed(aligned: Vec<Aligned>) -> Vec<Aligned> {
    let key = |it: &Aligned| {
        let Identity {
            test,
            subject,
            levels,
            direction,
            seed,
        } = it.identity.clone();
        (test, subject.spectrum, subject.layers, levels, direction, seed)
    };
    let mut lone: IndexMap<_, [Vec<usize>; 2]> = IndexMap::new();
    for (index, it) in aligned.iter().enumerate() {
        let side = match (it.left.is_empty(), it.right.is_empty()) {
            (false, true) => 0,
            (true, false) => 1,
            _ => continue,
        };
        lone.entry(key(it)).or_default()[side].push(index);
    }
    let partners: IndexMap<usize, usize> = lone
        .into_values()
        .filter_map(|[left, right]| match (&left[..], &right[..]) {
            ([left], [right]) => Some((*right, *left)),
            _ => None,
        })
        .collect();
    let mut kept: Vec<Option<Aligned>> = aligned.into_iter().map(Some).collect();
    for (right, left) in partners {
        let moved = kept[right].take();
        if let (Some(moved), Some(left)) = (moved, kept[left].as_mut()) {
            left.right = moved.right;
            left.right_subject = Some(moved.identity.subject);
        }
    }
    kept.into_iter().flatten().collect()
}

fn identity(measurement: &Measurement, by_seed: bool) -> Identity {
    Identity {
        test: measurement.test.clone(),
        subject: measurement.subject.clone(),
        levels: measurement.levels.clone(),
        direction: measurement.direction,
        seed: by_seed.then_some(measurement.seed),
    }
}

impl Identity {
    /// What it is told by, one thing each.
    pub(super) fn parts(&self) -> Vec<String> {
        let mut parts = vec![self.test.clone()];
        parts.extend(told(&self.subject));
        parts.extend(
            self.levels
                .iter()
                .map(|(factor, level)| format!("{factor} {level}")),
        );
        parts.extend(self.subject.layers.clone());
        let word = || self.direction.word().to_string();
        parts.push(self.subject.spectrum.clone().unwrap_or_else(word));
        parts.extend(self.seed.map(|seed| format!("seed {seed}")));
        parts
    }
}

impl std::fmt::Display for Identity {
    /// Such as `ks, MNIST, LeNet, random, batch 100, dimension, seed 0`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.parts().join(", "))
    }
}

/// Such as `MNIST, LeNet, random, batch 100, T 5000`.
pub(super) fn words(subject: &Subject) -> String {
    told(subject).join(", ")
}

fn told(subject: &Subject) -> [String; 5] {
    let Subject {
        dataset,
        model,
        training,
        batch,
        iterations,
        ..
    } = subject;
    [
        dataset.clone(),
        model.clone(),
        training.clone(),
        format!("batch {batch}"),
        format!("T {iterations}"),
    ]
}
