//! Estimates corrected by what units took where the cache is: processors differ, and so do estimates from all of them.

use std::collections::HashMap;
use std::path::Path;

use super::manifest::Manifest;
use super::state::{self, Condition};
use crate::plan::units::UnitKind;

/// What estimates are multiplied by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Factors {
    pub seconds: f64,
    /// 1 or more: what fitted once need not fit always.
    pub memory: f64,
    /// Units that it was learnt from.
    pub units: usize,
}

/// Nothing was learnt yet.
pub const NONE: Factors = Factors {
    seconds: 1.0,
    memory: 1.0,
    units: 0,
};

/// What a unit took, against its estimate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    pub kind: UnitKind,
    /// Seconds over the estimate of them.
    pub seconds: f64,
    /// Peak memory over the estimate of it.
    pub memory: f64,
}

/// Fewer units than this tell nothing.
const ENOUGH: usize = 3;
/// What is done in less has taken the time that a process takes to begin.
const SHORTEST: f64 = 2.0;
/// The most submissions that are looked through, the latest first.
const LATEST: usize = 20;
/// Estimates are never further off: what is, has another cause.
const MOST: f64 = 32.0;

/// The factor of each kind of unit, of which enough is known: the median of times, and the memory that nine in ten units stay
/// below.
pub fn factors(samples: &[Sample]) -> HashMap<UnitKind, Factors> {
    let mut by_kind: HashMap<UnitKind, Vec<Sample>> = HashMap::new();
    samples
        .iter()
        .for_each(|it| by_kind.entry(it.kind).or_default().push(*it));
    by_kind.retain(|_, samples| samples.len() >= ENOUGH);
    let of = |samples: Vec<Sample>| Factors {
        seconds: quantile(samples.iter().map(|it| it.seconds), 0.5).clamp(1.0 / MOST, MOST),
        memory: quantile(samples.iter().map(|it| it.memory), 0.9).clamp(1.0, MOST),
        units: samples.len(),
    };
    by_kind
        .into_iter()
        .map(|(kind, samples)| (kind, of(samples)))
        .collect()
}

fn quantile(values: impl Iterator<Item = f64>, q: f64) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[((values.len() - 1) as f64 * q).ceil() as usize]
}

/// What the units of the cache's latest submissions took that computed on devices of `class` with as many `threads`. Of those
/// alone that one process made from beginning to end.
pub fn samples(cache: &Path, class: &str, threads: u16) -> Vec<Sample> {
    let mut samples = Vec::new();
    for folder in super::all(cache).iter().rev().take(LATEST) {
        let Ok(manifest) = Manifest::open(folder) else {
            continue;
        };
        if manifest.class != class || manifest.threads != threads {
            continue;
        }
        for unit in manifest.units.iter().filter(|unit| unit.estimate.seconds > 0.0) {
            let Some(state) = state::read(folder, &unit.id) else {
                continue;
            };
            if state.condition == Condition::Done && state.attempts == 1 && state.seconds >= SHORTEST {
                samples.push(Sample {
                    kind: unit.kind,
                    seconds: state.seconds / unit.estimate.seconds,
                    memory: state.peak_memory.unwrap_or(0) as f64 / unit.estimate.bytes.max(1) as f64,
                });
            }
        }
    }
    samples
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_medians_and_memory_only_grows() {
        let sample = |kind, seconds, memory| Sample {
            kind,
            seconds,
            memory,
        };
        let mut samples: Vec<Sample> = [1.0, 3.0, 2.0]
            .map(|seconds| sample(UnitKind::Recording, seconds, 0.5))
            .to_vec();
        samples.push(sample(UnitKind::Training, 9.0, 9.0));
        let learnt = factors(&samples);
        let expected = Factors {
            seconds: 2.0,
            memory: 1.0,
            units: 3,
        };
        assert_eq!(learnt, HashMap::from([(UnitKind::Recording, expected)]));
        samples.extend([
            sample(UnitKind::Training, 100.0, 2.0),
            sample(UnitKind::Training, 100.0, 2.0),
        ]);
        let learnt = factors(&samples)[&UnitKind::Training];
        assert_eq!(
            learnt,
            Factors {
                seconds: MOST,
                memory: 9.0,
                units: 3
            }
        );
    }
}
