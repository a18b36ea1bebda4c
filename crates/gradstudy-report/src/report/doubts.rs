//! What speaks against the training behind a row: its numbers are right, but perhaps not of what was meant.

use indexmap::{IndexMap, IndexSet};

use super::columns::samples::samples;
use super::number::{self, Format, Target};
use crate::results::Measurement;
use gradstudy_stats::outcome::{Direction, Outcome};

/// An accuracy up to this many times that of guessing is no better than guessing.
const AT_CHANCE: f64 = 1.2;

/// Doubts of one row, over all its seeds, each a clause without an end.
pub(super) fn doubts(group: &[&Measurement]) -> Vec<String> {
    at_chance(group).into_iter().chain(vanished(group)).collect()
}

/// Trainings whose network guesses.
fn at_chance(group: &[&Measurement]) -> Option<String> {
    let mut seeds: IndexMap<u64, f64> = IndexMap::new();
    for measurement in group {
        let Some(training) = &measurement.training else {
            continue;
        };
        let (Some(accuracy), Some(chance)) = (training.train_accuracy.last, training.chance) else {
            continue;
        };
        if accuracy <= AT_CHANCE * chance {
            seeds.insert(measurement.seed, accuracy);
        }
    }
    let best = seeds.values().copied().reduce(f64::max)?;
    Some(format!(
        "the network guesses: a training accuracy of {}{}",
        number::quantity(best, None, Format::Percent(3), Target::Terminal),
        of_seeds(&seeds.into_keys().collect(), group)
    ))
}

/// Histories most of whose rows or columns are constant: gradients that vanished.
fn vanished(group: &[&Measurement]) -> Option<String> {
    // Numbers of a file have no minibatches, and are no gradients.
    let of_history = |it: &&&Measurement| it.direction != Direction::Spectrum && it.subject.batch > 0;
    let (mut seeds, mut share) = (IndexSet::new(), 0.0_f64);
    for measurement in group.iter().filter(of_history) {
        if let Outcome::Failed(_) = measurement.outcome {
            continue;
        }
        let (tested, causes) = samples(&measurement.outcome);
        if tested > 1 && 2 * causes.constant > tested {
            seeds.insert(measurement.seed);
            share = share.max(causes.constant as f64 / tested as f64);
        }
    }
    (!seeds.is_empty()).then(|| {
        format!(
            "most gradients vanished: {} of the samples are constant{}",
            number::quantity(share, None, Format::Percent(3), Target::Terminal),
            of_seeds(&seeds, group)
        )
    })
}

/// Nothing where it is so in every seed of the row.
fn of_seeds(seeds: &IndexSet<u64>, group: &[&Measurement]) -> String {
    let all: IndexSet<u64> = group.iter().map(|it| it.seed).collect();
    match seeds.len() == all.len() {
        true => String::new(),
        false => {
            let seeds: Vec<String> = seeds.iter().map(u64::to_string).collect();
            format!(" (seed {})", seeds.join(", "))
        }
    }
}
