//! What stands in a cell: the measurements of one row under one column.

use indexmap::{IndexMap, IndexSet};

use super::columns::{self, ColumnKind, samples::samples};
use super::number::Format;
use super::paper::PaperRow;
use super::table::{
    Cell, CellValue, DegenerateSamples, FailedResults, LeftOutValues, Missing, NearRounding, TailInRounding,
    Verdict,
};
use super::tabulate::Group;
use crate::results::{EffectiveNumbers, Measurement};
use gradstudy_stats::differences::half_width;
use gradstudy_stats::interval::Interval;
use gradstudy_stats::missing::LeftOut;
use gradstudy_stats::outcome::{Degenerate, Outcome};

/// Confidence of the interval of a mean over seeds.
const CONFIDENCE: f64 = 0.95;

pub(super) fn cell(
    column: &ColumnKind,
    group: &[&Measurement],
    paper: Option<&PaperRow>,
    effective: &EffectiveNumbers,
) -> Cell {
    let paper = paper.and_then(|row| column.paper.and_then(|printed| printed(row)));
    let mut by_test: IndexMap<&str, Group> = IndexMap::new();
    for measurement in group {
        if column.of(measurement).is_some() {
            by_test.entry(&measurement.test).or_default().push(measurement);
        }
    }
    let values: Vec<CellValue> = by_test
        .values()
        .map(|group| value(column, group, effective))
        .collect();
    let steps = by_test
        .values()
        .flatten()
        .map(|it| it.step.clone())
        .collect::<IndexSet<_>>();
    let failed = || failed(group).into_iter().next();
    let value = match values.as_slice() {
        [] => CellValue::Missing {
            reason: failed().map_or(Missing::NotMeasured, |failed| Missing::Failed { why: failed.why }),
        },
        [first, rest @ ..] if rest.iter().all(|value| value == first) => first.clone(),
        _ => CellValue::Missing {
            reason: Missing::Ambiguous {
                tests: by_test.keys().map(|test| test.to_string()).collect(),
            },
        },
    };
    Cell {
        verdict: verdict(column, &value, group),
        value,
        paper,
        steps: steps.into_iter().collect(),
    }
}

/// The verdict that the cell states; for the distance of a single sample, the rejection that it is the cause of.
fn verdict(column: &ColumnKind, value: &CellValue, group: &[&Measurement]) -> Option<Verdict> {
    let stated = match (column.format, value) {
        (Format::Verdict, CellValue::Number { mean, .. }) => Some(*mean),
        _ => None,
    };
    let single_rejected = |it: &&Measurement| match &it.outcome {
        Outcome::PowerLaw(outcome) => outcome.acceptance.tested == 1 && outcome.acceptance.accepted == 0,
        _ => false,
    };
    let is_cause = column.name == columns::D_KS && group.iter().all(single_rejected);
    match stated {
        Some(1.0) => Some(Verdict::NotRejected),
        Some(0.0) => Some(Verdict::Rejected),
        _ if is_cause => Some(Verdict::Rejected),
        _ => None,
    }
}

/// Mean and sample standard deviation over the measurements of one test, one for each seed.
fn value(column: &ColumnKind, group: &[&Measurement], effective: &EffectiveNumbers) -> CellValue {
    let values: Vec<f64> = group
        .iter()
        .filter_map(|it| column.of(it))
        .filter(|value| value.is_finite())
        .collect();
    let Some((mean, sd)) = mean_and_sd(&values) else {
        return CellValue::Missing {
            reason: Missing::NotFinite,
        };
    };
    let (effective, interval) = interval(column, group, effective).unzip();
    CellValue::Number {
        mean,
        sd,
        ci95: sd.and_then(|sd| half_width(sd, values.len() as u64, CONFIDENCE)),
        seeds: values.len() as u64,
        samples: counts(column, group).map(|(_, tested)| tested),
        effective,
        interval,
    }
}

/// Accepted and tested samples of a rate, over all seeds.
fn counts(column: &ColumnKind, group: &[&Measurement]) -> Option<(u64, u64)> {
    let counts = column.counts?;
    let sum = group
        .iter()
        .filter_map(|it| counts(&it.outcome))
        .fold((0, 0), |(accepted, tested), it| {
            (accepted + it.accepted, tested + it.tested)
        });
    (sum.1 > 0).then_some(sum)
}

/// The interval of a rate of one seed, and the independent samples that its samples are worth; `None` where that is not
/// known. Over several seeds, pooled counts would hide what the seeds differ in.
fn interval(
    column: &ColumnKind,
    group: &[&Measurement],
    effective: &EffectiveNumbers,
) -> Option<(f64, Interval)> {
    let [measurement] = group else {
        return None;
    };
    let counts = column.counts?(&measurement.outcome)?;
    let effective = effective.find(measurement)?;
    Some((effective, counts.interval(effective)))
}

