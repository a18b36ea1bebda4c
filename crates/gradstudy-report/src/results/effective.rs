//! How many independent samples the rows or columns of a gradient history are worth, where a run measured it.

use std::collections::HashMap;

use super::{Measurement, Results};
use gradstudy_stats::outcome::{Direction, Outcome};

/// The effective numbers that the `correlation` tests of a run found, by what they are of.
#[derive(Debug, Default)]
pub struct EffectiveNumbers {
    found: HashMap<(String, u64, Direction), Vec<Measurement>>,
}

impl EffectiveNumbers {
    /// Those of all `correlation` tests in `results`.
    pub fn of(results: &Results) -> Self {
        let mut found: HashMap<_, Vec<Measurement>> = HashMap::new();
        for it in &results.measurements {
            if matches!(it.outcome, Outcome::Correlation(_)) {
                found.entry(key(it)).or_default().push(it.clone());
            }
        }
        EffectiveNumbers { found }
    }

    /// How many independent samples those of `measurement` are worth: 1 for a single sample; else what `correlation` of
    /// the same record, seed and direction found, by the most pairs where there are several. `None` where there is none:
    /// rows and columns of one gradient history must not be taken for independent.
    pub fn find(&self, measurement: &Measurement) -> Option<f64> {
        let tested = measurement.outcome.acceptance().map(|it| it.tested);
        if tested == Some(1) {
            return Some(1.0);
        }
        let of_same = self
            .found
            .get(&key(measurement))?
            .iter()
            .filter(|it| it.subject == measurement.subject && of_one_history(it, measurement));
        let mut best: Option<(u64, f64)> = None;
        for it in of_same {
            if let Outcome::Correlation(found) = &it.outcome
                && Some(found.tested) == tested
                && best.is_none_or(|(pairs, _)| found.pairs > pairs)
            {
                best = Some((found.pairs, found.effective));
            }
        }
        best.map(|(_, effective)| effective)
    }
}

fn key(measurement: &Measurement) -> (String, u64, Direction) {
    (
        measurement.record.clone(),
        measurement.seed,
        measurement.direction,
    )
}

/// Whether two measurements of one record are of the same history: a factor that only one of them has a level of changes
/// that test, not the record.
fn of_one_history(one: &Measurement, other: &Measurement) -> bool {
    let within = |few: &[(String, String)], many: &[(String, String)]| few.iter().all(|it| many.contains(it));
    within(&one.levels, &other.levels) || within(&other.levels, &one.levels)
}
