//! Which measurement of one run answers to which of the other.

use indexmap::{IndexMap, IndexSet};
use serde::Serialize;

use crate::results::{Measurement, Results, Subject};
use crate::stats::outcome::{Direction, Outcome};

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

/// The outcomes of one identity on each side; empty where the side lacks it.
pub(super) type Aligned<'a> = (Identity, Vec<&'a Outcome>, Vec<&'a Outcome>);

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
    let mut sides: IndexMap<Identity, (Vec<&Outcome>, Vec<&Outcome>)> = IndexMap::new();
    for measurement in &left.measurements {
        sides
            .entry(identity(measurement, !apart))
            .or_default()
            .0
            .push(&measurement.outcome);
    }
    for measurement in &right.measurements {
        sides
            .entry(identity(measurement, !apart))
            .or_default()
            .1
            .push(&measurement.outcome);
    }
    let alignment = match apart {
        false => Alignment::Seed,
        true => Alignment::Mean {
            left: left_seeds.into_iter().collect(),
            right: right_seeds.into_iter().collect(),
        },
    };
    (
        alignment,
        sides
            .into_iter()
            .map(|(identity, (left, right))| (identity, left, right))
            .collect(),
    )
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

impl std::fmt::Display for Identity {
    /// Such as `ks, MNIST, LeNet, random, batch 100, dimension, seed 0`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Subject {
            dataset,
            model,
            training,
            batch,
            iterations,
            parameters: _,
            spectrum,
        } = &self.subject;
        write!(
            f,
            "{}, {dataset}, {model}, {training}, batch {batch}, T {iterations}",
            self.test
        )?;
        for (factor, level) in &self.levels {
            write!(f, ", {factor} {level}")?;
        }
        match spectrum {
            Some(spectrum) => write!(f, ", {spectrum}")?,
            None => write!(f, ", {}", self.direction.word())?,
        }
        self.seed.map_or(Ok(()), |seed| write!(f, ", seed {seed}"))
    }
}