/// What a test is, in a word or two.
fn kind(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::PowerLaw(_) => "power law",
        Outcome::Normality(_) => "Gaussianity",
        Outcome::Alternatives(_) => "alternatives",
        Outcome::TailIndex(_) => "tail index",
        Outcome::Correlation(_) => "correlation",
        Outcome::Shape(_) | Outcome::DavisKahan(_) | Outcome::Overlap(_) | Outcome::Failed(_) => "",
    }
}

/// `None` for no values; no spread for one. Equal values give themselves and 0, without rounding error.
pub fn mean_and_sd(values: &[f64]) -> Option<(f64, Option<f64>)> {
    let (&first, rest) = values.split_first()?;
    if rest.is_empty() {
        return Some((first, None));
    }
    if rest.iter().all(|value| *value == first) {
        return Some((first, Some(0.0)));
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    Some((mean, Some((squares / (n - 1.0)).sqrt())))
}

/// Tails that reach into rounding, by test.
pub(super) fn rounding(group: &[&Measurement]) -> Vec<TailInRounding> {
    let mut by_test: IndexMap<&str, TailInRounding> = IndexMap::new();
    for measurement in group {
        let Outcome::PowerLaw(outcome) = &measurement.outcome else {
            continue;
        };
        let Some(above) = outcome.above_rounding else {
            continue;
        };
        let found = TailInRounding {
            test: measurement.test.clone(),
            kind: kind(&measurement.outcome),
            points: outcome.asked_points.unwrap_or(outcome.tail_points),
            above,
        };
        let least = by_test.entry(&measurement.test).or_insert(found);
        least.above = least.above.min(above);
    }
    by_test.into_values().collect()
}

pub(super) fn degenerate(group: &[&Measurement]) -> Vec<DegenerateSamples> {
    let mut by_test: IndexMap<&str, DegenerateSamples> = IndexMap::new();
    for measurement in group {
        let (tested, causes) = samples(&measurement.outcome);
        let sum = by_test
            .entry(&measurement.test)
            .or_insert_with(|| DegenerateSamples {
                test: measurement.test.clone(),
                kind: kind(&measurement.outcome),
                tested: 0,
                causes: Degenerate::default(),
                has_verdict: measurement.outcome.acceptance().is_some(),
            });
        sum.tested += tested;
        sum.causes.constant += causes.constant;
        sum.causes.rounding += causes.rounding;
        sum.causes.too_few += causes.too_few;
        sum.causes.not_finite += causes.not_finite;
        sum.causes.not_whole += causes.not_whole;
    }
    by_test
        .into_values()
        .filter(|sum| sum.causes.total() > 0)
        .collect()
}

/// What could not be made, by cause.
pub(super) fn failed(group: &[&Measurement]) -> Vec<FailedResults> {
    let mut causes: IndexMap<(&str, &str), IndexSet<u64>> = IndexMap::new();
    for measurement in group {
        if let Outcome::Failed(failed) = &measurement.outcome {
            let cause = (failed.reason.as_str(), failed.what.as_str());
            causes.entry(cause).or_default().insert(measurement.seed);
        }
    }
    let results = causes.into_iter().map(|((why, what), seeds)| FailedResults {
        why: why.to_string(),
        what: what.to_string(),
        seeds: seeds.into_iter().collect(),
    });
    results.collect()
}

/// Samples whose digits are few, by test.
pub(super) fn near_rounding(group: &[&Measurement]) -> Vec<NearRounding> {
    let mut by_test: IndexMap<&str, NearRounding> = IndexMap::new();
    for measurement in group {
        let Outcome::Normality(outcome) = &measurement.outcome else {
            continue;
        };
        let sum = by_test.entry(&measurement.test).or_insert_with(|| NearRounding {
            test: measurement.test.clone(),
            kind: kind(&measurement.outcome),
            tested: 0,
            samples: 0,
        });
        sum.tested += outcome.acceptance.tested;
        sum.samples += outcome.near_rounding;
    }
    by_test.into_values().filter(|sum| sum.samples > 0).collect()
}

/// Values that `missing: drop` left out, by test.
pub(super) fn left_out(group: &[&Measurement]) -> Vec<LeftOutValues> {
    let mut by_test: IndexMap<&str, LeftOutValues> = IndexMap::new();
    for measurement in group {
        let Some(found) = measurement.outcome.left_out() else {
            continue;
        };
        let sum = by_test.entry(&measurement.test).or_insert_with(|| LeftOutValues {
            test: measurement.test.clone(),
            kind: kind(&measurement.outcome),
            left_out: LeftOut::default(),
        });
        sum.left_out.values += found.values;
        sum.left_out.samples += found.samples;
    }
    by_test
        .into_values()
        .filter(|sum| sum.left_out.values > 0)
        .collect()
}
